"""Runs policy-distillation-baselines as it is, on today's libraries; a child of `distill_ant.py`.

    PYTHON distill_anchor_child.py CHECKOUT TEACHER.zip VECNORMALIZE.pkl [--loss kl] [--seed 1] [--iterations 6000]

CHECKOUT is a checkout of CUN-bjy/policy-distillation-baselines (GPL-3.0, not part of this project; commit 2094d57),
and PYTHON one that has stable-baselines3 2, torch, gymnasium and pybullet_envs_gymnasium. Nothing of the checkout is
changed: its loop, its sampling, its losses and its tests run as they are written. What no longer runs is replaced
from outside, before it is imported:

* the name `gym` is gymnasium's, `tensorboardX` writes nothing, and of `yaml` and `scipy`, which it imports and
  does not need, there are only the names;
* its loader (`load_env_and_model` and the copy of the zoo's tools below it, which import classes that
  stable-baselines3 no longer has) is replaced by one that makes the env with its time feature and its observation
  scaling, and hands the teacher the spaces that old pickles cannot say any more;
* no window is opened, and a test's reward is a number, not an array of one (NumPy 2 does not format that).

Each line goes out as it is printed, so that the parent can read the clock.
"""

import argparse
import pickle
import sys
import tempfile
import types
from pathlib import Path
from typing import Any


class Renamed(pickle.Unpickler):
    """Finds what was pickled under `gym` in gymnasium."""

    def find_class(self, module: str, name: str) -> Any:
        """See `pickle.Unpickler`."""
        renamed = "gymnasium" + module[3:] if module == "gym" or module.startswith("gym.") else module
        return super().find_class(renamed, name)


def scaling_of(file: Path) -> tuple[Any, Any, float]:
    """Mean, variance and clip of a VecNormalize pickle; it is trusted here, as the anchor trusts it."""
    held = Renamed(file.open("rb")).load()
    return held.obs_rms.mean, held.obs_rms.var, float(held.clip_obs)


def make_env(statistics: tuple[Any, Any, float]) -> Any:
    """AntBullet with its time feature, scaled, one env, with the interface of a vector env of one."""
    import gymnasium
    import numpy as np
    import pybullet_envs_gymnasium  # noqa: F401 - registers the env
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    class TimeFeature(gymnasium.ObservationWrapper):  # type: ignore[misc]  # gymnasium's is untyped here
        def __init__(self, env: Any) -> None:
            super().__init__(env)
            low, high = env.observation_space.low, env.observation_space.high
            self.observation_space = gymnasium.spaces.Box(
                np.append(low, 0.0).astype(np.float32), np.append(high, 1.0).astype(np.float32)
            )
            self.at = 0

        def reset(self, **words: Any) -> Any:
            self.at = 0
            return super().reset(**words)

        def step(self, action: Any) -> Any:
            self.at += 1
            return super().step(action)

        def observation(self, observation: Any) -> Any:
            return np.append(observation, 1.0 - self.at / 1000.0).astype(np.float32)

    class OneNumber(VecNormalize):
        def step_wait(self) -> Any:
            observation, reward, over, info = super().step_wait()
            return observation, Reward(reward), over, info

    class Reward(float):
        """A number that also answers for the array of one that it was."""

        def __new__(cls, array: Any) -> "Reward":
            return super().__new__(cls, float(array[0]))

        def __getitem__(self, place: int) -> float:
            return float(self)

    env = OneNumber(
        DummyVecEnv([lambda: TimeFeature(gymnasium.make("AntBulletEnv-v0"))]),
        training=False,
        norm_reward=False,
    )
    env.obs_rms.mean, env.obs_rms.var, env.clip_obs = statistics
    env.seed(0)
    return env


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("checkout", type=Path)
    parser.add_argument("teacher", type=Path)
    parser.add_argument("statistics", type=Path)
    parser.add_argument("--loss", default="kl", choices=["kl", "wasserstein"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=6000)
    parser.add_argument("--algo", default="ppo")
    args = parser.parse_args()

    import gymnasium
    import stable_baselines3

    class Writer:
        def __init__(self, **words: Any) -> None: ...
        def add_scalar(self, *words: Any) -> None: ...

    sys.modules["gym"] = gymnasium
    for unused in ("yaml", "scipy", "scipy.optimize"):
        sys.modules[unused] = types.ModuleType(unused)
    sys.modules["scipy"].optimize = sys.modules["scipy.optimize"]  # type: ignore[attr-defined]
    sys.modules["tensorboardX"] = types.SimpleNamespace(SummaryWriter=Writer)  # type: ignore[assignment]
    kind = getattr(stable_baselines3, args.algo.upper())
    zoo = types.ModuleType("utils2")
    for name in ("create_test_env", "get_latest_run_id", "get_saved_hyperparams"):
        setattr(zoo, name, None)
    zoo.ALGOS = {args.algo: kind}  # type: ignore[attr-defined]
    sys.modules["utils2"], sys.modules["utils2.import_envs"] = zoo, types.ModuleType("utils2.import_envs")
    zoo.import_envs = sys.modules["utils2.import_envs"]  # type: ignore[attr-defined]
    sys.path.insert(0, str(args.checkout.resolve()))
    statistics, teacher = scaling_of(args.statistics), args.teacher.resolve()

    def load_env_and_model(env_id: str, algo: str, folder: str) -> Any:
        env = make_env(statistics)
        spaces = {
            "observation_space": env.observation_space, "action_space": env.action_space,
            "lr_schedule": lambda _: 0.0, "clip_range": lambda _: 0.0, "learning_rate": 0.0,
        }  # fmt: skip
        return env, kind.load(teacher, env=env, custom_objects=spaces, device="cpu")

    import classroom
    import policy_distillation
    import utils.agent_pd_baselines as agents

    for module in (agents, classroom, policy_distillation):
        module.load_env_and_model = load_env_and_model
    wanted = argparse.Namespace(
        env="AntBulletEnv-v0", folder="", algo=args.algo, hidden_size=64, num_layers=2, seed=args.seed,
        agent_count=3, num_teachers=1, sample_batch_size=10000, render=False, lr=1e-3, test_interval=500,
        student_batch_size=1000, sample_interval=2500, testing_batch_size=5000,
        num_student_episodes=args.iterations, loss_metric=args.loss,
    )  # fmt: skip
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        import os

        os.chdir(folder)  # it saves each tested student below its working folder
        Path("distilled-agents").mkdir()
        policy_distillation.main(wanted)


if __name__ == "__main__":
    main()
