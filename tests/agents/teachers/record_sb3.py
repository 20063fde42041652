"""Writes ``sb3/*.zip``, ``sb3/*.pkl`` and ``sb3/answers.npz``: small untrained agents and what they answer.

Run by hand with Stable-Baselines3 and its contrib package, which lanista itself never needs:

    python tests/agents/teachers/record_sb3.py
"""

import io
import zipfile
from pathlib import Path

import gymnasium
import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

HERE = Path(__file__).parent / "sb3"
ROWS = 32
LOW, HIGH = np.array([-2.0, 0.0], np.float32), np.array([1.0, 3.0], np.float32)
SHOWN = spaces.Box(-np.inf, np.inf, (5,), np.float32)
CHOICE, NUMBERS = spaces.Discrete(3), spaces.Box(LOW, HIGH)
SEVERAL, BITS = spaces.MultiDiscrete([3, 2]), spaces.MultiBinary(2)


class World(gymnasium.Env):
    """Noise, of any action space; ten steps an episode."""

    def __init__(self, action_space, observation_space=SHOWN):
        self.observation_space, self.action_space = observation_space, action_space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._seen(), {}

    def step(self, action):
        self.steps += 1
        return self._seen(), float(self.np_random.normal()), False, self.steps >= 10, {}

    def _seen(self):
        return (3.0 * self.np_random.normal(size=5) + 1.0).astype(np.float32)


def cases():
    small = {"net_arch": [8, 8]}
    ppo, a2c, dqn = stable_baselines3.PPO, stable_baselines3.A2C, stable_baselines3.DQN
    sac, td3, ddpg = stable_baselines3.SAC, stable_baselines3.TD3, stable_baselines3.DDPG
    wide = {"net_arch": {"pi": [8], "vf": [12, 6]}, "activation_fn": torch.nn.ELU}
    yield "ppo_choice", ppo, CHOICE, small, {"n_steps": 16, "batch_size": 16}
    yield "ppo_numbers", ppo, NUMBERS, {**wide, "log_std_init": -0.7}, {"n_steps": 16, "batch_size": 16}
    yield (
        "ppo_sde",
        ppo,
        NUMBERS,
        {**small, "log_std_init": -1.0},
        {"n_steps": 16, "batch_size": 16, "use_sde": True},
    )
    squashed = {**small, "squash_output": True}
    yield "ppo_sde_squashed", ppo, NUMBERS, squashed, {"n_steps": 16, "batch_size": 16, "use_sde": True}
    yield "ppo_several", ppo, SEVERAL, small, {"n_steps": 16, "batch_size": 16}
    yield "ppo_bits", ppo, BITS, small, {"n_steps": 16, "batch_size": 16}
    yield "ppo_linear", ppo, CHOICE, {"net_arch": []}, {"n_steps": 16, "batch_size": 16}
    yield "a2c_choice", a2c, CHOICE, small, {}
    yield "a2c_numbers", a2c, NUMBERS, {**small, "activation_fn": torch.nn.ReLU}, {}
    yield "trpo_numbers", sb3_contrib.TRPO, NUMBERS, small, {"n_steps": 16, "batch_size": 16}
    yield "trpo_choice", sb3_contrib.TRPO, CHOICE, small, {"n_steps": 16, "batch_size": 16}
    yield "dqn_choice", dqn, CHOICE, small, {"buffer_size": 10}
    yield "qrdqn_choice", sb3_contrib.QRDQN, CHOICE, {**small, "n_quantiles": 7}, {"buffer_size": 10}
    yield "sac_numbers", sac, NUMBERS, small, {"buffer_size": 10}
    yield "sac_sde", sac, NUMBERS, {**small, "clip_mean": 1.5}, {"buffer_size": 10, "use_sde": True}
    yield "td3_numbers", td3, NUMBERS, {"net_arch": {"pi": [8, 6], "qf": [8]}}, {"buffer_size": 10}
    yield "ddpg_numbers", ddpg, NUMBERS, small, {"buffer_size": 10}
    yield "tqc_numbers", sb3_contrib.TQC, NUMBERS, {**small, "n_quantiles": 5}, {"buffer_size": 10}
    yield "ars_numbers", sb3_contrib.ARS, NUMBERS, {}, {"policy": "LinearPolicy"}
    yield "ars_choice", sb3_contrib.ARS, CHOICE, small, {}
    yield "maskable_ppo_choice", sb3_contrib.MaskablePPO, CHOICE, small, {"n_steps": 16, "batch_size": 16}
    yield "recurrent_ppo_choice", sb3_contrib.RecurrentPPO, CHOICE, {"lstm_hidden_size": 4, **small}, {
        "n_steps": 16, "batch_size": 16, "policy": "MlpLstmPolicy",
    }  # fmt: skip
    yield "crossq_numbers", sb3_contrib.CrossQ, NUMBERS, small, {"buffer_size": 10}


