"""What every native env must have: the contract, a README with its declaration, settings that are checked."""

from pathlib import Path

import numpy as np
import pytest

import lanista_envs
from lanista.actions import random_actions
from lanista.checkpoint import read_newest, write_checkpoint
from lanista.errors import CheckpointError, RecipeError, UsageError
from lanista.plugins import load_plugins
from lanista.testing import check_env

NAMES = ("cartpole", "connectx", "mountaincar", "pendulum")

#: settings with short episodes, and the settings as they come
SETTINGS = [
    ("cartpole", {}), ("cartpole", {"max_steps": 12}), ("mountaincar", {"max_steps": 30}), ("pendulum", {"max_steps": 30}),
    ("connectx", {}), ("connectx", {"rows": 3, "columns": 5, "inarow": 3}),
    ("connectx", {"rows": 1, "columns": 1, "inarow": 1}), ("connectx", {"rows": 2, "columns": 3, "inarow": 9}),
]  # fmt: skip


@pytest.fixture(scope="module")
def registry():
    return load_plugins().registry


def build(registry, name, games=1, threads=1, **settings):
    return registry.load("envs", name)(games, registry.settings("envs", name, settings), threads)


def test_the_native_envs_are_offered(registry):
    assert set(NAMES) <= set(registry.names("envs"))
    assert registry.get("envs", "connectx").traits == {
        "portable": ("lanista_envs.connectx.codec", ["lanista_envs.connectx.rules"]),
        "kaggle": "connectx",
        "viewer": "lanista_envs.connectx.viewer",
        "symmetries": "lanista_envs.connectx.symmetries:symmetries",
        "kaggle_configuration": "lanista_envs.connectx.settings:kaggle_configuration",
        "official_state": "lanista_envs.connectx.official_state:show",
        "replays": "lanista_envs.connectx.replayed:read_game",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_the_contract_holds(registry, name, settings):
    check_env(registry.load("envs", name), registry.settings("envs", name, settings), steps=150)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_of_games_and_threads_change_nothing(registry, name):
    """More games than a block holds, so that threads really share them."""
    env, threaded = build(registry, name, 1100), build(registry, name, 1100, 2)
    head = env.spec.heads[0]
    rng = np.random.default_rng(0)
    for one in (env, threaded):
        one.reset(4)
    for _ in range(60):
        draws = rng.random((env.num_games, env.spec.seats, head.size))
        action = random_actions(head, env.legal.get(head.name), draws)
        for one in (env, threaded):
            one.step({head.name: action})
        assert np.array_equal(
            env.observation[env.spec.observation[0].name], threaded.observation[env.spec.observation[0].name]
        )
        for fact in env.facts:
            assert np.array_equal(env.facts[fact], threaded.facts[fact])
        for flag in ("terminated", "truncated", "ended", "outcome", "acting"):
            assert np.array_equal(getattr(env, flag), getattr(threaded, flag))


@pytest.mark.parametrize("name", NAMES)
def test_a_state_goes_on_from_a_checkpoint_on_disk(registry, name, tmp_path):
    env, resumed = build(registry, name, 3), build(registry, name, 3)
    head = env.spec.heads[0]
    rng = np.random.default_rng(1)
    env.reset(2)
    resumed.reset(7)
    write_checkpoint(tmp_path, 1, {}, env.save())
    resumed.load(read_newest(tmp_path)[2])
    for _ in range(40):
        action = random_actions(head, env.legal.get(head.name), rng.random((3, env.spec.seats, head.size)))
        for one in (env, resumed):
            one.step({head.name: action})
        for part in env.observation:
            assert np.array_equal(env.observation[part], resumed.observation[part])


def declared(spec):
    """The rows of a README's table that the spec decides."""

    def size(shape):
        return " x ".join(map(str, shape))

    def within(head):
        return f" within {head.low[0]:g} to {head.high[0]:g}" if head.continuous else ""

    low, high = spec.reward_range
    return {
        "seats": f"{spec.seats}, {spec.turns}",
        "actions": "; ".join(
            f"`{head.name}`, {head.kind}, {head.size}{within(head)}: {head.meaning}" for head in spec.heads
        ),
        "observation": "; ".join(
            f"`{part.name}`, {size(part.shape)} {part.dtype}: {part.meaning}" for part in spec.observation
        ),
        "rewards": f"{low:g} to {high:g}; outcome: {spec.outcome}",
        "facts": "; ".join(
            f"`{fact.name}` ({fact.kind}, {fact.unit}): {fact.meaning}" for fact in spec.facts
        ),
        "longest episode": f"{spec.max_steps} steps",
        "source": spec.source,
        "version": spec.version,
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_readmes_table_is_the_spec(registry, name):
    readme = Path(lanista_envs.__file__).parent / name / "README.md"
    rows = [line.strip("|").split("|") for line in readme.read_text().splitlines() if line.startswith("|")]
    table = {row[0].strip(): "|".join(row[1:]).strip() for row in rows[2:]}
    termination = table.pop("termination")
    assert len(termination) > 20
    assert table == declared(build(registry, name).spec)


@pytest.mark.parametrize(
    ("name", "action", "fault"),
    [
        ("cartpole", 2, "env cartpole: action push of game 1 is 2; give a number from 0 to 1"),
        ("mountaincar", -1, "env mountaincar: action thrust of game 1 is -1; give a number from 0 to 2"),
        ("pendulum", np.nan, "env pendulum: action torque of game 1 is NaN; give a number from -2 to 2"),
    ],
)
def test_a_wrong_action_is_refused(registry, name, action, fault):
    env = build(registry, name, 3)
    env.reset(0)
    with pytest.raises(UsageError, match=fault):
        env.step({env.spec.heads[0].name: np.array([[0], [action], [0]])})


@pytest.mark.parametrize("name", NAMES)
def test_no_games_are_refused(registry, name):
    with pytest.raises(UsageError, match=f"env {name} was asked for 0 games; ask for 1 or more"):
        build(registry, name, 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_of_another_size_is_refused_whole(registry, name):
    env, other = build(registry, name, 2), build(registry, name, 3)
    other.reset(1)
    before = other.save()
    with pytest.raises(
        CheckpointError, match=f"env {name}: the saved state has .* is needed; load it into an env"
    ):
        other.load(env.save())
    assert all(np.array_equal(array, other.save()[key]) for key, array in before.items())
    with pytest.raises(CheckpointError, match="has nothing as"):
        other.load({})


@pytest.mark.parametrize(
    ("name", "settings"),
    [("cartpole", {"max_steps": 0}), ("connectx", {"rows": 0}), ("connectx", {"row": 6})],
)
def test_wrong_settings_are_refused(registry, name, settings):
    with pytest.raises(RecipeError, match=next(iter(settings))):
        build(registry, name, **settings)


def test_games_are_drawn_for_people(registry):
    env = build(registry, "connectx", rows=2, columns=3, inarow=3)
    env.reset(0)
    env.step({"column": np.array([[1, 0]])})
    assert env.render(0) == ". . .\n. X ."
    for name, start in (
        ("cartpole", "step 0: x "),
        ("mountaincar", "step 0: position "),
        ("pendulum", "step 0: angle "),
    ):
        env = build(registry, name)
        env.reset(0)
        assert env.render(0).startswith(start)
