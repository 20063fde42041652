"""`lanista new`: what it writes installs, passes its checks before an edit, and bad names are refused in a sentence."""

import subprocess
import sys

import pytest

from lanista.cli import main
from lanista.plugins import load_plugins
from lanista.scaffold import KINDS
from lanista.testing.plugin_check import Wish, checks_of, verdict


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a package and put it on the import path as `pip install -e` would; gives its folder."""

    def write(*words):
        monkeypatch.chdir(tmp_path)
        assert main(["new", *words]) == 0
        (folder,) = [path for path in tmp_path.iterdir() if (path / "pyproject.toml").is_file()]
        (module,) = [path.name for path in folder.iterdir() if (path / "__init__.py").is_file()]
        info = tmp_path / f"{module}-0.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {module.replace('_', '-')}\nVersion: 0.1\n")
        (info / "entry_points.txt").write_text(f"[lanista]\n{folder.name} = {module}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.syspath_prepend(str(folder))
        return folder

    return write


#: their checks train or export
LONG = {"learner", "network", "phase", "target", "event", "env"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind in LONG else kind for kind in KINDS]
)
def test_a_new_plugin_of_every_kind_passes_its_checks_before_an_edit(kind, written, capsys):
    folder = written("plugin", f"fresh-{kind}", "--kind", kind)
    assert f"lanista check plugin fresh-{kind}" in capsys.readouterr().out
    host = load_plugins()
    (plugin,) = [plugin for plugin in host.plugins if plugin.name == f"fresh-{kind}"]
    assert plugin.problem is None, plugin.problem
    checks = list(checks_of(host, plugin, Wish()))
    assert checks
    assert [verdict(check, plugin) for check in checks] == [None] * len(checks)
    for path in folder.rglob("*.py"):
        compile(path.read_text(), str(path), "exec")
    told = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", "120", "--check", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stdout


def test_a_new_recipe_names_its_env_and_is_checked(written):
    folder = written("recipe", "my-fours", "--env", "connectx")
    text = (folder / "lanista_my_fours" / "recipe.toml").read_text()
    assert 'env = "connectx"' in text
    assert 'target = "kaggle:connectx"' in text
    assert "[phases.league]" in text
    assert main(["run", "my-fours", "--check"]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["plugin", "Bad Name"], "'Bad Name' will not do as a name"),
        (["plugin", "9lives"], "begin with a letter"),
        (["plugin", "a--b"], "will not do as a name"),
        (["plugin", "../up"], "will not do as a name"),
        (["plugin", "é"], "will not do as a name"),
        (["plugin", "class"], "a word of Python's own"),
        (["plugin", "lanista-envs"], "a package of lanista's own"),
        (["plugin", "fine", "--kind", "sharper"], "did you mean 'shaper'?"),
        (["plugin", "fine", "--kind", "recipe"], "lanista new recipe NAME --env ENV"),
        (["recipe", "cartpole"], "offers a recipe 'cartpole' already"),
        (["recipe", "fine", "--env", "cartpol"], "did you mean 'cartpole'?"),
    ],
)
def test_what_will_not_do_is_refused_in_a_sentence(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", *words]) != 0
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_alone(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "keep.txt").write_text("kept")
    assert main(["new", "plugin", "mine"]) == 64
    assert "mine is there already and is left alone" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["keep.txt"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["rnu", "cartpole"], "did you mean 'run'?"),
        (["check", "plugn", "x"], "did you mean 'plugin'?"),
        (["xyzzy"], "there are: run, resume,"),
        (["check", "plugin", "nobody"], "no installed plugin is called 'nobody'"),
        (["check", "plugin", "none.py"], "there is no file none.py"),
        (["check", "plugin", "envs", "--kind", "envy"], "did you mean 'env'?"),
    ],
)
def test_an_unknown_command_or_plugin_names_the_nearest(words, told, capsys):
    assert main(words) == 64
    assert told.lower() in capsys.readouterr().err.lower()
