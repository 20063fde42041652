"""Runs written by hand, their figures worked out by hand, and the sentences that follow."""

import json

import numpy as np
import pytest
import tomli_w

from lanista.cli import main
from lanista.comparison.compare import compare_groups
from lanista.comparison.curve import read_curve
from lanista.comparison.figures import FIGURES
from lanista.comparison.groups import read_groups
from lanista.errors import UsageError

EVALUATE = {"every": 100, "episodes": 20, "bar": 475.0}


@pytest.fixture
def make_run(tmp_path):
    """Write a run folder: `phases` are lists of evaluations, 100 env steps apart, 0.1 s (CPU 0.05 s) an update."""

    def make(
        name, *phases, seed=0, env=None, evaluate=EVALUATE, measure="evaluated_return", finished=True, **top
    ):
        folder = tmp_path / name
        (folder / "final").mkdir(parents=True)
        if finished:
            (folder / "final" / "policy.json").write_text("{}")
        recipe = {
            "name": "t",
            "seed": seed,
            "env": env or {"use": "cartpole"},
            "phases": [
                {"name": f"p{place}", "kind": "train", "until": {"steps": 100 * len(values)}}
                for place, values in enumerate(phases)
            ],
            **({"evaluate": evaluate} if evaluate else {}),
            **top,
        }
        (folder / "recipe.toml").write_text(tomli_w.dumps(recipe))
        rows, step = [], 0
        for place, values in enumerate(phases):
            for turn, value in enumerate(values):
                step += 100
                row = {"step": step, "phase": f"p{place}", "seconds": 0.1, "cpu_seconds": 0.05}
                if turn == 0:
                    row |= {"first_update": 1.0, "seconds": 3.0, "cpu_seconds": 2.0}
                rows.append(row if value is None else {**row, measure: value})
        (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return folder

    return make


@pytest.fixture
def make_group(make_run, tmp_path):
    def make(name, finals, **more):
        for seed, final in enumerate(finals):
            make_run(f"{name}/seed-{seed}", [100.0, 200.0, float(final)], seed=seed, **more)
        return tmp_path / name

    return make


def figure(name, folder, horizon, bar=475.0):
    return FIGURES[name].measure(read_curve(folder), horizon, bar)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("final", 400.0),
        ("best", 500.0),
        ("mean", np.mean([50, 500, 300, 480, 490, 100, 480, 400])),
        ("steps_to_solve", 200.0),
        ("share_after", 3 / 6),  # 300, 480, 490, 100, 480, 400
        ("share_late", 1 / 2),  # 480, 400
        ("dip", 390.0),  # 490 -> 100; the phase's first quarter is one evaluation
        ("seconds_to_solve", 0.2),  # the first update loads and compiles: it counts as its phase's median
        ("cpu_to_solve", 0.1),
    ],
)
def test_the_figures_of_a_run_of_two_phases(make_run, name, value):
    folder = make_run("run", [50.0, 500, 300, 480, 490], [100.0, 480, 400])
    if name == "dip":
        folder = make_run("longer", [50.0, 500, 300, 480, 490], [100.0, 480, 400, 400])
    assert figure(name, folder, 800) == pytest.approx(value)


def test_nothing_after_the_common_env_steps_counts(make_run):
    folder = make_run("run", [50.0, 60, 70, 500])
    found = [figure(name, folder, 300) for name in ("final", "best", "steps_to_solve", "seconds_to_solve")]
    assert found == pytest.approx([70, 70, 300, 0.3])
    assert np.isnan(figure("share_after", folder, 300))


def test_a_run_that_ended_early_stays_where_it_was(make_run):
    folder = make_run("run", [100.0, 500])
    assert figure("final", folder, 1000) == 500
    assert figure("share_late", folder, 1000) == 1.0
    assert figure("mean", folder, 1000) == pytest.approx((100 + 9 * 500) / 10)


