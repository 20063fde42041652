"""One timed run: a clock that does not count evaluations, and the evaluations, the same for every toolkit.

1. `begin` starts the clock; the toolkit then builds its envs.
2. Between two updates the toolkit calls `between_updates`. The clock stands still inside it. When at least
   `every` env steps have passed since the last evaluation, 100 greedy episodes are played on gymnasium's own env.
3. A mean at or above `bar` is checked on 100 further start states; if both pass, the task is solved.
4. With `after` > 0 the run goes on for that many env steps, evaluated on the same schedule, to see how steady it is.
"""

from collections.abc import Callable
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt

#: greedy actions ``[100]`` for observations ``[100, d]`` float32
Act = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int64]]

EPISODES = 100
#: keeps the start states of an evaluation apart from every training stream
EVALUATION_STREAM = 20_261_121


class Trial:
    """The clock, the judge and the record of one run."""

    def __init__(self, wish: dict[str, Any]) -> None:
        """`wish` holds env_id, bar, every, after, limit_s, seed and born (`monotonic` when the process was started)."""
        self.wish = wish
        self.seconds = 0.0
        self.evaluating = 0.0
        self.began = 0.0
        self.evaluations: list[tuple[int, float]] = []
        self.later: list[tuple[int, float]] = []
        self.solved: dict[str, float] | None = None
        self.steps = 0
        self._resumed = 0.0
        self._last_evaluation = 0
        self._env: Any = None

    def begin(self) -> None:
        """Start the clock: all that follows counts, evaluations excepted."""
        self.began = self._resumed = monotonic()

    def between_updates(self, steps: int, act: Act) -> bool:
        """Evaluate if it is due after `steps` env steps; True if the run has seen enough."""
        stopped = monotonic()
        self.seconds += stopped - self._resumed
        self.steps = steps
        if steps - self._last_evaluation >= self.wish["every"]:
            self._last_evaluation = steps
            self._evaluate(steps, act)
        self._resumed = monotonic()
        self.evaluating += self._resumed - stopped
        if self.solved is not None:
            return steps - self.solved["steps"] >= self.wish["after"]
        return self.seconds >= self.wish["limit_s"]

    def _evaluate(self, steps: int, act: Act) -> None:
        bar = self.wish["bar"]
        mean = self.mean_return(act, steps, 0)
        if self.solved is not None:
            self.later.append((steps, mean))
            return
        self.evaluations.append((steps, mean))
        if mean >= bar and (second := self.mean_return(act, steps, 1)) >= bar:
            self.solved = {"steps": steps, "seconds": self.seconds, "mean": mean, "second_mean": second}

    def mean_return(self, act: Act, *stream: int) -> float:
        """Mean return of the first episode of each of 100 games of gymnasium's env."""
        if self._env is None:
            self._env = _make_env(self.wish["env_id"])
        words = [EVALUATION_STREAM, self.wish["seed"], *stream]
        seed = int(np.random.SeedSequence(words).generate_state(1)[0])
        observation, _ = self._env.reset(seed=seed)
        returns, running = np.zeros(EPISODES), np.ones(EPISODES, np.bool_)
        while running.any():
            observation, reward, terminated, truncated, _ = self._env.step(act(observation))
            returns[running] += reward[running]
            running &= ~(terminated | truncated)
        return float(returns.mean())

    def record(self) -> dict[str, Any]:
        """What the parent process reads."""
        return {
            "solved": self.solved is not None,
            **(self.solved or {"steps": self.steps, "seconds": self.seconds}),
            "start_seconds": self.began - self.wish["born"],
            "evaluating_seconds": self.evaluating,
            "evaluations": self.evaluations,
            "later": self.later,
        }


def _make_env(env_id: str) -> Any:
    import gymnasium  # here, so that it is not in our start

    whole = gymnasium.spec(env_id).vector_entry_point is not None
    return gymnasium.make_vec(env_id, EPISODES, vectorization_mode="vector_entry_point" if whole else "sync")
