"""The walls of the house: a star of imports, light loading, telling file names, files of one idea."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = {
    "lanista": ROOT / "core" / "lanista",
    "lanista_plugins": ROOT / "plugins" / "lanista_plugins",
    "lanista_envs": ROOT / "envs" / "lanista_envs",
    "lanista_agents": ROOT / "agents" / "lanista_agents",
    "lanista_submission": ROOT / "submission" / "lanista_submission",
}
FORBIDDEN = {
    "base", "bases", "common", "data", "do", "done", "engine", "handler", "handlers", "helper", "helpers",
    "manager", "managers", "misc", "process", "tools", "util", "utils",
}  # fmt: skip
MAX_LINES = 400


def sources(package: str) -> list[Path]:
    """Every Python file of a package; its playing child processes' files too."""
    return sorted(PACKAGES[package].rglob("*.py"))


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every import of a file, those inside functions too; relative ones stay inside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.lineno, node.module


def spelt(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module) of every text that names one of our modules, as `import_module` or a target would."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            match = re.fullmatch(r"(lanista(?:_\w+)?)(?:\.\w+)*(?::.*)?", node.value)
            if match is not None:
                yield node.lineno, match[1]


def trespasses(package: str, tree: ast.AST) -> list[str]:
    """What a file of `package` imports, or names, of a package that it must not know."""
    walls = set(PACKAGES) - {package, "lanista"}
    found = [*imported(tree), *((line, name) for line, name in spelt(tree) if name in walls)]
    return [f"line {line}: {module}" for line, module in found if module.partition(".")[0] in walls]


def test_the_packages_are_where_the_map_says():
    for name, folder in PACKAGES.items():
        assert [path.parent.name for path in folder.parent.glob("*/__init__.py")] == [name]
    assert sum(len(sources(package)) for package in PACKAGES) >= 60


@pytest.mark.parametrize("package", PACKAGES)
def test_the_imports_form_a_star(package):
    problems = {
        str(path.relative_to(ROOT)): found
        for path in sources(package)
        if (found := trespasses(package, ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert not problems


@pytest.mark.parametrize(
    "text",
    [
        "import lanista_agents",
        "def f():\n    from lanista_agents.ppo import Ppo",
        "import json, lanista_agents.ppo as ppo",
        "importlib.import_module('lanista_agents.ppo')",
        "register('x', 'lanista_agents.ppo:make')",
    ],
)
def test_the_star_test_sees_what_it_should(text):
    assert trespasses("lanista_envs", ast.parse(text))
    assert not trespasses("lanista_agents", ast.parse(text))


def test_file_names_tell_what_is_inside():
    named = {path.stem for package in PACKAGES for path in sources(package)}
    folders = {path.parent.name for package in PACKAGES for path in sources(package)}
    assert not (named | folders) & FORBIDDEN


def test_a_file_has_one_idea():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for package in PACKAGES
        for path in sources(package)
    }
    assert {path: length for path, length in lengths.items() if length > MAX_LINES} == {}


def test_every_package_says_that_it_is_typed():
    assert all((folder / "py.typed").is_file() for folder in PACKAGES.values())


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after `code`."""
    report = "import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    out = subprocess.run(
        [sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True
    )
    return set(json.loads(out.stdout.splitlines()[-1]))


HEAVY = {
    "torch", "numba", "llvmlite", "onnx", "onnxruntime", "onnxscript", "gymnasium", "pettingzoo", "scipy",
    "tensorboard", "kaggle_environments",
}  # fmt: skip


def test_importing_lanista_loads_next_to_nothing():
    loaded = loaded_by("import lanista")
    assert "lanista" in loaded
    assert not loaded & (HEAVY | {"numpy", "pydantic", "typer", "rich"} | (set(PACKAGES) - {"lanista"}))


def test_loading_every_plugin_and_command_loads_nothing_heavy():
    loaded = loaded_by(
        "from lanista.cli.app import build_app\n"
        "from lanista.plugins import start_host\n"
        "host = start_host()\n"
        "build_app(host)\n"
        "assert not host.broken, [str(plugin.problem) for plugin in host.broken]"
    )
    assert set(PACKAGES) <= loaded
    assert not loaded & HEAVY


def test_every_target_lies_in_its_owners_package(registry):
    entries = registry.entries()
    assert len(entries) >= 15
    homes = {"agents": "lanista_agents", "envs": "lanista_envs", "plugins": "lanista_plugins"}
    homes["submission"] = "lanista_submission"
    for entry in entries:
        assert entry.target.partition(":")[0].partition(".")[0] == homes[entry.owner], entry


def test_every_entry_has_a_summary_and_settings_with_a_line_a_field(registry):
    for entry in registry.entries():
        assert entry.summary, f"{entry.words} has no summary"
        assert entry.settings.model_config.get("frozen"), f"{entry.settings.__name__} is not frozen"


def test_every_field_of_a_settings_model_has_its_line():
    """The line `#: what it is, unit, range` above a field is the documentation of a recipe's key."""
    missing, seen = [], 0
    for package in PACKAGES:
        for path in sources(package):
            if path.name != "settings.py":
                continue
            lines = path.read_text(encoding="utf-8").splitlines()
            for node in ast.walk(ast.parse("\n".join(lines))):
                if not isinstance(node, ast.ClassDef):
                    continue
                for field in node.body:
                    if isinstance(field, ast.AnnAssign) and "ClassVar" not in ast.unparse(field.annotation):
                        seen += 1
                        if not lines[field.lineno - 2].strip().startswith("#:"):
                            missing.append(f"{path.relative_to(ROOT)}:{field.lineno}")
    assert seen >= 30
    assert missing == []
