"""Calling a codec: every legal way to write one, and one sentence for every other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lanista.codec import DTYPES, CodecError, load_codec, plain

OBSERVE = "def observe(obs, config):\n    return {'x': np.zeros(3, np.float32)}, {'a': np.ones(2, bool)}\n"


def codec(text):
    return load_codec(f"import numpy as np\n{text}", "my.py")


def looked(observe):
    made = codec(f"def observe(obs, config):\n    {observe}\ndef act(index): return index\n")
    made.check(*made.observe({}, {}), None, True)


def test_one_part_and_one_head_need_no_names():
    made = codec("def observe(o, c): return np.zeros(3, np.int8), np.ones(2, bool)\ndef act(i): return i")
    parts, legal = made.observe({}, {})
    assert list(parts) == ["observation"]
    assert list(legal) == ["action"]


@pytest.mark.parametrize(
    ("act", "action"),
    [("def act(index): return [index]", [2]), ("def act(index, obs, config): return index + obs", 5)],
)
def test_act_takes_the_choice_alone_or_with_what_was_seen(act, action):
    assert codec(f"{OBSERVE}{act}").act(2, 3, {}) == action


def test_what_act_gives_is_made_of_what_json_knows():
    assert plain({1: np.int64(3), "x": (np.float32(0.5), np.ones(2, int))}) == {"1": 3, "x": [0.5, [1, 1]]}
    assert type(plain(np.int64(3))) is int


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def act(index): return index", r"my.py has no function observe; write def observe\(obs, config\)"),
        (OBSERVE, r"my.py has no function act; write def act\(index, obs, config\) -> action"),
        (f"{OBSERVE}def act(index, obs): ...", "act cannot be called with 1 or 3 arguments; write def act"),
        (
            "def observe(obs): ...\ndef act(index): ...",
            "observe cannot be called with 2 arguments; write def observe",
        ),
        ("def (", r"codec my.py cannot be loaded: SyntaxError: .* \(line 2\)"),
        ("import no_such_thing", "codec my.py cannot be loaded: ModuleNotFoundError: No module named"),
    ],
)
def test_a_codec_that_is_not_whole_is_one_sentence(text, sentence):
    with pytest.raises(CodecError, match=sentence) as caught:
        codec(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("observe", "sentence"),
    [
        ("return obs['bord'], None", r"codec my.py, observe raised KeyError: 'bord' \(line 3\)"),
        ("return np.zeros(3)", "observe gave ndarray; return two values, arrays and legal"),
        ("return 1, 2, 3", "observe gave 3 values; return two"),
        ("return {}, np.ones(2, bool)", "observe gave no arrays; give one array at least"),
        ("return [1.0], np.ones(2, bool)", "part 'observation' is a list; give a numpy array"),
        (
            "return np.zeros(3), np.ones(7, bool)",
            "part 'observation' has the type float64; give one of float32",
        ),
        (
            "return {'x': np.zeros(3, np.float32)}, {'column': np.ones(7)}",
            r"head 'column' is legal of the shape \(7,\) and the type float64; give \[A\] of bool",
        ),
        (
            "return np.zeros(3, np.int8), np.zeros(7, bool)",
            "head 'action' has no legal action for a seat that must",
        ),
        ("return np.full(3, np.nan, np.float32), np.ones(7, bool)", "holds a number that is not finite"),
    ],
)
def test_an_observation_that_breaks_the_contract_is_one_sentence(observe, sentence):
    with pytest.raises(CodecError, match=sentence) as caught:
        looked(observe)
    assert "\n" not in str(caught.value)


def test_every_observation_has_the_shape_of_the_first():
    made = codec(f"{OBSERVE}def act(index): return index")
    first = made.observe({}, {})
    for parts, sentence in [
        ({"x": np.zeros(4, np.float32)}, r"is float32 of the shape \(4,\), and float32 of \(3,\) at first"),
        ({"x": np.zeros(3, np.int8)}, "is int8 of the shape"),
        ({"y": np.zeros(3, np.float32)}, "gave the parts y, and x at first"),
    ]:
        with pytest.raises(CodecError, match=sentence):
            made.check(parts, first[1], first, True)
    made.check(first[0], {"a": np.zeros(2, bool)}, first, False)


@given(arrays.arrays(st.sampled_from([*DTYPES, "float64", "int64", "bool"]), arrays.array_shapes(min_dims=0)))
def test_a_part_passes_if_and_only_if_its_type_is_known_and_its_numbers_are_finite(part):
    made = codec(f"{OBSERVE}def act(index): return index")
    good = part.dtype.name in DTYPES and bool(np.isfinite(part).all())
    if good:
        made.check({"x": part}, {"a": np.ones(2, bool)}, None, True)
        return
    with pytest.raises(CodecError, match="part 'x'"):
        made.check({"x": part}, {"a": np.ones(2, bool)}, None, True)
