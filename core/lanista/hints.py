"""Words for what went wrong: the nearest right name, one printable line, one sentence a settings problem."""

import difflib
import re
import types
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

#: longest piece of a user's own value that a sentence repeats, in characters
_SHOWN = 80


def hint(word: str, words: Iterable[str]) -> str:
    """Say which of `words` may be meant by `word`, or which there are."""
    known = sorted(words)
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are: {', '.join(known)}" if known else "there are none"


def one_line(text: object) -> str:
    """Give `text` as one printable line: line ends become spaces, other control characters are spelt out.

    Messages come from plugins, files and archives of strangers; none may steer the terminal.
    """
    joined = " ".join(str(text).split())
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in joined)


def told(error: BaseException) -> str:
    """Give an exception's kind and text as one line, even where its own `__str__` fails."""
    try:
        text = one_line(error)
    except Exception:
        text = "(it cannot say what)"
    return f"{type(error).__name__}: {text}".rstrip(": ")


def shown(value: object) -> str:
    """Give a value as it is repeated in a message, cut to a readable length."""
    text = one_line({True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def validation_sentences(error: "ValidationError", model: "type[BaseModel]") -> str:
    """Give every problem that pydantic found as a sentence of its own, joined by "; "."""
    problems: dict[str, list[str]] = {}
    for problem in error.errors(include_url=False):
        path, places = _walk(problem["loc"], model)
        problems.setdefault(path, [])
        sentence = _sentence(problem, path, places)
        if sentence not in problems[path]:
            problems[path].append(sentence)
    return "; ".join(_merged(path, sentences) for path, sentences in problems.items())


def _merged(path: str, sentences: Sequence[str]) -> str:
    """Join what the branches of a union said about one value: found once, then every way to be right."""
    if len(sentences) == 1:
        return sentences[0]
    heads = {sentence.partition(" must be ")[0] for sentence in sentences}
    if len(heads) == 1 and all(" must be " in sentence for sentence in sentences):
        ways = [sentence.partition(" must be ")[2] for sentence in sentences]
        return f"{heads.pop()} must be {' or '.join(ways)}"
    return f"{path}: either {' or '.join(sentence.removeprefix(path).lstrip(': ') for sentence in sentences)}"


def _sentence(problem: Any, path: str, places: list[Any]) -> str:  # noqa: ANN401 - pydantic's own TypedDict
    """Turn one pydantic problem into: what was found where, and what is asked."""
    kind, message = problem["type"], str(problem["msg"])
    where = path or "the table"
    if kind == "extra_forbidden":
        parent, _, key = path.rpartition(".")
        inside = f" in {parent}" if parent else ""
        return f"unknown key {key!r}{inside}; {hint(key, _keys(places))}"
    if kind == "missing":
        return f"{where} is missing; add it"
    if kind in {"value_error", "assertion_error"}:
        return (
            f"{where}: {one_line(message.partition(', ')[2])}"
            if path
            else one_line(message.partition(", ")[2])
        )
    asked = one_line(message).partition(", unable to ")[0]
    match = re.match(r"\w+ should (.*)", asked)
    found = f"{where} = {shown(problem['input'])}"
    return f"{found} must {match[1]}" if match is not None else f"{found}: {asked}"


def _keys(places: list[Any]) -> list[str]:
    """The keys that the models in `places` take."""
    return sorted({key for place in places if _is_model(place) for key in place.model_fields})


def _walk(loc: Sequence[int | str], model: Any) -> tuple[str, list[Any]]:  # noqa: ANN401 - a model class
    """Follow a pydantic location through the annotations.

    Gives the dotted path as the user wrote it (pydantic adds the name of the union's branch, which no user
    wrote) and the types that the last but one step leads to.
    """
    places: list[Any] = [model]
    before = places
    path: list[str] = []
    for step in loc:
        onward = [target for place in places for target in _enter(place, step)]
        if onward:
            before, places = places, onward
            path.append(str(step))
            continue
        branch = [place for place in places if getattr(place, "__name__", None) == step]
        if branch:
            places = branch
        elif step is loc[-1] and any(_is_model(place) for place in places):  # an unknown key
            before = places
            path.append(str(step))
    return ".".join(path), before


def _enter(place: Any, step: int | str) -> list[Any]:  # noqa: ANN401 - any annotation
    """The types behind `step` (a key or an index) of a value annotated `place`."""
    if _is_model(place):
        field = place.model_fields.get(step) if isinstance(step, str) else None
        return _branches(field.annotation) if field is not None else []
    origin, inner = get_origin(place), get_args(place)
    if origin is dict and len(inner) == 2:
        return _branches(inner[1])
    if origin in (list, tuple, set, frozenset) and isinstance(step, int) and inner:
        return _branches(inner[min(step, len(inner) - 1)] if inner[-1] is not Ellipsis else inner[0])
    return []


def _branches(annotation: Any) -> list[Any]:  # noqa: ANN401 - any annotation
    """The alternatives of a union, or the annotation alone."""
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return [branch for inner in get_args(annotation) for branch in _branches(inner)]
    return [annotation]


def _is_model(place: Any) -> bool:  # noqa: ANN401 - any annotation
    return isinstance(place, type) and hasattr(place, "model_fields")
