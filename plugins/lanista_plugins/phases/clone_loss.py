"""What a clone is drawn towards, and how near it is: the choices that were made, and what came of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lanista.actions import agreement, bounds
from lanista.policy import Policy
from lanista.units import UnitTable
from lanista_plugins.phases.clone_choices import ChoiceTally
from lanista_plugins.phases.clone_rows import ClonedBatch, ClonedRows
from lanista_plugins.phases.labelled import LabelledBatch

#: decisions that are asked for at once while measuring
_CHUNK = 2048


class Imitation:
    """The loss of a batch, as `lanista_plugins.phases.fitting.SomeLosses`::

        clone_loss + value_coef * value_loss
        clone_loss  the cross-entropy of what was done, over legal choices, a choice (a unit's each counts as one); of
                    real numbers the squared distance of the greedy action in half ranges, a number
        value_loss  half the mean squared error of the value, over the decisions whose target is known

    A choice that no draw would give, such as two units of a clash, has its probability all the same
    (`lanista.policy.Head.logprob`).
    """

    def __init__(self, value_coef: float) -> None:
        """0: the value is left alone."""
        self.value_coef = value_coef

    def of(
        self, policy: Policy, logits: dict[str, Tensor], value: Tensor, batch: LabelledBatch, progress: float
    ) -> tuple[Tensor, dict[str, float]]:
        """Give the loss of the batch, and its two parts."""
        del progress
        assert isinstance(batch, ClonedBatch)
        rows, choices = self.parts(policy, logits, batch)
        clone_loss = rows.sum() / max(choices, 1)
        figures = {"clone_loss": float(clone_loss.detach())}
        known = ~batch.value.isnan()
        if self.value_coef == 0.0 or not known.any():
            return clone_loss, figures
        value_loss = 0.5 * (value[known] - batch.value[known]).square().mean()
        figures["value_loss"] = float(value_loss.detach())
        return clone_loss + self.value_coef * value_loss, figures

    @staticmethod
    def parts(policy: Policy, logits: dict[str, Tensor], batch: ClonedBatch) -> tuple[Tensor, int]:
        """Each decision's loss ``[B]``, summed over its choices, and the number of choices."""
        rows, choices = torch.zeros(len(batch.value)), 0
        for spec in policy.card.spec.heads:
            head, legal, done = policy.heads[spec.name], batch.legal.get(spec.name), batch.action[spec.name]
            if spec.continuous:
                low, high = (torch.from_numpy(bound) for bound in bounds(spec))
                apart = (head.greedy(logits[spec.name], legal) - done) / ((high - low) / 2.0)
                rows = rows + apart.square().mean(dim=1)
            else:
                rows = rows - head.logprob(logits[spec.name], legal, done)
            choices += legal.num_units if isinstance(legal, UnitTable) else len(batch.value)
        return rows, choices


@dataclass(frozen=True)
class Nearness:
    """How near a policy is to what was done."""

    #: as `Imitation` has it
    clone_loss: float
    #: share of choices in which the greedy policy does the same; of real numbers see `lanista.actions.agreement`
    agreement: float
    #: half the mean squared error over the decisions whose target is known; None if there is none
    value_loss: float | None
    #: of the targets: 1 - var(target - value) / var(target), 0 where they do not vary
    explained_variance: float | None
    #: what a random legal choice would agree, for comparison; of real numbers None, as all below
    random_agreement: float | None
    #: see `ChoiceTally`: what the commonest choices would agree, the mean over the choices, and what each kind of
    #: unit (or head, where there are several) agrees
    commonest_agreement: float | None
    balanced_agreement: float | None
    agreement_of: dict[str, float] | None


@torch.no_grad()
def nearness(policy: Policy, rows: ClonedRows, index: Tensor) -> Nearness:
    """Measure a policy on the decisions `index`, at least one."""
    loss = agreed = by_chance = 0.0
    choices, targets, values, tally = 0, [], [], ChoiceTally()
    discrete = not any(spec.continuous for spec in policy.card.spec.heads)
    for piece in torch.split(index, _CHUNK):
        batch = rows.take(piece)
        output = policy.network(batch.observation)
        lost, count = Imitation.parts(policy, output.logits, batch)
        loss += float(lost.sum())
        choices += count
        for spec in policy.card.spec.heads:
            legal = batch.legal.get(spec.name)
            greedy = policy.heads[spec.name].greedy(output.logits[spec.name], legal)
            agreed += float(agreement(spec, greedy.numpy(), batch.action[spec.name].numpy()).sum())
            if discrete:
                tally.add(spec, legal, greedy, batch.action[spec.name])
            mask = legal.legal if isinstance(legal, UnitTable) else legal
            if discrete and mask is not None:
                by_chance += float((1.0 / mask.sum(dim=1)).sum())
        known = ~batch.value.isnan()
        targets.append(batch.value[known])
        values.append(output.value[known])
    target, value = torch.cat(targets), torch.cat(values)
    return Nearness(
        clone_loss=loss / max(choices, 1),
        agreement=agreed / max(choices, 1),
        value_loss=float(0.5 * (value - target).square().mean()) if len(target) else None,
        explained_variance=_explained(target, value) if len(target) else None,
        random_agreement=by_chance / max(choices, 1) if discrete else None,
        commonest_agreement=tally.commonest if discrete else None,
        balanced_agreement=tally.balanced if discrete else None,
        agreement_of=tally.by_name if discrete else None,
    )


def _explained(target: Tensor, value: Tensor) -> float:
    spread = float(target.var(correction=0))
    return 1.0 - float((target - value).var(correction=0)) / spread if spread > 0.0 else 0.0