def test_a_run_of_one_phase_has_no_dip_and_a_rise_is_none(make_run):
    assert np.isnan(figure("dip", make_run("one", [1.0, 2.0]), 200))
    assert figure("dip", make_run("two", [1.0, 2.0], [3.0, 1.0, 1.0, 1.0]), 600) == 0.0


def test_updates_without_an_evaluation_still_take_time(make_run):
    folder = make_run("run", [None, None, None, 500.0])
    assert figure("steps_to_solve", folder, 400) == 400
    assert figure("cpu_to_solve", folder, 400) == pytest.approx(0.2)


def test_a_difference_is_said_to_be_real_with_its_interval(make_group):
    low, high = make_group("low", range(100, 110)), make_group("high", range(120, 130))
    found = compare_groups(read_groups([low, high]))
    assert found.verdicts[0].sentence.startswith(
        "high is better than low: final return is 20.0 points higher with high (95 % interval 16.7 to "
    )
    assert found.verdicts[0].sentence.endswith("10 seeds each)")
    assert found.verdicts[0].improvement.value == 1.0
    assert found.notes == ()


def test_where_less_is_better_the_lower_one_wins(make_group):
    slow, quick = make_group("slow", [500] * 6), make_group("quick", [500] * 6)
    for seed in range(6):
        metrics = quick / f"seed-{seed}" / "metrics.jsonl"
        metrics.write_text(metrics.read_text().replace("100.0", "480.0"))
    found = compare_groups(read_groups([slow, quick]), "steps_to_solve")
    assert found.verdicts[0].sentence.startswith(
        "quick is better than slow: steps to solve is 200 env steps higher with slow (95 % interval 200 to 200, p ="
    )
    assert found.verdicts[0].improvement.value == 1.0


def test_no_difference_comes_with_the_seeds_that_would_be_needed(make_group):
    a, b = make_group("a", [1, 5, 3, 9, 4, 6]), make_group("b", [2, 6, 3, 8, 7, 5])
    sentence = compare_groups(read_groups([a, b])).verdicts[0].sentence
    assert sentence.startswith("no difference between a and b is shown: final return is ")
    assert "higher with b (95 % interval -" in sentence
    assert "more seeds each would be needed to show a difference of this size" in sentence


def test_two_groups_that_came_to_the_same_are_not_asked_for_more(make_group):
    groups = read_groups([make_group("a", [500] * 5), make_group("b", [500] * 5)])
    assert compare_groups(groups).verdicts[0].sentence == (
        "no difference between a and b is shown: final return is 500.0 (500.0 to 500.0) points with both, 5 seeds each"
    )


def test_few_seeds_are_warned_of_and_show_nothing(make_run):
    groups = read_groups([make_run("a", [1.0, 2.0]), make_run("b", [400.0, 500.0])])
    found = compare_groups(groups)
    assert "no difference between a and b is shown" in found.verdicts[0].sentence
    assert "1 seed each" in found.verdicts[0].sentence
    assert "fewer than 4 can show none" in found.verdicts[0].sentence
    assert sum("has 1 seed: that says next to nothing" in note for note in found.notes) == 2
    json.dumps(found.json_values(), allow_nan=False)


def test_several_groups_are_tested_more_strictly(make_group):
    groups = [
        make_group(name, range(first, first + 6)) for name, first in zip("abc", (0, 100, 200), strict=True)
    ]
    found = compare_groups(read_groups(groups))
    assert sorted(verdict.level for verdict in found.verdicts) == [0.025, 0.05]


def test_the_longer_budget_is_cut_and_that_is_said(make_group, make_run, tmp_path):
    short = make_group("short", [300, 310, 305])
    for seed in range(3):
        make_run(f"long/seed-{seed}", [1.0, 2.0, 3.0, 500.0], seed=seed)
    found = compare_groups(read_groups([short, tmp_path / "long"]))
    assert found.horizon == 300
    assert found.figures["long"]["final"].values == {0: 3.0, 1: 3.0, 2: 3.0}
    assert "long went on to 400 env steps; compared are the first 300, which all had" in found.notes


