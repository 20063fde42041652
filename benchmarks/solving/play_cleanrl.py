"""CleanRL's `ppo.py`, the file unmodified and with its own defaults, from wherever its repository lies.

The script is run as a program whose TensorBoard writer is ours. It makes its writer just before it seeds and
builds its envs, which starts the clock, and its last note of an update is `charts/SPS`, which reports the update.
"""

import contextlib
import runpy
import sys
from typing import Any

import gymnasium  # noqa: F401 - before the clock, as on every side
import torch
import torch.utils.tensorboard
import tyro  # noqa: F401 - before the clock, as on every side

from solving.trial import Trial
from solving.wish import read_wish, warm_torch, write_record


class Enough(Exception):  # noqa: N818 - the way out of a script that has no other
    """The trial has seen enough."""


def reporting_writer(trial: Trial) -> type:
    """A class to stand in for SummaryWriter."""

    class Writer:
        def __init__(self, *_: Any, **__: Any) -> None:
            trial.begin()

        def add_text(self, *_: Any) -> None:
            pass

        def add_scalar(self, tag: str, _: float, steps: int) -> None:
            if tag != "charts/SPS":
                return
            agent = sys._getframe(1).f_globals["agent"]

            def act(observation):
                with torch.no_grad():
                    return agent.actor(torch.from_numpy(observation)).argmax(1).numpy()

            if trial.between_updates(steps, act):
                raise Enough

        def close(self) -> None:
            pass

    return Writer


def main() -> None:
    wish = read_wish()
    warm_torch()
    trial = Trial(wish)
    torch.utils.tensorboard.SummaryWriter = reporting_writer(trial)
    sys.argv = [wish["cleanrl"], "--env-id", wish["env_id"], "--seed", str(wish["seed"])]
    with contextlib.suppress(Enough):
        runpy.run_path(wish["cleanrl"], run_name="__main__")
    write_record(wish, trial.record())


if __name__ == "__main__":
    main()
