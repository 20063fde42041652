"""Games of kaggle-environments for tests: they need the judging environment."""

from pathlib import Path

import pytest

from lanista.judge import NoJudgeError, find_judge
from lanista.plugins import load_plugins

HERE = Path(__file__).parent
GEESE = HERE.parents[2] / "examples" / "hungry_geese" / "geese_codec.py"
CONNECTX = HERE / "connectx_codec.py"


@pytest.fixture(scope="session")
def judge():
    try:
        return find_judge()
    except NoJudgeError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def registry():
    return load_plugins().registry


@pytest.fixture
def make(judge, registry):
    """Build envs by name and close them all."""
    made = []

    def build(name, num_games=2, num_threads=1, **table):
        table = {"num_workers": 1, **table}
        env = registry.load("envs", name)(num_games, registry.settings("envs", name, table), num_threads)
        made.append(env)
        return env

    yield build
    for env in made:
        env.close()
