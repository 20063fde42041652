"""What a verification tells of the variants of a target, such as boards of several sizes."""

import pytest

from lanista.errors import UsageError
from lanista_submission.verify import verify_archive
from lanista_submission.verify.report import Report
from lanista_submission.verify.tally import IDLE_TURNS, Variant

AGENT = """
def agent(observation, configuration):
    order = sorted(range(configuration.columns), key=lambda column: abs(column - configuration.columns // 2))
    return next(column for column in order if observation.board[column] == 0)
"""


def seat(actions, seconds=0.1):
    only = {"action": actions[0]} if len(set(map(str, actions))) == 1 else None
    return {
        "turns_s": [seconds] * len(actions),
        "import_s": 0.0,
        "overage_left_s": 60.0,
        "only_action": only,
    }


RECORD = {"default_action": [], "act_timeout_s": 3.0, "overage_s": 60.0}


def test_games_with_nothing_but_the_default_action_are_counted():
    variant = Variant({"width": 12, "height": 12})
    for actions in (
        [[]] * IDLE_TURNS,
        [["m"]] * IDLE_TURNS,
        [[]] * (IDLE_TURNS - 1),
        [[], ["m"]] * IDLE_TURNS,
    ):
        variant.take(RECORD, seat(actions))
    assert (variant.idle, variant.seats) == (1, 4)
    assert variant.words == "width 12, height 12"
    assert variant.to_json()["idle"] == 1


def test_variants_are_told_apart_in_the_report():
    report = Report("entry.tar.gz")
    for size, seconds in ((12, 0.1), (32, 0.9), (12, 0.2)):
        given = {"width": size}
        report.of_variant(given).take(RECORD, seat([["m"]] * 3, seconds))
        report.of_variant(given).add("simple_agent", 1.0, 0.0, str(seconds))
        report.timing.add(RECORD, seat([["m"]] * 3, seconds))
    lines = "\n".join(report.lines())
    assert "width 12: won/drawn/lost against simple_agent 2/0/0; worst turn 200 ms" in lines
    assert "width 32: won/drawn/lost against simple_agent 1/0/0; worst turn 900 ms" in lines
    told = report.to_json()["variants"]
    assert [entry["configuration"] for entry in told] == [{"width": 12}, {"width": 32}]
    assert told[1]["timing"]["worst_turn_s"] == 0.9


@pytest.mark.submission
def test_few_games_see_all_variants(judge, pack, small_profile):
    variants = tuple({"columns": columns, "rows": 4, "inarow": 3} for columns in (6, 5, 7, 8))
    profile = small_profile.model_copy(update={"variants": variants, "opponents": ("random",)})
    report = verify_archive(pack(AGENT), profile=profile, games=2, jobs=1)
    assert {variant.given["columns"] for variant in report.variants} == {5, 6, 7, 8}
    assert sum(tally.games for variant in report.variants for tally in variant.tallies.values()) == 6


@pytest.mark.submission
def test_a_changed_configuration_takes_the_place_of_variants_with_its_keys(judge, pack, small_profile):
    profile = small_profile.model_copy(update={"variants": ({"columns": 6}, {"columns": 7})})
    report = verify_archive(pack(AGENT), profile=profile, games=1, jobs=1, configuration={"columns": 8})
    assert report.ok, report.lines()
    assert [variant.given for variant in report.variants] == [{}]
    with pytest.raises(UsageError, match="connectx has no configuration 'colums'; did you mean 'columns'"):
        verify_archive(pack(AGENT), profile=profile, games=1, configuration={"colums": 8})
