"""Adding up what the units of each row have, as plain loops that numba compiles: ``index_add`` goes unit by unit."""

from lanista.arrays import AnyArray


def sum_rows(values: AnyArray, offsets: AnyArray, total: AnyArray) -> None:
    """Fill `total` ``[B, F]`` with the sums of `values` ``[U, F]``, row b from ``offsets[b]`` to ``offsets[b + 1]``."""
    for b in range(total.shape[0]):
        here = total[b]
        for f in range(here.shape[0]):
            here[f] = 0.0
        for u in range(offsets[b], offsets[b + 1]):
            there = values[u]
            for f in range(here.shape[0]):
                here[f] += there[f]


def mean_rows(values: AnyArray, offsets: AnyArray, mean: AnyArray) -> None:
    """The same, divided by each row's units; 0 for a row without."""
    sum_rows(values, offsets, mean)
    for b in range(mean.shape[0]):
        share = mean.dtype.type(1.0 / max(1, offsets[b + 1] - offsets[b]))
        here = mean[b]
        for f in range(here.shape[0]):
            here[f] *= share


def add_shares(gradient: AnyArray, offsets: AnyArray, by_units: AnyArray) -> None:
    """Add the way back of `mean_rows` to `by_units` ``[U, F]``: each unit its share of its row's `gradient` ``[B, F]``."""
    for b in range(gradient.shape[0]):
        share = gradient.dtype.type(1.0 / max(1, offsets[b + 1] - offsets[b]))
        here = gradient[b]
        for u in range(offsets[b], offsets[b + 1]):
            there = by_units[u]
            for f in range(here.shape[0]):
                there[f] += here[f] * share
