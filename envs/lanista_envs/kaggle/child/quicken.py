"""Spares kaggle-environments the work that it repeats at every step, without changing what comes of it.

Its step validates every action and state with jsonschema, and each time it copies the schema and validates the
schema itself too. Here the copy is made once an `Environment` and the validator is built once a schema. Data go
through the same defaults and the same validator as before, so results and refusals are the same;
``tests/envs/kaggle`` holds whole games against the original.
"""

import json
from copy import deepcopy
from typing import Any

#: the verdicts on plain actions of one schema that are remembered
_REMEMBERED = 10_000


def quicken() -> None:
    """Patch kaggle_environments.core in this process; call it once."""
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped]  # has no stubs
    from jsonschema.validators import validator_for  # type: ignore[import-untyped]
    from kaggle_environments import core
    from kaggle_environments.utils import default_schema

    schema_of = core.Environment._Environment__state_schema.fget

    def remembered(environment: Any) -> Any:  # noqa: ANN401 - kaggle's own types
        found = environment.__dict__.get("_lanista_schema")
        if found is None:
            found = environment.__dict__["_lanista_schema"] = schema_of(environment)
        return found

    #: id -> (schema, kept so that the id stays its own; validator; verdicts on plain values)
    known: dict[int, tuple[Any, Any, dict[Any, Any]]] = {}
    by_text: dict[str, Any] = {}

    def look_up(schema: Any) -> tuple[Any, Any, dict[Any, Any]]:  # noqa: ANN401
        text = json.dumps(schema, sort_keys=True)
        validator = by_text.get(text)
        if validator is None:
            kind = validator_for(schema)
            kind.check_schema(schema)
            validator = by_text[text] = kind(schema)
        if len(known) > _REMEMBERED:
            known.clear()
        known[id(schema)] = (schema, validator, {})
        return known[id(schema)]

    original = core.process_schema

    def process_schema(schema: Any, data: Any, use_default: bool = True) -> tuple[str | None, Any]:  # noqa: ANN401
        try:
            _, validator, verdicts = known.get(id(schema)) or look_up(schema)
        except Exception:  # a schema that is no JSON or no schema: kaggle-environments shall say so itself
            said: tuple[str | None, Any] = original(schema, data, use_default)
            return said
        is_plain = type(data) in (int, str, type(None))
        if is_plain and use_default and (type(data), data) in verdicts:
            found: tuple[str | None, Any] = verdicts[type(data), data]
            return found
        value = default_schema(schema, deepcopy(data)) if use_default is True else data
        error = best_match(validator.iter_errors(value))
        verdict = None if error is None else str(error), value
        if is_plain and use_default and type(value) in (int, str, type(None)) and len(verdicts) < _REMEMBERED:
            verdicts[type(data), data] = verdict
        return verdict

    core.Environment._Environment__state_schema = property(remembered)
    core.process_schema = process_schema
