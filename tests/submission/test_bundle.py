"""Archives for kaggle:connectx: what is in them, and that they play the policy with numpy alone."""

import io
import json
import os
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import torch

from lanista.policy import PolicyCard, build_policy
from lanista_submission.bundle.archive import MTIME, archive_bytes
from lanista_submission.bundle.pack import pack, read_network
from lanista_submission.errors import PackError
from lanista_submission.export.policy import export_policy
from lanista_submission.export.record import record_play
from lanista_submission.targets.kaggle import KaggleTarget
from lanista_submission.targets.kaggle_connectx import PROFILE

CONFIG = {"rows": 6, "columns": 7, "inarow": 4, "actTimeout": 2, "timeout": 2}
#: runs an archive as the platform does, in a process that has nothing but numpy; prints the replies as JSON
SEAT = """
import json, sys
for name in "torch numba onnx onnxruntime pydantic lanista lanista_envs lanista_submission".split():
    sys.modules[name] = None  # importing it raises
folders, turns = json.loads(sys.argv[1]), json.loads(sys.stdin.read())
agents = []
for folder in folders:
    with open(folder + "/main.py") as file:
        source = file.read()
    env = {}
    sys.path.append(folder)
    exec(compile(source, folder + "/main.py", "exec"), env)
    sys.path.pop()
    left = [name for name, value in env.items() if callable(value)]
    assert left == ["agent"], left
    agents.append([value for value in env.values() if callable(value)][-1])
assert agents[0].__code__.co_argcount == 2
replies = []
for turn in turns:
    reply = agents[turn["seat"]](turn["obs"], turn["config"])
    replies.append([type(reply).__name__, reply])
loaded = sorted(name for name in sys.modules if name.startswith("lanista_bundle") and "." not in name)
faults = [dict(agent.player.faults) for agent in agents]
turns = [dict(agent.player.turns) for agent in agents]
print(json.dumps({"replies": replies, "loaded": loaded, "faults": faults, "turns": turns}))
"""


def play_archive(folders, turns, tmp_path, strict=True):
    """Give every turn's reply and what the agents counted; nothing but that may be printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment |= {"LANISTA_STRICT": "1" if strict else "0", "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", SEAT, json.dumps([str(folder) for folder in folders])],
        input=json.dumps(turns), capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def turn_of(board, mark, seat=0, overage=60.0, **config):
    obs = {
        "board": board,
        "mark": mark,
        "remainingOverageTime": overage,
        "step": sum(cell != 0 for cell in board),
    }
    return {"obs": obs, "config": {**CONFIG, **config}, "seat": seat}


def connectx_policy(registry, hidden, seed=0, network="mlp", **settings):
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", settings), 1)
    table = {"hidden": hidden, "policy_gain": 1.0} if network == "mlp" else {"channels": 4, "hidden": hidden}
    torch.manual_seed(seed)
    card = PolicyCard("connectx", settings, env.spec, network, table, name=f"{network}-{hidden}")
    return build_policy(card, registry)


@pytest.fixture(scope="module")
def policies(registry):
    return [connectx_policy(registry, [24]), connectx_policy(registry, [4], seed=1)]


@pytest.fixture(scope="module")
def models(registry, policies, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    recorded = record_play(policies[0], registry, 60)
    return [export_policy(policy, folder / f"{n}.onnx", recorded).path for n, policy in enumerate(policies)]


@pytest.fixture(scope="module")
def archive(registry, models, tmp_path_factory):
    return pack(models[:1], PROFILE, tmp_path_factory.mktemp("packed") / "a.tar.gz", registry)


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    return unpack(archive, tmp_path_factory.mktemp("unpacked"))


def unpack(archive, folder):
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder


def games_of(registry, policy, count):
    """Positions of random games, as the platform shows them: (board, mark) lists."""
    env = registry.load("envs", "connectx")(8, registry.settings("envs", "connectx", {}), 1)
    env.reset(0)
    rng = np.random.default_rng(0)
    found = []
    while len(found) < count:
        seats = env.acting.argmax(axis=1)
        legal = env.legal["column"][np.arange(8), seats]
        found += [(env.board[game].tolist(), int(seats[game]) + 1) for game in range(8)]
        columns = np.zeros((8, 2), np.int64)
        columns[np.arange(8), seats] = [rng.choice(np.flatnonzero(row)) for row in legal]
        env.step({"column": columns})
    env.close()
    return found[:count]


def greedy_moves(policy, registry, positions):
    """What the torch policy plays there, through the env's own observation."""
    env = registry.load("envs", "connectx")(1, registry.settings("envs", "connectx", {}), 1)
    moves = []
    for board, mark in positions:
        env.start_from(board)
        env.reset(0)
        observation = {"board": torch.from_numpy(env.observation["board"][:, mark - 1].copy())}
        legal = {"column": torch.from_numpy(env.legal["column"][:, mark - 1].copy())}
        moves.append(int(policy.act(observation, legal, None)[0]["column"]))
    env.close()
    return moves


