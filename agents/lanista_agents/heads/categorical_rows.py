"""The categorical head's arithmetic, row by row, as plain loops that numba compiles.

At these sizes a torch call costs more than it computes, so one loop takes the place of some ten calls.

All arrays are C-contiguous, ``[B, A]`` or ``[B]``; sums run in float64 whatever the arrays hold. Illegal
entries are passed over, never multiplied by zero, so that no NaN can come of an infinite logit there. A row
without a legal action has no distribution: its results mean nothing (they are not NaN-free), and callers
leave such rows out.
"""

import math

import numpy as np

from lanista.arrays import AnyArray


def _log_total(logits: AnyArray, legal: AnyArray, row: int, sharpness: float) -> float:
    """Log of the sum of exp(sharpness * logit) over the row's legal entries."""
    top = -np.inf
    for a in range(logits.shape[1]):
        if legal[row, a] and logits[row, a] > top:
            top = logits[row, a]
    total = 0.0
    for a in range(logits.shape[1]):
        if legal[row, a]:
            total += math.exp(sharpness * (logits[row, a] - top))
    return sharpness * top + math.log(total)


def sample_rows(
    logits: AnyArray, legal: AnyArray, uniform: AnyArray, action: AnyArray, logprob: AnyArray
) -> None:
    """Draw by inverting the cumulative distribution at `uniform` (``[B]``, in [0, 1)); fills the last two."""
    for row in range(logits.shape[0]):
        log_total = _log_total(logits, legal, row, 1.0)
        reached = 0.0
        chosen = -1
        for a in range(logits.shape[1]):
            if legal[row, a]:
                probability = math.exp(logits[row, a] - log_total)
                # The last entry that has any probability catches a sum that rounding left below `uniform`.
                if probability > 0.0 or chosen < 0:
                    chosen = a
                reached += probability
                if reached > uniform[row]:
                    break
        action[row] = chosen
        logprob[row] = logits[row, chosen] - log_total


def evaluate_rows(
    logits: AnyArray,
    legal: AnyArray,
    action: AnyArray,
    logprob: AnyArray,
    entropy: AnyArray,
    logs: AnyArray,
) -> None:
    """Fill the logprob of `action` (-1: none asked, 0 given), the entropy, and all actions' logprobs."""
    for row in range(logits.shape[0]):
        top = -np.inf
        for a in range(logits.shape[1]):
            if legal[row, a] and logits[row, a] > top:
                top = logits[row, a]
        # With e = exp(z - top): entropy = log(sum of e) - (sum of e * (z - top)) / (sum of e).
        total = 0.0
        weighted = 0.0
        for a in range(logits.shape[1]):
            if legal[row, a]:
                below = np.float64(logits[row, a]) - top
                power = math.exp(below)
                total += power
                if power > 0.0:
                    weighted += power * below
        log_total = math.log(total)
        for a in range(logits.shape[1]):
            logs[row, a] = np.float64(logits[row, a]) - top - log_total if legal[row, a] else -np.inf
        entropy[row] = log_total - np.divide(weighted, total)
        logprob[row] = logs[row, action[row]] if action[row] >= 0 else 0.0


def evaluate_gradient(
    logs: AnyArray,
    entropy: AnyArray,
    action: AnyArray,
    grad_logprob: AnyArray,
    grad_entropy: AnyArray,
    gradient: AnyArray,
) -> None:
    """Fill the gradient of ``sum(grad_logprob * logprob + grad_entropy * entropy)`` by the logits.

    d logprob / d z_j = [j = action] - p_j, and d entropy / d z_j = -p_j (log p_j + entropy).
    """
    for row in range(logs.shape[0]):
        by_logprob = np.float64(grad_logprob[row]) if action[row] >= 0 else 0.0
        by_entropy = np.float64(grad_entropy[row])
        for a in range(logs.shape[1]):
            probability = math.exp(logs[row, a])
            slope = 0.0
            if probability > 0.0:
                slope = -probability * (by_logprob + by_entropy * (logs[row, a] + entropy[row]))
            if a == action[row]:
                slope += by_logprob
            gradient[row, a] = slope


def kl_rows(
    teacher: AnyArray,
    student: AnyArray,
    legal: AnyArray,
    temperature: float,
    kl: AnyArray,
    by_teacher: AnyArray,
    by_student: AnyArray,
) -> None:
    """Fill KL(p || q), p and q the softmax of the two logits / temperature, and its gradients by both logits.

    d KL / d teacher_j = p_j (log p_j - log q_j - KL) / temperature, and
    d KL / d student_j = (q_j - p_j) / temperature.
    """
    sharpness = np.divide(1.0, temperature)
    for row in range(teacher.shape[0]):
        teacher_total = _log_total(teacher, legal, row, sharpness)
        student_total = _log_total(student, legal, row, sharpness)
        total = 0.0
        for a in range(teacher.shape[1]):
            if legal[row, a]:
                log_p = sharpness * teacher[row, a] - teacher_total
                probability = math.exp(log_p)
                if probability > 0.0:
                    total += probability * (log_p - (sharpness * student[row, a] - student_total))
        kl[row] = total
        for a in range(teacher.shape[1]):
            by_teacher[row, a] = 0.0
            by_student[row, a] = 0.0
            if legal[row, a]:
                log_p = sharpness * teacher[row, a] - teacher_total
                log_q = sharpness * student[row, a] - student_total
                probability = math.exp(log_p)
                by_student[row, a] = (math.exp(log_q) - probability) * sharpness
                if probability > 0.0:
                    by_teacher[row, a] = probability * (log_p - log_q - total) * sharpness
