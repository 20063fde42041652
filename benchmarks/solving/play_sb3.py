"""Stable-Baselines3's PPO with the settings that rl-zoo3 publishes as tuned (its `hyperparams/ppo.yml`)."""

from collections.abc import Callable

from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize

from solving.trial import Trial
from solving.wish import read_wish, warm_torch, write_record


def linear(start: float) -> Callable[[float], float]:
    """rl-zoo3's ``lin_X``: from X to 0 over the run's budget."""
    return lambda remaining: remaining * start


ZOO = {
    "CartPole-v1": {
        "n_envs": 8,
        "n_timesteps": 100_000,
        "normalize": False,
        "ppo": {
            "n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20,
            "ent_coef": 0.0, "learning_rate": linear(0.001), "clip_range": linear(0.2),
        },
    },
    "MountainCar-v0": {
        "n_envs": 16,
        "n_timesteps": 1_000_000,
        "normalize": True,
        "ppo": {"n_steps": 16, "gae_lambda": 0.98, "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0},
    },
}  # fmt: skip


class BetweenUpdates(BaseCallback):
    """Reports to the trial after each update: a rollout starts when the update before it is over."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.trial = trial
        self.enough = False

    def _on_rollout_start(self) -> None:
        if self.num_timesteps:
            self.enough = self.trial.between_updates(self.num_timesteps, self.act)

    def _on_training_end(self) -> None:
        if not self.enough:
            self.trial.between_updates(self.num_timesteps, self.act)

    def _on_step(self) -> bool:
        return not self.enough

    def act(self, observation):
        normalizer = self.model.get_vec_normalize_env()
        if normalizer is not None:
            observation = normalizer.normalize_obs(observation)
        return self.model.predict(observation, deterministic=True)[0]


def main() -> None:
    wish = read_wish()
    zoo = ZOO[wish["env_id"]]
    warm_torch()
    trial = Trial(wish)
    trial.begin()
    env = make_vec_env(wish["env_id"], n_envs=zoo["n_envs"], seed=wish["seed"])
    if zoo["normalize"]:
        env = VecNormalize(env, gamma=zoo["ppo"]["gamma"])
    model = PPO("MlpPolicy", env, seed=wish["seed"], device="cpu", **zoo["ppo"])
    model.learn(zoo["n_timesteps"], callback=BetweenUpdates(trial))
    write_record(wish, trial.record())


if __name__ == "__main__":
    main()
