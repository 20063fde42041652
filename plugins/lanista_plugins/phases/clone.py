"""The phase kind `clone`: learn to play as others do from their games, before any game of one's own.

1. The games are those that an earlier phase kept, those that players play for this (`clone_play`), or replay files of
   a platform (`clone_replays`); each decision is what a seat saw *before* its action, what was legal, what it did, and
   what came of the game (`clone_rows`).
2. Passes over all decisions in an order drawn for each: masked cross-entropy and value regression (`clone_loss`), the
   weights averaged (`fitting`).
3. After each pass the average is measured on whole games that were held out; the best of these is handed on, and the
   phase ends once `patience` passes brought nothing better.

A decision that is learnt from counts as one step. What is handed on is an ordinary policy: a `train` phase goes on from
it, with ``teacher = { source = "previous", coef = { start = 0.5, end = 0.0 } }`` as an anchor and `critic_warmup` for
its value.
"""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import torch
from torch import Tensor

from lanista.arrays import AnyArray
from lanista.errors import LanistaError, RecipeError
from lanista.games.kept_games import KeptGame
from lanista.games.parts import read_games
from lanista.games.thinning import thinned
from lanista.named_arrays import as_arrays, as_tensors, copied_weights, prefixed, under
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.policy import Policy
from lanista.spec import UNITS, EnvSpec
from lanista_plugins.phases.clone_loss import Imitation, Nearness, nearness
from lanista_plugins.phases.clone_play import played_games
from lanista_plugins.phases.clone_replays import replayed_games
from lanista_plugins.phases.clone_rows import batches, cloned_rows
from lanista_plugins.phases.clone_settings import CloneSettings
from lanista_plugins.phases.fitting import Fitting
from lanista_plugins.phases.scaling import measured_scaling
from lanista_plugins.phases.stored import find_games
from lanista_plugins.phases.student import fresh_student
from lanista_plugins.phases.symmetric import SymmetricBatches

#: decisions from which the scaling of the observation is measured, at most
_SCALED_BY = 65_536


