"""Run folders as runs leave them, written by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

RECIPE = """
name = "{name}"
summary = "{summary}"
seed = 3
num_threads = 1
target = {{ use = "onnx" }}
env = {{ use = "connectx", rows = 4 }}

[[phases]]
name = "small"
kind = "train"
network = {{ use = "mlp", hidden = [16] }}
until = {{ steps = 1000 }}

[[phases]]
name = "student"
kind = "distill"
teacher = "small"
network = {{ use = "mlp", hidden = [8] }}
until = {{ steps = 500 }}
"""
CARD = {"chosen": "last", "sha256": "0" * 64, "parameters": 1234, "steps": 1000, "until": "steps spent"}
STUDENT = {
    **CARD,
    "steps": 500,
    "agreement": 0.9375,
    "kl": 0.01,
    "measure": "score",
    "student": 0.45,
    "student_low": 0.4,
    "student_high": 0.5,
    "teacher": 0.5,
    "games": 200,
    "student_parameters": 999,
    "teacher_parameters": 1234,
    "student_latency_us": 40.0,
    "teacher_latency_us": 80.0,
}


def rows(phase: str, first: int, count: int, **figures: float) -> list[dict]:
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


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Write a run folder; `phases` says how many of the two are over."""

    def make(where="run", name="t", summary="", phases=2, log=None, files=()) -> Path:
        folder = tmp_path / where
        folder.mkdir(parents=True)
        (folder / "recipe.toml").write_text(RECIPE.format(name=name, summary=summary))
        record = {"lanista": "0.1.0", "python": "3.11", "torch": "2", "numpy": "2", "seed": 3, "git": None}
        (folder / "run.json").write_text(json.dumps(record))
        if log is None:
            log = rows("small", 0, 100, outcome=0.5, **{"reward/outcome": 0.01, "reward/stones": 0.02})
            log += rows("student", 1000, 50, agreement=0.9) if phases else []
        (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log))
        for phase, card in list({"small": CARD, "student": STUDENT}.items())[:phases]:
            (folder / "phases" / phase).mkdir(parents=True)
            (folder / "phases" / phase / "phase.json").write_text(json.dumps(card))
        for path, content in dict(files).items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(content if isinstance(content, str) else json.dumps(content))
        return folder

    return make
