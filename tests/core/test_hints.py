"""Sentences on settings: what was found where, what is asked; and texts of strangers made harmless."""

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from lanista.hints import hint, one_line, shown, validation_sentences
from lanista.schedules import Scheduled


class Inner(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(default=1, ge=1)
    minutes: float | None = None


class Outer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    num_games: int = Field(default=1, ge=1)
    title: str = Field(default="x", min_length=1, pattern="^[a-z]+$")
    until: Inner = Inner()
    either: Inner | float = 0.0
    rows: tuple[Inner, ...] = ()
    weights: dict[str, Inner] = {}
    rate: Scheduled = Field(default=1.0, validate_default=True)
    mode: Literal["max", "mean"] = "max"
    text: Annotated[str, BeforeValidator(lambda value: value)] = ""
    needed: int

    @field_validator("title")
    @classmethod
    def _no_banana(cls, title: str) -> str:
        if title == "banana":
            raise ValueError("bananas are not played; choose a game")
        return title


def sentences(**table: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"needed": 1} | table)
    return validation_sentences(caught.value, Outer)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"num_gmes": 3}, "unknown key 'num_gmes'; did you mean 'num_games'?"),
        ({"until": {"stps": 3}}, "unknown key 'stps' in until; did you mean 'steps'?"),
        ({"rows": [{}, {"minuts": 1}]}, "unknown key 'minuts' in rows.1; did you mean 'minutes'?"),
        ({"weights": {"city": {"stepps": 1}}}, "unknown key 'stepps' in weights.city; did you mean 'steps'?"),
        (
            {"zzz": 1, "until": {"zzz": 1}},
            "unknown key 'zzz' in until; there are: minutes, steps; unknown key 'zzz'",
        ),
        ({"num_games": 0}, "num_games = 0 must be greater than or equal to 1"),
        ({"num_games": "many"}, "num_games = 'many' must be a valid integer"),
        ({"num_games": 1.5}, "num_games = 1.5 must be a valid integer, got a number with a fractional part"),
        ({"num_games": True, "mode": "min"}, "mode = 'min' must be 'max' or 'mean'"),
        ({"until": {"steps": -1}}, "until.steps = -1 must be greater than or equal to 1"),
        ({"until": 3}, "until = 3 must be a valid dictionary or instance of Inner"),
        ({"title": "banana"}, "title: bananas are not played; choose a game"),
        ({"title": ""}, "title = '' must have at least 1 character"),
        ({"title": "Q"}, "title = 'Q' must match pattern '^[a-z]+$'"),
        ({"rate": {"start": 1.0}}, "rate.end is missing; add it"),
        ({"rate": {"start": 1.0, "end": 0.0, "hld": 1}}, "unknown key 'hld' in rate; did you mean 'hold'?"),
    ],
)
def test_a_problem_is_a_sentence(table, expected):
    assert sentences(**table).startswith(expected)


def test_a_missing_key_is_named():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({})
    assert validation_sentences(caught.value, Outer) == "needed is missing; add it"


def test_every_problem_has_its_sentence():
    assert sentences(num_games=0, mode="min").count("; ") == 1


def test_the_branches_of_a_union_speak_of_one_value():
    told = sentences(either="soon")
    assert told.startswith("either = 'soon' must be ")
    assert told.count("soon") == 1
    assert " or " in told
    assert "Inner.either" not in told
    assert "either.float" not in told


def test_an_unknown_key_in_a_branch_of_a_union_names_the_nearest():
    assert "'stepss' in either; did you mean 'steps'?" in sentences(either={"stepss": 1})


def test_the_nearest_or_all_or_none():
    assert hint("cartpol", ["cartpole", "connectx"]) == "did you mean 'cartpole'?"
    assert hint("zzz", ["b", "a"]) == "there are: a, b"
    assert hint("zzz", []) == "there are none"


@given(st.text())
def test_one_line_is_one_printable_line(text):
    line = one_line(text)
    assert line.isprintable()
    assert len(line.splitlines()) <= 1


@given(st.text() | st.lists(st.text()) | st.integers() | st.booleans())
def test_a_shown_value_is_short_and_printable(value):
    assert len(shown(value)) <= 80
    assert shown(value).isprintable()
