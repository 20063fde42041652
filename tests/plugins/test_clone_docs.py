"""The recipe snippets of the pages on cloning and on learners are recipes."""

import re
import tomllib
from pathlib import Path

import pytest

from lanista.plugins import load_plugins
from lanista.recipe import check_recipe

DOCS = Path(__file__).parents[2] / "docs"
SNIPPETS = [
    (page, text)
    for page in ("cloning.md", "learners.md")
    for text in re.findall(
        r"^```toml\n(.*?)^```$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
]


@pytest.mark.parametrize(("page", "text"), SNIPPETS, ids=[page for page, _ in SNIPPETS])
def test_a_snippet_is_a_recipe(page, text):
    found = tomllib.loads(text if text.startswith("[[phases]]") else "[[phases]]\n" + text)
    start = {"name": "only", "kind": "train", "network": "mlp", "until": {"steps": 1}}
    phases = [phase if "kind" in phase else {**start, **phase} for phase in found["phases"]]
    recipe = check_recipe({"name": "t", "env": "connectx", "phases": phases}, load_plugins().registry)
    assert len(recipe.phases) == len(phases)
