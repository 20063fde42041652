import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanista.intervals import lower_bound, mean_interval, wilson


def test_wilson_gives_the_textbook_figures():
    # 15 of 20 at 95 %: (0.5313, 0.8881); computed by hand from Wilson's equation 3 with z = 1.959964.
    low, high = wilson(15, 20)
    assert low == pytest.approx(0.53130, abs=5e-5)
    assert high == pytest.approx(0.88814, abs=5e-5)


def test_without_games_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)
    assert lower_bound(0, 0) == 0.0


@given(st.integers(1, 2000), st.floats(0, 1), st.floats(0.5, 0.999))
def test_wilson_holds_the_score_and_mirrors(games, share, confidence):
    score = round(share * games * 2) / 2
    low, high = wilson(score, games, confidence)
    assert 0.0 <= low <= score / games + 1e-12
    assert score / games - 1e-12 <= high <= 1.0
    mirrored = wilson(games - score, games, confidence)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-12)
    assert lower_bound(score, games, confidence) <= score / games + 1e-12


@pytest.mark.parametrize("truth", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("games", [30, 200])
def test_wilson_covers_at_the_nominal_rate(truth, games):
    wins = np.random.default_rng(7).binomial(games, truth, size=4000)
    bounds = {int(win): wilson(int(win), games) for win in np.unique(wins)}
    covered = np.mean([bounds[int(win)][0] <= truth <= bounds[int(win)][1] for win in wins])
    # 4,000 draws have a standard error of 0.0034; the lattice of few games moves the rate by up to 0.02.
    assert 0.93 <= covered <= 0.98


def test_with_draws_the_interval_covers_at_least_as_often():
    rng = np.random.default_rng(8)
    results = rng.choice([0.0, 0.5, 1.0], p=[0.2, 0.5, 0.3], size=(3000, 60)).sum(axis=1)
    covered = [wilson(float(score), 60)[0] <= 0.55 <= wilson(float(score), 60)[1] for score in results]
    assert np.mean(covered) >= 0.97


def test_the_one_sided_bound_errs_at_most_as_often_as_stated_for_every_number_of_games():
    # Exact: the chance that a player whose true score is `truth` shows a bound above it.
    for truth in (0.5, 0.55, 0.7):
        for games in [*range(1, 60), 100, 400]:
            chance = sum(
                math.comb(games, wins) * truth**wins * (1 - truth) ** (games - wins)
                for wins in range(games + 1)
                if lower_bound(wins, games, 0.9) > truth
            )
            assert chance <= 0.1, (truth, games, chance)


def test_mean_interval_is_students():
    low, high = mean_interval([1.0, 2.0, 3.0, 4.0, 5.0])
    # t(0.975, 4) = 2.776445, s = sqrt(2.5): 3 -/+ 2.776445 * 0.707107
    assert (low, high) == pytest.approx((3 - 1.963243, 3 + 1.963243), abs=1e-5)
    assert mean_interval([3.0]) == (-math.inf, math.inf)


def test_mean_interval_covers_at_the_nominal_rate():
    draws = np.random.default_rng(9).normal(10.0, 3.0, size=(2000, 8))
    covered = [low <= 10.0 <= high for low, high in (mean_interval(list(row)) for row in draws)]
    assert 0.935 <= np.mean(covered) <= 0.965


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: wilson(3, 2), "score 3 of 2 games"),
        (lambda: wilson(-1, 2), "score -1 of 2 games"),
        (lambda: lower_bound(float("nan"), 2), "score nan of 2 games"),
        (lambda: wilson(1, 2, 95), "confidence lies between 0 and 1, found 95; write 0.95"),
        (lambda: mean_interval([]), "no value was given"),
        (lambda: mean_interval([1.0, 2.0], 1.0), "confidence lies between 0 and 1, found 1.0"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


def test_importing_it_is_light():
    code = "import lanista.intervals, sys; print({'torch', 'numba', 'scipy', 'numpy'} & sys.modules.keys())"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "set()"
