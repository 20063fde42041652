"""Zips that will not do: one sentence each, and nothing in them is ever run."""

import base64
import io
import json
import os
import pickle
import zipfile

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from lanista.spec import HeadSpec, ObsPart
from lanista_agents.teachers.inert import Inert, InertPickleError, read_pickle
from lanista_agents.teachers.plan import TeacherFileError

from .conftest import CHOICE, CLIP, NUMBERS, RECORDED


def refused(teach, path, match, heads=CHOICE, **options):
    with pytest.raises(TeacherFileError, match=match) as caught:
        teach(f"sb3:{path}", heads, **options)
    assert "\n" not in str(caught.value)


def changed(tmp_path, name="ppo_choice", **entries):
    """A copy of a zip with some entries replaced; None takes one out."""
    with zipfile.ZipFile(RECORDED / f"{name}.zip") as file:
        kept = {entry: file.read(entry) for entry in file.namelist()}
    for entry, content in entries.items():
        kept[entry.replace("policy_pth", "policy.pth")] = content
    path = tmp_path / "changed.zip"
    with zipfile.ZipFile(path, "w") as file:
        for entry, content in kept.items():
            if content is not None:
                file.writestr(entry, content)
    return path


def data_of(name, **changes):
    with zipfile.ZipFile(RECORDED / f"{name}.zip") as file:
        return json.dumps({**json.loads(file.read("data")), **changes}).encode()


class Bomb:
    """A pickle that makes a folder when it is run."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


class Scratch:
    """The same by way of getattr, as one hides what one calls."""

    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return eval, (f"__import__('os').mkdir({self.folder!r})",)


@pytest.mark.parametrize("kind", [Bomb, Scratch])
@pytest.mark.parametrize(
    "place", ["observation_space", "action_space", "policy_kwargs", "policy_class", "lr_schedule"]
)
def test_a_pickle_in_the_table_is_not_run(place, kind, teach, tmp_path):
    bad = base64.b64encode(pickle.dumps(kind(tmp_path / "made"))).decode()
    entry = {":type:": "<class 'dict'>", ":serialized:": bad, "net_arch": [8, 8]}
    path = changed(tmp_path, data=data_of("ppo_choice", **{place: entry}))
    teach(f"sb3:{path}", CHOICE)  # what it says there is not needed
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", [Bomb, Scratch])
def test_weights_that_are_a_program_are_refused_and_not_run(kind, teach, tmp_path):
    content = io.BytesIO()
    torch.save({"action_net.weight": kind(tmp_path / "made")}, content)
    path = changed(tmp_path, policy_pth=content.getvalue())
    refused(teach, path, "policy.pth holds more than weights .* unsafe = true, which runs what is in it")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kind", [Bomb, Scratch])
def test_statistics_that_are_a_program_are_refused_and_not_run(kind, teach, tmp_path):
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps(kind(tmp_path / "made")))
    refused(
        teach,
        RECORDED / "ppo_choice.zip",
        "asked is a pickled VecNormalize",
        normalise=str(tmp_path / "bad.pkl"),
    )
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'false'\ntR.",
        b"cbuiltins\nexec\n(S'raise SystemExit'\ntR.",
        b"c__builtin__\ngetattr\n(c__builtin__\ndict\nS'fromkeys'\ntR.",
        b"\x80\x02c__builtin__\nbytearray\nI100000000000\n\x85R.",
        b"cnumpy\nndarray\n((I100000000000\nttR.",
        b"\x80\x02\x82\x01.",  # a code of copyreg's registry
        b"\x80\x04\x8c\x0bbuiltins.os\x8c\x06system\x93.",
        b"P0\n.",  # a persistent id
        b".",
        b"",
        b"(" * 100_000,
    ],
)
def test_a_pickle_gives_stand_ins_or_a_sentence(program):
    try:
        found = read_pickle(program, "it")
    except InertPickleError:
        return
    assert isinstance(found, Inert) or (isinstance(found, type) and issubclass(found, Inert))


def test_only_what_is_said_to_be_unsafe_runs_what_is_in_a_file(teach, tmp_path):
    with zipfile.ZipFile(RECORDED / "ppo_choice.zip") as file:
        weights = torch.load(io.BytesIO(file.read("policy.pth")), weights_only=True)
    content = io.BytesIO()
    torch.save({**weights, "action_net.bias": Kept(weights["action_net.bias"])}, content)
    path = changed(tmp_path, policy_pth=content.getvalue())
    refused(teach, path, "holds more than weights")
    assert teach(f"sb3:{path}", CHOICE, unsafe=True).num_parameters


class Kept:
    """A tensor that is pickled by a function of this module."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return unkept, (self.tensor,)


