"""What a person asks of `lanista distill`, and the recipe that says the same.

Everything that can differ between two tasks is found out by asking: the env from the teacher where its file says it, the
heads from the teacher's own distribution. What is left are plain defaults, and every one of them can be set.
"""

import importlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanista.contenders import read_pairs
from lanista.errors import PluginError, UsageError
from lanista.registry import Entry, Registry
from lanista.tables import EnvTable, HeadTable, TeacherTable

if TYPE_CHECKING:
    from lanista.policy import Policy
    from lanista.spec import EnvSpec
    from lanista.teachers import LiveTeacher

#: name of the only phase
PHASE = "student"
#: env steps of the phase, unless the user says otherwise
STEPS = 60_000
#: who plays while states are gathered -> the phase's settings for it
DRIVES: Mapping[str, Mapping[str, Any]] = {
    "dagger": {},
    "teacher": {"student_share": 0.0},
    "noisy": {"student_share": 0.0, "teacher_noise": 0.2},
    "student": {"student_share": 1.0},
}
#: activations of dense layers that a student can have; the first where the teacher's is unknown or another
ACTIVATIONS = ("relu", "tanh", "gelu")
#: with one seat the phase ends early, once the student is surely this near to its teacher
_EARLY: Mapping[str, Any] = {"share_at_least": 0.98, "episodes": 20}
_SIZES = re.compile(r"\d+(x\d+)*")
_SIZE_LIST = re.compile(rf"{_SIZES.pattern}(,{_SIZES.pattern})*")


@dataclass(frozen=True)
class Wish:
    """The options of one command, students and seeds aside."""

    #: teacher tables, at least one
    teachers: tuple[dict[str, Any], ...]
    #: the env's table
    env: dict[str, Any]
    #: head -> its table; none: the env's own
    heads: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: terms of the loss as the phase takes them; none: what the phase chooses
    losses: tuple[dict[str, Any], ...] = ()
    drive: str = "dagger"
    steps: int = STEPS
    #: episodes of the final comparison
    episodes: int = 100
    int8: bool = False
    #: seconds that each runtime is timed for
    timing: float = 1.0
    #: any loss is allowed: the frontier tells it
    lenient: bool = False
    #: seats of the env: with one, the share of the teacher's distance can end the phase early
    seats: int = 1


@dataclass(frozen=True)
class Student:
    """One student's network."""

    #: how the user wrote it, also the name of its folder
    name: str
    #: the network's table
    network: dict[str, Any]


def read_students(texts: Sequence[str], activation: str | None) -> list[Student]:
    """Read ``64x64,32x32`` (dense layers) and ``conv:channels=16,blocks=1`` (any network with its settings)."""
    found = []
    for text in texts:
        if _SIZE_LIST.fullmatch(text):
            for sizes in text.split(","):
                hidden = [int(size) for size in sizes.split("x")]
                if 0 in hidden:
                    raise UsageError(f"--student {sizes}: a layer has 0 units; write widths of 1 or more")
                chosen = {} if activation is None else {"activation": activation}
                found.append(Student(sizes, {"use": "mlp", "hidden": hidden, **chosen}))
            continue
        use, _, options = text.partition(":")
        if not re.fullmatch(r"[A-Za-z_][\w.-]*", use):
            raise UsageError(
                f"--student {text!r} is neither widths such as 64x64 (several as 64x64,32x32) nor a network such as "
                "conv:channels=16,blocks=1"
            )
        table = read_pairs(_split_settings(options), f"--student {text}")
        found.append(Student(re.sub(r"[^\w.]+", "-", text).strip("-"), {"use": use, **table}))
    names = [student.name for student in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"--student {twice} is there twice; name each once")
    return found


def _split_settings(text: str) -> list[str]:
    """``a=1,b=[2,3]`` at the commas that stand outside brackets."""
    return [part for part in re.split(r",(?![^\[]*\])", text) if part]


