"""`keep_games` on train phases, and students that learn from what was kept."""

import json
from pathlib import Path

import numpy as np
import pytest

from lanista.errors import RecipeError
from lanista.games.parts import games_folder, part_files, read_games
from lanista.league.member import LEARNER
from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.recipe import check_recipe
from lanista.run import Run, RunStopped

HOST = load_plugins()
LEAGUE = {
    "opponents": {"latest": 0.4, "pool": 0.3, "bots": 0.3},
    "bots": ["random"],
    "snapshot_every": 300,
}
SMALL = {
    "name": "small",
    "kind": "train",
    "num_games": 20,
    "num_steps": 8,
    "random_opening": 4,
    "network": {"use": "mlp", "hidden": [16]},
    "learner": {"use": "ppo", "minibatch_size": 64},
    "reward": {"outcome": 1.0},
    "league": LEAGUE,
    "until": {"steps": 1600},
    "checkpoint_every": 3,
}
STUDENT = {
    "name": "student",
    "kind": "distill",
    "network": {"use": "mlp", "hidden": [16]},
    "num_games": 16,
    "num_steps": 8,
    "buffer": 512,
    "minibatch_size": 64,
    "until": {"steps": 512},
    "allowed_loss": 1.0,
    "compare_episodes": 2,
}


def make(folder: Path, *phases: dict, env: str = "connectx", **top) -> Run:
    values = {"name": "t", "env": {"use": env}, "phases": list(phases), **top}
    return Run.create(folder, check_recipe(values, HOST.registry), HOST)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("kept") / "run"
    make(folder, {**SMALL, "keep_games": {"games": 1000, "every": 1}}, STUDENT).play()
    return folder


def test_every_finished_game_is_kept_whole(kept: Path) -> None:
    rows = [row for row in read_metrics(kept / "metrics.jsonl") if row["phase"] == "small"]
    parts = list(read_games(games_folder(kept, "small")))
    games = [game for part in parts for game in part.games()]
    assert len(games) == sum(int(row.get("episodes", 0)) for row in rows) > 50
    spec = parts[0].source.spec
    assert parts[0].source.played_by == "small"
    assert spec.name == "connectx"
    players = set()
    for game in games:
        players |= set(game.players)
        assert LEARNER in game.players
        length = len(game.acting)
        # Seats take turns from the first, and nothing was on the board before the first move.
        assert (game.acting == np.eye(2, dtype=bool)[np.arange(length) % 2]).all()
        assert game.observation["board"].shape[0] == length
        assert sorted(game.outcome.tolist()) in ([-1.0, 1.0], [0.0, 0.0])
        assert not game.reward[:-1].any()
        np.testing.assert_array_equal(game.return_, game.outcome)
        assert game.legal["column"][np.arange(length), game.action["column"]].all()
        stones = game.observation["board"][:, :2].reshape(length, -1)
        assert (stones != 0).sum(axis=1).tolist() == list(range(length))
        assert game.random.sum(axis=0).max() <= 4
        assert not (game.random & ~game.acting).any()
    assert players >= {LEARNER, "random"}
    assert any(name not in {LEARNER, "random"} for name in players)
    assert any(game.random.any() for game in games)


def test_actions_lead_from_one_observation_to_the_next(kept: Path) -> None:
    from lanista_envs.connectx.env import ConnectX

    (part, *_) = read_games(games_folder(kept, "small"))
    for game in list(part.games())[:20]:
        env = ConnectX(1)
        env.reset(0)
        for step, seat in zip(game.step, game.seat, strict=True):
            for name, seen in env.observation.items():
                np.testing.assert_array_equal(game.observation[name][step], seen[0, seat])
            np.testing.assert_array_equal(game.legal["column"][step], env.legal["column"][0, seat])
            env.step({"column": np.full((1, 2), game.action["column"][step])})
        assert env.ended[0]
        np.testing.assert_array_equal(env.outcome[0], game.outcome)


@pytest.mark.parametrize("keep", [30, {"games": 1000, "every": 2}, {"games": 12, "since": 0.5}])
def test_a_stop_and_a_resume_give_the_same_files(tmp_path: Path, keep, stop_at) -> None:
    phase = {**SMALL, "keep_games": keep}
    make(tmp_path / "whole", phase).play()

    run = make(tmp_path / "torn", phase)
    run.progress = stop_at(5)
    with pytest.raises(RunStopped):
        run.play()
    # What came after the checkpoint is on disk, as after a kill, and has to go.
    folder = games_folder(tmp_path / "torn", "small")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "00000900.npz").write_bytes(b"from after the checkpoint")
    Run.open(tmp_path / "torn", HOST).play()
    whole = files(games_folder(tmp_path / "whole", "small"))
    assert files(folder) == whole
    assert whole


def test_games_are_spread_over_the_phase_and_capped(tmp_path: Path) -> None:
    make(tmp_path / "run", {**SMALL, "keep_games": 25}).play()
    (part,) = read_games(games_folder(tmp_path / "run", "small"))
    assert 10 <= part.num_games <= 25
    assert sum(name == LEARNER for game in part.games() for name in game.players) > part.num_games


def test_games_of_the_last_steps_alone(tmp_path: Path) -> None:
    make(tmp_path / "run", {**SMALL, "keep_games": {"games": 1000, "every": 1, "since": 0.7}}).play()
    make(tmp_path / "all", {**SMALL, "keep_games": {"games": 1000, "every": 1}}).play()
    late, every = (
        [game for part in read_games(games_folder(tmp_path / name, "small")) for game in part.games()]
        for name in ("run", "all")
    )
    assert 0 < len(late) < 0.5 * len(every)
    # They end as the others do.
    np.testing.assert_array_equal(late[-1].action["column"], every[-1].action["column"])


