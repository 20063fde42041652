"""`lanista card`: an ONNX file and a card that says what it is, how it came about and what it beats."""

import json

import onnx
import pytest
import torch

from lanista.cards import read_card
from lanista.cli import main
from lanista.policy import PolicyCard, build_policy, policy_hash, save_policy

RECIPE = """
name = "mini"
[env]
use = "connectx"
[[phases]]
name = "only"
kind = "train"
network = { use = "mlp", hidden = [8] }
"""


@pytest.fixture(scope="module")
def run_folder(registry, tmp_path_factory):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "mini"
    card = PolicyCard("connectx", {}, env.spec, "mlp", {"hidden": [8], "policy_gain": 1.0})
    digest = save_policy(folder / "final", build_policy(card, registry))
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "run.json").write_text(json.dumps({"seed": 7, "lanista": "0.1.0"}))
    rows = [{"step": 100 * k, "phase": "only", "seconds": 1.5, "cpu_seconds": 1.0} for k in range(4)]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "phases" / "only").mkdir(parents=True)
    figures = {"chosen": "last", "steps": 300, "parameters": 711, "sha256": digest}
    (folder / "phases" / "only" / "phase.json").write_text(json.dumps(figures))
    return folder


def test_a_card_tells_what_the_file_is_how_it_was_trained_and_what_it_beats(run_folder, tmp_path, capfd):
    out = tmp_path / "given"
    command = ["card", str(run_folder), "--out", str(out), "--against", "random", "--games", "5", "--sample"]
    assert main(command) == 0, capfd.readouterr().err
    assert f"{out}: " in capfd.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["CARD.md", "card.json", "policy.onnx"]
    card = read_card(out)
    assert (card["name"], card["env"], card["actions"]) == ("given", "connectx", "sampled")
    assert card["policy_sha256"] == policy_hash(run_folder / "final")
    told = {entry.key: entry.value for entry in onnx.load(out / "policy.onnx").metadata_props}
    assert told["lanista.policy_sha256"] == card["policy_sha256"]
    assert card["archive"]["target"] == "kaggle:connectx"
    assert set(card["decision"]) == {"torch", "onnxruntime", "numpy"}
    training = card["training"]
    assert (training["seed"], training["seconds"], training["cpu_seconds"]) == (7, 6.0, 4.0)
    assert training["chosen"] == "phase only: last"
    assert training["phases"][0]["steps"] == 300
    assert [row["against"] for row in card["own"]["matches"]] == ["random"]
    assert card["own"]["matches"][0]["games"] == 10
    assert card["official"]["matches"] == []
    page = (out / "CARD.md").read_text()
    assert page.startswith("# given\n")
    assert "| random |  | 10 |" in page
    assert "6 seconds in all (4 of a core), seed 7" in page


def test_a_card_tells_that_the_policy_averages_and_its_games_were_played_so(run_folder, tmp_path):
    outs = {"alone": [], "averaged": ["--average-symmetries", "all"]}
    command = ["card", str(run_folder), "--against", "connectx_negamax:depth=2", "--games", "10"]
    for name, words in outs.items():
        assert main([*command, "--out", str(tmp_path / name), *words]) == 0
    alone, averaged = (read_card(tmp_path / name) for name in outs)
    assert (alone["average_symmetries"], averaged["average_symmetries"]) == (None, "all")
    assert averaged["archive"]["bytes"] > alone["archive"]["bytes"]  # it has the tables of the symmetries
    assert averaged["files"] == alone["files"]
    page = " ".join((tmp_path / "averaged" / "CARD.md").read_text().split())
    assert "plays greedily by the mean of its logits over all symmetries of the game." in page


def test_a_policy_of_no_run_has_a_card_without_training(run_folder, tmp_path):
    assert main(["card", str(run_folder / "final"), "--out", str(tmp_path / "a")]) == 0
    card = read_card(tmp_path / "a")
    assert card["training"]["phases"] == []
    assert "nothing is known of that" in (tmp_path / "a" / "CARD.md").read_text()
    assert "No games were played" in (tmp_path / "a" / "CARD.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--sizes", "12"], "env 'connectx' has no setting `size`; leave --sizes out"),
        (["--sizes", "big"], "--sizes takes sides of boards, found 'big'; write --sizes 12,16"),
        (["--average-symmetries", "turn"], "there is no symmetry 'turn'; there are: mirror, same"),
        (["--target", "onnx"], "target onnx makes no archive that plays official games"),
        (["--against", "nobody"], "'nobody' is no folder or file"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run_folder, tmp_path, capfd, words, said):
    assert main(["card", str(run_folder), "--out", str(tmp_path / "b"), *words]) != 0
    assert said in " ".join(capfd.readouterr().err.split())


@pytest.mark.submission
def test_official_games_are_told_with_the_longest_turn(run_folder, tmp_path, judge):
    out = tmp_path / "c"
    command = [
        "card",
        str(run_folder),
        "--out",
        str(out),
        "--official",
        "kaggle:random",
        "--official-games",
        "1",
    ]
    assert main(command) == 0
    official = read_card(out)["official"]
    assert official["rules"]["game"] == "connectx"
    assert official["matches"][0]["games"] == 2
    assert official["matches"][0]["worst_turn_s"] > 0
    assert "| kaggle:random |" in (out / "CARD.md").read_text()