def test_the_archive_holds_main_at_its_root_and_one_package(archive):
    with tarfile.open(archive) as file:
        members = file.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names)
    assert "main.py" in names
    packages = {name.split("/")[0] for name in names if "/" in name}
    assert len(packages) == 1
    package = packages.pop()
    assert package.startswith("lanista_bundle_")
    assert len(package) == len("lanista_bundle_") + 8
    assert {name.split("/")[1] for name in names if "/" in name} >= {
        "__init__.py", "codec.py", "rules.py", "execute.py", "plan.json", "weights.npz", "clock.py", "card.json",
    }  # fmt: skip
    assert all(member.isfile() and member.mode == 0o644 and member.mtime == MTIME for member in members)
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}


def test_the_same_policy_gives_the_same_archive_and_another_one_another_package(
    registry, models, archive, tmp_path
):
    again = pack(models[:1], PROFILE, tmp_path / "b.tar.gz", registry)
    assert again.read_bytes() == archive.read_bytes()
    other = pack(models[1:], PROFILE, tmp_path / "c.tar.gz", registry)
    with tarfile.open(archive) as one, tarfile.open(other) as two:
        packages = [{name.split("/")[0] for name in file.getnames()} - {"main.py"} for file in (one, two)]
    assert packages[0].isdisjoint(packages[1])


def test_main_uses_no_file_and_little_else(unpacked):
    source = (unpacked / "main.py").read_text()
    assert "__file__" not in source
    assert "__name__" not in source
    assert len([line for line in source.splitlines() if line and not line.startswith('"')]) == 5


def test_the_card_says_what_plays(unpacked, policies, registry, models, tmp_path):
    card = json.loads(next(unpacked.glob("*/card.json")).read_text())
    assert (card["target"], card["env"]) == ("kaggle:connectx", "connectx")
    (network,) = card["networks"]
    assert network["parameters"] == policies[0].num_parameters
    assert len(network["sha256"]) == 64
    assert network["comparison"]["observations"] == 60
    assert card["provenance"] == {}
    told = pack(models[:1], PROFILE, tmp_path / "d.tar.gz", registry, {"seed": 7})
    assert json.loads(next(unpack(told, tmp_path / "d").glob("*/card.json")).read_text())["provenance"] == {
        "seed": 7
    }


def test_the_agent_plays_what_the_policy_plays(unpacked, policies, registry, tmp_path):
    positions = games_of(registry, policies[0], 200)
    found = play_archive([unpacked], [turn_of(board, mark) for board, mark in positions], tmp_path)
    assert {kind for kind, _ in found["replies"]} == {"int"}
    assert [move for _, move in found["replies"]] == greedy_moves(policies[0], registry, positions)
    assert found["faults"] == [{}]
    assert found["turns"] == [{"0": 200}]
    assert len({move for _, move in found["replies"]}) > 2


def test_a_conv_policy_plays_what_it_plays(registry, tmp_path):
    policy = connectx_policy(registry, 8, network="conv")
    model = export_policy(policy, tmp_path / "conv.onnx", record_play(policy, registry, 40)).path
    folder = unpack(pack([model], PROFILE, tmp_path / "conv.tar.gz", registry), tmp_path / "conv")
    positions = games_of(registry, policy, 60)
    found = play_archive([folder], [turn_of(board, mark) for board, mark in positions], tmp_path)
    assert [move for _, move in found["replies"]] == greedy_moves(policy, registry, positions)


