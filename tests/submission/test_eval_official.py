"""`lanista eval` in kaggle-environments: whole games between files, folders, archives, policies and official agents."""

import json
import tarfile

import pytest
import torch

from lanista.cli import main
from lanista.plugins import current_host
from lanista.policy import PolicyCard, build_policy, save_policy

pytestmark = pytest.mark.submission

FIRST = """
def agent(obs, config):
    return [column for column in range(config.columns) if obs.board[column] == 0][0]
"""
RAISES = """
from helper import pick
def agent(obs, config):
    if obs.step > 1:
        raise KeyError("no plan")
    return pick(obs, config)
"""
HELPER = FIRST.replace("agent", "pick")
INVALID = "def agent(obs, config):\n    return 99\n"
SLOW = "import time\ndef agent(obs, config):\n    time.sleep(100)\n"
WRITES = """
import pathlib
def agent(obs, config):
    note = pathlib.Path(config["__raw_path__"]).with_name("note")
    if obs.step < 2 and note.exists():
        raise RuntimeError("an earlier game was here")
    note.write_text("played")
    return [column for column in range(config.columns) if obs.board[column] == 0][0]
"""
NOTHING = "def agent(obs, config):\n    return []\n"


@pytest.fixture
def lanista(tmp_path, capsys, monkeypatch):
    """Run a command line in a folder with agents of all forms: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "first.py").write_text(FIRST)
    (tmp_path / "nothing.py").write_text(NOTHING)
    for name, text in (("raises", RAISES), ("invalid", INVALID), ("slow", SLOW), ("writes", WRITES)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "main.py").write_text(text)
    (tmp_path / "raises" / "helper.py").write_text(HELPER)
    with tarfile.open("slow.tar.gz", "w:gz") as archive:
        archive.add("slow/main.py", "main.py")

    def run(*words):
        capsys.readouterr()
        code = main(["eval", *words])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_files_folders_archives_and_official_agents_meet_and_faults_are_counted(lanista, tmp_path):
    (tmp_path / "panel.toml").write_text(
        'env = "connectx"\n'
        'agents = ["kaggle:random", "raises", "invalid", { name = "sleeper", agent = "slow.tar.gz" }, "writes"]\n'
    )
    # Half a second a turn and no bank of time worth waiting for: the sleeper is stopped soon.
    words = ("first.py", "--panel", "panel.toml", "--games", "1", "--results", "games.jsonl", "--json")
    code, out, err = lanista(*words, "--config", "actTimeout=0.2", "--workers", "2")
    assert code == 0, err
    told = json.loads(out)
    found = {match["against"]: match for match in told["matches"]}
    counts = {name: match["faults"]["against"]["counts"] for name, match in found.items()}
    assert counts["raises"] == {"error": 2}
    assert counts["invalid"] == {"invalid": 2}
    assert counts["sleeper"] == {"timeout": 2}
    assert counts["kaggle:random"] == counts["writes"] == {}
    assert "KeyError: 'no plan' (main.py line 5)" in found["raises"]["faults"]["against"]["first"]["error"]
    assert [found[name]["wins"] for name in ("raises", "invalid", "sleeper")] == [2, 2, 2]
    assert all(match["faults"]["a"]["counts"] == {} for match in told["matches"])
    assert len((tmp_path / "games.jsonl").read_text().splitlines()) == 10
    assert not (tmp_path / "writes" / "note").exists()
    before = (tmp_path / "games.jsonl").read_bytes()
    assert lanista(*words, "--config", "actTimeout=0.2")[1] == out
    assert (tmp_path / "games.jsonl").read_bytes() == before


def test_a_policy_plays_as_the_archive_that_it_would_be(lanista, tmp_path):
    registry = current_host().registry
    settings = registry.settings("envs", "connectx", {})
    made = registry.load("envs", "connectx")(1, settings, 1)
    torch.manual_seed(0)
    card = PolicyCard("connectx", settings.model_dump(mode="json"), made.spec, "mlp", {"hidden": [8]})
    save_policy(tmp_path / "run" / "final", build_policy(card, registry))
    words = ("run", "--against", "kaggle:negamax", "--against", "first.py", "--games", "1")
    code, out, err = lanista(*words, "--json")
    assert code == 0, err
    told = json.loads(out)
    assert told["official"]["configuration"] == {"rows": 6, "columns": 7, "inarow": 4}
    assert [match["games"] for match in told["matches"]] == [2, 2]
    assert all(match["faults"]["a"]["counts"] == {} for match in told["matches"])


def test_scripted_players_play_in_the_official_game(lanista, tmp_path):
    words = (
        "connectx_negamax:depth=2",
        "--against",
        "first.py",
        "--env",
        "connectx",
        "--games",
        "1",
        "--json",
    )
    code, out, err = lanista(*words)
    assert code == 0, err
    (match,) = json.loads(out)["matches"]
    assert match["faults"]["a"]["counts"] == {}
    assert (match["wins"], match["games"]) == (2, 2)
    # Ours plays simple_agent's moves, so these games are of equals, on a short game of Lux.
    code, out, err = lanista("lux_simple", "--against", "kaggle:simple_agent", "--env", "lux_s1",
                             "--games", "1", "--config", "episodeSteps=40", "--json")  # fmt: skip
    assert code == 0, err
    (match,) = json.loads(out)["matches"]
    assert match["faults"]["a"]["counts"] == {}
    assert match["mean_steps"] == 40


def test_a_policy_that_comes_with_a_plugin_plays_as_its_archive(lanista, tmp_path):
    words = (
        "lux_demo_v1",
        "--against",
        "nothing.py",
        "--env",
        "lux_s1",
        "--env-set",
        "size=24",
        "--games",
        "1",
    )
    code, out, err = lanista(*words, "--config", "episodeSteps=40", "--results", "games.jsonl", "--json")
    assert code == 0, err
    (match,) = json.loads(out)["matches"]
    assert match["faults"]["a"]["counts"] == {}
    assert match["wins"] == 2  # a side without an order loses its only unit, or its tile, in the first night
    (line, _) = [json.loads(line) for line in (tmp_path / "games.jsonl").read_text().splitlines()]
    assert any(guest.startswith("policy:") for guest in line["guests"])


def test_a_player_of_a_game_that_cannot_be_bridged_is_refused(lanista, tmp_path):
    code, _, err = lanista("first.py", "--against", "random", "--env", "kaggle:connectx", "--games", "1")
    assert code == 64
    assert "plays in lanista's own games" in err


def test_lux_is_played_on_named_sizes_with_seeds_that_count_up(lanista, tmp_path):
    words = ("nothing.py", "--against", "kaggle:simple_agent", "--env", "lux_s1", "--env-set", "size=16")
    more = ("--games", "1", "--seed", "7", "--results", "games.jsonl", "--config", "episodeSteps=30")
    code, out, err = lanista(*words, *more)
    assert code == 0, err
    assert "kaggle:simple_agent" in out
    lines = [json.loads(line) for line in (tmp_path / "games.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines] == [7, 7]
    assert lines[0]["rules"]["configuration"] == {"width": 16, "height": 16, "episodeSteps": 30}
    assert lines[0]["guests"] == lines[1]["guests"][::-1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("first.py",), "has nobody to play against"),
        (("first.py", "--against", "writes"), "an entry does not say what it plays"),
        (("first.py", "--against", "writes", "--env", "cartpole"), "env 'cartpole' is none"),
        (("first.py", "--against", "kaggle:megamax", "--env", "connectx"), "did you mean 'negamax'"),
        (
            ("first.py", "--against", "writes", "--env", "connectx", "--config", "row=3"),
            "did you mean 'rows'",
        ),
        (("first.py", "--against", "games.txt", "--env", "connectx"), "neither a tar.gz nor a .py file"),
        (("first.py", "--against", "writes", "--env", "kaggle:conectx"), "did you mean 'connectx'"),
        (
            ("random", "--against", "random", "--env", "connectx", "--workers", "2"),
            "belongs to official games",
        ),
    ],
)
def test_what_cannot_be_played_is_one_sentence(lanista, tmp_path, words, sentence):
    (tmp_path / "games.txt").write_text("hello")
    code, _, err = lanista(*words, "--games", "1")
    assert code == 64
    assert sentence in err
    assert "Traceback" not in err
