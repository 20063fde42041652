"""`lanista report`: one file for whatever a run's folder holds, and it stands alone."""

import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanista.cli import main
from lanista.errors import LanistaError
from lanista.report.closing import closing
from lanista.report.curves import POINTS, curve
from lanista.report.folder import read_run
from lanista.report.page import make_report


def rows(phase: str, first: int, count: int, **figures: float) -> list[dict]:
    """Rows of a log, 10 env steps apart."""
    return [
        {
            "step": first + 10 * place,
            "phase": phase,
            "sps": 100.0,
            "time/env": 0.25,
            "time/learn": 0.75,
            **figures,
        }
        for place in range(1, count + 1)
    ]


VOID = {"meta", "br", "img", "link", "input"}


class Page(HTMLParser):
    """Tags and visible text of a page; plotly's own code is left out."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text, self.figures = "", ""
        self._figures = False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self._figures = dict(attributes).get("id") == "figures"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self._figures:
            self.figures += data
            self._figures = False
        elif self.open and self.open[-1] not in ("script", "style"):
            self.text += data


def report(folder: Path) -> Page:
    assert main(["report", str(folder)]) == 0
    return Page((folder / "report.html").read_text("utf-8"))


def titles(page: Page) -> list[str]:
    return re.findall(r"^(\w[^\n]*)$", page.text, flags=re.MULTILINE)


def test_a_finished_run_is_told_whole(make_run, capsys):
    folder = make_run(
        files={
            "exported/delivery.json": {
                "target": "onnx",
                "export": {"parameters": 999, "size": 2048, "observations": 1000, "limit": 1e-4, "comparisons": [
                    {"runner": "numpy", "batch": 8, "logits": 1.7e-7, "value": 2e-7, "equal": 1.0, "ties": 0}]},
            },
            "exported/verification.json": {
                "ok": True, "problems": [], "warnings": [], "timing": {"worst_turn_s": 0.0931, "worst_turn": 1},
                "games": {"played": 4, "pairings": [
                    {"opponent": "random", "seat": 0, "games": 4, "wins": 3, "draws": 1, "losses": 0,
                     "score": 0.875, "low": 0.4, "high": 0.98, "different_games": 4}], "opponents": {}},
            },
        }
    )  # fmt: skip
    page = report(folder)
    assert "report.html: t, 150 updates" in capsys.readouterr().out
    for told in ("verified", "1,234", "Student against teacher: student", "93.8%", "numpy", "1.7e-7", "93.1 ms",
                 "87.5%", "40.0% to 98.0%", "connectx (rows = 4)", "2.0 KiB", "steps spent"):  # fmt: skip
        assert told in page.text, told
    assert not page.open
    names = {trace["name"] for figure in json.loads(page.figures) for trace in figure["traces"]}
    assert {"reward/outcome", "reward/stones", "outcome", "agreement", "sps", "env", "learn"} <= names


def test_the_page_asks_for_nothing_from_outside(make_run):
    page = report(make_run())
    assert not [tag for tag, given in page.tags if {"src", "action", "href"} & given.keys()]
    assert not [tag for tag, given in page.tags for key in given if key.startswith("on")]
    policy = next(given["content"] for tag, given in page.tags if given.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert sum(tag == "script" for tag, _ in page.tags) == 3


@pytest.mark.parametrize(
    ("phases", "word"), [(0, "phase 1 of 2 (small), 100% of its steps"), (1, "phase 2 of 2")]
)
def test_a_run_that_is_not_over_says_how_far_it_is(make_run, phases, word):
    page = report(make_run(phases=phases))
    assert "not finished" in page.text
    assert word in page.text


def test_a_run_that_failed_says_why(make_run):
    folder = make_run(phases=1)

    def fail() -> None:
        with closing(folder, lambda line: None):
            raise LanistaError("phase 'student': the student lost <too> much")

    with pytest.raises(LanistaError):
        fail()
    page = Page((folder / "report.html").read_text("utf-8"))
    assert "failed" in page.text
    assert "the student lost <too> much" in page.text
    lines: list[str] = []
    with closing(folder, lines.append):
        assert not (folder / "failure.json").exists()
    assert lines == [f"report: {folder / 'report.html'}"]


def test_an_empty_log_and_missing_files_are_no_obstacle(make_run):
    folder = make_run(phases=0, log=[])
    (folder / "run.json").unlink()
    (folder / "metrics.jsonl").unlink()
    page = report(folder)
    assert "No update has been logged yet." in page.text
    assert "script" not in {tag for tag, _ in page.tags}


def test_damaged_files_are_a_line_each(make_run):
    folder = make_run(files={"league/league.json": "{", "exported/delivery.json": "[1]"})
    with (folder / "metrics.jsonl").open("a") as log:
        log.write('{"step": 1, "pha\n')
    page = report(folder)
    assert "metrics.jsonl: 1 line could not be read" in page.text
    assert "delivery.json holds a list, a table is asked" in page.text
    assert "league.json cannot be read" in page.text


def test_nan_and_infinity_leave_gaps(make_run):
    log = rows("small", 0, 50, outcome=float("nan"), loss=float("inf"), entropy=1.0)
    page = report(make_run(log=log, phases=0))
    names = {trace["name"] for figure in json.loads(page.figures) for trace in figure["traces"]}
    assert "entropy" in names
    assert not {"outcome", "loss"} & names


def test_many_rows_are_averaged(make_run):
    log = rows("small", 0, 30_000, entropy=1.0)
    folder = make_run(log=log, phases=0)
    page = report(folder)
    for figure in json.loads(page.figures):
        assert all(len(trace["x"]) <= POINTS for trace in figure["traces"])
    assert "each point is the mean of up to 75 updates" in page.text
    (phase, _) = read_run(folder).phases
    line = curve(phase, "step")
    assert line is not None
    assert np.mean(line.values) == pytest.approx(np.mean([row["step"] for row in log]), rel=1e-3)


def test_the_warning_stands_in_the_page_and_on_the_screen(make_run, capsys):
    log = [
        {**row, "reward/carts": 0.001 * place, "outcome": -0.01 * place, "length": 10.0}
        for place, row in enumerate(rows("small", 0, 100))
    ]
    folder = make_run(log=log, phases=1)
    page = report(folder)
    assert "The shaped return rises while the outcome falls." in page.text
    assert "phase 'small': the shaped return rose over the phase" in page.text
    assert "warning: phase 'small'" in capsys.readouterr().out
    lines: list[str] = []
    with closing(folder, lines.append):
        pass
    assert lines[0].startswith("warning: phase 'small': the shaped return rose")


nasty = st.text(st.sampled_from("<>&'\"/{}%\u2028é \ud800-!script"), max_size=20) | st.sampled_from(
    [
        "</script><script>alert(1)</script>",
        "{{ title }}",
        "{% raw %}",
        "<img src=x onerror=alert(1)>",
        "&lt;b&gt;",
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=nasty, figure=nasty)
def test_no_name_breaks_out_of_the_page(make_run, tmp_path, text, figure):
    folder = tmp_path / "run"
    if folder.exists():
        shutil.rmtree(folder)
    make_run(log=rows("small", 0, 3, **{f"reward/{figure}": 1.0}), phases=0)
    run = read_run(folder)
    run.recipe["name"] = run.recipe["summary"] = text
    run.faults.append(text)
    plain, page = Page(make_report(read_run(folder))), Page(make_report(run))
    # A line may come or go; nothing else does.
    tags = [
        Counter(tag for tag, _ in one.tags if tag not in {"p", "div", "dt", "dd"}) for one in (plain, page)
    ]
    assert tags[0] == tags[1]
    assert not page.open


def test_what_is_no_run_is_one_sentence(tmp_path, capsys):
    assert main(["report", str(tmp_path / "nowhere")]) == 64
    assert "is no folder; name the folder of a run" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert main(["report", str(tmp_path)]) == 64
    assert "is no run folder: recipe.toml is missing" in capsys.readouterr().err


def test_a_page_that_cannot_be_written_is_one_sentence(make_run, tmp_path, capsys):
    assert main(["report", str(make_run()), "--out", str(tmp_path / "no" / "page.html")]) == 64
    said = capsys.readouterr().err
    assert "cannot be written: No such file or directory; choose another --out" in said
    assert said.count("\n") == 1


def test_seeds_get_a_page_each_and_an_index(make_run, tmp_path, capsys):
    make_run("group/seed-0")
    make_run("group/seed-2", phases=1)
    page = report(tmp_path / "group")
    assert "2 seeds" in capsys.readouterr().out
    links = [given["href"] for tag, given in page.tags if tag == "a"]
    assert links == ["seed-0/report.html", "seed-2/report.html"]
    assert all((tmp_path / "group" / link).is_file() for link in links)
    assert "1 of 2 came to a good end" in page.text
    (figure,) = json.loads(page.figures)
    assert [trace["name"] for trace in figure["traces"]] == ["seed-0", "seed-2"]


def test_a_seed_of_a_group_writes_no_page_by_itself(make_run, tmp_path):
    folder = make_run("group/seed-0")
    (tmp_path / "group" / "group.json").write_text("{}")
    with closing(folder, lambda line: None):
        pass
    assert not (folder / "report.html").exists()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_browser_draws_every_chart(make_run, tmp_path):
    folder = make_run()
    page = report(folder)
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--dump-dom"]  # fmt: skip
    command = [str(shutil.which("chromium")), *words, (folder / "report.html").resolve().as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=1000, check=True).stdout
    assert shown.count('class="main-svg"') >= len(json.loads(page.figures)) > 3
