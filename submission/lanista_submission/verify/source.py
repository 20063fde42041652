"""What can be said about an archive from its source alone.

A finding is a fault here only where no game could turn out otherwise; all else is a *suspect*, which explains
a fault that the games show, or becomes a warning if they show none.
"""

import ast
from dataclasses import dataclass, field, replace
from pathlib import Path

from lanista.hints import one_line
from lanista_submission.verify.imports import Import, archive_modules, catches, reached_imports, read_main
from lanista_submission.verify.problem import ArchiveError, Problem
from lanista_submission.verify.profile import PlatformPackages

FIND_FOLDER = 'take the folder from configuration["__raw_path__"] or from __file__ of an imported module'

_AGENT_WORDS = ("agent", "act", "bot", "player", "move")
_OBSERVATION_WORDS = ("obs", "state")


@dataclass(frozen=True)
class Defined:
    """A function or class at main.py's top level."""

    name: str
    line: int
    #: function, class or other
    kind: str
    #: names of the positional parameters
    parameters: tuple[str, ...] = ()

    @property
    def looks_like_agent(self) -> bool:
        """Named like an agent, or taking an observation, and callable with at most two arguments."""
        if self.kind != "function" or len(self.parameters) > 2:
            return False
        observes = any(
            self.parameters[:1] and self.parameters[0].startswith(word) for word in _OBSERVATION_WORDS
        )
        return observes or sounds_like_agent(self.name)


def sounds_like_agent(name: str) -> bool:
    """Is this what people call their agent?"""
    return any(word in name.lower().split("_") for word in _AGENT_WORDS)


@dataclass
class Source:
    """What main.py and the modules that it reaches say about themselves."""

    #: top-level names importable from the archive
    modules: set[str]
    imports: list[Import]
    defined: list[Defined]
    suspects: list[Problem] = field(default_factory=list)
    #: packages that the platform has and that are surely imported: where
    needed: dict[str, Import] = field(default_factory=dict)
    #: packages that the platform has and that are imported if they are there, or later
    wanted: dict[str, Import] = field(default_factory=dict)


def read_source(folder: Path, names: tuple[str, ...], packages: PlatformPackages) -> Source:
    """Read an unpacked archive; raises `ArchiveError` for what no game can mend."""
    tree = _parse_main(folder, packages)
    modules = archive_modules(names)
    imports = reached_imports(folder, tree)
    source = Source(modules, imports, _definitions(tree))
    _check_dunder_file(tree, source)
    _check_dunder_name(tree, source)
    _check_packages(source, packages)
    _check_lazy(source)
    return source


def _parse_main(folder: Path, packages: PlatformPackages) -> ast.Module:
    try:
        text = read_main(folder)
    except UnicodeDecodeError as error:
        raise ArchiveError("not_utf8", f"main.py is not UTF-8 text ({error}); save it as UTF-8") from error
    try:
        # feature_version refuses most, not all, of what came later; the judge's own Python has the last word
        return ast.parse(text, "main.py", feature_version=(3, 11))
    except SyntaxError as error:
        why = f"main.py line {error.lineno}: {one_line(error.msg)}"
    except (ValueError, RecursionError, MemoryError) as error:
        why = f"main.py: {one_line(error)}"
    raise ArchiveError(
        "syntax",
        f"main.py is not Python {packages.python[:4]}, which the platform runs ({why}); rewrite that line",
    )


