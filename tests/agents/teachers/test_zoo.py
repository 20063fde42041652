"""Agents of the RL Zoo as they were published, where ``LANISTA_TEACHERS`` names a folder of them."""

import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.spec import HeadSpec, ObsPart

from .conftest import CLIP, SLIM, TANH

FOLDER = os.environ.get("LANISTA_TEACHERS", "")
AGENTS = sorted(Path(FOLDER).glob("*/*/*.zip")) if FOLDER else []
pytestmark = pytest.mark.skipif(
    not AGENTS, reason="LANISTA_TEACHERS names no folder of agents (ALGORITHM/ENV_1/ENV.zip)"
)


def world(agent):
    """What the zip's own text says of its spaces; the test reads no pickle either."""
    with zipfile.ZipFile(agent) as file:
        data = json.loads(file.read("data"))
    shown = data["observation_space"].get("shape") or data["observation_space"]["_shape"]
    seen = (ObsPart("o", tuple(shown), "float32", ""),)
    space = data["action_space"]
    if "Discrete" in space[":type:"]:
        return seen, (HeadSpec("action", "categorical", int(space["n"]), ""),)
    low, high = (
        tuple(float(number) for number in re.findall(r"-?[\d.]+", space[key])) for key in ("low", "high")
    )
    return seen, (HeadSpec("action", "gaussian", len(low), "", low=low, high=high),)


@pytest.mark.parametrize("agent", AGENTS, ids=lambda agent: f"{agent.parts[-3]}-{agent.stem}")
def test_an_agent_of_the_zoo_loads_with_no_setting_and_is_the_same_as_its_plain_arrays(agent, teach):
    seen, heads = world(agent)
    rows = torch.randn(64, *seen[0].shape, generator=torch.Generator().manual_seed(0))
    options = {"q_temperature": 1.0} if not heads[0].continuous else {}
    arrays = SLIM / f"{agent.parts[-3]}-{agent.stem}.npz"
    for table in (CLIP, TANH) if heads[0].continuous else (None,):
        teacher = teach(f"sb3:{agent}", heads, table, seen=seen, **options)
        action = teacher.act({"o": rows}, {}, None)[0]["action"].numpy()
        assert np.isfinite(action).all()
        assert teacher.card.history["teacher"]["algorithm"] == agent.parts[-3]
        if arrays.is_file():
            other = teach(f"npz:{arrays}", heads, table, seen=seen, **options)
            assert np.abs(other.act({"o": rows}, {}, None)[0]["action"].numpy() - action).max() < 1e-4
    beside = agent.with_suffix("") / "vecnormalize.pkl"
    notes = " ".join(teacher.card.history["teacher"]["notes"])
    assert ("observations are scaled by" in notes) == beside.is_file()
