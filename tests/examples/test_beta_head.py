"""A head from outside: Beta distributions, in the place of the env's own family."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.recipe import apply_changes, check_recipe, read_recipe
from lanista.run import Run
from lanista.testing.heads import check_head
from lanista_submission.export.policy import export_folder

EXAMPLES = Path(__file__).parents[2] / "examples"
SHORT = [
    "phases.swing.until.steps=2048", "phases.swing.num_games=8", "phases.swing.num_steps=64",
    "phases.swing.until.episodes=4", "phases.swing.until.every=1024",
]  # fmt: skip
STUDENT = """phases=[
    {name="swing", kind="train", num_games=8, num_steps=64, network={use="mlp", hidden=[8]}, until={steps=512}},
    {name="student", kind="distill", network={use="mlp", hidden=[4]}, num_games=8, until={steps=512}, allowed_loss=1.0,
     compare_episodes=2, losses=[{loss="kl"}, {loss="reverse_kl"}]}]"""


def test_pendulum_is_played_taught_and_exported_with_betas(offered, tmp_path):
    offered("lanista-beta-head")
    host = load_plugins()
    values = apply_changes(read_recipe("pendulum-beta", host.registry), [*SHORT, STUDENT.replace("\n", " ")])
    folder = tmp_path / "run"
    Run.create(folder, check_recipe(values, host.registry), host).play()
    policy = load_policy(folder / "final", host.registry)
    assert policy.card.heads == {"torque": {"use": "beta", "init_concentration": 2.0}}
    report = export_folder(folder, None, host.registry, 200)
    assert all(row.within and row.equal == 1.0 for row in report.comparisons)
    session = onnxruntime.InferenceSession(report.path)
    assert [entry.name for entry in session.get_outputs()] == [
        "action_torque",
        "alpha_torque",
        "beta_torque",
        "value",
    ]
    card = json.loads((folder / "phases" / "student" / "phase.json").read_text())
    assert 0.0 < card["kl"] < 10.0
    assert np.isfinite(card["student"])


def test_it_keeps_the_contract_of_heads(offered):
    offered("lanista-beta-head")
    check_head(load_plugins().registry, "beta")


@pytest.mark.slow
def test_the_package_installs_and_its_recipe_ends_in_a_file(scratch, tmp_path):
    scratch.install("lanista-beta-head")
    said = scratch.run("lanista", "plugins", cwd=tmp_path).stdout
    assert "beta_head" in said
    changes = [word for change in SHORT for word in ("--set", change)]
    scratch.run("lanista", "run", "pendulum-beta", "--out", "run", *changes, cwd=tmp_path)
    assert (tmp_path / "run" / "exported" / "policy.onnx").is_file()
    folder = tmp_path / "package"
    shutil.copytree(EXAMPLES / "lanista-beta-head", folder)
    scratch.run("pytest", "-q", "-p", "no:cacheprovider", "tests", cwd=folder)
    swapped = ["--set", "heads.torque=beta", "--set", "target=onnx"]
    scratch.run("lanista", "run", "pendulum", "--out", "other", "--check", *swapped, cwd=tmp_path)
