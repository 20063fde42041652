"""The arms of `cartpole.toml` and `mountaincar.toml` as recipes: what all share, laid under what each phase says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVS = ("cartpole", "mountaincar")


@dataclass(frozen=True, eq=False)
class Field:
    """All arms on one env."""

    env: str
    plugins: list[Path]
    #: arm -> what it is, in a few words
    told: dict[str, str]
    #: arm -> its recipe as plain values
    recipes: dict[str, dict[str, Any]]
    #: question -> its arms; the first is the one that the others are held against
    questions: dict[str, list[str]]


def read_field(env: str) -> Field:
    """Read the arms on `env`."""
    values = tomllib.loads((HERE / f"{env}.toml").read_text(encoding="utf-8"))
    recipes = {}
    for arm, table in values["arms"].items():
        phases = []
        for place, own in enumerate(table["phases"], 1):
            phase = {"name": f"phase{place}", **values["phase"], **own}
            if "network" in own:
                phase["network"] = values["networks"][own["network"]]
            phases.append(phase)
        recipes[arm] = {"name": arm, **values["recipe"], "phases": phases}
    return Field(
        env,
        [HERE / name for name in values["plugins"]],
        {arm: table["told"] for arm, table in values["arms"].items()},
        recipes,
        values["questions"],
    )
