"""What the tests of teachers share: recorded agents, and the specs that they were made for."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.policy import PolicyCard
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista.tables import TeacherTable
from lanista.teachers import build_teacher

HERE = Path(__file__).parent
RECORDED = HERE / "sb3"
SLIM = HERE.parents[1] / "teachers" / "slim"
CLIP = {"use": "gaussian", "squash": "clip", "std_range": 10.0}
TANH = {"use": "gaussian", "squash": "tanh", "std_range": 10.0}
CHOICE = (HeadSpec("action", "categorical", 3, "a choice"),)
NUMBERS = (HeadSpec("action", "gaussian", 2, "numbers", low=(-2.0, 0.0), high=(1.0, 3.0)),)
SEEN = (ObsPart("observation", (5,), "float32", "numbers", (1.0,), (3.0,)),)


def spec_of(heads, seen=SEEN):
    return EnvSpec("world", "1", "here", 1, "simultaneous", seen, tuple(heads), (), 10, (0.0, 1.0), "score")


def heads_of(name):
    """The heads of a recorded agent's world, by its name."""
    if "numbers" in name or "sde" in name or name == "scaled":
        return NUMBERS
    if "several" in name:
        return tuple(HeadSpec(f"action_{i}", "categorical", size, "") for i, size in enumerate((3, 2)))
    if "bits" in name:
        return tuple(HeadSpec(f"action_{i}", "categorical", 2, "") for i in range(2))
    return CHOICE


@pytest.fixture(scope="session")
def answers():
    with np.load(RECORDED / "answers.npz") as file:
        return dict(file)


@pytest.fixture
def teach(registry):
    """Build a teacher for a world: ``teach("sb3:FILE", heads, table, **options)``."""

    def build(source, heads=CHOICE, table=None, seen=SEEN, **options):
        tables = {} if table is None else {heads[0].name: table}
        card = PolicyCard("practice", {}, spec_of(heads, seen), "", {}, heads=tables)
        return build_teacher(TeacherTable(source=str(source), **options), card, registry)

    return build


@pytest.fixture
def seen(answers):
    return {"observation": torch.from_numpy(answers["observation"])}
