"""Finds the source of modules that go into a bundle, without importing them, and checks what they import."""

import ast
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

from lanista_submission.errors import PackError

#: what every platform has, beside the standard library
PLATFORM_PACKAGES = frozenset({"numpy"})
#: the grammar that the platform's Python reads
PLATFORM_PYTHON = (3, 11)


def module_file(name: str) -> Path:
    """The source file of a module; only the top-level package is looked up, nothing is executed."""
    top, *rest = name.split(".")
    spec = importlib.util.find_spec(top)
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    for place in places:
        path = Path(place).joinpath(*rest).with_suffix(".py")
        if rest and path.is_file():
            return path
    raise PackError(f"portable module {name} has no source file under {places or 'any installed package'}")


def portable_sources(codec: str, kernels: Iterable[str], taken: Iterable[str]) -> dict[str, bytes]:
    """``file name -> source`` of the codec and its kernels, which must lie in one package.

    `taken` are the module names that the bundle has already.
    """
    names = [codec, *kernels]
    packages = {name.rpartition(".")[0] for name in names}
    if len(packages) != 1:
        raise PackError(
            f"portable modules must lie in one package so that `from . import ...` goes on working, "
            f"found {', '.join(sorted(packages))}"
        )
    stems = [name.rpartition(".")[2] for name in names]
    clash = sorted(set(stems) & set(taken)) or sorted({stem for stem in stems if stems.count(stem) > 1})
    if clash:
        raise PackError(f"portable module {clash[0]!r} has a name that the bundle uses itself; rename it")
    sources = {}
    for name, stem in zip(names, stems, strict=True):
        content = module_file(name).read_bytes()
        check_imports(f"portable module {name}", content, set(stems))
        sources[f"{stem}.py"] = content
    return sources


def check_imports(name: str, content: bytes, siblings: set[str]) -> None:
    """Refuse syntax newer than the platform's and imports of anything that a bundle does not hold."""
    try:
        tree = ast.parse(content, name, feature_version=PLATFORM_PYTHON)
    except SyntaxError as error:
        version = ".".join(map(str, PLATFORM_PYTHON))
        raise PackError(f"{name} is not Python {version}: {error.msg} (line {error.lineno})") from error
    allowed = PLATFORM_PACKAGES | sys.stdlib_module_names
    for node in ast.walk(tree):
        wanted: list[str] = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names if alias.name.split(".")[0] not in allowed]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            wanted = [node.module or ""] if (node.module or "").split(".")[0] not in allowed else []
        elif isinstance(node, ast.ImportFrom):
            near = [node.module.split(".")[0]] if node.module else [alias.name for alias in node.names]
            wanted = ["." * node.level + stem for stem in near if node.level > 1 or stem not in siblings]
        if wanted:
            raise PackError(
                f"{name} imports {wanted[0]}, which a bundle does not hold; it may import the standard library and numpy"
                + (", and portable modules each other (`from . import x`)" if siblings else "")
            )
