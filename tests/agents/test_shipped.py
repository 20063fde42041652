"""Policies that come with lanista: they are what their cards say, and play legal orders whatever the env shows to others."""

import json
import shutil

import numpy as np
import onnx
import pytest

from lanista.cards import read_card
from lanista.errors import CheckpointError, UsageError
from lanista_agents.shipped.player import FOLDER, ShippedPlayer
from lanista_agents.shipped.settings import ShippedSettings

LUX = FOLDER / "lux_demo_v1"


def lux(registry, num_games=2, **settings):
    model = registry.settings("envs", "lux_s1", settings)
    return registry.load("envs", "lux_s1")(num_games, model, 1)


def player_of(registry, env, seed=0, **settings):
    entry = registry.settings("players", "lux_demo_v1", settings)
    return registry.load("players", "lux_demo_v1")(env.spec, entry, seed)


def play(env, player, steps):
    """Both seats by one player; every choice it made."""
    games, seats = (rows.ravel() for rows in np.indices((env.num_games, 2)))
    chosen = []
    for _ in range(steps):
        orders = player.act(env, games, seats)["orders"]
        assert env.unit_legal[np.arange(len(orders)), orders].all()
        chosen.append(orders.tolist())
        env.step({"orders": orders})
    return chosen


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in FOLDER.glob("*/card.json")), ids=lambda path: path.name
)
def test_every_shipped_policy_is_exactly_what_its_card_says(folder, registry):
    card = read_card(folder)
    assert card["name"] == folder.name
    assert (folder / "CARD.md").read_text().startswith(f"# {folder.name}\n")
    assert sorted(card["files"]) == sorted(path.name for path in folder.glob("*.onnx"))
    for name in card["files"]:
        model = onnx.load(folder / name)
        told = {entry.key: entry.value for entry in model.metadata_props}
        assert int(told["lanista.parameters"]) == card["parameters"]
        assert json.loads(told["lanista.card"])["env"] == card["env"]
        assert told["lanista.policy_sha256"] == card["policy_sha256"] or name != "policy.onnx"
    assert registry.get("players", folder.name).traits["shipped"] == f"lanista_agents.shipped:{folder.name}"
    for row in [*card["own"]["matches"], *card["official"]["matches"]]:
        assert row["wins"] + row["draws"] + row["losses"] == row["games"]
        assert row["low"] <= row["score"] <= row["high"]


def test_there_is_a_demonstration_agent_for_lux():
    assert read_card(LUX)["env"] == "lux_s1"
    assert read_card(LUX)["parameters"] <= 150_000


def test_it_plays_the_same_legal_orders_whatever_the_env_shows_to_others(registry):
    found = []
    for observation in ("units", "both", "planes"):
        env = lux(registry, observation=observation, size=12)
        env.reset(3)
        found.append(play(env, player_of(registry, env, sample=False), 25))
    assert found[0] == found[1] == found[2]
    assert any(any(step) for step in found[0])


def test_its_drawn_orders_go_on_where_they_were_kept(registry):
    env = lux(registry, observation="units")
    env.reset(0)
    first = player_of(registry, env, seed=5, sample=True)
    play(env, first, 3)
    kept, state = env.save(), {name: array.copy() for name, array in first.state().items()}
    wanted = play(env, first, 6)
    env.load(kept)
    again = player_of(registry, env, seed=9, sample=True)
    again.load_state(state)
    assert play(env, again, 6) == wanted


def test_it_averages_over_symmetries_as_its_card_or_its_settings_say(registry, tmp_path):
    env = lux(registry, observation="units")
    folder = tmp_path / "lux_demo_v1"
    shutil.copytree(LUX, folder)
    card = json.loads((folder / "card.json").read_text())
    found = {}
    for told in (None, "all"):
        (folder / "card.json").write_text(json.dumps({**card, "average_symmetries": told}))
        for asked in (None, "", "all"):
            settings = ShippedSettings(sample=False, average_symmetries=asked)
            env.reset(3)
            player = ShippedPlayer(folder, env.spec, settings, 0)
            found[told, asked] = play(env, player, 12)
    assert found[None, None] == found[None, ""] == found["all", ""]
    assert found["all", "all"] == found["all", None] == found[None, "all"]
    assert found[None, None] != found["all", None]


def test_another_game_and_damaged_files_are_refused(registry, tmp_path):
    other = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    with pytest.raises(UsageError, match="plays env 'lux_s1', and this is 'connectx'"):
        player_of(registry, other)
    folder = tmp_path / "lux_demo_v1"
    shutil.copytree(LUX, folder)
    env = lux(registry)
    with (folder / "policy.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(CheckpointError, match=r"policy\.onnx is not the file that its card tells of"):
        ShippedPlayer(folder, env.spec, ShippedSettings(), 0)
    (folder / "policy.onnx").unlink()
    with pytest.raises(CheckpointError, match="found nothing"):
        read_card(folder)
    (folder / "card.json").write_text("{}")
    with pytest.raises(CheckpointError, match="is no card of a policy"):
        read_card(folder)
