import numpy as np
import pytest
import torch

from lanista.phases import PhaseContext
from lanista.policy import Policy, build_policy
from lanista.policy_player import PolicyPlayer
from lanista.tables import EnvTable

ROWS = np.repeat(np.arange(400), 2), np.tile([0, 1], 400)


@pytest.fixture
def env_and_policy(registry, tmp_path):
    context = PhaseContext(registry, EnvTable(use="connectx"), "p", tmp_path, 0, 1, {})
    env = context.make_env(400)
    env.reset(0)
    torch.manual_seed(1)
    settings = registry.settings("networks", "mlp", {"hidden": [8]}).model_dump(mode="json")
    policy: Policy = build_policy(context.card(env, "mlp", settings), registry)
    return env, policy


def test_a_greedy_player_repeats_itself_and_keeps_no_stream(env_and_policy) -> None:
    env, policy = env_and_policy
    player = PolicyPlayer(policy, 0, greedy=True)
    assert (player.act(env, *ROWS)["column"] == player.act(env, *ROWS)["column"]).all()
    assert player.state() == {}


def test_a_share_of_random_moves_is_that_share_and_legal(env_and_policy) -> None:
    env, policy = env_and_policy
    env.legal["column"][:, :, 3] = False
    plain = PolicyPlayer(policy, 0, greedy=True).act(env, *ROWS)["column"]
    varied = PolicyPlayer(policy, 0, greedy=True, random_share=0.5).act(env, *ROWS)["column"]
    # A random move is the greedy one in one of six cases.
    assert (varied != plain).mean() == pytest.approx(0.5 * 5 / 6, abs=0.06)
    assert (varied != 3).all()


@pytest.mark.parametrize("options", [{}, {"greedy": True, "random_share": 0.3}])
def test_the_stream_goes_on_after_a_stop(env_and_policy, options: dict) -> None:
    env, policy = env_and_policy
    player = PolicyPlayer(policy, 5, **options)
    player.act(env, *ROWS)
    state = {name: array.copy() for name, array in player.state().items()}
    after = player.act(env, *ROWS)["column"]
    again = PolicyPlayer(policy, 6, **options)
    again.load_state(state)
    assert (again.act(env, *ROWS)["column"] == after).all()
