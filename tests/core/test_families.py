"""Families: a registered name that ends with a colon answers for every longer name."""

import pytest
from pydantic import BaseModel, ConfigDict

from lanista.errors import PluginError, RecipeError
from lanista.registry import Entry, NoSettings, Registry, checked_entry


class GymSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    size: int = 3


def entry(name, settings=GymSettings, **traits):
    return Entry("envs", name, "os:getcwd", settings, "any of them", "tests", traits)


@pytest.fixture
def registry():
    registry = Registry()
    registry.add_all(
        [
            entry("gym:", rest="id"),
            entry("gym:atari/", NoSettings),
            entry("gym:atari/x:", rest="id"),
            entry("pole", NoSettings),
        ]
    )
    return registry


def test_what_follows_the_prefix_goes_into_the_settings(registry):
    found = registry.get("envs", "gym:Pole-v1")
    assert (found.name, found.family, found.rest) == ("gym:Pole-v1", "gym:", "Pole-v1")
    assert registry.settings("envs", "gym:Pole-v1", {"size": 4}) == GymSettings(id="Pole-v1", size=4)
    assert registry.load("envs", "gym:Pole-v1")


def test_a_table_with_every_default_is_read_back(registry):
    values = registry.settings("envs", "gym:Pole-v1", {}).model_dump()
    assert registry.settings("envs", "gym:Pole-v1", values).id == "Pole-v1"
    with pytest.raises(RecipeError, match="id = 'Other' contradicts the name; leave id out"):
        registry.settings("envs", "gym:Pole-v1", {"id": "Other"})


def test_an_exact_name_goes_before_a_family_and_a_longer_prefix_before_a_shorter(registry):
    assert registry.get("envs", "gym:atari/").family == ""
    assert registry.get("envs", "gym:atari/y").family == "gym:"
    assert registry.get("envs", "gym:atari/x:y").family == "gym:atari/x:"


def test_the_bare_prefix_asks_for_a_member(registry):
    with pytest.raises(RecipeError, match="env 'gym:' is a family, gym:<id>: say which member is meant"):
        registry.get("envs", "gym:")


@pytest.mark.parametrize(("name", "meant"), [("gmy:Pole-v1", "gym:Pole-v1"), ("poel", "pole")])
def test_a_slip_is_answered_with_the_nearest_name(registry, name, meant):
    with pytest.raises(RecipeError, match=f"did you mean '{meant}'"):
        registry.get("envs", name)


def given(name, settings=GymSettings, **traits):
    return {"name": name, "target": "os:getcwd", "settings": settings, "summary": "", "traits": traits}


def test_a_family_without_a_field_for_the_rest_is_refused():
    with pytest.raises(PluginError, match=r"register_envs, 'gym:': .* found no trait `rest`"):
        checked_entry("envs", "tests", "tests", (), given("gym:"))
    with pytest.raises(PluginError, match="found rest='name' with the settings GymSettings"):
        checked_entry("envs", "tests", "tests", (), given("gym:", rest="name"))
    arguments = given("gym:", rest="id") | {"target": "package:it.toml"}
    with pytest.raises(PluginError, match="no family; take the colon off"):
        checked_entry("recipes", "tests", "tests", (), arguments)


def test_a_list_shows_a_family_with_what_goes_on_behind_it(registry):
    assert entry("gym:", rest="id").listed == "gym:<id>"
    assert entry("pole").listed == "pole"
