"""The eight symmetries of Lux: what states show from every side, what ties leave open, and how long games go on alike."""

import numpy as np
import pytest
import torch

from lanista.plugins import NoSettings
from lanista.symmetry.find import declared_symmetries
from lanista.symmetry.group import group_of
from lanista.symmetry.rows import Rows
from lanista.testing.complaints import Complaints
from lanista.testing.env_replay import Chooser
from lanista.testing.env_symmetries import check_symmetries
from lanista.units import live_units, seen
from lanista_envs.lux import unit_rows
from lanista_envs.lux.choices import TILE

GAMES = 8
_NEAR = len(unit_rows.SELF) + len(unit_rows.CITY) + len(unit_rows.CLUSTER)
_CITY = slice(len(unit_rows.SELF), len(unit_rows.SELF) + unit_rows.NUM_OF_CITY)
_CLUSTER = slice(_NEAR - len(unit_rows.CLUSTER), _NEAR)
_OWN_TILE, _OPEN = 5, 4


def settings_of(registry, **table):
    return registry.settings("envs", "lux_s1", {"size": 12, "observation": "both", **table})


def pair(registry, **table):
    """(Two envs, the declared symmetries, their group, rows by it.)"""
    settings = settings_of(registry, **table)
    first, second = (registry.load("envs", "lux_s1")(GAMES, settings, 1) for _ in range(2))
    found = declared_symmetries(registry, "lux_s1", settings.model_dump(mode="json"), first.spec)
    group = group_of(first.spec, found)
    return first, second, found, group, Rows(group, first.spec)


@pytest.mark.parametrize("shown", ["units", "planes", "both"])
def test_transformed_states_show_what_they_should(registry, shown):
    settings = settings_of(registry, observation=shown)

    def build(games, threads):
        return registry.load("envs", "lux_s1")(games, settings, threads)

    env = build(1, 1)
    found = declared_symmetries(registry, "lux_s1", settings.model_dump(mode="json"), env.spec)
    assert len(group_of(env.spec, found)) == 8
    check_symmetries(build, found, Complaints("lux_s1"), 3, 200)


def states(registry, steps):
    """Transformed pairs in the course of random games: (first, second, element of the pair, rows)."""
    first, second, found, group, rows = pair(registry)
    for seed, (symmetry, element) in enumerate(zip(found.generators, group.generators, strict=True)):
        first.reset(seed)
        second.reset(seed)
        chooser = Chooser(GAMES, seed)
        for step in range(steps):
            actions = chooser.choose(first)
            if step % 10 == 9:
                second.load(symmetry.state(first.save()))
                yield first, second, np.full(2 * GAMES, element), rows, actions
            first.step(actions)


def test_only_ties_between_equally_near_things_depend_on_the_compass(registry):
    tied = 0
    for first, second, element, rows, _ in states(registry, 60):
        index = np.arange(2 * GAMES)
        ours = rows.table(live_units(first), element, "orders").observation["features"].numpy()
        theirs = seen(second, index)[1]["orders"].observation["features"].numpy()
        near, other = (table[:, _NEAR:].reshape(len(table), -1, 3) for table in (ours, theirs))
        np.testing.assert_array_equal(near[..., 0], other[..., 0])
        differ = ~np.isclose(near, other).all(axis=2)
        steps = [np.abs(table[..., 1:]).sum(axis=2) for table in (near, other)]
        np.testing.assert_allclose(*steps, atol=1e-6)
        tied += int(differ.sum())
        for thing, numbers in ((_OWN_TILE, _CITY), (_OPEN, _CLUSTER)):
            alike = ~differ[:, thing]
            np.testing.assert_allclose(ours[alike][:, numbers], theirs[alike][:, numbers], atol=1e-6)
        rest = [*range(len(unit_rows.SELF))]
        np.testing.assert_allclose(ours[:, rest], theirs[:, rest], atol=1e-6)
    assert tied > 0


def test_games_go_on_alike_until_cities_join_in_another_order(registry):
    """Until then all that is shown is the same to the bit; then the same units and tiles stand in another order."""
    first, second, found, group, rows = pair(registry, observation="planes", max_turns=120)
    bot = registry.load("players", "lux_woodland_v1")(first.spec, NoSettings(), 0)
    games, seats = np.repeat(np.arange(GAMES), 2), np.tile([0, 1], GAMES)
    symmetry, element = found.generators[0], np.full(2 * GAMES, group.generators[0])
    first.reset(5)
    second.reset(5)
    second.load(symmetry.state(first.save()))
    alike, compared = np.ones(GAMES, bool), 0
    for _ in range(119):
        chosen = bot.act(first, games, seats)["orders"]
        table, other = live_units(first), live_units(second)
        told = rows.actions({"orders": torch.from_numpy(chosen)}, element, table)["orders"].numpy()
        ours = rows.table(table, element, "orders")
        shown = rows.transformed(seen(first, games * 2 + seats)[0], {}, element)[0]["planes"]
        wanted = seen(second, games * 2 + seats)[0]["planes"]
        taken = np.zeros(other.num_units, np.int64)
        for game in np.flatnonzero(alike):
            assert torch.equal(shown[2 * game : 2 * game + 2], wanted[2 * game : 2 * game + 2])
            here, there = (slice(*env.unit_offsets[[2 * game, 2 * game + 2]]) for env in (first, second))
            compared += 1
            if torch.equal(ours.cell[here], other.cell[there]) and torch.equal(
                ours.legal[here], other.legal[there]
            ):
                taken[there] = told[here]
            else:
                alike[game] = False
                assert sorted(ours.cell[here].tolist()) == sorted(other.cell[there].tolist())
                moved = (ours.cell[here] != other.cell[there]) & (ours.kind[here] == TILE)
                assert moved.any()
        first.step({"orders": chosen})
        second.step({"orders": taken})
    assert compared > 4 * 119
    assert not alike.all()  # else symmetries could be declared for whole games


def test_boards_of_several_sizes_are_turned_with_what_fills_them_up(registry):
    settings = registry.settings("envs", "lux_s1", {"sizes": [8, 12], "observation": "planes"})
    env = registry.load("envs", "lux_s1")(4, settings, 1)
    env.reset(0)
    found = declared_symmetries(registry, "lux_s1", settings.model_dump(mode="json"), env.spec)
    assert found.check == "none"
    group = group_of(env.spec, found)
    rows = Rows(group, env.spec)
    observation, legal = seen(env, np.arange(8))
    shown, _ = rows.transformed(observation, legal, np.full(8, group.generators[1]))
    assert torch.equal(shown["inside"], observation["inside"].flip(-1))
    assert not torch.equal(shown["inside"], observation["inside"])
    table = shown["units"]
    inside = shown["inside"].flatten(1)[table.row, table.cell]
    assert (inside == 1).all()
