"""A logger from outside: Weights & Biases, kept in the run's folder."""

import importlib
import importlib.util
import sys

import pytest

from lanista.errors import LanistaError, RecipeError
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe
from lanista.run import Run

PHASE = {
    "name": "first", "kind": "train", "num_games": 4, "num_steps": 4, "network": {"use": "mlp", "hidden": [4]},
    "until": {"steps": 48},
}  # fmt: skip


def make_run(folder, **settings):
    host = load_plugins()
    values = {"name": "t", "env": "cartpole", "phases": [PHASE], "loggers": [{"use": "wandb", **settings}]}
    return Run.create(folder, check_recipe(values, host.registry), host)


def test_without_the_library_the_sentence_says_so(offered, tmp_path, monkeypatch):
    offered("lanista-wandb")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(
        LanistaError, match=r"logger 'wandb' needs the package wandb, .*; pip install wandb, or take it"
    ):
        make_run(tmp_path / "run").play()


def test_its_settings_are_held_against_its_model(offered, tmp_path):
    offered("lanista-wandb")
    with pytest.raises(RecipeError, match="mode"):
        make_run(tmp_path / "run", mode="sometimes")


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="the library wandb is not installed")
def test_every_figure_lies_in_the_runs_folder(offered, tmp_path):
    offered("lanista-wandb")
    make_run(tmp_path / "run", project="poles").play()
    # W&B's own process holds the file's last part until it ends, as it does when Python does.
    importlib.import_module("wandb").teardown()
    (file,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    content = file.read_bytes()
    for text in (b"poles", b"env_steps", b"first/policy_loss", b"cartpole"):
        assert text in content
    assert (tmp_path / "run" / "wandb" / "id.txt").read_text() in file.name


@pytest.mark.slow
def test_the_package_installs_with_its_library_and_logs(scratch, tmp_path):
    """Downloads wandb into the scratch environment."""
    scratch.run("pip", "install", "--quiet", "--disable-pip-version-check", "wandb>=0.19", cwd=tmp_path)
    scratch.install("lanista-wandb")
    recipe = tmp_path / "t.toml"
    recipe.write_text(
        'name = "t"\nenv = "cartpole"\nloggers = ["wandb"]\n[[phases]]\nname = "first"\nkind = "train"\n'
        'num_games = 4\nnum_steps = 4\nnetwork = { use = "mlp", hidden = [4] }\nuntil = { steps = 48 }\n'
    )
    scratch.run("lanista", "run", str(recipe), "--out", "run", cwd=tmp_path)
    (file,) = (tmp_path / "run" / "wandb").glob("offline-run-*/run-*.wandb")
    assert b"first/policy_loss" in file.read_bytes()
