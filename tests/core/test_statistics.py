"""The statistics against cases worked by hand, against scipy, and against the formulas of the paper."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from lanista.statistics.bootstrap import bootstrap
from lanista.statistics.difference import (
    Difference,
    Interval,
    fewest_runs,
    holm_levels,
    iqm_difference,
)
from lanista.statistics.improvement import improvement_interval, probability_of_improvement
from lanista.statistics.iqm import interquartile_mean, iqm_interval
from lanista.statistics.profile import performance_profile, profile_band

SCORES = arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e3, 1e3))


@pytest.mark.parametrize(
    ("scores", "middle"),
    [
        ([7.0], 7.0),
        ([1.0, 2.0, 9.0], 4.0),  # floor(3 / 4) = 0 are left out
        ([0.0, 1.0, 2.0, 99.0], 1.5),
        ([8, 7, 6, 5, 4, 3, 2, 1], 4.5),
        ([100, 0, 0, 0, 0, 0, 0, 0, 0, 8], 0.0),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 5.5),
    ],
)
def test_the_interquartile_mean_of_a_few_scores(scores, middle):
    assert float(interquartile_mean(np.array(scores, dtype=float))) == middle


@given(st.lists(SCORES, min_size=1, max_size=3))
def test_the_interquartile_mean_is_that_of_all_runs_of_all_tasks(tasks):
    """rliable's definition: scipy's trim_mean at 0.25 of the flattened matrix."""
    found = float(interquartile_mean(*tasks))
    assert found == pytest.approx(float(stats.trim_mean(np.concatenate(tasks), 0.25, axis=None)))
    assert min(map(np.min, tasks)) - 1e-9 <= found <= max(map(np.max, tasks)) + 1e-9


@given(SCORES, st.floats(-100, 100))
def test_the_interquartile_mean_moves_with_the_scores(scores, by):
    assert float(interquartile_mean(scores + by)) == pytest.approx(float(interquartile_mean(scores)) + by)


def test_the_bootstrap_draws_within_a_task_never_across():
    """Tasks of constant scores: whatever is drawn, half of it is 0 and half 10."""
    found = iqm_interval(np.zeros(4), np.full(4, 10.0))
    assert (found.value, found.low, found.high, found.error) == (5.0, 5.0, 5.0, 0.0)


def test_the_bootstrap_interval_is_that_of_the_percentiles():
    scores = np.random.default_rng(3).normal(size=12)
    found = iqm_interval(scores)
    rng = np.random.default_rng(8)
    drawn = interquartile_mean(scores[rng.integers(12, size=(20_000, 12))])
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert found.low == pytest.approx(low, abs=0.05)
    assert found.high == pytest.approx(high, abs=0.05)
    assert found.error == pytest.approx(drawn.std(), rel=0.05)


def test_the_same_seed_gives_the_same_interval():
    scores = np.arange(8.0)
    assert iqm_interval(scores, seed=1) == iqm_interval(scores, seed=1)


def test_one_run_has_no_spread():
    found = iqm_interval(np.array([3.0]))
    assert (found.value, found.low, found.high) == (3.0, -inf, inf)


@pytest.mark.parametrize(
    ("strata", "confidence", "sentence"),
    [(([1.0, 2.0], []), 0.95, "holds no run"), (([1.0, 2.0],), 95, "lies between 0 and 1")],
)
def test_a_bootstrap_of_nothing_is_refused(strata, confidence, sentence):
    with pytest.raises(ValueError, match=sentence):
        bootstrap([np.array(part) for part in strata], interquartile_mean, confidence)


def test_the_probability_of_improvement_counts_pairs_and_half_the_ties():
    # pairs (x, y): 2 > 1, 3 > 1, 4 > 1, 3 > 2, 4 > 2, 4 > 3 and the ties 2-2, 3-3
    assert float(probability_of_improvement(np.array([1.0, 2, 3]), np.array([2.0, 3, 4]))) == pytest.approx(
        7 / 9
    )


@given(SCORES, SCORES)
def test_the_probability_of_improvement_is_the_mann_whitney_statistic(x, y):
    found = float(probability_of_improvement(x, y))
    u = stats.mannwhitneyu(y, x, alternative="greater", method="asymptotic").statistic
    assert found == pytest.approx(u / (len(x) * len(y)))
    assert found + float(probability_of_improvement(y, x)) == pytest.approx(1.0)


def test_the_interval_of_a_certain_improvement_is_a_point():
    found = improvement_interval(np.arange(5.0), np.arange(5.0) + 10)
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)


def test_a_performance_profile_is_the_share_above_each_threshold():
    thresholds = np.array([-1.0, 0.0, 1.0, 2.5, 4.0])
    one, other = np.array([0.0, 1, 2, 3]), np.array([3.0, 3, 3, 3])
    assert performance_profile(thresholds, one).tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert performance_profile(thresholds, one, other).tolist() == [1.0, 0.875, 0.75, 0.625, 0.0]


@given(SCORES)
def test_a_performance_profile_falls(scores):
    thresholds = np.linspace(-1001, 1000, 40)
    shares = performance_profile(thresholds, scores)
    assert shares[0] == 1.0
    assert shares[-1] == 0.0 or scores.max() >= 1000
    assert (np.diff(shares) <= 0).all()


def test_the_band_of_a_profile_lies_round_it():
    scores, thresholds = np.arange(10.0), np.linspace(-1, 10, 30)
    low, high = profile_band(thresholds, scores)
    shares = performance_profile(thresholds, scores)
    assert ((low <= shares) & (shares <= high)).all()
    assert (low < high).any()


def test_groups_that_do_not_overlap_differ_from_four_runs_on():
    """Of the 20 ways to share out three and three runs, and of the 70 for four, two are as extreme."""
    assert fewest_runs() == 4
    three, four = (iqm_difference(np.arange(n) * 1.0, np.arange(n) + 100.0) for n in (3, 4))
    assert three.p == pytest.approx(2 / 20)
    assert three.interval.low > 0
    assert not three.shown()
    assert four.p == pytest.approx(2 / 70)
    assert four.shown()
    assert four.interval.value == pytest.approx(100.0)


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=5), st.lists(st.integers(0, 3), min_size=2, max_size=5)
)
def test_the_permutation_test_is_that_of_every_assignment(a, b):
    """By hand: every way to pick `a` out of all runs, ties and all."""
    from itertools import combinations

    runs = np.array([*a, *b], dtype=float)
    picks = [list(pick) for pick in combinations(range(len(runs)), len(a))]
    found = np.array([probability_of_improvement(runs[pick], np.delete(runs, pick)) for pick in picks])
    own = probability_of_improvement(np.array(a, dtype=float), np.array(b, dtype=float))
    sides = [(found >= own - 1e-9).mean(), (found <= own + 1e-9).mean()]
    assert iqm_difference(runs[: len(a)], runs[len(a) :]).p == pytest.approx(min(1.0, 2 * min(sides)))


def test_single_runs_show_nothing():
    found = iqm_difference(np.array([1.0]), np.array([500.0]))
    assert found.p == 1.0
    assert not found.shown()
    assert found.more_runs() == 3


def test_equal_groups_are_told_apart_as_seldom_as_the_level_says():
    rng = np.random.default_rng(5)
    shown = sum(iqm_difference(rng.normal(size=6), rng.normal(size=6), seed=n).shown() for n in range(60))
    assert shown <= 7  # 3 expected; 8 or more have probability 0.01


def test_the_runs_that_are_missing_follow_from_the_error():
    # z(0.975) + z(0.8) = 2.80; (2.80 * 2 / 1)^2 = 31.4 times the runs
    found = Difference(Interval(1.0, -3.0, 5.0, 2.0), p=0.6, runs=10)
    assert found.more_runs() == 304
    assert Difference(Interval(1.0, -30.0, 50.0, 20.0), p=0.9, runs=10).more_runs() is None
    assert Difference(Interval(0.0, -3.0, 5.0, 2.0), p=1.0, runs=10).more_runs() is None


def test_holm_holds_the_smallest_p_to_the_strictest_level():
    assert holm_levels([0.04, 0.01, 0.02]) == pytest.approx([0.05, 0.05 / 3, 0.025])
    assert holm_levels([0.03, 0.001, 0.04]) == pytest.approx([0.025, 0.05 / 3, 0.025])
    assert holm_levels([]) == []


@settings(max_examples=50)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_the_adjusted_p_values_reject(p_values):
    """The step-down of Holm 1979 written the other way round: running maxima of (m - rank) p."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted, highest = {}, 0.0
    for rank, place in enumerate(order):
        highest = max(highest, (len(p_values) - rank) * p_values[place])
        adjusted[place] = highest
    levels = holm_levels(p_values)
    for place, p in enumerate(p_values):
        if abs(adjusted[place] - 0.05) > 1e-12:
            assert (p <= levels[place]) == (adjusted[place] <= 0.05)
