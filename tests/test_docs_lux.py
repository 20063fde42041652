"""docs/lux.md, block by block: tables name what there is, recipes are sound, commands exist (and are walked, slow)."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from lanista.cli import main
from lanista.panel import read_panel
from lanista.recipe import check_recipe

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "lux.md").read_text(encoding="utf-8")
#: what makes the walk short: every stage is played, none of them long enough to learn much
SHORT = [
    "env.max_turns=40",
    "verify.games=1",
    "phases.copy.games.num_games=4",
    "phases.play.num_games=16",
    "phases.play.until.steps=2000",
    "phases.play.league.snapshot_every=1000",
    "phases.play.league.gate.games=2",
    "phases.student.until.steps=500",
    "phases.student.compare_episodes=2",
    "phases.student.allowed_loss=1.0",
]


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


ENVS, RECIPE, PANEL = blocks("toml")
COMMANDS = [shlex.split(line)[1:] for block in blocks("sh") for line in block.splitlines()]


def rows_of(section):
    """The first words in backquotes of the rows of a section's table."""
    text = PAGE.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)


def test_the_page_has_what_it_speaks_of():
    assert [words[0] for words in COMMANDS] == [
        "watch", "lux", "eval", "run", "run", "league", "pack", "verify", "eval", "eval",
    ]  # fmt: skip


@pytest.mark.parametrize("line", ENVS.splitlines(), ids=["as it is", "behind the #"])
def test_every_env_can_be_made(line, registry):
    table = tomllib.loads(line.removeprefix("# "))["env"]
    settings = {key: value for key, value in table.items() if key != "use"}
    env = registry.load("envs", table["use"])(4, registry.settings("envs", table["use"], settings), 1)
    assert env.spec.units_head is not None


def test_the_recipe_is_sound(registry):
    recipe = check_recipe(tomllib.loads(RECIPE), registry)
    assert [phase.kind for phase in recipe.phases] == ["clone", "train", "distill"]


def test_the_panel_names_players_and_an_agent_of_the_platform(tmp_path, registry):
    (tmp_path / "panel.toml").write_text(PANEL)
    env, agents = read_panel(tmp_path / "panel.toml")
    assert env == "lux_s1"
    assert all(one.agent.startswith("kaggle:") or one.agent in registry.names("players") for one in agents)


def test_what_a_seat_may_see_players_and_recipes_are_those_that_there_are(registry):
    from lanista_envs.lux.settings import LuxS1Settings

    shown = LuxS1Settings.model_json_schema()["properties"]["observation"]["enum"]
    assert {word.strip('"') for word in rows_of("2. Choose what a policy sees")} == {"observation", *shown}
    own = {name for name in registry.names("players") if name.startswith("lux_")}
    assert set(rows_of("3. Know your opponents")) == own | {"random"}
    assert set(rows_of("Recipes")) == {name for name in registry.names("recipes") if name.startswith("lux-")}


def test_every_option_of_a_command_exists(capsys):
    for words in COMMANDS:
        options = [word for word in words if word.startswith("--")]
        command = words[:2] if words[0] == "lux" else words[:1]
        assert main([*command, "--help"]) == 0
        told = capsys.readouterr().out
        assert [option for option in options if option not in told] == []


def test_the_map_is_printed(capsys):
    (words,) = [words for words in COMMANDS if words[0] == "lux"]
    assert main(words) == 0
    assert '"seed": 7' in capsys.readouterr().out


def test_every_page_that_it_leads_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert len(links) == 12
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []


@pytest.mark.slow
@pytest.mark.submission
@pytest.mark.timeout(3600)
def test_the_walk_from_a_scripted_player_to_an_entry_that_is_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lux.toml").write_text(RECIPE)
    (tmp_path / "panel.toml").write_text(PANEL)
    for words in COMMANDS:
        changed = words
        if words[:2] == ["run", "lux.toml"] and "--out" in words:
            changed = [*words, *(word for change in SHORT for word in ("--set", change))]
        elif words[0] in ("eval", "verify"):
            changed = [*words, "--games", "1"]
        assert main(changed) == 0, (words, capsys.readouterr().err)
    assert (tmp_path / "game.html").stat().st_size > 10_000
    assert len((tmp_path / "games.jsonl").read_text().splitlines()) == 6