def _definitions(tree: ast.Module) -> list[Defined]:
    """Names bound at top level in the order of their first binding: the order that the platform looks at."""
    found: dict[str, Defined] = {}

    def bind(name: str, line: int, kind: str, parameters: tuple[str, ...] = ()) -> None:
        found[name] = Defined(name, line, kind, parameters)  # a name that is bound again keeps its place

    def walk(body: list[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                arguments = (*node.args.posonlyargs, *node.args.args)
                bind(node.name, node.lineno, "function", tuple(argument.arg for argument in arguments))
            elif isinstance(node, ast.ClassDef):
                bind(node.name, node.lineno, "class")
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        bind(target.id, node.lineno, "other")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    bind(alias.asname or alias.name, node.lineno, "other")
            elif isinstance(node, ast.Delete):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        found.pop(target.id, None)
            else:
                for part in ("body", "orelse", "finalbody"):
                    inner = getattr(node, part, None)
                    if isinstance(inner, list):
                        walk(inner)

    walk(tree.body)
    return list(found.values())


def _check_dunder_file(tree: ast.Module, source: Source) -> None:
    """``__file__`` is not defined in main.py: the platform executes its text in empty globals."""
    for node, sure in _walk_surely(tree):
        if isinstance(node, ast.Name) and node.id == "__file__":
            problem = dunder_file(f"main.py line {node.lineno}")
            if sure:
                raise ArchiveError(problem.code, problem.message)
            source.suspects.append(replace(problem, weight="warning"))
            return


def _walk_surely(tree: ast.Module) -> list[tuple[ast.AST, bool]]:
    """Every node, and whether it is evaluated for sure when the module is executed."""
    found: list[tuple[ast.AST, bool]] = []
    unsure = (
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.Lambda,
        ast.If,
        ast.IfExp,
        ast.For,
        ast.While,
        ast.BoolOp,
        ast.Match,
    )

    def walk(node: ast.AST, sure: bool) -> None:
        found.append((node, sure))
        guarded = isinstance(node, unsure) or (
            isinstance(node, ast.Try) and catches(node, {"NameError", "Exception", "BaseException"})
        )
        for child in ast.iter_child_nodes(node):
            walk(child, sure and not guarded and not isinstance(child, ast.ExceptHandler))

    walk(tree, True)
    return found


def _check_dunder_name(tree: ast.Module, source: Source) -> None:
    """``__name__`` is "builtins" there, so a block under ``if __name__ == "__main__"`` never runs."""
    for node in tree.body:
        if isinstance(node, ast.If) and any(
            isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test)
        ):
            source.suspects.append(
                Problem(
                    "dunder_name",
                    f"main.py line {node.lineno} asks for __name__, which is 'builtins' on the platform, so "
                    f"the block never runs there; move what the agent needs out of it",
                    "warning",
                )
            )


def _check_packages(source: Source, packages: PlatformPackages) -> None:
    """Sort imports into what the platform lacks, what it has, and the archive's own."""
    listed = f"list of {packages.date}: {packages.source}"
    for item in source.imports:
        if item.top in source.modules:
            continue
        if item.top in packages.present:
            (source.needed if item.sure else source.wanted).setdefault(item.top, item)
        elif item.top in packages.absent:
            message = (
                f"{item.file} line {item.line} imports {item.top}, which the platform does not have "
                f"({listed}); do without it or put it into the archive"
            )
            if item.sure:
                raise ArchiveError("missing_package", message)
            source.suspects.append(Problem("missing_package", message, "warning"))


def _check_lazy(source: Source) -> None:
    """An import inside a function of a module of the archive works only if somebody imported it before."""
    early = {item.top for item in source.imports if not item.lazy}
    for item in source.imports:
        if item.lazy and item.top in source.modules and item.top not in early:
            source.suspects.append(lazy_import(item.file, item.line, item.top))
            return


def dunder_file(where: str) -> Problem:
    """The sentence on a name that main.py lacks."""
    return Problem(
        "dunder_file",
        f"{where} uses __file__, which is not defined there since the platform executes main.py's text in "
        f"empty globals; {FIND_FOLDER}",
    )


def lazy_import(file: str, line: int, module: str) -> Problem:
    """The sentence on an import that comes too late."""
    return Problem(
        "lazy_import",
        f"{file} line {line} imports {module} inside a function, but the archive's folder is on the path "
        f"only while main.py is executed; import it at the top of main.py",
        "warning",
    )