def unkept(tensor):
    return tensor


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_zip_that_is_cut_off_is_one_sentence(share, teach, tmp_path):
    whole = (RECORDED / "sac_numbers.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(share * len(whole))])
    refused(teach, tmp_path / "cut.zip", "it is no zip, or a damaged one", NUMBERS)


@pytest.mark.parametrize(
    ("entries", "match"),
    [
        ({"data": None}, "the entry data is missing"),
        ({"policy_pth": None}, "the entry policy.pth is missing"),
        ({"data": b"[1]"}, "holds no table"),
        ({"data": b"{"}, "is no JSON"),
        ({"policy_pth": b"PK"}, "policy.pth is damaged|holds more than weights"),
        ({"data": None, "policy_pth": None, "parameters": b"", "parameter_list": b""}, "Stable-Baselines 2"),
        ({"data": None, "policy.json": b""}, "it is a policy of ours; unpack it"),
    ],
)
def test_a_zip_without_its_parts_is_one_sentence(entries, match, teach, tmp_path):
    refused(teach, changed(tmp_path, **entries), match)


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("pictures", "it reads pictures through convolutions"),
        ("recurrent_ppo_choice", "it is recurrent"),
        ("crossq_numbers", "it normalises batches"),
    ],
)
def test_an_agent_that_is_no_row_of_dense_layers_is_one_sentence(name, match, teach):
    refused(teach, RECORDED / f"{name}.zip", match, NUMBERS if "numbers" in name else CHOICE)


def test_an_activation_that_is_not_known_is_named(teach, tmp_path):
    kwargs = {"net_arch": [8, 8], "activation_fn": "<class 'torch.nn.modules.activation.Softshrink'>"}
    refused(
        teach,
        changed(tmp_path, data=data_of("ppo_choice", policy_kwargs=kwargs)),
        "its activation is Softshrink",
    )


@pytest.mark.parametrize(
    ("name", "heads", "seen", "match"),
    [
        ("ppo_choice", (HeadSpec("a", "categorical", 4, ""),), None, "gives 3 choices and the env takes 4"),
        ("ppo_choice", NUMBERS, None, "gives choices and the env takes real numbers"),
        ("ppo_numbers", CHOICE, None, "gives real numbers and the env takes choices"),
        ("ppo_several", CHOICE, None, "gives 3, 2 choices and the env takes 3"),
        ("dqn_choice", CHOICE * 2, None, "it makes one choice and the env has 2 heads"),
        ("ppo_choice", CHOICE, (ObsPart("o", (3, 4, 4), "uint8", ""),), "the env shows a picture or board"),
        (
            "ppo_choice",
            CHOICE,
            (ObsPart("o", (7,), "float32", ""),),
            "sees 5 numbers and the env shows 7; name the env",
        ),
        (
            "ppo_numbers",
            (HeadSpec("action", "gaussian", 2, "", low=(-1.0, 0.0), high=(1.0, 3.0)),),
            None,
            r"its actions have low = \[-2.0, 0.0\] and the env's \[-1.0, 0.0\]",
        ),
    ],
)
def test_an_env_that_it_was_not_made_for_is_told_by_what_differs(name, heads, seen, match, teach):
    options = {} if seen is None else {"seen": seen}
    refused(teach, RECORDED / f"{name}.zip", match, heads, **options)


