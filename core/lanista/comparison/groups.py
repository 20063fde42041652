"""From folders to groups of runs that may be compared; what may not is refused in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.comparison.curve import Curve, is_finished, is_run, read_curve
from lanista.errors import UsageError


@dataclass(frozen=True)
class Group:
    """The finished runs of one recipe, by seed."""

    name: str
    runs: tuple[Curve, ...]
    #: sentences on what was left out
    notes: tuple[str, ...] = ()

    @property
    def budget(self) -> int:
        """The env steps that the recipe allows."""
        return max(run.budget for run in self.runs)


def read_groups(folders: Sequence[Path]) -> list[Group]:
    """Read each folder as a group and see that all can be compared."""
    groups = [_read_group(folder, name) for folder, name in zip(folders, _short_names(folders), strict=True)]
    for group in groups[1:]:
        _refuse_other_task(groups[0], group)
    return groups


def _short_names(folders: Sequence[Path]) -> list[str]:
    """The last part of each path, with as many before it as it takes to tell them apart."""
    paths = [folder.resolve() for folder in folders]
    if len(set(paths)) < len(paths):
        twice = next(folder for place, folder in enumerate(folders) if paths[place] in paths[:place])
        raise UsageError(f"{twice} was named twice; a group is compared with another one")
    for parts in range(1, 1 + max(len(path.parts) for path in paths)):
        names = ["/".join(path.parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def _read_group(folder: Path, name: str) -> Group:
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder; name a run, or a folder of runs as `lanista run --seeds` makes it"
        )
    found = [folder] if is_run(folder) else sorted(child for child in folder.iterdir() if is_run(child))
    if not found:
        raise UsageError(
            f"{folder} is no run folder and holds none; name a run, or a folder of runs as `lanista run --seeds` "
            "makes it"
        )
    finished = [run for run in found if is_finished(run)]
    open_runs = [run.name for run in found if run not in finished]
    if not finished:
        raise UsageError(f"no run in {folder} is finished; go on with `lanista resume {folder}`")
    runs = sorted((read_curve(run) for run in finished), key=lambda run: run.seed)
    _refuse_mixture(folder, runs)
    left_out = f"{name}: {', '.join(open_runs)} not finished, left out"
    return Group(name, tuple(runs), (left_out,) if open_runs else ())


def _refuse_mixture(folder: Path, runs: Sequence[Curve]) -> None:
    """A group is one recipe with several seeds, each once."""
    first, seen = runs[0], dict[int, Curve]()
    for run in runs:
        key = _difference({**first.recipe, "seed": 0}, {**run.recipe, "seed": 0})
        if key is not None:
            raise UsageError(
                f"{folder} holds runs of different recipes: {first.folder.name} and {run.folder.name} differ in "
                f"{key}; keep one recipe's runs in a folder, and name the folders one by one"
            )
        if run.measure != first.measure:
            raise UsageError(
                f"{folder}: {first.folder.name} recorded {first.measure} and {run.folder.name} {run.measure}; run "
                "them anew with one version of lanista"
            )
        if run.seed in seen:
            raise UsageError(
                f"{folder}: {seen[run.seed].folder.name} and {run.folder.name} have the same seed {run.seed} and would "
                "count twice; take one away"
            )
        seen[run.seed] = run


def _difference(a: Any, b: Any, path: str = "") -> str | None:  # noqa: ANN401 - plain TOML values
    """The dotted path of the first difference between two recipes."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted({*a, *b}):
            inner = f"{path}.{key}" if path else key
            if key not in a or key not in b:
                return inner
            found = _difference(a[key], b[key], inner)
            if found is not None:
                return found
        return None
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        pairs = enumerate(zip(a, b, strict=True))
        return next(
            (found for place, (x, y) in pairs if (found := _difference(x, y, f"{path}.{place}")) is not None),
            None,
        )
    return None if a == b else path


def _refuse_other_task(a: Group, b: Group) -> None:
    """Groups must have played the same env and been evaluated in the same way."""
    first, second = a.runs[0], b.runs[0]
    env, other = first.recipe["env"], second.recipe["env"]
    if env["use"] != other["use"]:
        raise UsageError(f"{a.name} played {env['use']} and {b.name} {other['use']}; compare runs of one env")
    key = _difference(env, other, "env")
    if key is not None:
        raise UsageError(
            f"{a.name} and {b.name} played {env['use']} with different settings ({key}); their figures do not mean "
            "the same"
        )
    if first.measure != second.measure:
        raise UsageError(
            f"{a.name} recorded {first.measure} and {b.name} {second.measure}; give both recipes the same table "
            "`evaluate`"
        )
    if first.regular:
        way, other_way = ({**run.recipe["evaluate"], "bar": None} for run in (first, second))
        key = _difference(way, other_way, "evaluate")
        if key is not None:
            raise UsageError(
                f"{a.name} and {b.name} were evaluated differently ({key}); give both recipes the same table `evaluate`"
            )
