"""What must hold from step to step: endings, restarts, rewards, outcomes, and arrays that stay in place."""

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.testing.complaints import Complaints
from lanista.testing.env_arrays import arrays_of, check_moment


class EpisodeCheck:
    """Looks at an env after its reset and after each step, and keeps what it must remember between them."""

    def __init__(self, env: VecEnv, complaints: Complaints) -> None:
        """Look at the env just after a reset."""
        self.env = env
        self.complaints = complaints
        self.step = 0
        self.episodes = 0
        self.length = np.zeros(env.num_games, np.int64)
        self.returns = np.zeros((env.num_games, env.spec.seats))
        self.objects = arrays_of(env)
        self._check_reset()

    def _check_reset(self) -> None:
        env, when = self.env, " after reset"
        check_moment(env, self.complaints, when)
        for name in ("terminated", "truncated", "ended", "outcome"):
            array: AnyArray = getattr(env, name)
            self.complaints.refuse_where(
                array != 0, name, f"is {array[array != 0][:1]}", "clear it in reset", when=when
            )
        self._check_flows_zero(np.ones(env.num_games, np.bool_), when, "a flow is 0 after a reset")

    def _check_flows_zero(self, games: AnyArray, when: str, change: str) -> None:
        for fact in self.env.spec.facts:
            if fact.kind == "flow":
                array = self.env.facts[fact.name]
                wrong = (array != 0) & games[:, None]
                self.complaints.refuse_where(
                    wrong, f"facts[{fact.name!r}]", f"is {array[wrong][:1]}", change, when=when
                )

    def check_step(self) -> None:
        """Look at the env after a step."""
        env = self.env
        self.step += 1
        self.length += 1
        when = f" after step {self.step}"
        self._check_objects(when)
        check_moment(env, self.complaints, when)
        self._check_endings(when)
        self._check_flows_zero(
            env.ended, when, "a restarted game has no last step: its amounts belong into final_facts"
        )
        self._check_rewards(when)
        self._check_outcome(when)
        self.episodes += int(env.ended.sum())
        self.length[env.ended] = 0
        self.returns[env.ended] = 0.0

    def _check_objects(self, when: str) -> None:
        for name, array in arrays_of(self.env).items():
            self.complaints.refuse(
                array is not self.objects[name], name, f"is another array than before{when}",
                "overwrite the array in place (array[...] = new), because callers hold on to it",
            )  # fmt: skip

    def _check_endings(self, when: str) -> None:
        env, refuse_where = self.env, self.complaints.refuse_where
        refuse_where(
            env.terminated & env.truncated, "terminated and truncated", "are both True",
            "an end by the rules is no truncation: values bootstrap over a truncation only", when=when,
        )  # fmt: skip
        over = (env.terminated | env.truncated).all(1)
        refuse_where(
            env.ended & ~over, "ended", "is True though a seat is neither terminated nor truncated",
            "say for every seat how its game ended", axes=("game",), when=when,
        )  # fmt: skip
        refuse_where(
            over & ~env.ended, "ended", "is False though every seat is terminated or truncated",
            "set it and restart the game in the same step", axes=("game",), when=when,
        )  # fmt: skip
        late = (self.length > env.spec.max_steps) | ((self.length == env.spec.max_steps) & ~env.ended)
        refuse_where(
            late, "ended", f"is False after {env.spec.max_steps} steps, which is spec.max_steps",
            "truncate the game there or declare a higher max_steps", axes=("game",), when=when,
        )  # fmt: skip

    def _check_rewards(self, when: str) -> None:
        env = self.env
        low, high = env.spec.reward_range
        last = np.where(env.ended[:, None], env.final_facts["reward"], env.facts["reward"])
        self.returns += last
        wrong = (last < low) | (last > high)
        self.complaints.refuse_where(
            wrong, "reward", f"is {last[wrong][:1]}, outside spec.reward_range ({low}, {high})",
            "correct the reward or the range", when=when,
        )  # fmt: skip

    def _check_outcome(self, when: str) -> None:
        env = self.env
        running = (env.outcome != 0) & ~env.ended[:, None]
        self.complaints.refuse_where(
            running, "outcome", f"is {env.outcome[running][:1]} in a game that has not ended",
            "clear it in every step", when=when,
        )  # fmt: skip
        if env.spec.outcome == "result":
            wrong = ~np.isin(env.outcome, (-1.0, 0.0, 1.0))
            self.complaints.refuse_where(
                wrong, "outcome", f"is {env.outcome[wrong][:1]}", "a result is +1, 0 or -1", when=when
            )
        else:
            off = np.abs(env.outcome - self.returns) > 1e-4 * (1 + np.abs(self.returns))
            wrong = off & env.ended[:, None]
            self.complaints.refuse_where(
                wrong, "outcome",
                f"is {env.outcome[wrong][:1]} where the episode's rewards sum to {self.returns[wrong][:1]}",
                "a score is the episode's return", when=when,
            )  # fmt: skip
