"""The arithmetic of the head of units, unit by unit and row by row, as plain loops that numba compiles.

All arrays are C-contiguous. Units ``[U, A]`` or ``[U]`` lie row after row, row b from ``offsets[b]`` to
``offsets[b + 1]``; sums run in float64. ``once`` ``[K, A]`` holds a bit for each choice of a kind that only one unit
of a cell may take, 0 for the others; see `lanista_agents.heads.units` for what that means.

An entry is *open* to a unit if it is legal and no earlier unit of its row that stands in its cell has taken it. If
that leaves nothing, all that is legal is open.
"""

import math

import numpy as np

from lanista.arrays import AnyArray


def open_entries(
    unit: int,
    first: int,
    legal: AnyArray,
    cell: AnyArray,
    kind: AnyArray,
    once: AnyArray,
    action: AnyArray,
    entries: AnyArray,
) -> None:
    """Fill `entries` (``[A]`` bool): what is open to `unit`, the units from `first` on having chosen before it."""
    taken = np.int64(0)
    for other in range(first, unit):
        if cell[other] == cell[unit] and action[other] >= 0:
            taken |= once[kind[other], action[other]]
    any_open = False
    for a in range(legal.shape[1]):
        entries[a] = legal[unit, a] and (once[kind[unit], a] & taken) == 0
        any_open = any_open or entries[a]
    if not any_open:
        for a in range(legal.shape[1]):
            entries[a] = legal[unit, a]


def choose_units(
    logits: AnyArray,
    legal: AnyArray,
    offsets: AnyArray,
    cell: AnyArray,
    kind: AnyArray,
    once: AnyArray,
    uniform: AnyArray,
    action: AnyArray,
    logprob: AnyArray,
) -> None:
    """Draw every unit's choice by inverting its cumulative distribution at `uniform`, and fill the last two.

    `uniform` is ``[U]``, in [0, 1); a number below 0 asks for the most probable choice, of equals the first.
    """
    entries = np.zeros(legal.shape[1], np.bool_)
    powers = np.zeros(legal.shape[1], np.float64)
    for row in range(len(offsets) - 1):
        total = 0.0
        for unit in range(offsets[row], offsets[row + 1]):
            open_entries(unit, offsets[row], legal, cell, kind, once, action, entries)
            best = -1
            for a in range(entries.shape[0]):
                if entries[a] and (best < 0 or logits[unit, a] > logits[unit, best]):
                    best = a
            mass = 0.0
            for a in range(entries.shape[0]):
                if entries[a]:
                    powers[a] = math.exp(np.float64(logits[unit, a]) - logits[unit, best])
                    mass += powers[a]
            log_total = logits[unit, best] + math.log(mass)
            chosen = best
            if uniform[unit] >= 0.0:
                chosen = -1
                reached = 0.0
                for a in range(entries.shape[0]):
                    if entries[a]:
                        probability = powers[a] / mass
                        # The last entry that has any probability catches a sum that rounding left below `uniform`.
                        if probability > 0.0 or chosen < 0:
                            chosen = a
                        reached += probability
                        if reached > uniform[unit]:
                            break
            action[unit] = chosen
            total += logits[unit, chosen] - log_total
        logprob[row] = total


