import json

import numpy as np
import pytest
import torch

from lanista.cli import main
from lanista.cli.eval_values import match_values
from lanista.contenders import find_contender, read_pairs
from lanista.errors import UsageError
from lanista.intervals import wilson
from lanista.league.member import write_snapshot
from lanista.matches import MatchResult, seat_orders
from lanista.plugins import current_host
from lanista.policy import PolicyCard, build_policy, save_policy

PLUGIN = """
import numpy as np
from pydantic import BaseModel, ConfigDict
from lanista import hookimpl

class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    #: the action that is taken where it is legal
    favourite: int = 0

class Stubborn:
    def __init__(self, env_spec, settings, seed):
        self.settings = settings
    def act(self, env, games, seats):
        chosen = {}
        for name, legal in env.legal.items():
            mask = legal[games, seats]
            favourite = self.settings.favourite
            chosen[name] = np.where(mask[:, favourite], favourite, mask.argmax(axis=1))
        return chosen
    def state(self):
        return {}
    def load_state(self, state):
        pass

@hookimpl
def register_players(register):
    register("stubborn", ":Stubborn", settings=Settings, summary="takes its favourite action")
    register("elsewhere", ":Stubborn", settings=Settings, summary="plays chess", envs=("chess",))
"""


@pytest.fixture
def lanista(tmp_path, capsys, monkeypatch):
    """Run a command line in an empty folder with the player `stubborn`: (exit code, stdout, stderr)."""
    (tmp_path / "stubborn.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)

    def run(*words):
        capsys.readouterr()
        code = main([*words, "--plugin", "stubborn.py"])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def a_policy(env, seed, **options):
    registry = current_host().registry
    settings = registry.settings("envs", env, options)
    made = registry.load("envs", env)(1, settings, 1)
    torch.manual_seed(seed)
    network = {"hidden": [8], "policy_gain": 1.0}
    return build_policy(
        PolicyCard(env, settings.model_dump(mode="json"), made.spec, "mlp", network), registry
    )


def test_a_match_is_told_with_intervals_and_seats(lanista, tmp_path):
    save_policy(tmp_path / "run" / "final", a_policy("connectx", 0))
    words = ("eval", "run", "--against", "stubborn:favourite=3", "--games", "15", "--sample", "--json")
    code, out, err = lanista(*words)
    assert (code, "Traceback" in err) == (0, False)
    told = json.loads(out)
    assert (told["env"], told["a"], told["games_per_seat_order"]) == ("connectx", "run", 15)
    (match,) = told["matches"]
    assert match["against"] == "stubborn:favourite=3"
    assert match["games"] == match["wins"] + match["draws"] + match["losses"] == 30
    assert match["score"] == (match["wins"] + match["draws"] / 2) / 30
    assert (match["low"], match["high"]) == wilson(match["score"] * 30, 30)
    assert [sum(seat.values()) for seat in match["by_seat"]] == [15, 15]
    assert match["distinct_games"] > 20
    assert lanista(*words)[1] == out  # the same seed, the same games
    assert lanista(*words, "--seed", "1")[1] != out


def test_without_drawing_the_few_games_are_called_few(lanista, tmp_path):
    save_policy(tmp_path / "a", a_policy("connectx", 0))
    code, out, _ = lanista("eval", "a", "--against", "stubborn", "--games", "10")
    assert code == 0
    assert "a in connectx (a draw is half a win)" in out
    assert (
        "a and stubborn played only 2 different games of 20: the interval would hold for games that vary"
        in out
    )
    assert "as those of policies do with --sample" in out


def test_players_too_close_are_not_ordered(lanista):
    words = ("eval", "stubborn:favourite=1", "--against", "stubborn:favourite=1", "--env", "connectx")
    assert "not enough games to tell" in lanista(*words, "--games", "3")[1]
    told = json.loads(lanista(*words, "--games", "3", "--json")[1])
    assert told["matches"][0]["verdict"] == "not enough games to tell"


@pytest.mark.parametrize(
    ("margin", "verdict"),
    [(1, "a is the stronger"), (-1, "b is the stronger"), (0, "not enough games to tell")],
)
def test_the_verdict_follows_the_interval(margin, verdict):
    seating = np.repeat(seat_orders(2, 2), 10, axis=0)
    outcome = np.where(seating == 0, margin, -margin).astype(np.float32)
    result = MatchResult(seating, outcome, np.ones(20, np.int64), 20)
    assert match_values(result, "a", "b", 2)["verdict"] == verdict


def test_settings_of_the_env_can_be_changed(lanista):
    # With one stone in a row whoever moves first wins.
    words = ("eval", "stubborn:favourite=2", "--against", "stubborn:favourite=2", "--env", "connectx")
    code, out, _ = lanista(*words, "--env-set", "inarow=1", "--games", "5", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["env_settings"]["inarow"] == 1
    (match,) = told["matches"]
    assert match["by_seat"] == [{"wins": 5, "draws": 0, "losses": 0}, {"wins": 0, "draws": 0, "losses": 5}]
    assert (match["score"], match["mean_steps"]) == (0.5, 1.0)


def test_one_seat_gives_returns_and_compares_on_equal_starts(lanista, tmp_path):
    save_policy(tmp_path / "run" / "final", a_policy("cartpole", 3))
    code, out, _ = lanista(
        "eval", "run", "--against", "stubborn", "--against", "run", "--games", "40", "--json"
    )
    assert code == 0
    told = json.loads(out)
    assert told["episodes"] == 40
    run, stubborn, again = told["returns"]
    for row in told["returns"]:
        assert row["min"] <= row["low"] <= row["mean"] <= row["high"] <= row["max"]
    assert stubborn["min"] >= 8
    assert stubborn["max"] <= 11  # leaning on one side topples the pole in about 9 steps
    assert stubborn["verdict"] in {
        "run is the better",
        "stubborn is the better",
        "not enough episodes to tell",
    }
    assert again["verdict"] == "not enough episodes to tell"
    assert again["mean"] == run["mean"]
    shown = lanista("eval", "run", "--games", "1")[1]
    assert "return in cartpole over 1 episodes" in shown
    assert "one episode says nothing" in shown
    assert json.loads(lanista("eval", "run", "--games", "1", "--json")[1])["returns"][0]["low"] is None


def test_league_members_are_contenders(lanista, tmp_path):
    member = write_snapshot(tmp_path / "members", "old", a_policy("connectx", 1), 5, None)
    found = find_contender(str(tmp_path / "members" / member.name), current_host().registry)
    assert found.name == "old"
    code, out, _ = lanista("eval", "members/old", "--against", "stubborn", "--games", "2", "--json")
    assert (code, json.loads(out)["a"]) == (0, "old")
    weights = tmp_path / "members" / "old" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    code, out, err = lanista("eval", "members/old", "--against", "stubborn")
    assert (code, out) == (1, "")
    assert "league member 'old' is damaged" in err


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ["nobody"],
            64,
            "'nobody' is no folder or file, and as a player's name it is not known: no plugin offers player",
        ),
        (
            ["stubborn"],
            64,
            "scripted players do not say what they play; name the env with --env, one of: cartpole",
        ),
        (["stubborn", "--env", "connectx"], 64, "connectx has 2 seats; name an opponent with --against"),
        (["stubborn", "--env", "conectx"], 1, "did you mean 'connectx'"),
        (
            ["stubborn:favorite=1", "--env", "connectx"],
            1,
            "unknown key 'favorite'; did you mean 'favourite'?",
        ),
        (
            ["empty"],
            64,
            "empty holds neither final/policy.json, policy.json, member.json nor main.py; name a finished run",
        ),
        (["elsewhere", "--env", "cartpole"], 1, "player 'elsewhere' plays chess, not cartpole"),
        (
            ["stubborn", "--env", "cartpole", "--env-set", "x"],
            64,
            "--env-set: settings are key=value, found 'x'",
        ),
        (["board", "--env", "cartpole"], 64, "board was trained for connectx with another observation"),
        (["board", "--against", "board", "--env-set", "columns=5"], 64, "board was trained for connectx"),
    ],
)
def test_wrong_words_are_one_sentence(lanista, tmp_path, words, code, sentence):
    (tmp_path / "empty").mkdir()
    save_policy(tmp_path / "board", a_policy("connectx", 0))
    found, out, err = lanista("eval", *words)
    assert (found, out) == (code, "")
    assert sentence in err.splitlines()[-1]
    assert "Traceback" not in err


def test_settings_of_a_player_are_toml_or_text():
    assert read_pairs(["depth=2", "name=old one", "flag=true"], "x") == {
        "depth": 2,
        "name": "old one",
        "flag": True,
    }
    with pytest.raises(UsageError, match="x: settings are key=value, found '=2'"):
        read_pairs(["=2"], "x")


def test_all_opponents_together_are_worth_the_games_that_each_of_them_was_worth() -> None:
    from lanista.cli.eval_tables import _all_of
    from lanista.intervals import wilson

    match = {"games": 200, "wins": 110, "draws": 20, "losses": 70, "score": 0.6, "effective_games": 100.0}
    low, high = wilson(0.6 * 200, 200)
    assert _all_of([match, match], 5) == ["all", "400", "220/40/140", "0.600", f"{low:.3f} to {high:.3f}"]
