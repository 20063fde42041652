"""The env `lux_s1`: the contract, endings, maps, errors, what it declares, and its drawing."""

from pathlib import Path

import numpy as np
import pytest

import lanista_envs.lux
from lanista.errors import CheckpointError, RecipeError, UsageError
from lanista.plugins import load_plugins
from lanista.testing import check_env
from lanista_envs.lux import state
from lanista_envs.lux.env import LuxS1
from lanista_envs.lux.games import LuxGames
from lanista_envs.lux.maps import HELD_OUT
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.streams import draw_bits, stream_of


def random_choices(env, rng):
    return {"orders": np.where(env.unit_legal, rng.random(env.unit_legal.shape), -1.0).argmax(1)}


def lux(games=1, threads=1, **settings):
    return LuxS1(games, LuxS1Settings(**settings), threads)


@pytest.mark.parametrize(
    "settings",
    [
        {"observation": "both", "max_turns": 45},
        {"observation": "units", "size": 9, "max_turns": 33},
        {"size": 16},
        {"observation": "both", "size": 20, "max_turns": 40},
        {"observation": "units", "size": 40, "max_turns": 25},
    ],
)
def test_the_contract_holds(settings):
    check_env(LuxS1, LuxS1Settings(**settings), steps=100)


def test_blocks_of_games_and_threads_change_nothing():
    """More games than a block holds, so that threads really share them."""
    envs = [lux(70, threads, observation="both", max_turns=60) for threads in (1, 2)]
    rng = np.random.default_rng(0)
    for env in envs:
        env.reset(4)
    for _ in range(90):
        action = random_choices(envs[0], rng)
        for env in envs:
            env.step(action)
        one, two = envs
        assert np.array_equal(one.unit_observation["features"], two.unit_observation["features"])
        assert np.array_equal(one.observation["planes"], two.observation["planes"])
        assert np.array_equal(one.unit_legal, two.unit_legal)
        assert all(np.array_equal(one.facts[name], two.facts[name]) for name in one.facts)
        assert np.array_equal(one.final_facts["city_tiles"], two.final_facts["city_tiles"])
        assert all(np.array_equal(a, b) for a, b in zip(one.games, two.games, strict=True))


def test_games_begin_on_the_official_maps_of_their_streams():
    env = lux(3, max_turns=1)
    env.reset(11)
    rng = np.random.default_rng(0)
    official = LuxGames(1, 12)
    for episode in range(3):
        for game in range(3):
            with np.errstate(over="ignore"):
                bits = draw_bits(stream_of(np.uint64(11), np.uint64(game), np.uint64(episode)), 0)
                seed = int(bits % HELD_OUT)
            assert env.map_seed[game] == seed
            official.start([seed])
            for name in ("resource_kind", "resource_amount", "tile_team", "unit_cell"):
                assert np.array_equal(getattr(env.games, name)[game], getattr(official.state, name)[0])
        env.step(random_choices(env, rng))
        assert env.ended.all()


def test_the_end_of_a_game_is_kept_and_the_next_begins(positions, show):
    """At the last turn the seat with more city tiles wins; with as many, the one with more units."""
    board, games = state.make_board(12, 12), state.allocate(3, 12, 12)
    from lanista_envs.lux.cities import create_unit, found_tile

    for g, (tiles, units) in enumerate([((1, 2), (3, 1)), ((1, 1), (2, 1)), ((1, 1), (1, 1))]):
        games.turn[g] = 359
        for team in range(2):
            for k in range(tiles[team]):
                found_tile(g, team, 60 * team + 2 * k, board, games)
            for _ in range(units[team]):
                create_unit(g, team, 0, 60 * team, games)
        games.city_fuel[g, : games.num_cities[g]] = 23
    env = lux(3, observation="both")
    show(env, games)
    env.step({"orders": np.zeros(len(env.unit_row), np.int64)})
    assert env.ended.all()
    assert env.terminated.all()
    assert not env.truncated.any()
    assert env.outcome.tolist() == [[-1, 1], [1, -1], [0, 0]]
    assert env.final_facts["reward"].tolist() == env.outcome.tolist()
    assert env.final_facts["city_tiles"].tolist() == [[1, 2], [1, 1], [1, 1]]
    assert env.final_facts["fuel_burnt"].tolist() == [[23, 46], [23, 23], [23, 23]]
    assert env.final_observation["globals"][:, :, 0].tolist() == [[1, 1]] * 3
    assert env.final_observation["planes"][0, 1, 6].sum() == 200
    assert env.games.turn.tolist() == [0, 0, 0]
    assert env.facts["units"].tolist() == [[1, 1]] * 3
    assert not env.facts["reward"].any()
    assert not env.facts["fuel_burnt"].any()
    env.step({"orders": np.zeros(len(env.unit_row), np.int64)})
    assert not env.ended.any()
    assert not env.outcome.any()


