"""Whatever a run folder's files hold, the report is written: what cannot be shown is left out."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lanista.report.folder import read_run
from lanista.report.page import make_report

plain = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats() | st.text(max_size=8)
anything = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6)  # fmt: skip


def holed(value: object) -> st.SearchStrategy:
    """`value` with anything in the place of anything."""
    if isinstance(value, dict):
        kept = st.fixed_dictionaries({}, optional={key: holed(item) for key, item in value.items()})
        return kept | anything
    if isinstance(value, list):
        return st.lists(st.one_of([holed(item) for item in value] or [anything]), max_size=3) | anything
    return st.just(value) | anything


ROW = {
    "step": 10,
    "phase": "small",
    "sps": 5.0,
    "seconds": 2.0,
    "outcome": 0.5,
    "time/env": 0.5,
    "reward/a": 1.0,
}
DELIVERY = {
    "target": "onnx",
    "bytes": 10,
    "export": {"size": 3, "parameters": 4, "observations": 5, "limit": 0.1, "comparisons": [{"runner": "numpy", "batch": 8, "logits": 1e-7, "value": 1e-7, "equal": 1.0, "ties": 0}]},
}  # fmt: skip
VERIFICATION = {
    "ok": True,
    "problems": [{"code": "x", "message": "y"}],
    "warnings": [{"code": "x", "message": "y"}],
    "timing": {"worst_turn_s": 0.1, "worst_turn": 3, "act_timeout_s": 2.0, "overage_left_s": 60.0, "overage_s": 60.0},
    "games": {"played": 3, "pairings": [{"opponent": "a", "seat": 0, "games": 3, "wins": 1, "draws": 1, "losses": 1, "score": 0.5, "low": 0.1, "high": 0.9, "different_games": 2}], "opponents": {"a": {"opponent": "a", "seat": None, "games": 3}}},
    "results": {"int": 3},
    "judge": {"python": "3"},
    "limits": {"cores": 1, "memory": 2**30},
    "seconds": 3.0,
}  # fmt: skip
CARD = {"chosen": "last", "parameters": 3, "steps": 100, "until": "x", "agreement": 0.5, "teacher": 1.0, "student": 1.0, "student_low": 0.5}  # fmt: skip
RECORD = {"lanista": "1", "python": "3", "plugins": [{"name": "a", "version": "1", "distribution": "x"}], "git": {"commit": "0", "dirty": True}}  # fmt: skip
LEAGUE = {
    "format": 1,
    "members": [{"name": name, "kind": "snapshot", "step": 1, "parent": None, "content_hash": "", "made_for": "", "use": None, "options": {}} for name in "ab"],
    "pool": ["a"],
    "best": "a",
    "payoff": {"seats": 2, "rows": [{"player": "a", "opponent": "b", "wins_draws_losses_by_seat": [[1, 0, 2], [0, 0, 1]]}]},
    "gates": [{"candidate": "a", "against": None, "promoted": True, "score": 0.5, "low": 0.1, "games": 3}],
}  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    rows=st.lists(holed(ROW), max_size=4),
    files=st.fixed_dictionaries(
        {},
        optional={
            "exported/delivery.json": holed(DELIVERY),
            "exported/verification.json": holed(VERIFICATION),
            "phases/small/phase.json": holed(CARD),
            "run.json": holed(RECORD),
            "league/league.json": holed(LEAGUE),
            "failure.json": holed({"sentence": "it fell"}),
        },
    ),
    until=st.sampled_from(["{ steps = 1000 }", "3", '{ steps = "x" }']),
    network=st.sampled_from(['{ use = "mlp" }', '"mlp"', "3"]),
)
def test_any_content_is_reported(tmp_path_factory, rows, files, until, network) -> None:
    folder: Path = tmp_path_factory.mktemp("run")
    (folder / "recipe.toml").write_text(
        f'name = "t"\nenv = "x"\n[[phases]]\nname = "small"\nkind = "train"\nnetwork = {network}\nuntil = {until}\n'
    )
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    assert "</html>" in make_report(read_run(folder))


def test_any_recipe_is_reported(tmp_path: Path) -> None:
    for place, text in enumerate(
        ["", "phases = 3", "[[phases]]", '[[phases]]\nname = 3\n', "phases = [1]", "not toml", 'env = 3\nseed = "x"\ntarget = []']
    ):  # fmt: skip
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / "recipe.toml").write_text(text)
        assert "</html>" in make_report(read_run(folder))