class Clone:
    """One phase of cloning; see `CloneSettings`."""

    def __init__(self, context: PhaseContext, settings: CloneSettings) -> None:
        """Take the settings; nothing is read before `start`."""
        self.context = context
        self.settings = settings
        self.steps = 0
        self.finished = False
        self._epoch = 0
        #: minibatches of this pass that are learnt
        self._place = 0
        #: loss on the held-out games and weights of the best pass, and passes since
        self._best: tuple[float, dict[str, Tensor]] | None = None
        self._since_best = 0

    @property
    def progress(self) -> float:
        """Share of the passes that is over."""
        passed = self._epoch + self._place / self._pieces
        return 1.0 if self.finished else min(passed / self.settings.epochs, 1.0)

    def start(self) -> None:
        """Get the games, split them, build the policy."""
        context, settings = self.context, self.settings
        with closing(context.make_env(1)) as env:
            self.rows = cloned_rows(self._games(env.spec), env.spec, settings, context.name)
            self.learnt, self.held_out = self.rows.split(settings.held_out, context.derive("split"))
            self._pieces = len(list(batches(self.learnt, settings.minibatch_size)))
            self._symmetric = SymmetricBatches(context, env) if settings.augment_symmetries else None
            scaling = {}
            if settings.scaling == "measured" and settings.warm_start is None:
                seen = self.rows.take(self.learnt[:: max(1, len(self.learnt) // _SCALED_BY)]).observation
                scaling = measured_scaling(env.spec.observation, seen)
            self.clone = fresh_student(context, settings, env, scaling)
        self._first_weights = copied_weights(self.clone.network)
        value_coef = 0.0 if settings.value == "none" else settings.value_coef
        self.fitting = Fitting(self.clone.network, Imitation(value_coef), settings.averaging)
        averaged: Any = self.fitting.averaged
        self._shown = Policy(averaged, self.clone.heads, self.clone.card)

    @property
    def policy(self) -> Policy:
        """The clone, its weights averaged."""
        return self._shown

    def _games(self, spec: EnvSpec) -> Iterator[KeptGame]:
        """The games to learn from, thinned; those that are played for this are thinned before they are kept."""
        source, every = self.settings.games, self.settings.every
        heads = [head.name for head in spec.heads if head.kind == UNITS]
        if source.replays is not None:
            for game in replayed_games(self.context, source.replays, spec):
                yield thinned(game, every, heads)
            return
        if source.kept is not None:
            folder = find_games(self.context, source.kept)
        else:
            folder = played_games(self.context, source, self.settings.slots, every)
            every = 1
        for part in read_games(folder):
            for what in ("observation", "heads", "unit_observation"):
                ours, theirs = getattr(spec, what), getattr(part.source.spec, what)
                if ours != theirs:
                    raise RecipeError(
                        f"phase {self.context.name!r}: the games in {folder} are of another {what} ({theirs} against "
                        f"{ours}); take games of the same env and settings"
                    )
            for game in part.games():
                yield thinned(game, every, heads)

    def _order(self) -> list[Tensor]:
        """The minibatches of this pass."""
        generator = torch.Generator().manual_seed(self.context.derive("epoch", self._epoch))
        order = self.learnt[torch.randperm(len(self.learnt), generator=generator)]
        return list(batches(order, self.settings.minibatch_size))

    def update(self) -> dict[str, float]:
        """Learn from some minibatches; at a pass's end measure."""
        settings = self.settings
        rate = settings.learning_rate.at(self.progress)
        # What a pass draws follows from its number and place, so that a resumed run draws the same.
        self._turns = torch.Generator().manual_seed(self.context.derive("turns", self._epoch, self._place))
        due = self._order()[self._place : self._place + settings.minibatches]
        sums: dict[str, float] = {}
        for index in due:
            batch = self.rows.take(index)
            if self._symmetric is not None:
                batch = self._symmetric.shown(batch, self._turns)
            for name, figure in self.fitting.step([(self.clone, batch)], self.progress, rate).items():
                sums[name] = sums.get(name, 0.0) + figure
            self.steps += len(index)
            self._place += 1
        self.fitting.show_average()
        metrics = {name: total / len(due) for name, total in sums.items()}
        metrics["loss"] = metrics["clone_loss"] + settings.value_coef * metrics.get("value_loss", 0.0)
        metrics |= {"learning_rate": rate, "epoch": self._epoch + self._place / self._pieces}
        if self._place == self._pieces:
            metrics |= self._end_pass()
        return metrics

    def _end_pass(self) -> dict[str, float]:
        found = nearness(self._shown, self.rows, self.held_out)
        reached = found.clone_loss + self.settings.value_coef * (found.value_loss or 0.0)
        self._since_best += 1
        if self._best is None or reached < self._best[0]:
            self._best, self._since_best = (reached, copied_weights(self._shown.network)), 0
        self._epoch, self._place = self._epoch + 1, 0
        self.finished = self._epoch >= self.settings.epochs or self._since_best >= self.settings.patience
        figures = {
            "held_out_loss": found.clone_loss,
            "agreement": found.agreement,
            "balanced_agreement": found.balanced_agreement,
            "held_out_value_loss": found.value_loss,
            "explained_variance": found.explained_variance,
        }
        return {name: figure for name, figure in figures.items() if figure is not None}

    def result(self) -> PhaseResult:
        """The average that was nearest to the held-out games; raises LanistaError if it is not near enough."""
        assert self._best is not None  # a finished phase has measured
        self._shown.network.load_state_dict(self._best[1])
        found, name = nearness(self._shown, self.rows, self.held_out), self.context.name
        if all(
            torch.equal(weight, self._first_weights[key])
            for key, weight in self._shown.network.state_dict().items()
        ):
            raise LanistaError(f"phase {name!r}: the clone did not move; look at learning_rate")
        if found.agreement < self.settings.min_agreement:
            raise LanistaError(
                f"phase {name!r}: the clone does the same in {found.agreement:.1%} of the held-out choices, asked are "
                f"{self.settings.min_agreement:.1%}; give it more games, a larger network, or lower min_agreement"
            )
        return PhaseResult(
            self._shown,
            f"nearest to the held-out games ({self._best[0]:.4g})",
            self._card(found),
            self.context.carried,
        )

    def _card(self, found: Nearness) -> dict[str, Any]:
        counts = self.rows.counts
        figures = {**counts.__dict__, "held_out": len(self.held_out), "epochs": self._epoch, **found.__dict__}
        return {
            "steps": self.steps,
            **{name: figure for name, figure in figures.items() if figure is not None},
        }

    def state(self) -> PhaseState:
        """Everything that the next update depends on, but the games."""
        arrays: dict[str, AnyArray] = prefixed("fitting", self.fitting.state())
        if self._best is not None:
            arrays |= prefixed("best", as_arrays(self._best[1]))
        values = {
            "steps": self.steps,
            "epoch": self._epoch,
            "place": self._place,
            "since_best": self._since_best,
            "best": None if self._best is None else self._best[0],
            "finished": self.finished,
        }
        return PhaseState(values, arrays)

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        values = state.values
        self.fitting.load_state(under("fitting", state.arrays))
        self.fitting.show_average()
        self.steps, self._epoch, self._place = values["steps"], values["epoch"], values["place"]
        self._since_best, self.finished = values["since_best"], values["finished"]
        if values["best"] is not None:
            self._best = (values["best"], as_tensors(under("best", state.arrays)))

    def close(self) -> None:
        """Nothing is left open."""