def make(algorithm, action_space, policy_kwargs, options, env=None):
    options = {"policy": "MlpPolicy", **options}
    env = env or DummyVecEnv([lambda: World(action_space)])
    model = algorithm(env=env, policy_kwargs=dict(policy_kwargs), seed=0, device="cpu", **options)
    # untrained networks answer nearly nought: larger weights tell the parts of an answer apart
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.policy.parameters():
            weight.add_(0.4 * torch.randn_like(weight))
    return model


def slim(path, without=("optimizer.pth",)):
    """Take out what nobody reads here."""
    with zipfile.ZipFile(path) as file:
        kept = {name: file.read(name) for name in file.namelist() if not name.endswith(without)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in kept.items():
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def names_alone(path, model):
    """Cut every weight down to one number: what matters is what it is called."""
    with zipfile.ZipFile(path) as file:
        kept = {name: file.read(name) for name in file.namelist()}
    content = io.BytesIO()
    torch.save(
        {name: value.flatten()[:1].clone() for name, value in model.policy.state_dict().items()}, content
    )
    kept["policy.pth"] = content.getvalue()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, entry in kept.items():
            file.writestr(zipfile.ZipInfo(name), entry, zipfile.ZIP_DEFLATED)


def answers(model, observation):
    """The deterministic action, and what it was drawn from."""
    found = {"action": model.predict(observation, deterministic=True)[0]}
    policy, seen = model.policy, torch.from_numpy(observation)
    with torch.no_grad():
        if hasattr(policy, "get_distribution"):
            if "Maskable" in type(policy).__name__:
                found["logits"] = policy.get_distribution(seen).distribution.logits.numpy()
            else:
                drawn = policy.get_distribution(seen).distribution
                if isinstance(drawn, list):
                    found["logits"] = torch.cat([one.logits for one in drawn], dim=1).numpy()
                elif hasattr(drawn, "scale"):
                    found |= {"mean": drawn.mean.numpy(), "std": drawn.stddev.expand(ROWS, -1).numpy()}
                else:
                    found["logits"] = drawn.logits.numpy()
            found["value"] = policy.predict_values(seen).numpy()[:, 0]
        elif hasattr(policy, "q_net"):
            found["q"] = policy.q_net(seen).numpy()
        elif hasattr(policy, "quantile_net"):
            found["q"] = policy.quantile_net(seen).mean(dim=1).numpy()
        elif hasattr(policy, "actor") and hasattr(policy.actor, "get_action_dist_params"):
            mean, log_std, more = policy.actor.get_action_dist_params(seen)
            drawn = policy.actor.action_dist.proba_distribution(mean, log_std, **more).distribution
            found |= {"mean": drawn.mean.numpy(), "std": drawn.stddev.numpy()}
    return found


def main():
    HERE.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    observation = (3.0 * rng.normal(size=(ROWS, 5)) + 1.0).astype(np.float32)
    recorded = {"observation": observation}
    for name, algorithm, action_space, policy_kwargs, options in cases():
        model = make(algorithm, action_space, policy_kwargs, options)
        model.save(HERE / f"{name}.zip", exclude=["ep_info_buffer", "ep_success_buffer", "replay_buffer"])
        slim(HERE / f"{name}.zip")
        if not name.startswith(("recurrent", "crossq")):
            recorded |= {f"{name}.{key}": value for key, value in answers(model, observation).items()}
    env = VecNormalize(DummyVecEnv([lambda: World(NUMBERS)]), clip_obs=2.0)
    model = make(stable_baselines3.PPO, NUMBERS, {"net_arch": [8, 8]}, {"n_steps": 16, "batch_size": 16}, env)
    env.reset()
    for _ in range(50):
        env.step(np.zeros((1, 2), np.float32))
    model.save(HERE / "scaled.zip")
    slim(HERE / "scaled.zip")
    env.save(str(HERE / "scaled.pkl"))
    seen = env.normalize_obs(observation).astype(np.float32)
    recorded |= {f"scaled.{key}": value for key, value in answers(model, seen).items()}
    recorded["scaled.value"] = recorded["scaled.value"] * np.sqrt(env.ret_rms.var + env.epsilon)
    pictures = spaces.Box(0, 255, (36, 36, 3), np.uint8)
    both = spaces.Dict({"a": SHOWN, "b": SHOWN})
    for name, space in (("pictures", pictures), ("dictionary", both)):
        model = stable_baselines3.PPO(
            "CnnPolicy" if name == "pictures" else "MultiInputPolicy",
            DummyVecEnv([lambda space=space: World(CHOICE, space)]),
            policy_kwargs={"features_extractor_kwargs": {"features_dim": 2}} if name == "pictures" else {"net_arch": [2]},
            n_steps=16, batch_size=16,
        )  # fmt: skip
        model.save(HERE / f"{name}.zip")
        slim(HERE / f"{name}.zip")
        if name == "pictures":
            names_alone(HERE / f"{name}.zip", model)
        else:
            seen = {key: torch.from_numpy(observation * sign) for key, sign in (("a", 1.0), ("b", -1.0))}
            with torch.no_grad():
                recorded["dictionary.logits"] = model.policy.get_distribution(
                    seen
                ).distribution.logits.numpy()
    np.savez_compressed(HERE / "answers.npz", **recorded)


if __name__ == "__main__":
    main()