def test_seeds_that_never_solved_are_counted_and_named(make_group):
    found = compare_groups(read_groups([make_group("a", [500, 500, 100])]), "steps_to_solve")
    assert found.solved == {"a": 2}
    assert any("a reached the bar with 2 of 3 seeds" in note for note in found.notes)


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ({}, {"env": {"use": "mountaincar"}}, "a played cartpole and b mountaincar"),
        ({}, {"env": {"use": "cartpole", "max_steps": 200}}, r"different settings \(env.max_steps\)"),
        ({}, {"measure": "evaluated_score"}, "recorded evaluated_return and b evaluated_score"),
        ({}, {"evaluate": {**EVALUATE, "episodes": 5}}, r"evaluated differently \(evaluate.episodes\)"),
        ({}, {"evaluate": {**EVALUATE, "bar": 400.0}}, r"different bars .*a 475, b 400.*--bar"),
    ],
)
def test_what_cannot_be_compared_is_refused(make_group, a, b, sentence):
    with pytest.raises(UsageError, match=sentence):
        compare_groups(read_groups([make_group("a", [1, 2, 3], **a), make_group("b", [1, 2, 3], **b)]))


def test_other_bars_are_settled_by_the_command(make_group):
    groups = [make_group("a", [1, 2, 3]), make_group("b", [1, 2, 3], evaluate={**EVALUATE, "bar": 2.0})]
    assert compare_groups(read_groups(groups), bar=150.0).solved == {"a": 3, "b": 3}


def test_a_folder_must_hold_one_recipe_and_each_seed_once(make_run, tmp_path):
    make_run("mixed/x", [1.0], seed=0)
    make_run("mixed/y", [1.0], seed=1, num_threads=2)
    with pytest.raises(UsageError, match="x and y differ in num_threads"):
        read_groups([tmp_path / "mixed"])
    make_run("twice/x", [1.0], seed=4)
    make_run("twice/y", [1.0], seed=4)
    with pytest.raises(UsageError, match="have the same seed 4"):
        read_groups([tmp_path / "twice"])


def test_unfinished_runs_are_left_out_and_named(make_run, tmp_path):
    make_run("g/seed-0", [1.0], seed=0)
    make_run("g/seed-1", [1.0], seed=1, finished=False)
    [group] = read_groups([tmp_path / "g"])
    assert [run.seed for run in group.runs] == [0]
    assert group.notes == ("g: seed-1 not finished, left out",)
    make_run("h/seed-0", [1.0], finished=False)
    with pytest.raises(UsageError, match=r"no run in .*h is finished; go on with `lanista resume"):
        read_groups([tmp_path / "h"])


def test_runs_of_one_name_are_told_apart_by_their_folders(make_run, tmp_path):
    groups = read_groups([make_run("x/run", [1.0]), make_run("y/run", [1.0])])
    assert [group.name for group in groups] == ["x/run", "y/run"]
    with pytest.raises(UsageError, match="named twice"):
        read_groups([tmp_path / "x" / "run", tmp_path / "x" / ".." / "x" / "run"])


def test_measurements_of_until_rules_serve_where_there_is_no_evaluation(make_run):
    folder = make_run("run", [1.0, None, 3.0], evaluate=None, measure="greedy_return")
    found = compare_groups(read_groups([folder]), bar=2.0)
    assert found.figures["run"]["steps_to_solve"].values == {0: 300.0}
    assert any("give the recipes a table `evaluate`" in note for note in found.notes)


@pytest.mark.parametrize(
    ("measure", "sentence"),
    [("entropy", "recorded no evaluation"), ("both", r"several players \(score/a, score/b\)")],
)
def test_a_run_that_measured_nothing_says_what_its_recipe_lacks(make_run, measure, sentence):
    folder = make_run("run", [1.0], evaluate=None, measure=measure)
    if measure == "both":
        (folder / "metrics.jsonl").write_text('{"step": 1, "phase": "p0", "score/a": 1, "score/b": 0.5}\n')
    with pytest.raises(UsageError, match=sentence):
        read_curve(folder)


