"""docs/distillation.md, block by block: commands are checked (and played, slow), recipes are sound, tables are whole."""

import os
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from lanista.cli import main
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "distillation.md").read_text(encoding="utf-8")


def blocks(kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]
TEACHERS = os.environ.get("LANISTA_TEACHERS", "")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A folder that looks as the project's does to the page's commands."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "teachers").symlink_to(ROOT / "tests" / "teachers")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def words_of(command):
    program, *words = shlex.split(command.replace("$LANISTA_TEACHERS", TEACHERS))
    assert program == "lanista"
    return words


def test_the_page_has_what_it_speaks_of():
    assert [words_of(command)[0] for command in COMMANDS] == ["distill"] * 4 + ["export"]
    assert len(blocks("toml")) == len(blocks("python")) == 1


@pytest.mark.parametrize("command", [command for command in COMMANDS if "npz" in command])
def test_every_command_that_needs_no_run_makes_a_sound_recipe(command, checkout, capfd):
    assert main([*words_of(command), "--check"]) == 0
    recipe = check_recipe(tomllib.loads(capfd.readouterr().out), load_plugins().registry)
    assert recipe.phases[0].kind == "distill"
    assert not (checkout / "runs").exists()


@pytest.mark.slow
@pytest.mark.timeout(3600)  # on one busy core, too
def test_the_commands_and_the_code_run_one_after_the_other(checkout, capfd):
    for command in COMMANDS:
        if "LANISTA_TEACHERS" not in command:
            words = words_of(command)
            # The final comparison is most of the time: fewer episodes tell as well that it works.
            fewer = ["--episodes", "20"] if words[0] == "distill" else []
            assert main([*words, *fewer]) == 0, capfd.readouterr().err
    assert (checkout / "runs" / "frontier" / "frontier.png").is_file()
    assert (checkout / "runs" / "cartpole.int8.onnx").is_file()
    (code,) = blocks("python")
    exec(code, {})


@pytest.mark.slow
@pytest.mark.skipif(not TEACHERS, reason="LANISTA_TEACHERS names no folder of Stable-Baselines3's agents")
def test_the_command_with_an_agent_of_the_zoo_makes_a_sound_recipe(checkout, capfd):
    (command,) = [command for command in COMMANDS if "LANISTA_TEACHERS" in command]
    assert main([*words_of(command), "--check"]) == 0
    assert "sb3:" in capfd.readouterr().out


def test_the_recipe_is_sound():
    (text,) = blocks("toml")
    recipe = check_recipe(tomllib.loads(text), load_plugins().registry)
    assert recipe.phases[0].settings.losses[0].loss.use == "kl"


def test_every_setting_of_the_phase_has_its_row():
    model = load_plugins().registry.get("phases", "distill").settings
    rows = re.findall(r"^\| (`[^|]*`) \|", PAGE.partition("## Every setting")[2], re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(model.model_fields)


def test_every_option_of_the_command_is_on_the_page_and_no_other():
    import inspect

    from lanista.cli.distill import distill

    known = {
        {"set_": "set", "as_json": "json"}.get(name, name.replace("_", "-"))
        for name in inspect.signature(distill).parameters
    }
    assert set(re.findall(r"--([a-z][a-z0-9-]*)", PAGE)) == known
