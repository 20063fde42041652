"""Kept games: whatever goes into a part comes out of it, and a damaged part is one sentence."""

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.games.kept_games import KeptGame, size_of
from lanista.games.parts import GamesError, Source, drop_parts, read_games, read_part, write_part
from lanista.games.settings import KeepGames, StatesSettings
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart


def spec_of(seats: int, heads: tuple[HeadSpec, ...], unit_parts: tuple[ObsPart, ...] = ()) -> EnvSpec:
    return EnvSpec(
        name="toy",
        version="1",
        source="this test",
        seats=seats,
        turns="simultaneous",
        observation=(
            ObsPart("board", (2, 3), "int8", "cells"),
            ObsPart("speed", (1,), "float32", "m/s"),
        ),
        heads=heads,
        facts=(FactSpec("reward", "flow", "points", "points"),),
        max_steps=20,
        reward_range=(-1.0, 1.0),
        outcome="result",
        unit_observation=unit_parts,
    )


TWO_HEADS = (HeadSpec("move", "categorical", 4, "where"), HeadSpec("say", "categorical", 2, "what"))
REAL = (HeadSpec("torque", "gaussian", 2, "N m", low=(-1.0, -2.0), high=(1.0, 2.0)),)
UNITS = (HeadSpec("orders", "units", 3, "a unit's order", units=(("worker", 3), ("cart", 2))),)


def make_game(rng: np.random.Generator, spec: EnvSpec, steps: int) -> KeptGame:
    acting = rng.random((steps, spec.seats)) < 0.7
    decisions = int(acting.sum())
    units, legal, action = {}, {}, {}
    for head in spec.heads:
        if head.kind == "units":
            counts = rng.integers(0, 4, decisions)
            total = int(counts.sum())
            units = {
                "offsets": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
                "cell": rng.integers(0, 144, total),
                "kind": rng.integers(0, 2, total),
                "legal": rng.random((total, head.size)) < 0.5,
                **{
                    f"observation.{part.name}": rng.random((total, *part.shape)).astype(part.dtype)
                    for part in spec.unit_observation
                },
            }
            action[head.name] = rng.integers(0, head.size, total)
        elif head.low:
            action[head.name] = rng.random((decisions, head.size)).astype(np.float32)
        else:
            legal[head.name] = rng.random((decisions, head.size)) < 0.5
            action[head.name] = rng.integers(0, head.size, decisions)
    return KeptGame(
        players=tuple(rng.choice(["learner", "s-0001", "bot:depth=2", "Ω"], spec.seats).tolist()),
        outcome=rng.normal(size=spec.seats).astype(np.float32),
        truncated=rng.random(spec.seats) < 0.5,
        acting=acting,
        random=acting & (rng.random(acting.shape) < 0.3),
        reward=rng.normal(size=acting.shape).astype(np.float32),
        observation={
            part.name: rng.integers(-5, 5, (decisions, *part.shape)).astype(part.dtype)
            for part in spec.observation
        },
        legal=legal,
        action=action,
        units=units,
    )