def read_losses(texts: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Read ``kl:temperature=0.5`` and ``value:coef=0.1``; `coef` is the term's weight."""
    terms = []
    for text in texts:
        use, _, options = text.partition(":")
        table = read_pairs(_split_settings(options), f"--loss {text}")
        coef = table.pop("coef", None)
        terms.append({"loss": {"use": use, **table}, **({} if coef is None else {"coef": coef})})
    return tuple(terms)


def read_teacher(source: str, normalise: str | None, pairs: Sequence[str]) -> dict[str, Any]:
    """The teacher's table; files are named by their whole paths, so that the run can go on from anywhere."""
    family, colon, rest = source.partition(":")
    if colon and Path(rest).is_file():
        source = f"{family}:{Path(rest).absolute()}"
    elif Path(source).is_dir():
        source = str(Path(source).absolute())
    elif not colon and Path(source).is_file():
        kind = {".zip": "sb3", ".npz": "npz", ".onnx": "onnx"}.get(Path(source).suffix.lower())
        if kind is None:
            raise UsageError(
                f"--teacher {source}: what kind of file it is cannot be told from its ending; write sb3:{source}, "
                f"npz:{source} or onnx:{source}"
            )
        source = f"{kind}:{Path(source).absolute()}"
    table: dict[str, Any] = {"source": source, **read_pairs(pairs, "--teacher-set")}
    if normalise is not None:
        # Words of the plugin's own, such as "none", are no files.
        table["normalise"] = str(Path(normalise).absolute()) if Path(normalise).is_file() else normalise
    return table


def find_env(
    name: str | None, changes: Mapping[str, Any], teacher: Mapping[str, Any], registry: Registry
) -> dict[str, Any]:
    """The env's table: as named, else as the teacher says of itself; `changes` are laid over its settings."""
    if name is not None:
        registry.get("envs", name)
        return {"use": name, **changes}
    folder = Path(teacher["source"])
    for place in (folder / "final", folder):
        if (place / "policy.json").is_file():
            from lanista.policy import load_policy

            card = load_policy(place, registry).card
            return {"use": card.env, **card.env_settings, **changes}
    told = None
    if registry.offers("teachers", teacher["source"]):
        table = TeacherTable.model_validate(dict(teacher))
        told = _home(registry.get("teachers", table.source), table.settings(registry))
    if told is None:
        # Collections of agents call the file as the env; that is a hint and no more.
        stem = Path(teacher["source"].partition(":")[2]).stem
        named = stem if re.fullmatch(r"\w+-v\d+", stem) else "CartPole-v1"
        raise UsageError(
            f"the teacher {teacher['source']!r} does not say which env it plays; name it with --env, such as "
            f"--env gymnasium:{named}"
        )
    return {**told, **changes}


def _home(entry: Entry, settings: Any) -> dict[str, Any] | None:  # noqa: ANN401 - the plugin's own model
    """Ask the plugin of a teacher's file for its env, by the trait ``env_of``: "module:function", ":function" beside it."""
    if "env_of" not in entry.traits:
        return None
    module, _, name = str(entry.traits["env_of"]).partition(":")
    beside = entry.target.partition(":")[0]
    try:
        told: dict[str, Any] | None = getattr(importlib.import_module(module or beside), name)(settings)
    except (ImportError, AttributeError) as error:
        raise PluginError(
            f"{entry.words} of plugin {entry.owner}: env_of = {entry.traits['env_of']!r} cannot be had ({error}); write "
            "module:function, which takes the settings and gives an env's table or None"
        ) from error
    return told


def ask_teachers(
    wish: Wish, folder: Path, registry: Registry
) -> "tuple[list[Policy | LiveTeacher], EnvSpec]":
    """Build every teacher once, as the phase will: what is wrong with one is said before anything is written."""
    from lanista.phases import PhaseContext

    heads = {name: HeadTable.model_validate(table) for name, table in wish.heads.items()}
    context = PhaseContext(
        registry, EnvTable.model_validate(wish.env), PHASE, folder, 0, 1, {}, heads=heads
    )  # fmt: skip
    env = context.make_env(1)
    try:
        # One that sees a part of the observation alone can be built by the phase only.
        tables = [
            TeacherTable.model_validate({key: value for key, value in table.items() if key != "weight"})
            for table in wish.teachers
            if "sees" not in table
        ]
        return [context.teacher_of(table, env) for table in tables], env.spec
    finally:
        env.close()


def own_heads(teachers: "Sequence[Policy | LiveTeacher]") -> dict[str, dict[str, Any]]:
    """The heads in which the teachers' own distributions are exact; none where they differ or do not say."""
    told = []
    for teacher in teachers:
        theirs = teacher.card.history.get("teacher", {}).get("heads")
        told.append(dict(teacher.card.heads if theirs is None else theirs))
    return told[0] if told and all(heads == told[0] for heads in told) else {}


def like_teachers(student: Student, teachers: "Sequence[Policy | LiveTeacher]") -> Student:
    """A student of dense layers takes the function that all the teachers' layers have, unless it names its own.

    With the same bends it fits better. Where the teachers differ, or have none that a student can have, it is the first.
    """
    if student.network["use"] != "mlp" or "activation" in student.network:
        return student
    told = {teacher.card.network_settings.get("activation") for teacher in teachers}
    chosen = next((name for name in ACTIVATIONS if told == {name}), ACTIVATIONS[0])
    return replace(student, network={**student.network, "activation": chosen})


def recipe_values(wish: Wish, student: Student, seed: int) -> dict[str, Any]:
    """The recipe as plain values: one phase, and the ONNX file with what it costs."""
    one = len(wish.teachers) == 1
    phase: dict[str, Any] = {
        "name": PHASE,
        "kind": "distill",
        **({"teacher": wish.teachers[0]} if one else {"teachers": list(wish.teachers)}),
        "network": student.network,
        # Sixteen games walk far in few steps, and the many updates a step are what a small budget lives on.
        "num_games": 16,
        "num_steps": 64,
        "steps_per_rollout": 200,
        "until": {
            "steps": wish.steps,
            **(_EARLY if wish.seats == 1 else {}),
            "every": max(1, wish.steps // 6),
        },
        "compare_episodes": wish.episodes,
        **({"losses": list(wish.losses)} if wish.losses else {}),
        **DRIVES[wish.drive],
        **({"allowed_loss": 1.0} if wish.lenient else {}),
    }
    episodes = wish.episodes if wish.int8 else 0
    return {
        "name": f"distill-{student.name}"[:60].strip("-="),
        "summary": f"{wish.teachers[0]['source']} taught to {student.name}; made by lanista distill",
        "seed": seed,
        "env": wish.env,
        **({"heads": wish.heads} if wish.heads else {}),
        "target": {"use": "onnx", "int8": wish.int8, "timing": wish.timing, "episodes": episodes},
        "phases": [phase],
    }
