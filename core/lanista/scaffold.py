"""What `lanista new` writes: a package of one plugin that installs and passes its checks before the first edit."""

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.errors import UsageError
from lanista.hints import hint, shown
from lanista.plugins import Registry
from lanista.version import __version__

_NAME = re.compile(r"[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True)
class Field:
    """The one setting that a new plugin starts with."""

    name: str
    type: str
    default: str
    limit: str
    meaning: str


@dataclass(frozen=True)
class Kind:
    """What is particular to a new plugin of one kind."""

    hook: str
    summary: str
    #: the file's stem in the package
    stem: str
    field: Field | None = None
    #: the function of `lanista.testing` that its test calls; None: the whole of `lanista check plugin`
    test: str | None = None
    #: a command line that uses it, NAME standing for its name
    use: str = ""


_TRAIN = "lanista run cartpole --set "
KINDS = {
    "shaper": Kind(
        "register_shapers", "reward for the game's own points", "shaper",
        Field("weight", "float", "1.0", "ge=0.0", "reward of one point, 0 or more"),
        "check_shaper", f"{_TRAIN}'phases.0.shapers=[\"NAME\"]'",
    ),
    "distiller": Kind(
        "register_distillers", "squared distance of the probabilities", "distiller",
        Field("scale", "float", "1.0", "gt=0.0", "factor of the loss, above 0"),
        "check_distiller", f"{_TRAIN}'phases.2.losses=[{{loss=\"NAME\"}}]'",
    ),
    "teacher": Kind(
        "register_teachers", "a rule that takes the first choice", "teacher",
        Field("sharpness", "float", "3.0", "gt=0.0", "margin of the first choice in its logits, above 0"),
        "check_teacher", "lanista run cartpole --set 'phases.2.teacher=\"NAME\"'",
    ),
    "matchmaker": Kind(
        "register_matchmakers", "the newest snapshot, or any", "matchmaker",
        Field("newest", "float", "0.5", "ge=0.0, le=1.0", "chance of meeting the newest snapshot, 0..1"),
        "check_matchmaker", "lanista run connectx --set 'phases.0.league.matchmaker=\"NAME\"'",
    ),
    "logger": Kind(
        "register_loggers", "a line an update in a text file", "logger",
        Field("every", "int", "1", "ge=1", "updates between two lines, 1 or more"),
        "check_logger", f"{_TRAIN}'loggers=[\"NAME\"]'",
    ),
    "player": Kind(
        "register_players", "the first legal action, or any", "player",
        Field("noise", "float", "0.1", "ge=0.0, le=1.0", "chance of a random action, 0..1"), "check_player",
    ),
    "network": Kind(
        "register_networks", "two dense layers", "network",
        Field("width", "int", "64", "ge=1", "units of each layer, 1 or more"),
        "check_network", f"{_TRAIN}'phases.0.network=\"NAME\"'",
    ),
    "head": Kind(
        "register_heads", "one of several choices by a softmax", "head",
        Field("temperature", "float", "1.0", "gt=0.0", "logits are divided by this, above 0"), "check_head",
    ),
    "learner": Kind(
        "register_learners", "policy gradient with a baseline", "learner",
        Field("learning_rate", "float", "0.01", "gt=0.0", "Adam's step size, above 0"),
        "check_learner", f"{_TRAIN}'phases.0.learner=\"NAME\"'",
    ),
    "phase": Kind(
        "register_phases", "random search over the weights of a small network", "phase",
        Field("num_updates", "int", "50", "ge=1", "changes to try, 1 or more"), "check_phase",
    ),
    "target": Kind("register_targets", "a zip with the network as ONNX and its card", "target", None, "check_target"),
    "env": Kind("register_envs", "take one, two or three stones; who takes the last wins", "game",
                None, "check_env_offer", "lanista run NAME"),
    "command": Kind("register_commands", "a command that shows a run's last figures", "command", None,
                    "check_commands"),
    "event": Kind("run_finished", "something to do when a run is over", "event"),
}  # fmt: skip
#: kinds whose template is no Python file, or that have a command of their own
_RECIPE = Kind("register_recipes", "", "recipe", None, "check_recipe_offer", "lanista run NAME")


@dataclass(frozen=True)
class Written:
    """What was written, and the command that comes next."""

    folder: Path
    files: tuple[Path, ...]
    then: str


def write_plugin(name: str, kind: str, parent: Path) -> Written:
    """Write ``parent/name``; raises `UsageError` for a name or kind that will not do, or a folder that is there."""
    word = kind.removesuffix("s")
    if word not in KINDS:
        extra = ["recipe"]
        if word == "recipe":
            raise UsageError("a recipe has a command of its own; write lanista new recipe NAME --env ENV")
        raise UsageError(f"--kind {shown(kind)} is no kind of plugin; {hint(word, [*KINDS, *extra])}")
    made = KINDS[word]
    values = _values(name, made, made.summary) | {"kind": word, "suffix": "py"}
    files = {
        f"{values['module']}/__init__.py": _fill("init.py.j2", values),
        f"{values['module']}/{made.stem}.py": _fill(f"kinds/{word}.py.j2", values),
    }
    if made.field is not None:
        files[f"{values['module']}/settings.py"] = _fill("settings.py.j2", values)
    if word == "env":
        recipe = {
            "env": name,
            "seats": 2,
            "target": "local",
            "steps": "100_000",
            "summary": f"{name} by self-play",
        }
        files[f"{values['module']}/recipe.toml"] = _fill("kinds/recipe.toml.j2", values | recipe)
    return _write(name, parent, values, files)


def write_recipe(name: str, env: str, parent: Path, registry: Registry) -> Written:
    """Write a package with one recipe for `env`, which must be on offer; see `write_plugin`."""
    entry = registry.get("envs", env)
    if name in registry.names("recipes"):
        owner = registry.get("recipes", name).owner
        raise UsageError(f"plugin {owner} offers a recipe {name!r} already; choose another name")
    settings = registry.settings("envs", env, {})
    probe = registry.load("envs", entry.name if entry.name == env else env)(1, settings, 1)
    seats, portable = probe.spec.seats, "portable" in entry.traits
    probe.close()
    made = _RECIPE
    values = _values(name, made, f"{env} by {'self-play' if seats > 1 else 'PPO'}") | {
        "kind": "recipe",
        "suffix": "toml",
    }
    matching = f"kaggle:{env}"
    target = matching if portable and matching in registry.names("targets") else "onnx"
    table = {"env": env, "seats": seats, "target": target, "steps": "200_000"}
    files = {
        f"{values['module']}/__init__.py": _fill("init.py.j2", values),
        f"{values['module']}/recipe.toml": _fill("kinds/recipe.toml.j2", values | table),
    }
    return _write(name, parent, values, files)


def _values(name: str, kind: Kind, summary: str) -> dict[str, Any]:
    """What the templates are filled with; refuses a name that no package, module or plugin can have."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{shown(name)} will not do as a name; use small letters, digits and single - or _ between them, and "
            f"begin with a letter, such as my-plugin"
        )
    identifier = name.replace("-", "_")
    module = identifier if identifier.startswith("lanista_") else f"lanista_{identifier}"
    taken = {f"lanista_{part}" for part in ("agents", "envs", "plugins", "submission")}
    if module in taken or keyword.iskeyword(identifier):
        why = "a package of lanista's own" if module in taken else "a word of Python's own"
        raise UsageError(f"{shown(name)} will not do as a name, it would be {why}; choose another")
    attribute = "".join(word.capitalize() for word in identifier.split("_"))
    if kind.hook in ("register_commands", "run_finished"):
        attribute = identifier
    return {
        "name": name,
        "identifier": identifier,
        "module": module,
        "distribution": module.replace("_", "-"),
        "attribute": attribute,
        "summary": summary,
        "version": __version__,
        "hook": kind.hook,
        "stem": kind.stem,
        "field": kind.field,
        "test": kind.test,
        "use": kind.use.replace("NAME", name),
    }


def _fill(template: str, values: dict[str, Any]) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("lanista"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,
    )
    return environment.get_template(template).render(values)


def _write(name: str, parent: Path, values: dict[str, Any], files: dict[str, str]) -> Written:
    files = {
        "pyproject.toml": _fill("pyproject.toml.j2", values),
        "README.md": _fill("README.md.j2", values),
        **files,
        f"tests/test_{values['identifier']}.py": _fill("test.py.j2", values),
    }
    folder = parent / name
    try:
        folder.mkdir(parents=True)
        for inside, text in files.items():
            (folder / inside).parent.mkdir(exist_ok=True)
            (folder / inside).write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError:
        raise UsageError(
            f"{folder} is there already and is left alone; choose another name or --in FOLDER"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written: {error.strerror}; choose another place with --in"
        ) from error
    return Written(folder, tuple(folder / inside for inside in files), f"lanista check plugin {name}")