def evaluate_units(
    logits: AnyArray,
    legal: AnyArray,
    offsets: AnyArray,
    cell: AnyArray,
    kind: AnyArray,
    once: AnyArray,
    action: AnyArray,
    logprob: AnyArray,
    entropy: AnyArray,
    logs: AnyArray,
    probabilities: AnyArray,
    own_entropy: AnyArray,
    closed: AnyArray,
) -> None:
    """Fill each row's logprob of `action` and entropy, and what `evaluate_gradient` needs.

    These are, a unit: all legal entries' log-probabilities (``[U, A]``, -inf for the others) and probabilities, the
    entropy (``[U]``), and what the log-probability of an open entry is above that, as the closed ones are left out
    (``[U]``, 0 or more; exactly 0 where none is). An action of -1 asks for no logprob. One that is legal but closed, as
    no draw would give it, counts as open.

    An exponential takes longer than all else that is done to an entry, so there is one a legal entry, and another only
    where entries are closed.
    """
    entries = np.zeros(legal.shape[1], np.bool_)
    powers = np.zeros(legal.shape[1], np.float64)
    for row in range(len(offsets) - 1):
        row_logprob = 0.0
        row_entropy = 0.0
        for unit in range(offsets[row], offsets[row + 1]):
            open_entries(unit, offsets[row], legal, cell, kind, once, action, entries)
            chosen = action[unit]
            if chosen >= 0 and legal[unit, chosen]:
                entries[chosen] = True
            top = -np.inf
            open_top = -np.inf
            all_open = True
            for a in range(entries.shape[0]):
                if legal[unit, a]:
                    top = max(top, logits[unit, a])
                    if entries[a]:
                        open_top = max(open_top, logits[unit, a])
                    else:
                        all_open = False
            # With e = exp(z - top): entropy = log(sum of e) - (sum of e * (z - top)) / (sum of e).
            mass = 0.0
            weighted = 0.0
            open_mass = 0.0
            for a in range(entries.shape[0]):
                if legal[unit, a]:
                    below = np.float64(logits[unit, a]) - top
                    power = math.exp(below)
                    powers[a] = power
                    mass += power
                    if power > 0.0:
                        weighted += power * below
                    if entries[a] and not all_open:
                        open_mass += math.exp(np.float64(logits[unit, a]) - open_top)
            if all_open:
                open_mass = mass
            log_mass = math.log(mass)
            for a in range(entries.shape[0]):
                if legal[unit, a]:
                    logs[unit, a] = np.float64(logits[unit, a]) - top - log_mass
                    probabilities[unit, a] = np.divide(powers[a], mass)
                else:
                    logs[unit, a] = -np.inf
                    probabilities[unit, a] = 0.0
            closed[unit] = 0.0 if all_open else (top - open_top) + log_mass - math.log(open_mass)
            own_entropy[unit] = log_mass - np.divide(weighted, mass)
            row_entropy += own_entropy[unit]
            if chosen >= 0:
                if legal[unit, chosen]:
                    row_logprob += np.float64(logits[unit, chosen]) - open_top - math.log(open_mass)
                else:
                    row_logprob = -np.inf
        logprob[row] = row_logprob
        entropy[row] = row_entropy


def evaluate_gradient(
    logs: AnyArray,
    probabilities: AnyArray,
    own_entropy: AnyArray,
    closed: AnyArray,
    legal: AnyArray,
    offsets: AnyArray,
    cell: AnyArray,
    kind: AnyArray,
    once: AnyArray,
    action: AnyArray,
    grad_logprob: AnyArray,
    grad_entropy: AnyArray,
    gradient: AnyArray,
) -> None:
    """Fill the gradient of ``sum(grad_logprob * logprob + grad_entropy * entropy)`` (``[B]`` each) by the logits.

    d logprob / d z_j = [j = action] - [j is open] p_j / (sum of the open p), d entropy / d z_j = -p_j (log p_j + entropy).
    """
    entries = np.zeros(legal.shape[1], np.bool_)
    for row in range(len(offsets) - 1):
        by_entropy = np.float64(grad_entropy[row])
        for unit in range(offsets[row], offsets[row + 1]):
            open_entries(unit, offsets[row], legal, cell, kind, once, action, entries)
            chosen = action[unit]
            by_logprob = np.float64(grad_logprob[row]) if chosen >= 0 else 0.0
            for a in range(entries.shape[0]):
                slope = 0.0
                log_p = np.float64(logs[unit, a])
                probability = np.float64(probabilities[unit, a])
                if probability > 0.0:
                    slope = -by_entropy * probability * (log_p + own_entropy[unit])
                if (entries[a] and legal[unit, a]) or (a == chosen and legal[unit, a]):
                    open_p = probability if closed[unit] == 0.0 else math.exp(log_p + closed[unit])
                    slope -= by_logprob * open_p
                if a == chosen:
                    slope += by_logprob
                gradient[unit, a] = slope
