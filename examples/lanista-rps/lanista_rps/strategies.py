"""The mixed strategies of policies: what they play where there is nothing to see."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from lanista.errors import LanistaError
from lanista.league import read_report
from lanista.plugins import Registry
from lanista.policy import Policy, load_policy
from lanista_rps.history import weights


def pool_policies(run_folder: Path, registry: Registry) -> list[tuple[str, Policy]]:
    """Every snapshot in a run's pool with its name, oldest first."""
    league = run_folder / "league"
    pool = read_report(league).pool
    if not pool:
        raise LanistaError(f"the pool of {league} is empty; train with a league that takes snapshots first")
    return [(name, load_policy(league / "members" / name, registry)) for name in pool]


@torch.no_grad()
def strategy(policy: Policy) -> list[float]:
    """The chances of rock, paper and scissors."""
    logits = policy.network({"always": torch.ones(1, 1)}).logits["sign"]
    return [float(chance) for chance in logits.double().softmax(dim=-1)[0]]


def average(strategies: Sequence[Sequence[float]], power: float) -> list[float]:
    """The mean of several strategies, oldest first, the k-th weighing k to the power."""
    share = weights(len(strategies), power)
    return [float(chance) for chance in share @ np.array(strategies)]
