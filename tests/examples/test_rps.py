"""examples/lanista-rps as a stranger's package: installed elsewhere, walked from another folder, known to nobody here."""

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
#: a run of the recipe that is over in moments: two snapshots and a student that need not be exact
SMALL = [
    "--set", "phases.league.until.steps=4096",
    "--set", "phases.average.num_updates=20",
    "--set", "phases.average.tolerance=1.0",
]  # fmt: skip


@pytest.fixture(scope="module")
def rps(make_scratch):
    """An environment that has the package."""
    made = make_scratch()
    made.install("lanista-rps")
    return made


def lanista(rps, folder, *words):
    """Call it from another folder; anything but exit code 0 fails the test."""
    return rps.run("lanista", *words, cwd=folder)


def test_no_line_of_ours_knows_its_name():
    for root in ("core", "plugins", "envs", "agents", "submission"):
        named = [
            path
            for path in (ROOT / root).rglob("*")
            if path.is_file() and path.suffix in {".py", ".toml", ".j2", ".js", ".html", ".json"}
            and re.search(r"lanista_rps|lanista-rps|\brps\b", path.read_text(encoding="utf-8"))
        ]  # fmt: skip
        assert named == []


def test_its_own_tests_pass_where_it_is_installed(rps, tmp_path):
    tests = ROOT / "examples" / "lanista-rps" / "tests"
    rps.run("pytest", "-q", "-p", "no:cacheprovider", str(tests), cwd=tmp_path)


def test_lanista_lists_what_it_offers(rps, tmp_path):
    listed = lanista(rps, tmp_path, "plugins", "--json")
    (row,) = [row for row in json.loads(listed.stdout) if row["distribution"] == "lanista-rps"]
    assert row["offers"] == {
        "envs": ["rps"],
        "phases": ["rps_average"],
        "shapers": ["rps_points"],
        "distillers": ["rps_brier"],
        "matchmakers": ["rps_history"],
        "targets": ["kaggle:rps"],
        "recipes": ["rps", "rps-selfplay"],
    }


def test_its_recipe_uses_all_that_it_offers(rps, tmp_path):
    shown = lanista(rps, tmp_path, "recipes", "show", "rps")
    for name in ("rps", "rps_average", "rps_points", "rps_brier", "rps_history", "kaggle:rps"):
        assert f'"{name}"' in shown.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.submission
def test_the_walk_from_a_run_to_a_verified_archive(rps, tmp_path):
    ran = lanista(rps, tmp_path, "run", "rps", "--out", "run", *SMALL)
    assert "ok: no technical fault" in ran.stderr
    lanista(rps, tmp_path, "export", "run", "--out", "again.onnx")
    lanista(rps, tmp_path, "pack", "again.onnx", "--target", "kaggle:rps", "--out", "entry.tar.gz")
    verified = lanista(rps, tmp_path, "verify", "entry.tar.gz", "--games", "1", "--json")
    report = json.loads(verified.stdout)
    assert report["ok"]
    assert report["target"] == "kaggle:rps"
    lanista(rps, tmp_path, "rps-strategies", "run", "--plot", "circles.png")
    assert (tmp_path / "circles.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_everything_that_it_offers_passes_its_checks(rps, tmp_path):
    checked = lanista(rps, tmp_path, "check", "plugin", "rps")
    assert checked.stdout.count("ok    ") == 10


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_league_comes_to_rest_at_equal_chances_where_self_play_goes_on_in_circles(rps, tmp_path):
    for recipe in ("rps", "rps-selfplay"):
        code = (
            "from pathlib import Path\n"
            "from lanista.plugins import load_plugins\n"
            "from lanista.recipe import check_recipe, read_recipe\n"
            "from lanista.run import Run\n"
            "host = load_plugins()\n"
            f"values = read_recipe({recipe!r}, host.registry)\n"
            "values = {key: value for key, value in values.items() if key not in ('target', 'verify')}\n"
            f"Run.create(Path({recipe!r}), check_recipe(values, host.registry), host).play()\n"
        )
        (tmp_path / "play.py").write_text(code)
        rps.run("play", cwd=tmp_path)
    figures = json.loads((tmp_path / "rps" / "phases" / "average" / "phase.json").read_text())
    assert figures["from_equal"] < 0.05
    assert max(abs(chance - 1 / 3) for chance in figures["student"]) < 0.05
    told = lanista(rps, tmp_path, "rps-strategies", "rps-selfplay", "--rows", "200").stdout
    rows = [line.split() for line in told.splitlines() if line.startswith("step-")]
    leaders = [max(range(3), key=lambda sign: float(row[1 + sign])) for row in rows]
    changes = sum(one != other for one, other in pairwise(leaders))
    assert changes >= 9
    assert set(leaders) == {0, 1, 2}
    late = [max(float(chance) for chance in row[1:4]) for row in rows[len(rows) // 2 :]]
    assert max(late) > 0.45
