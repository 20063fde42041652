import numpy as np
import pytest
from pydantic import ValidationError

from lanista.plugins import NoSettings
from lanista_plugins.matchmakers.pick import Latest, Pfsp, Uniform
from lanista_plugins.matchmakers.settings import PfspSettings

NAMES = ("old", "middle", "new")


class View:
    """Results as a matchmaker sees them."""

    def __init__(self, **scores):
        self.scores = scores

    def score(self, opponent):
        return self.scores.get(opponent, 0.5)

    def games(self, opponent):
        return 10.0


def shares(matchmaker, view, draws=6000):
    rng = np.random.default_rng(3)
    drawn = [matchmaker.choose(NAMES, view, rng) for _ in range(draws)]
    return np.array([drawn.count(name) / draws for name in NAMES])


def test_latest_is_the_newest_and_draws_nothing():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    assert Latest(NoSettings()).choose(NAMES, View(), rng) == "new"
    assert rng.bit_generator.state == before


def test_uniform_is_uniform():
    assert shares(Uniform(NoSettings()), View(old=0.99)) == pytest.approx([1 / 3] * 3, abs=0.02)


def test_pfsp_hard_prefers_those_that_beat_the_learner():
    pfsp = Pfsp(PfspSettings(uniform_share=0.0))
    view = View(old=0.9, middle=0.5, new=0.2)
    # (1 - p)^2: 0.01, 0.25, 0.64
    assert pfsp.chances(NAMES, view) == pytest.approx(np.array([0.01, 0.25, 0.64]) / 0.90)
    assert shares(pfsp, view) == pytest.approx(pfsp.chances(NAMES, view), abs=0.02)


def test_pfsp_even_prefers_equals():
    pfsp = Pfsp(PfspSettings(weighting="even", uniform_share=0.0))
    # p (1 - p): 0.09, 0.25, 0.16
    assert pfsp.chances(NAMES, View(old=0.9, middle=0.5, new=0.2)) == pytest.approx([0.18, 0.5, 0.32])


def test_the_power_and_the_uniform_share_do_what_they_say():
    view = View(old=0.9, middle=0.5, new=0.2)
    cubed = Pfsp(PfspSettings(power=3.0, uniform_share=0.0)).chances(NAMES, view)
    assert cubed == pytest.approx(np.array([0.001, 0.125, 0.512]) / 0.638)
    mixed = Pfsp(PfspSettings(uniform_share=0.3)).chances(NAMES, view)
    assert mixed == pytest.approx(0.1 + 0.7 * np.array([0.01, 0.25, 0.64]) / 0.90)


@pytest.mark.parametrize("score", [1.0, 1.0 - 1e-200])
def test_when_everyone_is_beaten_pfsp_is_uniform(score):
    chances = Pfsp(PfspSettings(uniform_share=0.0, power=50.0)).chances(
        NAMES, View(old=score, middle=score, new=score)
    )
    assert chances == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize(
    "matchmaker",
    [Latest(NoSettings()), Uniform(NoSettings()), Pfsp(PfspSettings())],
    ids=["latest", "uniform", "pfsp"],
)
def test_one_candidate_is_chosen_and_equal_streams_choose_equally(matchmaker):
    assert matchmaker.choose(("only",), View(), np.random.default_rng(0)) == "only"
    first, second = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(50):
        assert matchmaker.choose(NAMES, View(), first) == matchmaker.choose(NAMES, View(), second)


@pytest.mark.parametrize(
    "wrong", [{"power": 0}, {"weighting": "soft"}, {"uniform_share": 2}, {"temperature": 1}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        PfspSettings(**wrong)