def test_facts_are_what_the_turn_did():
    env = lux(1)
    env.reset(0)
    worker = env.unit_row[env.unit_kind == 0]
    assert worker.tolist() == [0, 1]
    legal = env.unit_legal[(env.unit_row == 0) & (env.unit_kind == 2)][0]
    assert legal.tolist() == [True, False, False, True, *[False] * 15]
    orders = np.where(env.unit_kind == 2, 3, 0)
    env.step({"orders": orders})
    assert env.facts["research"].tolist() == [[1, 1]]
    gathered = sum(env.facts[f"got_{name}"] for name in ("wood", "coal", "uranium"))
    assert (gathered == env.facts["fuel"] * (gathered > 0)).all()


@pytest.mark.parametrize(
    ("row", "choice", "fault"),
    [
        (
            0,
            17,
            r"env lux_s1: the worker of row 0 \(seat 0 of game 0\) is given choice 17, which is not legal now; take",
        ),
        (
            3,
            1,
            r"env lux_s1: the city tile of row 3 \(seat 1 of game 0\) is given choice 1, which is not legal now",
        ),
        (
            1,
            4,
            r"the city tile of row 1 \(seat 0 of game 0\) is given choice 4, which does not exist, there are 4",
        ),
        (
            4,
            -1,
            r"the worker of row 4 \(seat 0 of game 1\) is given choice -1, which does not exist, there are 19",
        ),
    ],
)
def test_an_illegal_choice_is_refused_and_nothing_has_happened(row, choice, fault):
    env = lux(2)
    env.reset(5)
    before = env.save()
    orders = np.zeros(len(env.unit_row), np.int64)
    orders[row] = choice
    with pytest.raises(UsageError, match=fault):
        env.step({"orders": orders})
    assert all(np.array_equal(array, before[name]) for name, array in env.save().items())


@pytest.mark.parametrize(
    ("num_games", "batches"),
    [(40, 1), pytest.param(250, 40, marks=[pytest.mark.slow, pytest.mark.timeout(3600)])],
)
def test_arbitrary_choices_are_refused_or_played(num_games, batches):
    """The long form plays 10,000 games; run it with NUMBA_BOUNDSCHECK=1, too."""
    rng = np.random.default_rng(5)
    refused = played = 0
    for batch in range(batches):
        env = lux(num_games, 1 + batch % 2, size=(12, 8, 16)[batch % 3], observation="both", max_turns=45)
        env.reset(batch)
        for turn in range(50):
            choices = random_choices(env, rng)["orders"]
            if turn % 5 == 0:
                wild = np.where(
                    rng.random(len(choices)) < 0.02, rng.integers(-(2**62), 2**62, len(choices)), choices
                )
                choices = np.where(rng.random(len(choices)) < 0.02, rng.integers(-2, 22, len(choices)), wild)
            within = (choices >= 0) & (choices < env.unit_legal.shape[1])
            legal = within & env.unit_legal[np.arange(len(choices)), np.where(within, choices, 0)]
            if legal.all():
                env.step({"orders": choices})
                played += 1
                continue
            with pytest.raises(UsageError, match=f"of row {np.flatnonzero(~legal)[0]} "):
                env.step({"orders": choices})
            refused += 1
    assert played > 30 * batches
    assert refused > 5 * batches


