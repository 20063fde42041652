"""Phase kind `rps_average`: one student learns the average strategy of the league's pool.

In fictitious play the last policy is worth nothing: what approaches the equilibrium is the average of all of them.
One `update`:

1. the student plays one round of `num_games` games, which gives the rows to learn on;
2. every member of the pool says what it would play there, and so does the student;
3. one optimiser step on the weighted mean over the members of the distillation loss.

The phase fails if the student ends further than `tolerance` from the average.
"""

import numpy as np
import torch

from lanista.arrays import AnyArray
from lanista.errors import LanistaError
from lanista.learning import Distiller
from lanista.named_arrays import as_arrays, as_tensors, prefixed, under
from lanista.optimiser_state import optimiser_tensors, restore_optimiser
from lanista.phases import PhaseContext, PhaseResult, PhaseState
from lanista.policy import build_policy
from lanista_rps.history import weights
from lanista_rps.settings import AverageSettings
from lanista_rps.strategies import average, pool_policies, strategy


class Average:
    """See the module; keeps `lanista.phases.Phase`."""

    def __init__(self, context: PhaseContext, settings: AverageSettings) -> None:
        """Take the settings; nothing is built before `start`."""
        self.context = context
        self.settings = settings
        self.updates = 0
        self.env = None

    @property
    def steps(self) -> int:
        """Env steps so far."""
        return self.updates * self.settings.num_games

    @property
    def progress(self) -> float:
        """Share of the updates that are made."""
        return self.updates / self.settings.num_updates

    @property
    def finished(self) -> bool:
        """Whether all updates are made."""
        return self.updates >= self.settings.num_updates

    def start(self) -> None:
        """Load the pool, build env and student."""
        context, settings, registry = self.context, self.settings, self.context.registry
        self.members = [policy for _, policy in pool_policies(context.run_folder, registry)]
        self.weights = weights(len(self.members), settings.power).tolist()
        self.env = context.make_env(settings.num_games)
        self.env.reset(context.derive("env"))
        options = settings.network.settings(registry).model_dump(mode="json")
        torch.manual_seed(context.derive("weights"))
        self.student = build_policy(context.card(self.env, settings.network.use, options), registry)
        table = settings.loss
        self.loss: Distiller = table.build(registry)(table.settings(registry))
        self.optimiser = torch.optim.Adam(self.student.network.parameters())
        self.generator = torch.Generator().manual_seed(context.derive("moves"))

    def update(self) -> dict[str, float]:
        """Play a round, ask every member, learn."""
        games, seats = np.nonzero(self.env.acting)
        observation = {
            name: torch.from_numpy(part[games, seats]) for name, part in self.env.observation.items()
        }
        legal = {name: torch.from_numpy(mask[games, seats]) for name, mask in self.env.legal.items()}
        output = self.student.network(observation)
        total = output.value.new_zeros(())
        for member, weight in zip(self.members, self.weights, strict=True):
            with torch.no_grad():
                says = member.network(observation)
            rows = self.loss.loss(self.student, output.logits, output.value, says.logits, says.value, legal)
            total = total + weight * rows.mean()
        rate = self.settings.learning_rate.at(self.progress)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()
        self.optimiser.step()
        moves, _, _ = self.student.act(observation, legal, self.generator)
        signs = np.zeros(self.env.acting.shape, np.int64)
        signs[games, seats] = moves["sign"].numpy()
        self.env.step({"sign": signs})
        self.updates += 1
        return {"average_loss": float(total.detach()), "learning_rate": rate}

    def result(self) -> PhaseResult:
        """The student, if it plays the average."""
        wanted = average([strategy(member) for member in self.members], self.settings.power)
        found = strategy(self.student)
        distance = max(abs(one - other) for one, other in zip(wanted, found, strict=True))
        if distance > self.settings.tolerance:
            raise LanistaError(
                f"phase {self.context.name!r}: the student is {distance:.3f} away from the average of "
                f"{len(self.members)} members, allowed is {self.settings.tolerance:g}; raise num_updates or tolerance"
            )
        figures = {
            "steps": self.steps,
            "members": len(self.members),
            "average": wanted,
            "student": found,
            "distance": distance,
            "from_equal": max(abs(chance - 1 / 3) for chance in wanted),
        }
        return PhaseResult(self.student, "last", figures, self.context.carried)

    def state(self) -> PhaseState:
        """All that the next update depends on; the members lie in the league's folder."""
        arrays: dict[str, AnyArray] = prefixed("network", as_arrays(self.student.network.state_dict()))
        arrays |= prefixed("optimiser", as_arrays(optimiser_tensors(self.optimiser)))
        arrays |= prefixed("env", self.env.save())
        arrays["generator"] = self.generator.get_state().numpy()
        return PhaseState({"updates": self.updates}, arrays)

    def load_state(self, state: PhaseState) -> None:
        """Take back what `state` gave."""
        self.updates = state.values["updates"]
        self.student.network.load_state_dict(as_tensors(under("network", state.arrays)))
        restore_optimiser(self.optimiser, as_tensors(under("optimiser", state.arrays)))
        self.env.load(under("env", state.arrays))
        self.generator.set_state(torch.from_numpy(state.arrays["generator"].copy()))

    def close(self) -> None:
        """Let go of the env, if it was built."""
        if self.env is not None:
            self.env.close()
