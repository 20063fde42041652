import json

import numpy as np
import pytest

from lanista.cli import main
from lanista.intervals import wilson
from lanista.league import LEARNER, LeagueReport, Member, Payoff


def write_league(folder):
    payoff = Payoff(2)
    payoff.record(LEARNER, "strong", 0, 1, np.array([1.0] * 2 + [-1.0] * 38))
    payoff.record(LEARNER, "strong", 1, 0, np.array([0.0] * 4))
    payoff.record(LEARNER, "even", 0, 1, np.array([1.0, -1.0, 1.0]))
    payoff.record("even", "strong", 0, 1, np.array([1.0, -1.0]))
    members = (
        Member(LEARNER, "learning"),
        Member("strong", "scripted", use="strong"),
        Member("even", "snapshot", step=2000),
        Member("idle", "snapshot", step=3000, parent="even"),
    )
    gate = {
        "candidate": "even",
        "against": None,
        "step": 2000,
        "promoted": True,
        "sentence": "even is the first",
    }
    (folder / "league").mkdir(parents=True)
    report = LeagueReport(members, ("even", "idle"), "even", payoff, (gate,))
    report.write(folder / "league")
    return report


def test_the_table_has_intervals_and_the_payoff(tmp_path, capsys):
    write_league(tmp_path)
    assert main(["league", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in told["members"]] == ["strong", "even", LEARNER, "idle"]
    strong = told["members"][0]
    assert (strong["games"], strong["wins"], strong["draws"], strong["losses"]) == (46, 39, 4, 3)
    assert strong["score"] == 41 / 46
    assert (strong["low"], strong["high"]) == wilson(41, 46)
    assert told["members"][3]["score"] is None
    assert [row["in_pool"] for row in told["members"]] == [False, True, False, True]
    against_learner = told["payoff"][0][2]
    assert against_learner["games"] == 44
    assert against_learner["score"] == 40 / 44
    assert told["payoff"][0][0] is None
    assert told["payoff"][0][3] is None
    assert told["best"] == "even"
    assert told["not_enough_games_to_tell"] == [["strong", "even"], ["even", LEARNER]]


def test_people_read_who_is_too_close_to_order(tmp_path, capsys):
    write_league(tmp_path)
    assert main(["league", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "league (a draw is half a win)" in out
    assert "even (best)" in out
    assert "39/4/3" in out
    assert "0.91 (44)" in out
    assert "not enough games to tell strong from even" in out
    assert "from idle" not in out
    assert "the learner changed while these games were played" in out
    assert "gate, even: even is the first" in out


def test_clear_neighbours_are_ordered_by_their_own_games(tmp_path, capsys):
    payoff = Payoff(2)
    payoff.record("a", "b", 0, 1, np.ones(50))
    members = (Member("a", "snapshot"), Member("b", "snapshot"))
    (tmp_path / "league").mkdir()
    LeagueReport(members, ("a", "b"), None, payoff, ()).write(tmp_path / "league")
    assert main(["league", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "not enough" not in out
    assert "the learner changed" not in out


@pytest.mark.parametrize(
    ("folder", "code", "sentence"),
    [("empty", 1, "holds no league: league.json is missing"), ("gone", 64, "is no folder")],
)
def test_a_folder_without_a_league_is_one_sentence(tmp_path, capsys, folder, code, sentence):
    (tmp_path / "empty").mkdir()
    assert main(["league", str(tmp_path / folder)]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert sentence in shown.err.splitlines()[-1]
    assert "Traceback" not in shown.err
