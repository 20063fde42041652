"""The recipe `pendulum` over seeds: what it promises, held on start states that no phase has seen."""

import pytest

from lanista.matches import evaluate_returns
from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.policy_player import PolicyPlayer
from lanista.recipe import check_recipe, read_recipe
from lanista.run import Run
from lanista_submission.export.policy import export_folder

HOST = load_plugins()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(5))
def test_every_seed_swings_up_and_leaves_as_a_file_that_agrees(seed, tmp_path):
    values = {**read_recipe("pendulum", HOST.registry), "seed": seed}
    Run.create(tmp_path / "run", check_recipe(values, HOST.registry), HOST).play()
    env = HOST.registry.load("envs", "pendulum")(100, None, 1)
    for folder in ("phases/swing/policy", "final"):
        policy = load_policy(tmp_path / "run" / folder, HOST.registry)
        returns = evaluate_returns(env, PolicyPlayer(policy, 0, greedy=True), 100, seed=90_000 + seed)
        assert returns.mean() >= -200.0
    report = export_folder(tmp_path / "run", None, HOST.registry)
    assert all(row.within and row.equal == 1.0 for row in report.comparisons)