def same(first: KeptGame, second: KeptGame) -> None:
    for part in fields(KeptGame):
        ours, theirs = getattr(first, part.name), getattr(second, part.name)
        if isinstance(ours, dict):
            assert ours.keys() == theirs.keys()
            for name in ours:
                assert ours[name].dtype == theirs[name].dtype
                np.testing.assert_array_equal(ours[name], theirs[name])
        elif isinstance(ours, tuple):
            assert ours == theirs
        else:
            np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    seats=st.integers(1, 4),
    heads=st.sampled_from([TWO_HEADS, REAL, UNITS, (*TWO_HEADS, *UNITS)]),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
)
def test_games_come_back_from_their_file_as_they_went_in(
    tmp_path_factory, seed: int, seats: int, heads: tuple[HeadSpec, ...], lengths: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    parts = (ObsPart("fuel", (2,), "float32", "J"),) if UNITS[0] in heads else ()
    spec = spec_of(seats, heads, parts)
    games = [make_game(rng, spec, steps) for steps in lengths]
    folder = tmp_path_factory.mktemp("games")
    source = Source("toy", {"side": 3}, spec, "small")
    path = write_part(folder, source, 0, games)
    content = path.read_bytes()
    (part,) = read_games(folder)
    assert part.source == source
    assert (part.num_games, part.num_decisions) == (len(games), sum(int(g.acting.sum()) for g in games))
    for ours, theirs in zip(games, part.games(), strict=True):
        same(ours, theirs)
        assert size_of(ours) == size_of(theirs)
        np.testing.assert_array_equal(theirs.step, np.nonzero(ours.acting)[0])
        np.testing.assert_array_equal(theirs.seat, np.nonzero(ours.acting)[1])
        np.testing.assert_allclose(theirs.return_, ours.reward.sum(axis=0), rtol=1e-4, atol=1e-5)
    assert write_part(folder, source, 0, list(part.games())).read_bytes() == content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    spec = spec_of(2, TWO_HEADS)
    rng = np.random.default_rng(1)
    first = 0
    for count in (3, 2, 4):
        write_part(tmp_path, Source("toy", {}, spec), first, [make_game(rng, spec, 5) for _ in range(count)])
        first += count
    return tmp_path


def test_parts_follow_on_and_a_missing_one_is_noticed(folder: Path) -> None:
    assert [part.first for part in read_games(folder)] == [0, 3, 5]
    (folder / "00000003.npz").rename(folder / "away.npz")
    with pytest.raises(GamesError, match="begins with game 5, and game 3 is due; a part is missing"):
        list(read_games(folder))
    with pytest.raises(GamesError, match="holds no kept games"):
        list(read_games(folder / "nowhere"))


def test_parts_after_a_checkpoint_are_dropped(folder: Path) -> None:
    drop_parts(folder, 3)
    assert [path.name for path in sorted(folder.iterdir())] == ["00000000.npz"]


def change(path: Path, **changes: np.ndarray | None) -> None:
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays.update({name.replace("__", "."): array for name, array in changes.items()})
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"outcome": None}, "its array 'outcome' is missing"),
        ({"observation__board": None}, "its array 'observation.board' is missing"),
        ({"reward": np.zeros((3, 2))}, "its array 'reward' is float64 (3, 2), asked is float32 (15, 2)"),
        ({"step_offsets": np.array([0, 9, 4, 15])}, "its array 'step_offsets' does not divide 15 rows"),
        ({"player": np.full((3, 2), 7, np.int32)}, "its array 'player' names player 7 of"),
        ({"header": np.frombuffer(b"{", np.uint8)}, "is no part of kept games, or is damaged"),
        (
            {"header": np.frombuffer(json.dumps({"format": "x"}).encode(), np.uint8)},
            "has format 'x'; this version reads 'lanista-games/1'",
        ),
    ],
)
def test_damaged_part_is_one_sentence(folder: Path, changes: dict, says: str) -> None:
    path = folder / "00000000.npz"
    change(path, **changes)
    with pytest.raises(GamesError, match=re.escape(says)) as caught:
        read_part(path)
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10**6), cut=st.booleans(), value=st.integers(0, 255))
def test_no_damage_to_the_bytes_is_more_than_one_sentence(tmp_path_factory, place, cut, value) -> None:
    path = tmp_path_factory.mktemp("torn") / "00000000.npz"
    spec = spec_of(2, TWO_HEADS)
    write_part(path.parent, Source("toy", {}, spec), 0, [make_game(np.random.default_rng(0), spec, 4)])
    content = bytearray(path.read_bytes())
    place %= len(content)
    if cut:
        del content[place:]
    else:
        content[place] = value
    path.write_bytes(bytes(content))
    said = ""
    try:
        read_part(path)
    except GamesError as error:
        said = str(error)
    assert "\n" not in said


def test_objects_that_would_have_to_be_unpickled_are_refused(folder: Path) -> None:
    path = folder / "00000000.npz"
    np.savez(path, header=np.array([{}], dtype=object))
    with pytest.raises(GamesError, match="is no part of kept games"):
        read_part(path)


def test_games_that_do_not_fit_their_env_are_not_written(tmp_path: Path) -> None:
    spec = spec_of(2, TWO_HEADS)
    game = make_game(np.random.default_rng(0), spec, 4)
    game.observation["board"] = game.observation["board"].astype(np.float32)
    with pytest.raises(GamesError, match=r"its array 'observation.board' is float32"):
        write_part(tmp_path, Source("toy", {}, spec), 0, [game])
    assert not list(tmp_path.iterdir())


def test_recipes_say_it_by_a_number_a_text_or_a_table() -> None:
    assert KeepGames.model_validate(500) == KeepGames(games=500)
    assert KeepGames.model_validate({"games": 5, "every": 2}).every == 2
    assert StatesSettings.model_validate("games:small") == StatesSettings(games="small", share=1.0)
    for wrong in (0, True, "500", {"every": 2}, {"games": 3, "since": 1.0}):
        with pytest.raises(ValueError, match="KeepGames"):
            KeepGames.model_validate(wrong)
    with pytest.raises(ValueError, match=re.escape('states takes "games:PHASE" or')):
        StatesSettings.model_validate("small")
