"""Which modules main.py reaches by its imports, and how surely each import is executed.

Read from the syntax tree: nothing of the archive runs here. What is sure (an unguarded import at module
level) may be judged at once; what is not (inside a function, a branch, a guarded ``try``) is left to the
games.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

#: longest module that is parsed, in bytes
_SOURCE_LIMIT = 4 << 20
_GUARDS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True)
class Import:
    """One import statement of one name."""

    #: the file, relative to the archive's root
    file: str
    line: int
    #: dotted name
    module: str
    #: executed whenever the file is: at module level, outside branches and guards
    sure: bool
    #: inside a function
    lazy: bool

    @property
    def top(self) -> str:
        """The first part of the name."""
        return self.module.partition(".")[0]


def read_main(folder: Path) -> str:
    """The text of main.py exactly as the platform reads it; `UnicodeDecodeError` if it is not UTF-8."""
    return (folder / "main.py").read_text(encoding="utf-8")


def archive_modules(names: Sequence[str]) -> set[str]:
    """Top-level names that can be imported from the archive's root."""
    tops = {name.partition("/")[0] for name in names if name.endswith((".py", ".so", ".pyd"))}
    return {top.partition(".")[0] for top in tops} - {"main"}


def reached_imports(folder: Path, tree: ast.Module) -> list[Import]:
    """All imports of main.py and of the archive's modules that it reaches, those modules' own included."""
    found: list[Import] = []
    waiting: list[tuple[str, ast.Module]] = [("main.py", tree)]
    seen = {"main.py"}
    while waiting:
        file, tree = waiting.pop(0)
        for item in _imports(file, tree):
            found.append(item)
            for inner in _files_of(folder, item.module):
                if inner not in seen:
                    seen.add(inner)
                    parsed = _parse(folder / inner)
                    if parsed is not None:
                        waiting.append((inner, parsed))
    return found


def _parse(path: Path) -> ast.Module | None:
    """Parse a module; one that cannot be parsed shows in the games, if it is ever imported."""
    if path.stat().st_size > _SOURCE_LIMIT:
        return None
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _files_of(folder: Path, module: str) -> Iterator[str]:
    """The archive's files that are executed by ``import module``."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        path = "/".join(parts[:depth])
        for name in (f"{path}.py", f"{path}/__init__.py"):
            if (folder / name).is_file():
                yield name


def _imports(file: str, tree: ast.Module) -> list[Import]:
    """The imports of one module; relative ones are made absolute."""
    package = file.removesuffix("/__init__.py").removesuffix(".py").split("/")
    if not file.endswith("/__init__.py"):
        package = package[:-1]
    found: list[Import] = []

    def add(node: ast.stmt, module: str, sure: bool, lazy: bool) -> None:
        found.append(Import(file, node.lineno, module, sure, lazy))

    def walk(body: Sequence[ast.stmt], sure: bool, lazy: bool) -> None:
        for node in body:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    add(node, alias.name, sure, lazy)
            elif isinstance(node, ast.ImportFrom):
                start = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*start, *([node.module] if node.module else [])])
                if module:
                    add(node, module, sure, lazy)
                for alias in node.names:  # "from package import module" executes the module too
                    if module and alias.name != "*" and node.level + len(start):
                        add(node, f"{module}.{alias.name}", False, lazy)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                walk(node.body, False, True)
            elif isinstance(node, (ast.ClassDef, ast.With)):
                walk(node.body, sure, lazy)
            elif isinstance(node, ast.Try):
                walk(node.body, sure and not _guards_imports(node), lazy)
                for inner in (*(handler.body for handler in node.handlers), node.orelse):
                    walk(inner, False, lazy)
                walk(node.finalbody, sure, lazy)
            else:
                for inner in (getattr(node, "body", []), getattr(node, "orelse", [])):
                    if isinstance(inner, list):
                        walk(inner, False, lazy)

    walk(tree.body, True, False)
    return found


def _guards_imports(node: ast.Try) -> bool:
    """Does this ``try`` catch a failed import?"""
    return catches(node, _GUARDS)


def catches(node: ast.Try, names: set[str]) -> bool:
    """Does this ``try`` have a handler for one of `names`?"""
    for handler in node.handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            if kind is None or (isinstance(kind, ast.Name) and kind.id in names):
                return True
    return False