def run_compare(capsys, *words):
    code = main(["compare", *map(str, words)])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_prints_a_table_and_a_sentence_and_writes_what_is_asked(make_group, tmp_path, capsys):
    low, high = make_group("low", range(100, 110)), make_group("high", range(120, 130))
    code, out, err = run_compare(
        capsys, low, high, "--json", tmp_path / "c.json", "--plot", tmp_path / "c.png"
    )
    assert (code, err) == (0, "")
    assert (
        "cartpole, 300 env steps: greedy return, mean of 20 games every 100 env steps, solved at 475" in out
    )
    assert out.splitlines()[-1].startswith("high is better than low: ")
    told = json.loads((tmp_path / "c.json").read_text())
    assert told["comparisons"][0]["shown"] is True
    assert told["comparisons"][0]["probability_of_improvement"]["value"] == 1.0
    assert told["groups"][0]["figures"]["final"]["values"]["3"] == 103.0
    assert told["groups"][0]["figures"]["dip"] == {"values": {}, "iqm": None, "low": None, "high": None}
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_is_one_file_and_names_are_no_markup(make_group, tmp_path, capsys):
    plain, odd = make_group("plain", [1, 2, 3]), make_group("<b onclick=x>odd", [1, 2, 3])
    code, _, err = run_compare(capsys, plain, odd, "--plot", tmp_path / "c.html")
    assert (code, err) == (0, "")
    page = (tmp_path / "c.html").read_text()
    assert "plain" in page
    assert "<b onclick" not in page
    assert 'src="http' not in page


def test_a_picture_of_single_runs_can_be_drawn(make_run, tmp_path, capsys):
    code, _, err = run_compare(
        capsys, make_run("a", [1.0, 2.0]), make_run("b", [3.0, 4.0]), "--plot", tmp_path / "c.svg"
    )
    assert (code, err) == (0, "")
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--metric", "finel"], "there is no figure 'finel'; did you mean 'final'?"),
        (["--plot", "x.pdf"], "a plot ends in .png, .svg, .html; found '.pdf'"),
        (["nowhere"], "nowhere is no folder"),
        (["--json", "no/such/folder.json"], "cannot be written"),
        (["--metric", "dip"], "no run of g has a dip at a phase's start; choose another --metric"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(make_group, capsys, words, sentence):
    a, b = make_group("g", [1, 2, 3]), make_group("h", [1, 2, 3])
    code, _, err = run_compare(capsys, a, b, *words)
    assert code == 64
    assert sentence in err
    assert len(err.splitlines()) == 1


def test_a_bar_is_asked_for_where_none_is_known(make_group, capsys):
    way = {"every": 100, "episodes": 20}
    code, _, err = run_compare(capsys, make_group("g", [1, 2], evaluate=way), "--metric", "steps_to_solve")
    assert code == 64
    assert "give --bar" in err


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("recipe.toml", "name = "),
        ("recipe.toml", "name = 't'"),
        ("recipe.toml", "seed = 0\nphases = [{ name = 'p0', until = 3 }]\n[env]\nuse = 'cartpole'"),
        ("recipe.toml", "seed = 0\nphases = [{ name = 'p0' }]\n[env]\nuse = 'cartpole'"),
        ("metrics.jsonl", '{"step": 1, "phase": "elsewhere", "evaluated_return": 1}\n'),
        ("metrics.jsonl", '{"step": 1, "phase": "p0", "evaluated_return": [1]}\n'),
        ("metrics.jsonl", "[1, 2]\n"),
    ],
)
def test_a_damaged_run_is_one_sentence(make_run, capsys, file, text):
    folder = make_run("a", [1.0])
    (folder / file).write_text(text)
    code, _, err = run_compare(capsys, folder)
    assert code == 1
    assert "cannot be read as a run" in err
    assert len(err.splitlines()) == 1
