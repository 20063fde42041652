"""Archives for the target `local`: they play as the policy does, whatever its heads, and need no plugin to be packed."""

import json
import tarfile
from textwrap import dedent

import numpy as np
import pytest
import torch

from lanista.cli import main
from lanista.plugins import load_plugins, start_host
from lanista.policy import PolicyCard, build_policy
from lanista.policy_player import PolicyPlayer
from lanista_submission.errors import PackError
from lanista_submission.export.policy import export_policy
from lanista_submission.export.record import record_play
from lanista_submission.targets.local import Local
from lanista_submission.verify import verify_archive

from .conftest import BIDS


def exported(registry, env_name, settings, path):
    """An untrained policy as ONNX, and the env that it plays."""
    env = registry.load("envs", env_name)(1, registry.settings("envs", env_name, settings), 1)
    torch.manual_seed(3)
    card = PolicyCard(env_name, settings, env.spec, "mlp", {"hidden": [8], "policy_gain": 1.0}, name="small")
    policy = build_policy(card, registry)
    return export_policy(policy, path, record_play(policy, registry, 40)).path, policy, env


@pytest.fixture(scope="module")
def bids(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bids")
    (folder / "bids.py").write_text(dedent(BIDS))
    registry = load_plugins([folder / "bids.py"]).registry
    return folder, *exported(registry, "bids", {"most": 5}, folder / "policy.onnx")


def test_several_heads_play_as_the_policy_does_in_every_seat(bids, tmp_path):
    folder, model, policy, env = bids
    archive = Local(start_host([folder / "bids.py"]).registry).pack([model], tmp_path / "bids.tar.gz")
    report = verify_archive(archive, games=1, jobs=1, keep=tmp_path / "games")
    assert report.ok, report.lines()
    assert report.results.keys() == {"dict"}
    env.reset(0)
    chosen = PolicyPlayer(policy, 0, greedy=True).act(env, np.zeros(3, np.int64), np.arange(3))
    game = json.loads((tmp_path / "games" / "itself-seat1-0000.json").read_text())
    assert game["moves"] == [
        [[seat, {head: int(array[seat]) for head, array in chosen.items()}] for seat in range(3)]
    ]


def test_an_archive_is_packed_without_the_plugin_and_tells_its_env(bids, tmp_path, capsys):
    _, model, _, _ = bids
    assert main(["pack", str(model), "--target", "local", "--out", str(tmp_path / "out.tar.gz")]) == 0
    with tarfile.open(tmp_path / "out.tar.gz") as tar:
        names = tar.getnames()
        (card,) = [name for name in names if name.endswith("/card.json")]
        told = json.loads(tar.extractfile(card).read())
    assert (told["target"], told["env"], told["env_settings"]) == ("local", "bids", {"most": 5})
    assert "main.py" in names
    assert any(name.endswith("/local_codec.py") for name in names)


def test_policies_of_two_envs_do_not_share_an_archive(bids, registry, tmp_path):
    _, model, _, _ = bids
    other, _, _ = exported(registry, "cartpole", {}, tmp_path / "cartpole.onnx")
    with pytest.raises(PackError, match="plays env 'cartpole' and policy 'small' env 'bids'"):
        Local(registry).pack([model, other], tmp_path / "both.tar.gz")


@pytest.mark.slow
def test_real_numbers_are_sent_as_lists_within_their_bounds(registry, tmp_path):
    model, policy, env = exported(registry, "pendulum", {}, tmp_path / "policy.onnx")
    start_host()
    report = verify_archive(
        Local(registry).pack([model], tmp_path / "p.tar.gz"), games=1, jobs=1, keep=tmp_path / "games"
    )
    assert report.ok, report.lines()
    assert report.results.keys() == {"list"}
    (game,) = (tmp_path / "games").glob("*.json")
    told = json.loads(game.read_text())
    env.reset(told["seed"])
    chosen = PolicyPlayer(policy, 0, greedy=True).act(env, np.zeros(1, np.int64), np.zeros(1, np.int64))
    for head, array in chosen.items():
        assert np.allclose(told["moves"][0][0][1][head], array[0], atol=1e-5)
