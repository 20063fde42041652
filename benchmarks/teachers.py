"""Every agent under LANISTA_TEACHERS as a teacher: does it load with no flag, and play as it is said to?

    LANISTA_TEACHERS=~/rl-trained-agents python benchmarks/teachers.py [--episodes 20] [--only ppo] [--workers 0]

The folder is one of the RL Zoo's (``ppo/AntBulletEnv-v0_1/AntBulletEnv-v0.zip``, statistics and config beside it). Each
agent plays greedily in gymnasium's newest form of its env. The verdict compares with `EXPECTED`, what Stable-Baselines3
itself scored with these files over 20 episodes: "same" is within three standard errors of both means, or within 5 %.
"""

import argparse
import math
import os
import re
import time
from pathlib import Path

from lanista.env import VecEnv
from lanista.errors import LanistaError
from lanista.matches import evaluate_returns
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy_player import PolicyPlayer
from lanista.tables import EnvTable

#: agent -> mean and deviation of the return
EXPECTED = {
    "dqn/CartPole-v1": (500, 0), "dqn/MountainCar-v0": (-106, 8), "qrdqn/Acrobot-v1": (-67, 8),
    "ppo/LunarLander-v2": (240, 28), "ppo/LunarLanderContinuous-v2": (263, 54), "sac/Pendulum-v1": (-153, 78),
    "a2c/BipedalWalker-v3": (301, 1), "ppo/AntBulletEnv-v0": (2868, 67), "trpo/AntBulletEnv-v0": (2571, 32),
    "trpo/Hopper-v3": (3549, 333), "trpo/Walker2d-v3": (5126, 1001), "ppo/HalfCheetah-v3": (5702, 781),
}  # fmt: skip
EXPECTED_EPISODES = 20
#: how an env of the agent's day is called now
NOW = (
    (r"LunarLander(Continuous)?-v2", r"LunarLander\1-v3"),
    (r"(Ant|HalfCheetah|Hopper|Humanoid|Swimmer|Walker2d)-v3", r"\1-v4"),
)


def env_of(agent: Path, wrapper: str | None, workers: int) -> EnvTable:
    name = agent.stem
    for old, new in NOW:
        name = re.sub(f"^{old}$", new, name)
    wrappers = [] if wrapper is None else [wrapper.rpartition(".")[2]]
    if agent.stem == "Ant-v3":
        wrappers.append("ZeroContactForces")
    return EnvTable.model_validate({"use": f"gymnasium:{name}", "wrappers": wrappers, "workers": workers})


def wrapper_of(agent: Path) -> str | None:
    config = agent.with_suffix("") / "config.yml"
    text = config.read_text() if config.is_file() else ""
    found = re.search(r"env_wrapper\W+([A-Za-z_][\w.]*)", text)
    return None if found is None or found[1] == "null" else found[1]


def verdict(name: str, mean: float, deviation: float, episodes: int) -> tuple[str, str]:
    if name not in EXPECTED:
        return "-", "-"
    said, spread = EXPECTED[name]
    error = math.sqrt(deviation**2 / episodes + spread**2 / EXPECTED_EPISODES)
    gap = mean - said
    same = abs(gap) <= max(3.0 * error, 0.05 * abs(said))
    return f"{said:,} ± {spread:,}", "same" if same else ("higher" if gap > 0 else "lower")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--games", type=int, default=10)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--only", default="", help="a part of the agent's path")
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    folder = Path(os.environ.get("LANISTA_TEACHERS", ""))
    agents = sorted(
        agent for agent in folder.glob("*/*/*.zip") if wanted.only in str(agent.relative_to(folder))
    )
    if not os.environ.get("LANISTA_TEACHERS") or not agents:
        raise SystemExit("no agents: set LANISTA_TEACHERS to a folder of ALGORITHM/ENV_1/ENV.zip")
    registry = load_plugins(strangers=False).registry
    print(
        f"| teacher | plays | parameters | mean ± sd, {wanted.episodes} ep. | worst | expected | verdict | s |"
    )
    print("|---|---|---:|---:|---:|---:|---|---:|")
    for agent in agents:
        name = f"{agent.relative_to(folder).parts[0]}/{agent.stem}"
        table = env_of(agent, wrapper_of(agent), wanted.workers)
        context = PhaseContext(registry, table, "teachers", folder, wanted.seed, 1, {})
        env: VecEnv | None = None
        try:
            env = context.make_env(min(wanted.games, wanted.episodes))
            teacher = context.policy_of(f"sb3:{agent}", env)
            began = time.perf_counter()
            returns = evaluate_returns(
                env, PolicyPlayer(teacher, 0, greedy=True), wanted.episodes, wanted.seed
            )
        except LanistaError as error:
            print(f"| {name} | {table.use} | | | | | {error} | |", flush=True)
            continue
        finally:
            if env is not None:
                env.close()
        mean, spread = float(returns.mean()), float(returns.std(ddof=1))
        expected, same = verdict(name, mean, spread, wanted.episodes)
        wrappers = "".join(f" + {wrapper}" for wrapper in table.options["wrappers"])
        print(
            f"| {name} | {table.use.removeprefix('gymnasium:')}{wrappers} | {teacher.num_parameters:,} "
            f"| {mean:,.1f} ± {spread:,.1f} | {returns.min():,.1f} | {expected} | {same} "
            f"| {time.perf_counter() - began:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
