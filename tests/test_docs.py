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


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize(("hook", "code"), EXAMPLES, ids=[hook for hook, _ in EXAMPLES])
def test_every_example_loads_and_does_what_its_section_is_about(hook, code, tmp_path):
    file = tmp_path / "example.py"
    file.write_text(code)
    host = load_plugins([file])
    assert not host.broken, host.broken[0].problem
    assert f"def {hook}(" in code
    entries = host.registry.entries("example.py")
    for entry in entries:
        assert callable(host.registry.load(entry.kind, entry.name))
    assert {f"register_{entry.kind}" for entry in entries} == ({hook} if "register(" in code else set())


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
