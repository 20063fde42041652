"""Policies that play units, from export to archive: the archive orders what the policy would, on every size of board."""

import importlib
import json
import random
import sys
import tarfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.plugins import current_host
from lanista.policy import PolicyCard, build_policy, save_policy
from lanista.policy_player import PolicyPlayer
from lanista.symmetry.averaging import averaged_policy
from lanista.units import UnitTable
from lanista_submission.export.policy import export_policy
from lanista_submission.export.record import record_play
from lanista_submission.runtime.clock import Clock
from lanista_submission.runtime.unit_choices import choose_units
from lanista_submission.targets.kaggle_lux import LuxAi2021, LuxSettings
from lanista_submission.verify import verify_archive
from lanista_submission.verify.profile import own_profiles

SEEDS = st.integers(0, 2**32 - 1)
EXCLUSIVE = ((1, 2), (1, 2, 3), ())


@pytest.fixture(scope="module")
def registry():
    return current_host().registry


def lux(registry, network, size=12, seed=0, **options):
    """(A policy of few weights, its env of one game.)"""
    observation = "units" if network == "unit_mlp" else "both"
    checked = registry.settings("envs", "lux_s1", {"size": size, "observation": observation})
    env = registry.load("envs", "lux_s1")(1, checked, 1)
    torch.manual_seed(seed)
    card = PolicyCard(
        "lux_s1", checked.model_dump(mode="json"), env.spec, network, {"policy_gain": 1.0, **options}
    )
    return build_policy(card, registry), env


def a_table(rng, rows=1, units=12):
    kind = rng.integers(0, 3, units)
    legal = rng.random((units, 5)) < 0.7
    legal[:, 0] = True
    row = np.sort(rng.integers(0, rows, units))
    offsets = np.searchsorted(row, np.arange(rows + 1))
    arrays = {"offsets": offsets, "cell": rng.integers(0, 4, units), "kind": kind, "legal": legal}
    return UnitTable.of_arrays(arrays)


@settings(deadline=None)
@given(seed=SEEDS)
def test_the_archive_chooses_for_units_as_the_head_does(seed):
    from lanista.spec import HeadSpec
    from lanista_agents.heads.units import Units

    rng = np.random.default_rng(seed)
    table = a_table(rng)
    logits = rng.normal(size=(12, 5)).astype(np.float32).round(1)  # equal scores are met, too
    spec = HeadSpec("h", "units", 5, "", units=(("a", 5), ("b", 5), ("c", 5)), exclusive=EXCLUSIVE)
    wanted = Units(spec).greedy(torch.from_numpy(logits), table)
    cell, kind, legal = table.cell.numpy(), table.kind.numpy(), table.legal.numpy()
    found = choose_units(logits, legal, cell, kind, EXCLUSIVE, None)
    assert found.tolist() == wanted.tolist()
    drawn = choose_units(logits, legal, cell, kind, EXCLUSIVE, random.Random(seed))
    assert legal[np.arange(12), drawn].all()
    broken = np.full_like(logits, np.nan)
    assert choose_units(broken, legal, cell, kind, EXCLUSIVE, None).tolist() == legal.argmax(1).tolist()


def test_units_are_drawn_by_the_softmax_of_what_is_open():
    logits = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]], np.float32)
    legal = np.array([[True, True, False], [True, True, False]])
    rng, exclusive = random.Random(0), ((1,),)
    cell, kind = np.zeros(2, np.int64), np.zeros(2, np.int64)
    drawn = np.array([choose_units(logits, legal, cell, kind, exclusive, rng) for _ in range(4000)])
    share = np.e / (1 + np.e)
    assert abs((drawn[:, 0] == 1).mean() - share) < 0.03
    assert not ((drawn[:, 0] == 1) & (drawn[:, 1] == 1)).any()
    assert abs((drawn[drawn[:, 0] == 0, 1] == 1).mean() - share) < 0.05