def test_two_archives_in_one_process_play_their_own_policies(registry, models, policies, unpacked, tmp_path):
    other = unpack(pack(models[1:], PROFILE, tmp_path / "o.tar.gz", registry), tmp_path / "other")
    positions = games_of(registry, policies[0], 60)
    turns = [turn_of(board, mark, seat) for board, mark in positions for seat in (0, 1)]
    found = play_archive([unpacked, other], turns, tmp_path)
    assert len(found["loaded"]) == 2
    moves = [move for _, move in found["replies"]]
    assert moves[::2] == greedy_moves(policies[0], registry, positions)
    assert moves[1::2] == greedy_moves(policies[1], registry, positions)
    assert moves[::2] != moves[1::2]


def test_the_same_archive_in_both_seats_keeps_two_clocks(unpacked, tmp_path):
    empty = [0] * 42
    found = play_archive([unpacked, unpacked], [turn_of(empty, 1, 0), turn_of(empty, 2, 1)], tmp_path)
    assert len(found["loaded"]) == 1
    assert found["turns"] == [{"0": 1}, {"0": 1}]


#: both left columns are full and nobody has won
FULL_LEFT = [1, 2, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0] * 3


def test_trouble_is_answered_with_a_legal_move_and_counted(unpacked, tmp_path):
    good = turn_of(FULL_LEFT, 1)
    turns = [
        turn_of([0] * 20, 1, rows=4, columns=5),  # another board than the network's
        turn_of([1, 0, 0, 0, 0] + [2, 0, 0, 0, 0] * 3, 1, rows=4, columns=5),
        {**good, "obs": {"mark": 1}},  # no board
        {**good, "obs": None},
        {**good, "config": None},
        turn_of([1] * 42, 1),  # nothing is legal
        turn_of(["a"] * 42, 1),
        {**good, "config": {"rows": 6, "columns": 7, "inarow": 4}},  # no times told
    ]
    found = play_archive([unpacked], turns, tmp_path, strict=False)
    assert [kind for kind, _ in found["replies"]] == ["int"] * len(turns)
    moves = [move for _, move in found["replies"]]
    assert moves[:2] == [0, 1]
    assert moves[5] == 0
    assert moves[7] >= 2
    assert found["faults"] == [{"network": 2, "observe": 4, "time": 4}]


@pytest.mark.parametrize(
    "turn", [turn_of([0] * 20, 1, rows=4, columns=5), {"obs": {}, "config": CONFIG, "seat": 0}]
)
def test_strict_raises_instead(unpacked, tmp_path, turn):
    with pytest.raises(AssertionError, match=r"PlanError|KeyError"):
        play_archive([unpacked], [turn], tmp_path)