def test_an_action_of_another_length_is_refused():
    env = lux(2)
    env.reset(5)
    with pytest.raises(
        UsageError, match=r"orders has the shape \(3,\); give a choice for each of the 8 rows"
    ):
        env.step({"orders": np.zeros(3, np.int64)})


def test_no_games_are_refused():
    with pytest.raises(UsageError, match="env lux_s1 was asked for 0 games; ask for 1 or more"):
        lux(0)


def test_a_state_of_another_size_is_refused_whole():
    env, other = lux(2), lux(3)
    env.reset(0)
    other.reset(1)
    before = other.save()
    with pytest.raises(
        CheckpointError,
        match=r"env lux_s1: the saved state has \(2,\) as games.turn where \(3,\) is needed; load it into an env",
    ):
        other.load(env.save())
    with pytest.raises(CheckpointError, match="env lux_s1: the saved state has nothing as seed"):
        other.load({})
    short = {name: array for name, array in before.items() if name != "shown.offsets"}
    with pytest.raises(CheckpointError, match=r"has nothing as shown\.offsets where"):
        other.load({**short, "seed": np.array(7)})
    assert all(np.array_equal(array, before[name]) for name, array in other.save().items())


@pytest.mark.parametrize(
    "settings", [{"size": 7}, {"size": 121}, {"max_turns": 0}, {"max_turns": 361}, {"observation": "x"}]
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(RecipeError, match=next(iter(settings))):
        load_plugins().registry.settings("envs", "lux_s1", settings)


def test_the_table_grows_with_the_games(positions, show):
    _, games = positions(1, 2, 12, 12)
    env = lux(2, observation="both")
    show(env, games)
    assert len(env.unit_row) > 2 * 2 * 4
    assert len(env.unit_row) == len(env.unit_legal) == len(env.unit_observation["features"])


def test_a_game_is_drawn_for_people():
    board, games = state.make_board(12, 12), state.allocate(1, 12, 12)
    env = lux(1)
    env.reset(7)
    lines = env.render(0).splitlines()
    assert lines[0] == "turn 0 (day, 0 of 40)"
    assert lines[1] == "seat 0 #: 1 city tiles in 1 cities, 1 units, 0 research, 0 fuel"
    assert lines[2].startswith("seat 1 %: ")
    drawn = "\n".join(lines[3:])
    assert len(lines) == 15
    assert drawn.count("#x") == drawn.count("%o") == 1
    assert drawn.count("w") == int((env.games.resource_kind == state.WOOD).sum())
    del board, games


def declared(spec):
    """The rows of the README's table that the spec decides."""

    def parts(some):
        return "; ".join(
            f"`{part.name}`, {' x '.join(map(str, part.shape))} {part.dtype}: {part.meaning}" for part in some
        )

    low, high = spec.reward_range
    head = spec.heads[0]
    return {
        "seats": f"{spec.seats}, {spec.turns}",
        "actions": f"`{head.name}`, {head.kind}, {head.size}: {head.meaning}",
        "units": "; ".join(f"{name}, {choices} choices" for name, choices in head.units),
        "observation": parts(spec.observation),
        "observation of units": parts(spec.unit_observation),
        "rewards": f"{low:g} to {high:g}; outcome: {spec.outcome}",
        "facts": "; ".join(
            f"`{fact.name}` ({fact.kind}, {fact.unit}): {fact.meaning}" for fact in spec.facts
        ),
        "longest episode": f"{spec.max_steps} steps",
        "source": spec.source,
        "version": spec.version,
    }


def test_the_readmes_table_is_the_spec():
    readme = Path(lanista_envs.lux.__file__).parent / "README.md"
    lines = readme.read_text().splitlines()
    start = lines.index("| what | |")
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append(line.strip("|").split("|"))
    table = {row[0].strip(): "|".join(row[1:]).strip() for row in rows}
    assert len(table.pop("termination")) > 20
    assert table == declared(lux(observation="both").spec)