def test_files_that_are_not_there_are_one_sentence(teach, tmp_path):
    refused(teach, tmp_path / "none.zip", r"cannot be read \(no such file or directory\)")
    refused(teach, tmp_path, r"cannot be read \(is a folder\)")
    refused(
        teach,
        RECORDED / "scaled.zip",
        "none.pkl cannot be read",
        NUMBERS,
        normalise=str(tmp_path / "none.pkl"),
    )


def test_a_head_that_it_cannot_speak_for_is_one_sentence(teach):
    refused(
        teach,
        RECORDED / "ppo_numbers.zip",
        "the student's head 'mine' is none that it can speak for",
        NUMBERS,
        table={**CLIP, "use": "mine"},
    )


def test_statistics_of_another_size_are_one_sentence(teach):
    pytest.importorskip("lanista_agents")
    refused(
        teach, RECORDED / "dictionary.zip", "the statistics are of 5 numbers and the agent sees 10", CHOICE,
        seen=(ObsPart("o", (10,), "float32", ""),), normalise=str(RECORDED / "scaled.pkl"),
    )  # fmt: skip


def test_weights_of_the_old_form_of_torch_are_read(teach, tmp_path):
    with zipfile.ZipFile(RECORDED / "ppo_choice.zip") as file:
        weights = torch.load(io.BytesIO(file.read("policy.pth")), weights_only=True)
    content = io.BytesIO()
    torch.save(weights, content, _use_new_zipfile_serialization=False)
    assert teach(f"sb3:{changed(tmp_path, policy_pth=content.getvalue())}", CHOICE).num_parameters


def test_layers_that_actor_and_critic_share_are_read(teach, tmp_path):
    """As agents before Stable-Baselines3 1.8 may have them: ``net_arch = [8, {pi: [4], vf: [4]}]``."""
    torch.manual_seed(0)
    layers = {
        "mlp_extractor.shared_net.0": (8, 5), "mlp_extractor.policy_net.0": (4, 8), "mlp_extractor.value_net.0": (6, 8),
        "action_net": (3, 4), "value_net": (1, 6),
    }  # fmt: skip
    weights = {f"{name}.weight": torch.randn(shape) for name, shape in layers.items()}
    weights |= {f"{name}.bias": torch.randn(shape[0]) for name, shape in layers.items()}
    content = io.BytesIO()
    torch.save(weights, content)
    teacher = teach(f"sb3:{changed(tmp_path, policy_pth=content.getvalue())}", CHOICE)
    rows = torch.randn(6, 5)

    def dense(name, x):
        return torch.nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    base = torch.tanh(dense("mlp_extractor.shared_net.0", rows))
    logits = dense("action_net", torch.tanh(dense("mlp_extractor.policy_net.0", base)))
    value = dense("value_net", torch.tanh(dense("mlp_extractor.value_net.0", base)))
    output = teacher.network({"observation": rows})
    assert torch.allclose(output.logits["action"], logits, atol=1e-6)
    assert torch.allclose(output.value, value[:, 0], atol=1e-6)


@pytest.mark.parametrize(
    "weights", [[torch.zeros(2)], {"a": "text"}, {"action_net.weight": torch.zeros(2, 2).to_sparse()}]
)
def test_weights_that_are_no_table_of_tensors_are_one_sentence(weights, teach, tmp_path):
    content = io.BytesIO()
    torch.save(weights, content)
    refused(
        teach,
        changed(tmp_path, policy_pth=content.getvalue()),
        "policy.pth (holds no table of weights|is damaged)",
    )


def test_a_table_of_endless_depth_is_one_sentence(teach, tmp_path):
    refused(teach, changed(tmp_path, data=b"[" * 100_000), "is no JSON")


@given(content=st.binary(max_size=200))
@example(content=b"\x80\x04\x95")
def test_any_bytes_are_read_as_a_pickle_or_refused(content):
    try:
        read_pickle(content, "it")
    except InertPickleError:
        return
