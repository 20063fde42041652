"""Which source files a set of kernels is made of: their modules and all that these import, constants included.

numba freezes a global number into machine code, so an edit of a module that holds nothing but constants must make
new machine code too. Such a module leaves no trace in the one that imports a number from it; only the source does.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType

#: known to numba or part of it; their versions stand in the cache's key beside the sources
_KNOWN = frozenset({"numpy", "numba", "llvmlite"})


def is_portable(module: ModuleType) -> bool:
    """True for modules that are compiled along: not numpy and the standard library, which numba knows."""
    top = module.__name__.partition(".")[0]
    return top not in _KNOWN and top not in sys.stdlib_module_names


def imported_modules(module: ModuleType) -> list[ModuleType]:
    """The portable modules that the source of `module` names in its imports, where they are loaded.

    What is imported for type checkers alone does not count.
    """
    with open(module.__file__ or "", encoding="utf-8") as file:
        tree = ast.parse(file.read(), module.__file__ or "")
    package = module.__spec__.parent if module.__spec__ else module.__name__.rpartition(".")[0]
    found: dict[str, ModuleType] = {}
    for name in _names(tree, package or ""):
        value = sys.modules.get(name)
        if (
            value is not None
            and value is not module
            and getattr(value, "__file__", None)
            and is_portable(value)
        ):
            found[name] = value
    return list(found.values())


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """The dotted names of the modules that importing statements in `node` read from."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from _names_from(node, package)
    else:
        children = ast.iter_child_nodes(node)
        if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            children = iter(node.orelse)
        for child in children:
            yield from _names(child, package)


def _names_from(statement: ast.ImportFrom, package: str) -> Iterator[str]:
    """``from a import b``: the module a.b if there is one, else a itself, where b is something in it."""
    dots = "." * statement.level + (statement.module or "")
    try:
        base = importlib.util.resolve_name(dots, package)
    except ImportError:  # a relative import in a file that was loaded without its package
        return
    for alias in statement.names:
        inner = f"{base}.{alias.name}"
        yield inner if inner in sys.modules else base
