"""A whole recipe of lanista, played as `lanista run` plays it: a run folder, checkpoints, every phase in order.

The clock runs from the making of the run folder until the last phase has handed its policy on. The measuring that
the recipe's own `until` rules ask for is evaluation and not counted. Then the final policy is judged.
"""

from pathlib import Path
from time import monotonic
from typing import Any

from solving.trial import Trial
from solving.wish import read_wish, warm_torch, write_record


class PhaseTimes:
    """Stands in for the progress on screen and notes when each phase is over."""

    def __init__(self) -> None:
        self.measuring = 0.0
        self.began = monotonic()
        self.phases: list[dict[str, Any]] = []

    def say(self, text: str) -> None:
        pass

    def phase_started(self, name: str, index: int, count: int) -> None:
        pass

    def updated(self, phase: Any, metrics: dict[str, float]) -> None:
        pass

    def phase_finished(self, name: str, figures: dict[str, Any]) -> None:
        seconds = monotonic() - self.began - self.measuring
        self.phases.append({"name": name, "seconds_so_far": seconds, "steps": figures.get("steps")})

    def leave_measuring_out(self) -> None:
        """Time every measurement of an `until` rule, wherever it happens."""
        from lanista_plugins.phases.measure import Measure

        measure_now = Measure.after_update

        def timed(measure, policy, steps):
            started = monotonic()
            found = measure_now(measure, policy, steps)
            self.measuring += monotonic() - started
            return found

        Measure.after_update = timed


def main() -> None:
    wish = read_wish()
    import torch

    if wish["warm"]:
        import numba  # noqa: F401 - before the clock, as the measure has it

        warm_torch()
    from lanista.plugins import load_plugins
    from lanista.policy import load_policy
    from lanista.recipe import apply_changes, check_recipe, read_recipe
    from lanista.run import Run

    host = load_plugins()
    values = apply_changes(
        read_recipe(wish["recipe"], host.registry), [*wish["changes"], f"seed={wish['seed']}"]
    )
    recipe = check_recipe(values, host.registry)
    trial, times = Trial(wish), PhaseTimes()
    times.leave_measuring_out()
    trial.begin()
    times.began = trial.began
    run = Run.create(Path("run"), recipe, host)
    run.progress = times
    final = run.play()
    trial.seconds = monotonic() - trial.began - times.measuring
    trial.steps = run.steps_before
    policy = load_policy(final, host.registry)
    part, head = policy.card.spec.observation[0].name, policy.card.spec.heads[0].name

    def act(observation):
        with torch.no_grad():
            return policy.network({part: torch.from_numpy(observation)}).logits[head].argmax(1).numpy()

    means = [trial.mean_return(act, trial.steps, stream) for stream in range(2)]
    record = {**trial.record(), "solved": min(means) >= wish["bar"], "evaluations": [[trial.steps, means[0]]]}
    write_record(wish, {**record, "second_mean": means[1], "phases": times.phases})


if __name__ == "__main__":
    main()