def test_no_games_are_kept_without_the_setting(tmp_path: Path) -> None:
    make(tmp_path / "run", SMALL).play()
    assert not (tmp_path / "run" / "games").exists()


def test_a_cap_in_megabytes_holds(tmp_path: Path) -> None:
    keep = {"games": 1000, "every": 1, "megabytes": 0.05}
    make(tmp_path / "run", {**SMALL, "keep_games": keep}).play()
    size = sum(part.num_games for part in read_games(games_folder(tmp_path / "run", "small")))
    assert size < 60


def test_one_seat_without_a_league_keeps_games_too(tmp_path: Path) -> None:
    phase = {key: value for key, value in SMALL.items() if key not in {"league", "reward", "random_opening"}}
    make(tmp_path / "run", {**phase, "keep_games": 10}, env="cartpole").play()
    (part,) = read_games(games_folder(tmp_path / "run", "small"))
    for game in part.games():
        assert game.players == (LEARNER,)
        assert game.acting.all()
        assert game.return_[0] == len(game.acting) == game.outcome[0]


def test_actions_of_real_numbers_are_kept_as_they_were_played(tmp_path: Path) -> None:
    names = {"league", "reward", "random_opening"}
    phase = {key: value for key, value in SMALL.items() if key not in names} | {"until": {"steps": 900}}
    change = {"num_games": 4, "num_steps": 32, "keep_games": 4, "network": {"use": "mlp", "hidden": [8]}}
    make(tmp_path / "run", {**phase, **change}, env="pendulum").play()
    (part,) = read_games(games_folder(tmp_path / "run", "small"))
    (head,) = part.source.spec.heads
    for game in part.games():
        torque = game.action[head.name]
        assert torque.shape == (200, 1)
        assert torque.dtype == np.float32
        assert (np.abs(torque) <= head.high[0]).all()
        assert len(np.unique(torque)) > 100
        assert game.legal == {}
        assert game.truncated.all()
        cosine, _, speed = game.observation["state"][:2].T
        # The rule of the pendulum: a turn of a twentieth of a second, from the angle and the torque before.
        sine = game.observation["state"][0, 1]
        expected = np.clip(speed[0] + (15.0 * sine + 3.0 * torque[0, 0]) * 0.05, -8, 8)
        assert speed[1] == pytest.approx(expected, abs=1e-4)
        assert cosine[0] ** 2 + sine**2 == pytest.approx(1.0, abs=1e-5)


@pytest.fixture(scope="module")
def taught(tmp_path_factory) -> Path:
    """A teacher worth agreeing with, and games of its training."""
    folder = tmp_path_factory.mktemp("taught") / "run"
    phase = {key: value for key, value in SMALL.items() if key not in {"league", "random_opening"}}
    learner = {"use": "ppo", "minibatch_size": 256, "learning_rate": 0.01, "num_epochs": 2}
    change = {"num_games": 64, "keep_games": 200, "until": {"steps": 12_000}, "learner": learner}
    make(folder, {**phase, **change, "name": "teacher"}).play()
    return folder


@pytest.mark.parametrize(("share", "played"), [(1.0, False), (0.5, True)])
def test_student_of_kept_games_agrees_with_its_teacher(
    tmp_path: Path, taught: Path, share: float, played: bool
) -> None:
    student = {
        **STUDENT,
        "teacher": str(taught),
        "states": {"games": str(games_folder(taught, "teacher")), "share": share},
        "until": {"steps": 8192},
        "num_games": 64,
        "num_steps": 16,
        "buffer": 8192,
        "steps_per_rollout": 64,
        "minibatch_size": 256,
        "network": {"use": "mlp", "hidden": [64]},
    }
    make(tmp_path / "run", student).play()
    card = json.loads((tmp_path / "run" / "phases" / "student" / "phase.json").read_text())
    assert card["agreement"] > 0.7
    assert card["steps"] == 8192
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert any("episodes" in row for row in rows) == played


def test_resumed_student_of_kept_games_is_the_same(tmp_path: Path, stop_at) -> None:
    phases = ({**SMALL, "keep_games": 40}, {**STUDENT, "states": "games:small", "checkpoint_every": 2})
    make(tmp_path / "whole", *phases).play()

    run = make(tmp_path / "torn", *phases)
    run.progress = stop_at(13)
    with pytest.raises(RunStopped):
        run.play()
    Run.open(tmp_path / "torn", HOST).play()
    weights = [
        load_policy(tmp_path / name / "final", HOST.registry).network.state_dict()
        for name in ("whole", "torn")
    ]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


@pytest.mark.parametrize(
    ("states", "says"),
    [
        (
            "games:smal",
            "'smal' is neither a phase of this run that kept games (small) nor a folder of kept games",
        ),
        ("games:/nowhere", "'/nowhere' is neither a phase"),
    ],
)
def test_games_that_nobody_kept_are_one_sentence(tmp_path: Path, states: str, says: str) -> None:
    run = make(tmp_path / "run", {**SMALL, "keep_games": 5}, {**STUDENT, "states": states})
    with pytest.raises(RecipeError) as caught:
        run.play()
    assert says in str(caught.value)


def test_games_of_another_game_are_refused(tmp_path: Path, kept: Path) -> None:
    source = str(games_folder(kept, "small"))
    assert part_files(Path(source))
    small = {key: value for key, value in SMALL.items() if key not in {"league", "reward", "random_opening"}}
    run = make(tmp_path / "run", small, {**STUDENT, "states": {"games": source}}, env="cartpole")
    with pytest.raises(RecipeError, match="are of another observation"):
        run.play()