def test_short_time_is_played_by_the_smaller_network_then_by_none(registry, models, policies, tmp_path):
    folder = unpack(pack(models[::-1], PROFILE, tmp_path / "two.tar.gz", registry), tmp_path / "two")
    card = json.loads(next(folder.glob("*/card.json")).read_text())
    sizes = [entry["parameters"] for entry in card["networks"]]
    assert sizes == sorted(sizes, reverse=True)
    assert [entry["plan"] for entry in card["networks"]] == ["plan.json", "plan_2.json"]
    script = SEAT.replace("replies = []", "agents[0].player.clock.slowest = [9.0, 3.0]; replies = []")
    plenty, little, least = (turn_of(FULL_LEFT, 1, overage=overage) for overage in (60.0, 20.0, 0.1))
    result = subprocess.run(
        [sys.executable, "-c", script, json.dumps([str(folder)])], input=json.dumps([plenty, little, least]),
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    found = json.loads(result.stdout)
    assert found["turns"] == [{"0": 1, "1": 1, "none": 1}]
    positions = [(FULL_LEFT, 1)]
    expected = [
        *greedy_moves(policies[0], registry, positions),
        *greedy_moves(policies[1], registry, positions),
        2,
    ]
    assert [move for _, move in found["replies"]] == expected


def test_other_envs_other_boards_and_large_files_are_refused(registry, models, tmp_path):
    from dataclasses import replace

    out = tmp_path / "x.tar.gz"
    small = connectx_policy(registry, [4], rows=4)
    model = export_policy(small, tmp_path / "small.onnx", record_play(small, registry, 10)).path
    with pytest.raises(PackError, match=r"was trained with rows = 4, kaggle:connectx plays rows = 6"):
        pack([model], PROFILE, out, registry)
    with pytest.raises(
        PackError, match=r"plays env 'connectx', kaggle:pong is for 'cartpole'; name a policy"
    ):
        pack(models[:1], replace(PROFILE, name="kaggle:pong", env="cartpole"), out, registry)
    with pytest.raises(
        PackError, match=r"the archive has [\d,]+ bytes, kaggle:connectx takes 1,000; pack a smaller"
    ):
        pack(models[:1], replace(PROFILE, max_bytes=1000), out, registry)
    with pytest.raises(PackError, match="needs at least one network"):
        pack([], PROFILE, out, registry)
    assert not out.exists()


def test_files_that_are_no_exports_are_refused(tmp_path):
    with pytest.raises(PackError, match="cannot be read: No such file or directory"):
        read_network(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"\xff\xfe no protobuf")
    with pytest.raises(PackError, match="is no ONNX file"):
        read_network(tmp_path / "bad.onnx")
    (tmp_path / "empty.onnx").write_bytes(b"")
    with pytest.raises(PackError, match=r"carries no lanista.card; make it with `lanista export`"):
        read_network(tmp_path / "empty.onnx")


def test_an_env_without_portable_modules_is_refused(registry, tmp_path):
    env = registry.load("envs", "cartpole")(1, registry.settings("envs", "cartpole", {}), 1)
    card = PolicyCard("cartpole", {}, env.spec, "mlp", {"hidden": [4]})
    policy = build_policy(card, registry)
    model = export_policy(policy, tmp_path / "p.onnx", record_play(policy, registry, 10)).path
    from dataclasses import replace

    profile = replace(PROFILE, env="cartpole", env_settings={})
    with pytest.raises(PackError, match=r"env 'cartpole' of plugin envs names no portable modules"):
        pack([model], profile, tmp_path / "x.tar.gz", registry)


def test_the_verifier_has_the_same_limit():
    from lanista_submission.verify.profile import own_profiles

    assert own_profiles()[PROFILE.name].packed.value == PROFILE.max_bytes
    assert own_profiles()[PROFILE.name].environment == PROFILE.game


def test_archives_depend_on_names_and_contents_only():
    first, second = archive_bytes({"b": b"2", "a/c": b"1"}), archive_bytes({"a/c": b"1", "b": b"2"})
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as file:
        assert file.getnames() == ["a/c", "b"]
        assert file.extractfile("b").read() == b"2"


def test_the_registered_target_exports_and_packs_a_run(registry, policies, tmp_path):
    from lanista.policy import save_policy

    run = tmp_path / "run"
    digest = save_policy(run / "final", policies[1])
    (run / "run.json").write_text(json.dumps({"lanista": "1", "seed": 3, "git": None, "cpu_count": 64}))
    (run / "phases" / "small").mkdir(parents=True)
    (run / "phases" / "small" / "phase.json").write_text(json.dumps({"chosen": "best", "sha256": digest}))
    target = registry.load("targets", "kaggle:connectx")(registry)
    assert isinstance(target, KaggleTarget)
    delivered = target.deliver(run, run / "final", run / "out")
    record = delivered.record
    assert json.loads(json.dumps(record)) == record
    assert record["export"]["policy_sha256"] == digest
    assert str(tmp_path) not in json.dumps(record)
    assert delivered.file == run / "out" / "submission.tar.gz"
    assert delivered.file.stat().st_size == record["bytes"]
    assert delivered.lines[0].split() == [
        "runner",
        "batch",
        "outputs",
        "differ",
        "value",
        "differs",
        "equal",
        "greedy",
        "ties",
    ]
    assert "kaggle competitions submit -c connectx -f" in delivered.next_steps[0]
    folder = unpack(delivered.file, tmp_path / "un")
    provenance = json.loads(next(folder.glob("*/card.json")).read_text())["provenance"]
    assert provenance["chosen"] == "phase small: best"
    assert provenance["seed"] == 3
    assert "cpu_count" not in provenance
