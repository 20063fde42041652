"""Lux on boards of several sizes side by side, and which maps are trained on."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lanista.errors import UsageError
from lanista.testing import check_env
from lanista.units import seen
from lanista_agents.networks.grid_resnet import GridResnet
from lanista_agents.settings import GridResnetSettings
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.maps import seeds_of
from lanista_envs.lux.scripted.players import Simple, WoodlandV1
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.sizes import LuxSizes, make_lux

SIZES = (12, 8, 16)


def several(num_games, num_threads=1, **settings):
    env = make_lux(num_games, LuxS1Settings(sizes=SIZES, **{"observation": "both", **settings}), num_threads)
    assert isinstance(env, LuxSizes)
    env.reset(5)
    return env


def random_choices(env, rng):
    return {"orders": np.where(env.unit_legal, rng.random(env.unit_legal.shape), -1.0).argmax(1)}


def rows_of(env, game):
    return (env.unit_row // 2) == game


@pytest.mark.parametrize("num_threads", [1, 3])
def test_every_game_is_the_one_that_its_size_plays_alone(num_threads):
    env = several(7, num_threads, max_turns=25)
    assert env.variants == ("12x12", "8x8", "16x16")
    assert env.variant.tolist() == [0, 1, 2, 1, 2, 0, 2]
    alone = {}
    for place, size in enumerate(SIZES):
        numbers = np.flatnonzero(env.variant == place)
        settings = LuxS1Settings(size=size, observation="both", max_turns=25)
        alone[place] = (LuxS1(len(numbers), settings, 1, numbers=numbers), numbers)
        alone[place][0].reset(5)
    rng = np.random.default_rng(0)
    endings = 0
    for _ in range(40):
        actions = random_choices(env, rng)
        for place, (part, numbers) in alone.items():
            size = SIZES[place]
            for k, game in enumerate(numbers.tolist()):
                mine, own = rows_of(env, game), rows_of(part, k)
                assert np.array_equal(env.unit_cell[mine] % 16, part.unit_cell[own] % size)
                assert np.array_equal(env.unit_cell[mine] // 16, part.unit_cell[own] // size)
                assert np.array_equal(env.unit_row[mine] % 2, part.unit_row[own] % 2)
                assert np.array_equal(env.unit_kind[mine], part.unit_kind[own])
                assert np.array_equal(env.unit_legal[mine], part.unit_legal[own])
                for name, array in env.unit_observation.items():
                    assert np.array_equal(array[mine], part.unit_observation[name][own])
                for shown, other in (
                    (env.observation, part.observation),
                    *([(env.final_observation, part.final_observation)] if part.ended[k] else []),
                ):
                    assert np.array_equal(shown["planes"][game, :, :, :size, :size], other["planes"][k])
                    assert np.array_equal(shown["globals"][game], other["globals"][k])
                    assert not shown["planes"][game, :, :, size:].any()
                    assert not shown["planes"][game, :, :, :, size:].any()
                    assert shown["inside"][game].sum() == 2 * size * size
                for name in env.facts:
                    assert np.array_equal(env.facts[name][game], part.facts[name][k])
                    if part.ended[k]:
                        assert np.array_equal(env.final_facts[name][game], part.final_facts[name][k])
                for name in ("outcome", "terminated", "truncated", "ended", "map_seed"):
                    assert np.array_equal(getattr(env, name)[game], getattr(part, name)[k])
            taken = np.concatenate([actions["orders"][rows_of(env, game)] for game in numbers.tolist()])
            part.step({"orders": taken})
        env.step(actions)
        endings += int(env.ended.sum())
    assert endings >= 7


def test_several_sizes_keep_the_contract_of_envs():
    for observation in ("planes", "units"):
        settings = LuxS1Settings(sizes=(8, 10), max_turns=12, observation=observation)
        check_env(make_lux, settings, games=5, steps=30)


def test_one_size_in_the_list_is_that_size_with_a_part_that_marks_all_cells():
    env = make_lux(2, LuxS1Settings(sizes=(9,), max_turns=5))
    assert env.spec.observation[0].shape == (26, 9, 9)
    assert env.observation["inside"].all()


def test_scripted_players_play_every_size_as_they_would_alone():
    env = several(7)
    player = WoodlandV1(env.spec)
    games, seats = np.nonzero(env.acting)
    for _ in range(12):
        chosen = player.act(env, games, seats)["orders"]
        for part, where, rows in zip(env.parts, env.where, env.rows, strict=True):
            alone = player.act(part, np.repeat(np.arange(len(where)), 2), np.tile([0, 1], len(where)))
            assert np.array_equal(chosen[rows], alone["orders"])
        env.step({"orders": chosen})
    some = Simple(env.spec).act(env, np.array([1, 4, 6]), np.array([0, 1, 0]))["orders"]
    assert len(some) == np.isin(env.unit_row, [2, 9, 12]).sum()
    assert env.facts["units"].min() >= 1


def test_an_illegal_choice_is_named_by_its_game_and_nothing_happens():
    env = several(5)
    before = env.save()
    choices = np.zeros(len(env.unit_row), np.int64)
    choices[env.unit_row == 7] = 99
    with pytest.raises(UsageError, match=r"seat 1 of game 3\) is given choice 99, which does not exist"):
        env.step({"orders": choices})
    assert all(np.array_equal(array, before[name]) for name, array in env.save().items())
    with pytest.raises(UsageError, match="a choice for each of the"):
        env.step({"orders": choices[:-1]})


def test_each_size_is_named_once_and_one_size_is_not_played_as_several():
    with pytest.raises(ValidationError, match="names 12 twice"):
        LuxS1Settings(sizes=(12, 16, 12))
    with pytest.raises(ValidationError):
        LuxS1Settings(sizes=(12, 4))
    with pytest.raises(UsageError, match="LuxSizes"):
        LuxS1(2, LuxS1Settings(sizes=(12, 16)))


def test_a_board_that_is_filled_up_gets_the_answers_that_it_gets_alone():
    torch.manual_seed(0)
    env = several(3, observation="both", max_turns=30)
    rng = np.random.default_rng(1)
    for _ in range(9):
        env.step(random_choices(env, rng))
    network = GridResnet(
        env.spec.observation,
        env.spec.heads,
        GridResnetSettings(channels=8, blocks=2, squeeze=4, hidden=8, policy_gain=1.0),
        env.spec.unit_observation,
    )
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    together = network(seen(env, np.arange(6))[0])
    for place, size in enumerate(SIZES):
        game = int(np.flatnonzero(env.variant == place)[0])
        rows = np.array([2 * game, 2 * game + 1])
        observation, _ = seen(env, rows)
        for name in ("planes", "inside"):
            observation[name] = observation[name][..., :size, :size]
        table = observation["units"]
        observation["units"] = type(table)(
            **{**vars(table), "cell": table.cell // 16 * size + table.cell % 16}
        )
        answer = network(observation)
        assert torch.allclose(answer.value, together.value[rows], atol=1e-5)
        mine = torch.from_numpy(rows_of(env, game))
        assert torch.allclose(answer.logits["orders"], together.logits["orders"][mine], atol=1e-5)


def test_training_never_plays_a_held_out_map_and_figures_play_no_other():
    train, held_out, everything = (seeds_of(maps) for maps in ("train", "held_out", "all"))
    assert train[-1] < held_out[0]
    assert len(train) + len(held_out) == len(everything) == 10**9
    for maps, allowed in (("train", train), ("held_out", held_out), ("all", everything)):
        for sizes in ((), (8, 10)):
            env = make_lux(16, LuxS1Settings(size=8, sizes=sizes, maps=maps, max_turns=1))
            drawn = set()
            for seed in (0, 1, 2**62):
                env.reset(seed)
                for _ in range(6):
                    drawn |= set(env.map_seed.tolist())
                    env.step({"orders": np.zeros(len(env.unit_row), np.int64)})
            assert len(drawn) == 3 * 16 * 6
            assert all(seed in allowed for seed in drawn)


def test_the_same_stream_draws_the_maps_whatever_the_number_of_games():
    few, many = several(3), several(11)
    assert np.array_equal(few.map_seed, many.map_seed[:3])
    assert len(set(many.map_seed.tolist())) == 11
