"""The pages on losses and on several teachers: every loss is there, and every recipe in them can be run."""

import re
import tomllib
from pathlib import Path

import pytest

from lanista.plugins import load_plugins
from lanista.recipe import check_recipe

ROOT = Path(__file__).parent.parent
LOSSES = (ROOT / "docs" / "distillation-losses.md").read_text(encoding="utf-8")
SEVERAL = (ROOT / "docs" / "several-teachers.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
REGISTRY = load_plugins().registry
RECIPES = {
    **{f"block {place}": text for place, text in enumerate(BLOCK.findall(LOSSES + SEVERAL))},
    **{path.name: path.read_text() for path in sorted((ROOT / "examples" / "distill").glob("*.toml"))},
}


def test_every_loss_that_comes_with_lanista_has_a_row_and_nothing_else_has():
    own = [entry.name for entry in REGISTRY.entries("plugins") if entry.kind == "distillers"]
    assert sorted(ROW.findall(LOSSES)) == sorted(own)


def test_every_setting_of_a_loss_is_named():
    for entry in REGISTRY.entries("plugins"):
        if entry.kind == "distillers":
            for name in entry.settings.model_fields:
                assert f"`{name}`" in LOSSES or f"`{name} =" in LOSSES, (entry.name, name)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_on_the_pages_and_beside_them_is_whole(name):
    check_recipe(tomllib.loads(RECIPES[name]), REGISTRY)


def test_ways_of_combining_are_all_told():
    from lanista_plugins.phases.settings import TaughtBy

    for way in TaughtBy.model_fields["combine"].annotation.__args__:
        assert f'`"{way}"`' in SEVERAL
