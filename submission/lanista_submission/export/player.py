"""An exported policy plays in lanista's own envs, so that what was written can be judged, not what it came from."""

import numpy as np

from lanista.arrays import AnyArray, FloatArray
from lanista.env import VecEnv
from lanista.matches import evaluate_returns
from lanista.plugins import Registry
from lanista.policy import PolicyCard
from lanista_submission.runtime.plan import Plan

#: games in lock-step
NUM_GAMES = 64


class ExportedPlayer:
    """Plays greedily with the numpy runtime. Keeps `lanista.players.Player`."""

    def __init__(self, plan: Plan, card: PolicyCard) -> None:
        """`card` is that of the policy which the plan was made of."""
        self._heads = card.spec.heads
        self._network = plan.executor(
            [f"{'action' if head.continuous else 'logits'}_{head.name}" for head in self._heads]
        )

    def act(self, env: VecEnv, games: np.ndarray, seats: np.ndarray) -> dict[str, AnyArray]:
        """Choose for the rows ``(games[b], seats[b])``; all rows run, so that the batch has one size."""
        inputs = {name: part.reshape(-1, *part.shape[2:]) for name, part in env.observation.items()}
        inputs |= {
            f"legal_{name}": mask.reshape(-1, mask.shape[-1])
            for name, mask in env.legal.items()
            if mask is not None
        }
        outputs = self._network.run({name: inputs[name] for name in self._network.shapes})
        rows = games * env.spec.seats + seats
        chosen: dict[str, AnyArray] = {}
        for head in self._heads:
            if head.continuous:
                chosen[head.name] = outputs[f"action_{head.name}"][rows]
            else:
                scores = np.where(
                    env.legal[head.name][games, seats], outputs[f"logits_{head.name}"][rows], -np.inf
                )
                chosen[head.name] = scores.argmax(axis=1)
        return chosen

    def state(self) -> dict[str, AnyArray]:
        """Nothing goes on from step to step."""
        return {}

    def load_state(self, state: dict[str, AnyArray]) -> None:
        """Nothing to take back."""


def exported_returns(
    plan: Plan, card: PolicyCard, registry: Registry, episodes: int, seed: int
) -> FloatArray:
    """Official returns ``[episodes]`` of the plan in its own env of one seat, on the starts of `seed`."""
    settings = registry.settings("envs", card.env, card.env_settings)
    env: VecEnv = registry.load("envs", card.env)(min(episodes, NUM_GAMES), settings, 1)
    try:
        return evaluate_returns(env, ExportedPlayer(plan, card), episodes, seed)
    finally:
        env.close()