def test_the_clock_passes_over_networks_that_do_not_fit():
    clock = Clock([0.5, 0.1, 0.01])
    assert clock.choose(1.0, 0.0) == 0
    assert clock.choose(1.0, 0.0, [1, 2]) == 1
    assert clock.choose(0.1, 0.0, [1]) is None
    assert clock.choose(1.0, 0.0, []) is None


def unpacked(archive, tmp_path, monkeypatch):
    """The modules of an archive's package: (play, codec, codec_calls)."""
    folder = tmp_path / archive.name.removesuffix(".tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    (card,) = folder.glob("*/card.json")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("LANISTA_STRICT", "1")
    return tuple(
        importlib.import_module(f"{card.parent.name}.{name}") for name in ("play", "codec", "codec_calls")
    )


@pytest.fixture(autouse=True)
def forget_bundles():
    yield
    for name in [name for name in sys.modules if name.startswith("lanista_bundle_")]:
        del sys.modules[name]


def official(env, seat):
    from lanista_envs.lux.updates import write_first_updates, write_updates

    turn = int(env.games.turn[0])
    lines = write_updates(0, env.board, env.games) if turn else write_first_updates(0, env.board, env.games)
    size = env.board.width
    return {
        "updates": lines, "step": turn, "player": seat, "width": size, "height": size, "remainingOverageTime": 60.0,
    }  # fmt: skip


def choices_in(env, orders):
    """The env's choices for the action strings of both seats."""
    from lanista_envs.lux.order_strings import pack_orders, read_orders

    read = [read_orders(texts, 0, seat, env.board, env.games) for seat, texts in enumerate(orders)]
    choices, count = env.choices_of(pack_orders(read))
    assert count == sum(len(texts) for texts in orders)
    return choices


@pytest.mark.parametrize(
    ("network", "options", "average"),
    [
        ("unit_mlp", {"width": 16, "context": 16}, None),
        ("unit_mlp", {"width": 16, "context": 16}, "all"),
        ("grid_resnet", {"channels": 8, "blocks": 1, "hidden": 8, "squeeze": 4}, None),
    ],
)
def test_the_archive_orders_what_the_policy_chooses(
    registry, tmp_path, monkeypatch, network, options, average
):
    policy, env = lux(registry, network, **options)
    model = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 48)).path
    if average is not None:
        policy = averaged_policy(policy, registry)
    target = LuxAi2021(registry, LuxSettings(settle=False, average_symmetries=average))
    play, codec, calls = unpacked(target.pack([model], tmp_path / "a.tar.gz"), tmp_path, monkeypatch)
    agent = play.build_agent(calls.Codec(codec, "codec.py"))
    assert (tmp_path / "a.tar.gz").stat().st_size < 5 * 2**20
    config = {"actTimeout": 3.0, "episodeSteps": 361, "width": 12, "height": 12}
    player = PolicyPlayer(policy, 0, greedy=True)
    walk = PolicyPlayer(policy, 1)
    env.reset(3)
    games, seats = np.zeros(2, np.int64), np.arange(2)
    for _ in range(25):
        orders = [agent(official(env, seat), config) for seat in range(2)]
        json.dumps(orders)
        wanted = player.act(env, games, seats)["orders"]
        assert choices_in(env, orders).tolist() == wanted.tolist()
        env.step(walk.act(env, games, seats))
    assert sum(agent.player.faults.values()) == 0
    assert agent.player.turns["0"] == 50


@pytest.mark.parametrize("average", [None, "all"])
def test_an_archive_that_draws_its_orders_plays_without_a_fault(registry, tmp_path, monkeypatch, average):
    policy, env = lux(registry, "unit_mlp", width=16, context=16)
    model = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 48)).path
    target = LuxAi2021(registry, LuxSettings(actions="sampled", average_symmetries=average))
    play, codec, calls = unpacked(target.pack([model], tmp_path / "a.tar.gz"), tmp_path, monkeypatch)
    agent = play.build_agent(calls.Codec(codec, "codec.py"))
    walk = PolicyPlayer(policy, 1)
    env.reset(3)
    games, seats = np.zeros(2, np.int64), np.arange(2)
    seen = set()
    for _ in range(25):
        orders = [agent(official(env, seat), {"actTimeout": 3.0}) for seat in range(2)]
        seen.update(text for texts in orders for text in texts)
        choices_in(env, orders)
        env.step(walk.act(env, games, seats))
    assert len(seen) > 10
    assert sum(agent.player.faults.values()) == 0
    assert agent.player.turns["0"] == 50


