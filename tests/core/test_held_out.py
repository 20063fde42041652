"""Which settings an env is measured with: those of its trait, or its own."""

import numpy as np
import pytest
from pydantic import BaseModel

from lanista.errors import PluginError
from lanista.held_out import first_held_out_seed, held_out, held_out_settings
from lanista.registry import Entry, Registry
from lanista.testing.env_offer import check_env_offer
from lanista.testing.practice import Practice


class Settings(BaseModel):
    seats: int = 1
    rounds: int = 8
    levels: str = "train"


class Maze(Practice):
    """The practice game, and its trait does nothing."""


class Levelled(Practice):
    """Held-out levels are draws of their own."""

    def __init__(self, num_games, settings, num_threads):
        super().__init__(num_games, settings, num_threads)
        self._level = int(settings.levels == "held_out")

    def draw(self, game, rng):
        super().draw(game, np.random.default_rng([int(rng.integers(1000)), self._level]))


def registry(target="Maze", **traits):
    found = Registry()
    found.add_all([Entry("envs", "maze", f"{__name__}:{target}", Settings, "", "mazes", traits)])
    return found


def test_an_env_without_levels_is_measured_as_it_is():
    assert held_out(registry(), "maze", {"seats": 2}) == {"seats": 2}
    assert first_held_out_seed(registry(), "maze") == 0


def test_the_traits_settings_go_before_the_envs_own():
    known = registry(held_out={"levels": "held_out"}, first_held_out_seed=900)
    assert held_out(known, "maze", {"seats": 2, "levels": "all"}) == {"seats": 2, "levels": "held_out"}
    assert first_held_out_seed(known, "maze") == 900


@pytest.mark.parametrize(
    ("trait", "sentence"),
    [
        (7, r"env 'maze' of plugin mazes: its trait held_out is 7; name settings and their values"),
        ({"level": "x"}, r"names 'level', which its settings do not have; did you mean 'levels'\?"),
    ],
)
def test_a_wrong_trait_is_the_plugins_fault(trait, sentence):
    with pytest.raises(PluginError, match=sentence):
        held_out_settings(registry(held_out=trait), "maze")


def test_a_wrong_first_seed_is_the_plugins_fault():
    with pytest.raises(PluginError, match="its trait first_held_out_seed is 'x'; give a whole number"):
        first_held_out_seed(registry(first_held_out_seed="x"), "maze")


def test_the_check_of_a_plugin_plays_both_kinds_of_levels():
    check_env_offer(registry("Levelled", held_out={"levels": "held_out"}), "maze")
    with pytest.raises(PluginError, match="trait held_out plays the same games as without it, over 40 steps"):
        check_env_offer(registry(held_out={"levels": "held_out"}), "maze")
    with pytest.raises(PluginError, match="trait held_out changes the seats, the observation or the heads"):
        check_env_offer(registry(held_out={"seats": 2}), "maze")
