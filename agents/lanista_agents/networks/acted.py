"""Logits that stand for an action, for teachers of which no more is known than what they do."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lanista.spec import HeadSpec
from lanista_agents.networks.numbers import NARROW, Spoken


def choice_logits(action: Tensor, size: int, certainty: float) -> Tensor:
    """Choices ``[B]`` to logits ``[B, size]``: the one has the probability `certainty`, the others share the rest."""
    rest = math.log((1.0 - certainty) / max(size - 1, 1) / certainty) if size > 1 else 0.0
    logits = torch.full((len(action), size), rest, dtype=torch.float32)
    return logits.scatter(1, action.to(torch.int64).view(-1, 1), 0.0)


class ActionWords(nn.Module):
    """Actions to the logits of every head; of real numbers the narrowest distribution that a head can say."""

    def __init__(
        self,
        heads: Sequence[HeadSpec],
        outputs: Mapping[str, int],
        tables: Mapping[str, Mapping[str, Any]],
        certainty: float,
    ) -> None:
        """`heads` as the env has them, `outputs` their numbers of logits, `tables` their plugins and settings."""
        super().__init__()
        self.heads, self.certainty = tuple(heads), certainty
        self.spoken = nn.ModuleDict(
            {
                head.name: Spoken(outputs[head.name], head.low, head.high, "clip", dict(tables[head.name]))
                for head in heads
                if head.continuous
            }
        )

    def forward(self, actions: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each head to ``[B]`` or ``[B, A]``; gives ``[B, outputs]``."""
        logits: dict[str, Tensor] = {}
        for head in self.heads:
            action = actions[head.name]
            if head.name in self.spoken:
                spoken = self.spoken[head.name]
                assert isinstance(spoken, Spoken)
                mean, _ = spoken.units(action.to(torch.float32), torch.ones(head.size))
                logits[head.name] = spoken(mean, torch.full_like(mean, NARROW))
            else:
                logits[head.name] = choice_logits(action, head.size, self.certainty)
        return logits