@pytest.mark.slow
def test_a_policy_that_sees_planes_is_exported_for_every_board_and_each_finds_its_network(
    registry, tmp_path, monkeypatch
):
    policy, _ = lux(registry, "grid_resnet", channels=8, blocks=1, hidden=8, squeeze=4)
    save_policy(tmp_path / "policy", policy)
    target = LuxAi2021(registry, LuxSettings(settle=False, sizes=(12, 16)))
    archive = target.packed_to_play(tmp_path / "policy", tmp_path, sample=False)
    play, codec, calls = unpacked(archive, tmp_path, monkeypatch)
    agent = play.build_agent(calls.Codec(codec, "codec.py"))
    for size in (12, 16):
        larger, env = lux(registry, "grid_resnet", size, channels=8, blocks=1, hidden=8, squeeze=4)
        larger.network.load_state_dict(policy.network.state_dict())
        env.reset(3)
        orders = [agent(official(env, seat), {"actTimeout": 3.0}) for seat in range(2)]
        wanted = PolicyPlayer(larger, 0, greedy=True).act(env, np.zeros(2, np.int64), np.arange(2))["orders"]
        assert choices_in(env, orders).tolist() == wanted.tolist()
    assert dict(agent.player.turns) == {"0": 2, "1": 2}
    # A board that nothing was exported for is played without a network, and that is told.
    _, env = lux(registry, "grid_resnet", 8, channels=8, blocks=1, hidden=8, squeeze=4)
    env.reset(0)
    agent.player.strict = False
    assert agent(official(env, 0), {"actTimeout": 3.0}) == []
    assert agent.player.faults["network"] == 1


def test_a_slow_network_makes_room_for_the_smaller_student(registry, tmp_path, monkeypatch):
    models = []
    for width in (32, 8):
        policy, env = lux(registry, "unit_mlp", width=width, context=width)
        models.append(
            export_policy(policy, tmp_path / f"{width}.onnx", record_play(policy, registry, 16)).path
        )
    archive = LuxAi2021(registry).pack(models[::-1], tmp_path / "two.tar.gz")
    play, codec, calls = unpacked(archive, tmp_path, monkeypatch)
    agent = play.build_agent(calls.Codec(codec, "codec.py"))
    env.reset(0)
    config = {"actTimeout": 3.0}
    assert agent(official(env, 0), config) is not None
    agent.player.clock.slowest[0] = 10.0
    short = {**official(env, 0), "remainingOverageTime": 2.0}
    assert isinstance(agent(short, config), list)
    agent.player.clock.slowest[1] = 10.0
    assert agent(short, config) == []
    assert dict(agent.player.turns) == {"0": 1, "1": 1, "none": 1}


@pytest.mark.submission
@pytest.mark.slow
def test_an_archive_plays_whole_games_on_all_four_boards_in_both_seats(registry, tmp_path):
    policy, _ = lux(registry, "unit_mlp", width=16, context=16)
    model = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 48)).path
    archive = LuxAi2021(registry).pack([model], tmp_path / "a.tar.gz")
    profile = own_profiles()["kaggle:lux_ai_2021"]
    assert [variant["width"] for variant in profile.variants] == [12, 16, 24, 32]
    short = profile.model_copy(update={"configuration": {"episodeSteps": 60}})
    report = verify_archive(archive, games=4, profile=short)
    assert report.ok, report.lines()
    played = {key: tally.games for key, tally in report.tallies.items()}
    assert played == {("itself", 0): 4, ("simple_agent", 0): 4, ("simple_agent", 1): 4}
