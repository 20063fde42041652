"""What is checked over a whole batch at once: legal actions, finite numbers, rewards in their range."""

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.one_game_answers import Answers


def refuse_illegal(env: VecEnv, actions: dict[str, AnyArray]) -> None:
    """Raise `UsageError` for the first action that is not legal."""
    for name, legal in env.legal.items():
        size = legal.shape[2]
        chosen = actions[name]
        inside = np.where(env.acting, chosen, 0)
        known = (inside >= 0) & (inside < size)
        allowed = np.take_along_axis(legal, np.where(known, inside, 0)[..., None], 2)[..., 0] & known
        wrong = env.acting & ~allowed
        if wrong.any():
            game, seat = (int(place[0]) for place in wrong.nonzero())
            raise UsageError(
                f"env {env.spec.name}: seat {seat} of game {game} plays {name} {int(chosen[game, seat])}, "
                f"which is not legal there; choose one with legal[{name!r}] True"
            )


def check_batch(env: VecEnv, answers: Answers) -> None:
    """Refuse, over the whole batch, what no method's answer shows alone."""
    for name, mask in env.legal.items():
        stuck = env.acting & ~mask.any(2)
        if stuck.any():
            answers.game, seat = (int(place[0]) for place in stuck.nonzero())
            answers.refuse(
                f"legal({seat})", f"gives no legal action for {name!r} though acting() names seat {seat}",
                "end the game in step, let the seat pass by an action of its own, or leave it out of acting()",
            )  # fmt: skip
    for array_of in (env.observation, env.final_observation):
        for name, part in array_of.items():
            if part.dtype.kind != "f" or np.isfinite(part).all():
                continue
            answers.game, seat = (int(place[0]) for place in (~np.isfinite(part)).nonzero()[:2])
            answers.refuse(
                f"observe({seat})", f"gives a number in {name!r} that is not finite",
                "look for a division by 0 or a logarithm",
            )  # fmt: skip
    low, high = env.spec.reward_range
    for facts in (env.facts, env.final_facts):
        wrong = (facts["reward"] < low) | (facts["reward"] > high)
        if wrong.any():
            answers.game, seat = (int(place[0]) for place in wrong.nonzero())
            answers.refuse(
                "the reward", f"of seat {seat} is {facts['reward'][wrong][0]:g}",
                f"reward_range says ({low:g}, {high:g}): correct one of them",
            )  # fmt: skip
