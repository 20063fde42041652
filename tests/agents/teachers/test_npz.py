"""Teachers of plain arrays: the files that are kept here, and files that will not do."""

import json

import numpy as np
import pytest
import torch

from lanista.spec import HeadSpec, ObsPart
from lanista_agents.teachers.plan import TeacherFileError

from .conftest import CLIP, SLIM, TANH

#: file -> what its env shows and takes
WORLDS = {
    "a2c-BipedalWalker-v3": (24, 4), "ppo-AntBulletEnv-v0": (29, 8), "trpo-AntBulletEnv-v0": (28, 8),
    "ppo-HalfCheetah-v3": (17, 6), "ppo-LunarLanderContinuous-v2": (8, 2), "trpo-Hopper-v3": (11, 3),
    "trpo-Walker2d-v3": (17, 6), "sac-Pendulum-v1": (3, -1), "dqn-CartPole-v1": (4, 2), "dqn-MountainCar-v0": (2, 3),
    "qrdqn-Acrobot-v1": (6, 3), "ppo-LunarLander-v2": (8, 4),
}  # fmt: skip
CHOOSING = ("dqn", "qrdqn", "ppo-LunarLander-v2")


def world(name):
    shown, count = WORLDS[name]
    if name.startswith(CHOOSING[:2]) or name == CHOOSING[2]:
        return (ObsPart("o", (shown,), "float32", ""),), (HeadSpec("action", "categorical", count, ""),)
    high = 2.0 if count < 0 else 1.0
    head = HeadSpec(
        "action", "gaussian", abs(count), "", low=(-high,) * abs(count), high=(high,) * abs(count)
    )
    return (ObsPart("o", (shown,), "float32", ""),), (head,)


def by_numpy(file, rows):
    """What the arrays say, in float64 and a few lines of numpy: the last layer, then what follows it."""
    head = json.loads(file["head"].tobytes())
    x = rows.astype(np.float64)
    if "obs_mean" in file:
        x = np.clip(
            (x - file["obs_mean"]) / np.sqrt(file["obs_var"] + head["eps"]), -head["clip"], head["clip"]
        )
    place = 0
    functions = {
        "tanh": np.tanh,
        "relu": lambda x: np.maximum(x, 0.0),
        "clip2": lambda x: np.clip(x, -2.0, 2.0),
    }
    for layer in head["layers"]:
        if layer == "linear":
            x = x @ file[f"w{place}"].astype(np.float64).T + file[f"b{place}"]
            place += 1
        else:
            x = functions[layer](x)
    if head["kind"] == "quantiles":
        x = x.reshape(len(x), -1, head["n_act"]).mean(axis=1)
    if head["kind"] != "mean":
        return x.argmax(axis=1), x
    low, high = file["low"], file["high"]
    return np.clip((low + high) / 2 + (high - low) / 2 * x if head["scaled"] else x, low, high), x


def test_every_file_that_is_kept_is_tried():
    assert {path.stem for path in SLIM.glob("*.npz")} == set(WORLDS)
    assert "Antonin RAFFIN" in (SLIM / "LICENSE-rl-trained-agents").read_text()


@pytest.mark.parametrize("name", WORLDS)
def test_a_file_says_what_its_arrays_say(name, teach):
    seen, heads = world(name)
    rows = np.random.default_rng(0).normal(size=(64, seen[0].size)).astype(np.float32)
    with np.load(SLIM / f"{name}.npz") as file:
        action, said = by_numpy(dict(file), rows)
    for table in (CLIP, TANH) if heads[0].continuous else (None,):
        options = {"q_temperature": 0.5} if "dqn" in name else {}
        teacher = teach(f"npz:{SLIM / name}.npz", heads, table, seen=seen, **options)
        played = teacher.act({"o": torch.from_numpy(rows)}, {}, None)[0]["action"].numpy()
        assert np.abs(played - action).max() < 3e-4
        if table is None:
            logits = teacher.network({"o": torch.from_numpy(rows)}).logits["action"].numpy()
            assert np.allclose(logits, said / options.get("q_temperature", 1.0), rtol=1e-4, atol=1e-4)


def changed(tmp_path, **changes):
    """The file of CartPole with arrays replaced (None takes one out) and keys of its head changed (``head_KEY``)."""
    with np.load(SLIM / "dqn-CartPole-v1.npz") as file:
        arrays = dict(file)
    head = json.loads(arrays["head"].tobytes())
    for name, value in changes.items():
        if name.startswith("head_"):
            head[name.removeprefix("head_")] = value
    arrays["head"] = np.frombuffer(json.dumps(head).encode(), np.uint8)
    arrays |= {name: value for name, value in changes.items() if not name.startswith("head_")}
    np.savez(tmp_path / "changed.npz", **{name: array for name, array in arrays.items() if array is not None})
    return tmp_path / "changed.npz"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"w1": None}, "head names 3 dense layers, and w1 is missing"),
        ({"more": np.zeros(2)}, "nothing asks for more"),
        ({"head": None}, "the array 'head' is missing"),
        ({"head": np.zeros(3, np.uint8)}, "is no JSON text"),
        ({"w0": np.zeros((256, 4, 1))}, r"w0 is an array \(256, 4, 1\)"),
        ({"w0": np.full((256, 4), np.nan)}, "holds NaN or infinity"),
        ({"b0": np.zeros(7)}, "has the shape"),
        ({"w1": np.zeros((256, 99))}, "has the shape"),
        ({"head_n_act": 3}, "do not make 3 actions"),
        ({"head_kind": "values"}, "kind = 'values' must be"),
        ({"head_layers": ["linear", "swish", "linear", "swish", "linear"]}, "unknown activation 'swish'"),
        ({"head_layers": ["linear", "tanh", "linear", "relu", "linear"]}, "one and the same activation"),
        ({"head_layers": ["tanh"]}, "is no row of 'linear'"),
        ({"obs_mean": np.zeros(4)}, "obs_mean and obs_var belong together"),
    ],
)
def test_a_file_that_will_not_do_is_one_sentence(changes, match, teach, tmp_path):
    seen, heads = world("dqn-CartPole-v1")
    with pytest.raises(TeacherFileError, match=match) as caught:
        teach(f"npz:{changed(tmp_path, **changes)}", heads, seen=seen, q_temperature=1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY"])
def test_a_file_that_is_none_is_one_sentence(content, teach, tmp_path):
    (tmp_path / "it.npz").write_bytes(content)
    with pytest.raises(TeacherFileError, match="it is no file of plain arrays, or a damaged one"):
        teach(f"npz:{tmp_path / 'it.npz'}")


def test_a_file_that_would_run_something_is_refused(teach, tmp_path):
    np.savez(tmp_path / "it.npz", w0=np.array([{"a": print}], dtype=object))
    with pytest.raises(TeacherFileError, match="it is no file of plain arrays"):
        teach(f"npz:{tmp_path / 'it.npz'}")


def test_the_temperature_of_q_is_half_the_median_gap_over_its_own_play(registry):
    from pathlib import Path

    from lanista.phases import PhaseContext
    from lanista.tables import EnvTable

    context = PhaseContext(registry, EnvTable(use="gymnasium:CartPole-v1"), "try", Path("."), 0, 1, {})
    chosen, again = (context.policy_of(f"npz:{SLIM / 'dqn-CartPole-v1.npz'}") for _ in range(2))
    temperature = chosen.network.settings.q_temperature
    assert 0.01 < temperature < 1.0
    assert temperature == again.network.settings.q_temperature
    (note,) = chosen.card.history["teacher"]["notes"]
    assert f"Q temperature {temperature:.4g}, 0.5 of the median gap" in note
