"""The documentation is held against the code: every hook with its arguments, every example loads."""

import inspect
import re
from pathlib import Path

import pytest

from lanista import hookspecs
from lanista.plugins import PluginHost, load_plugins

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "plugins.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections() -> dict[str, str]:
    """Heading -> text of every hook section of the page."""
    parts = re.split(r"^### `(.*)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def heading(name: str) -> str:
    return f"{name}({', '.join(inspect.signature(getattr(hookspecs, name)).parameters)})"


def test_every_hook_is_documented_with_its_arguments_and_nothing_else_is():
    names = PluginHost().hook_names
    assert len(names) >= 17
    assert list(sections()) == [heading(name) for name in names]


def test_every_section_says_something():
    for name, text in sections().items():
        assert len(BLOCK.sub("", text).split()) >= 8, name


EXAMPLES = [
    (name.partition("(")[0], code) for name, text in sections().items() for code in BLOCK.findall(text)
]


def test_every_hook_has_an_example_that_is_a_whole_plugin():
    assert {hook for hook, _ in EXAMPLES} == set(PluginHost().hook_names)


@pytest.mark.parametrize(("hook", "code"), EXAMPLES, ids=[hook for hook, _ in EXAMPLES])
def test_every_example_loads_and_does_what_its_section_is_about(hook, code, tmp_path):
    file = tmp_path / "example.py"
    file.write_text(code)
    host = load_plugins([file])
    assert not host.broken, host.broken[0].problem
    assert f"def {hook}(" in code
    entries = host.registry.entries("example.py")
    for entry in entries:
        assert entry.kind == "recipes" or callable(host.registry.load(entry.kind, entry.name))
    assert {f"register_{entry.kind}" for entry in entries} == ({hook} if "register(" in code else set())


@pytest.mark.parametrize(
    ("hook", "code"),
    [(hook, code) for hook, code in EXAMPLES if hook != "register_recipes"],
    ids=[hook for hook, _ in EXAMPLES if hook != "register_recipes"],
)
def test_every_example_runs_and_keeps_the_contract_of_its_kind(hook, code, tmp_path):
    from lanista.testing.plugin_check import Wish, checks_of, verdict

    file = tmp_path / "example.py"
    file.write_text(code)
    host = load_plugins([file])
    checks = list(checks_of(host, host.plugins[-1], Wish()))
    assert len(checks) == 1
    assert [verdict(check, host.plugins[-1]) for check in checks] == [None]


def test_the_example_recipe_runs_from_its_package(tmp_path, monkeypatch):
    from lanista.cli import main
    from lanista.testing import check_recipe_offer

    text = sections()["register_recipes(register)"]
    (code,), (recipe,) = (
        BLOCK.findall(text),
        re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL),
    )
    package, info = tmp_path / "lanista_short", tmp_path / "lanista_short-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text(code)
    (package / "short.toml").write_text(recipe)
    (info / "METADATA").write_text("Name: lanista-short\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[lanista]\nshort = lanista_short\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    check_recipe_offer(load_plugins().registry, "short")
    monkeypatch.chdir(tmp_path)
    assert main(["run", "short", "--out", "run"]) == 0
    assert (tmp_path / "run" / "final" / "policy.json").is_file()


def test_the_example_test_passes(tmp_path, monkeypatch):
    (tmp_path / "speed.py").write_text(BLOCK.findall(PAGE.read_text(encoding="utf-8"))[0])
    (code,) = [
        block for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if "def test_my_shaper" in block
    ]
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {}
    exec(code, namespace)
    namespace["test_my_shaper_keeps_its_contract"]()  # type: ignore[operator]  # it is the function


def test_the_example_env_keeps_the_contract(tmp_path):
    from lanista.testing import check_env

    (code,) = [code for hook, code in EXAMPLES if hook == "register_envs"]
    file = tmp_path / "example.py"
    file.write_text(code)
    registry = load_plugins([file]).registry
    check_env(registry.load("envs", "guess"))


def test_the_first_example_is_the_readmes():
    (page, *_), (readme, *_) = (
        BLOCK.findall((ROOT / name).read_text(encoding="utf-8")) for name in ("docs/plugins.md", "README.md")
    )
    assert page == readme
