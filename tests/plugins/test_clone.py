"""Learning from the games of others: whose decisions, which games, how near, and what is handed on."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.errors import LanistaError, RecipeError
from lanista.games.kept_games import KeptGame
from lanista.games.parts import Source, read_games, write_part
from lanista.games.thinning import digest_of, thinned
from lanista.metrics import read_metrics
from lanista.plugins import load_plugins
from lanista.policy import load_policy
from lanista.recipe import check_recipe
from lanista.run import Run, RunStopped
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista.testing.practice_units import offer_practice_units
from lanista.units import blank_rows
from lanista_plugins.phases.clone_rows import cloned_rows
from lanista_plugins.phases.clone_settings import CloneSettings

HOST = load_plugins()
offer_practice_units(HOST.registry)
CLONE = {
    "name": "clone",
    "kind": "clone",
    "games": {"players": ["teller"], "num_games": 60},
    "network": {"use": "unit_mlp", "width": 32, "context": 16},
    "epochs": 6,
    "minibatch_size": 64,
    "minibatches": 5,
    "learning_rate": 0.01,
    "checkpoint_every": 4,
}
ON = {
    "name": "on",
    "kind": "train",
    "num_games": 16,
    "num_steps": 8,
    "learner": {"use": "impala", "learning_rate": 0.003},
    "teacher": {"source": "previous", "coef": {"start": 0.5, "end": 0.0}},
    "critic_warmup": 3,
    "reward": {"reward": 1.0},
    "until": {"steps": 1024},
}


def make(folder, *phases, env="practice_units", **more):
    values = {"name": "t", "env": {"use": env, **more}, "phases": list(phases)}
    return Run.create(folder, check_recipe(values, HOST.registry), HOST)


@pytest.fixture(scope="module")
def cloned(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloned") / "run"
    make(folder, CLONE, ON, seats=2).play()
    return folder


def card_of(folder, phase="clone"):
    return json.loads((folder / "phases" / phase / "phase.json").read_text())


def test_units_are_cloned_from_a_scripted_player_and_learning_goes_on_from_there(cloned):
    card = card_of(cloned)
    assert card["games"] == 60
    assert card["agreement"] > 0.95 > 0.6 > card["random_agreement"]
    assert card["forbidden"] == 0
    assert card["agreement"] > card["commonest_agreement"]
    assert card["balanced_agreement"] > 0.9
    assert min(card["agreement_of"].values()) > 0.9
    rows = [row for row in read_metrics(cloned / "metrics.jsonl") if row["phase"] == "on"]
    assert [row["critic_warmup"] for row in rows] == [1.0] * 3 + [0.0] * 5
    assert all("teacher_loss" not in row for row in rows[:3])
    coefs = [row["teacher_coef"] for row in rows[3:]]
    assert coefs == sorted(coefs, reverse=True)
    assert rows[0]["reward/reward"] > 0.7  # of 0.8, as a fifth of the rounds has no unit
    assert {name for part in read_games(cloned / "games" / "clone") for name in part.players} == {"teller"}


def test_a_stop_and_a_resume_give_the_same_clone(cloned, tmp_path, stop_at, arrays_of):
    folder = tmp_path / "run"
    run = make(folder, CLONE, ON, seats=2)
    run.progress = stop_at(7)
    with pytest.raises(RunStopped):
        run.play()
    Run.open(folder, HOST).play()
    assert arrays_of(folder) == arrays_of(cloned)


def test_the_policy_stays_as_it_is_while_the_critic_is_warmed(cloned, tmp_path):
    """All updates are warm-up: the logits' weights are those of the clone, the value's are not."""
    on = {**ON, "critic_warmup": 99, "teacher": {"source": "previous"}}
    make(tmp_path / "run", {**CLONE, "epochs": 1}, on, seats=2).play()
    folders = [tmp_path / "run" / "phases" / name / "policy" for name in ("clone", "on")]
    one, two = (load_policy(folder, HOST.registry) for folder in folders)
    with torch.no_grad():
        seen = blank_rows(one.card.spec, 3)
        first, second = one.network(seen), two.network(seen)
    assert torch.equal(first.logits["say"], second.logits["say"])
    assert not torch.equal(first.value, second.value)


def test_a_learner_that_cannot_train_its_critic_alone_is_refused(tmp_path):
    plugin = tmp_path / "plain.py"
    plugin.write_text(
        "import lanista\n"
        "@lanista.hookimpl\n"
        "def register_learners(register):\n"
        "    register('plain', ':Plain', summary='learns nothing')\n"
        "class Plain:\n"
        "    def __init__(self, policy, settings, seed):\n"
        "        self.policy, self.gamma = policy, 0.99\n"
    )
    host = load_plugins(files=[plugin])
    phase = {**ON, "learner": {"use": "plain"}, "teacher": None, "network": {"use": "mlp"}}
    values = {"name": "t", "env": "connectx", "phases": [{k: v for k, v in phase.items() if v is not None}]}
    values["phases"][0]["reward"] = {"outcome": 1.0}
    run = Run.create(tmp_path / "run", check_recipe(values, host.registry), host)
    with pytest.raises(
        RecipeError, match="learner 'plain' cannot train its critic alone; leave critic_warmup out"
    ):
        run.play()


SPEC = EnvSpec(
    "duel", "1", "here", 2, "simultaneous", (ObsPart("mark", (1,), "float32", "the number of the decision"),),
    (HeadSpec("move", "categorical", 3, "a choice"),), (FactSpec("reward", "flow", "points", "official"),), 9,
    (0.0, 1.0), "result",
)  # fmt: skip


def game_of(
    moves, outcome=(1.0, -1.0), players=("ann", "bob"), truncated=(False, False), random=(), forbidden=()
):
    """A game in which both act at every step; decision d is marked d and step t of seat s earns t + s / 10."""
    steps = len(moves)
    legal = np.ones((2 * steps, 3), np.bool_)
    for decision in forbidden:
        legal[decision, np.ravel(moves)[decision]] = False
    drawn = np.zeros(2 * steps, np.bool_)
    drawn[list(random)] = True
    return KeptGame(
        players=players,
        outcome=np.array(outcome, np.float32),
        truncated=np.array(truncated),
        acting=np.ones((steps, 2), np.bool_),
        random=drawn.reshape(steps, 2),
        reward=(np.arange(steps)[:, None] + np.array([0.0, 0.1])).astype(np.float32),
        observation={"mark": np.arange(2 * steps, dtype=np.float32)[:, None]},
        legal={"move": legal},
        action={"move": np.array(moves, np.int64).ravel()},
    )


def rows_of(games, **changes):
    settings = CloneSettings.model_validate({"games": "games:x", "network": "mlp", **changes})
    rows = cloned_rows(games, SPEC, settings, "p")
    batch = rows.take(torch.arange(len(rows)))
    return rows, batch, batch.observation["mark"][:, 0].int().tolist()


ONE, TWO = game_of([(0, 1), (2, 0)]), game_of([(1, 1), (1, 2)], outcome=(-1.0, 1.0), players=("bob", "ann"))


@pytest.mark.parametrize(
    ("changes", "marks"),
    [
        ({}, [0, 1, 2, 3, 0, 1, 2, 3]),
        ({"seats": "winner"}, [0, 2, 1, 3]),
        ({"imitate": ["bob"]}, [1, 3, 0, 2]),
    ],
)
def test_the_decisions_that_are_asked_for_are_learnt_with_what_was_seen_before_them(changes, marks):
    _, batch, found = rows_of([ONE, TWO], **changes)
    assert found == marks
    moves = [game.action["move"] for game in (ONE, TWO)]
    half = len(marks) // 2
    expected = [int(moves[place >= half][mark]) for place, mark in enumerate(marks)]
    assert batch.action["move"].tolist() == expected


def test_thinned_games_keep_every_nth_decision_of_each_seat_and_their_value():
    """Whole games of both seats; the first that is kept differs from game to game, and not between equal games."""
    rng = np.random.default_rng(0)
    games = [game_of(rng.integers(0, 3, (10, 2)).tolist()) for _ in range(40)]
    thin = [thinned(game, 4, ()) for game in games]
    for game, kept in zip(games, thin, strict=True):
        assert kept.acting.shape == (10, 2)
        for seat in range(2):
            steps = kept.step[kept.seat == seat].tolist()
            assert steps == list(range(steps[0], 10, 4))
        marks = kept.observation["mark"][:, 0].astype(int)
        np.testing.assert_array_equal(marks, 2 * kept.step + kept.seat)
        np.testing.assert_array_equal(kept.action["move"], game.action["move"][marks])
        assert digest_of(thinned(game, 4, ())) == digest_of(kept)
    assert {int(kept.step[0]) for kept in thin} == {0, 1, 2, 3}
    _, whole, _ = rows_of(games[:2], gamma=0.5)
    rows, batch, marks = rows_of(thin[:2], gamma=0.5)
    places = [20 * number + mark for number, mark in zip(rows.game.tolist(), marks, strict=True)]
    assert batch.value.tolist() == whole.value[places].tolist()


def test_seats_that_take_turns_are_both_thinned():
    acting = np.zeros((12, 2), np.bool_)
    acting[::2, 0] = acting[1::2, 1] = True
    nothing = {"random": np.zeros_like(acting), "reward": np.zeros((12, 2), np.float32)}
    thin = thinned(replace(game_of([(0, 1)] * 6), acting=acting, **nothing), 2, ())
    assert np.bincount(thin.seat).tolist() == [3, 3]


def test_random_moves_drawn_games_and_what_the_masks_forbid_are_left_out():
    drawn = game_of([(0, 0), (0, 0)], outcome=(0.0, 0.0))
    with pytest.raises(RecipeError, match=r"phase 'p': 2 games, 2 of them different, hold 2 decisions"):
        rows_of([ONE, drawn], seats="winner")
    rows, _, marks = rows_of([game_of([(0, 1), (2, 0)], random=[0], forbidden=[3]), TWO])
    assert marks == [1, 2, 0, 1, 2, 3]
    assert (rows.counts.decisions, rows.counts.forbidden) == (7, 1)


def test_by_hand_what_the_value_is_to_learn():
    _, batch, _ = rows_of([ONE, TWO], gamma=0.5)
    assert batch.value.tolist() == [0.5, -0.5, 1.0, -1.0, -0.5, 0.5, -1.0, 1.0]
    cut = game_of([(0, 1), (2, 0)], truncated=(True, False))
    _, batch, _ = rows_of([cut, TWO], value="return", gamma=0.5)
    # Seat 0 of the first game was cut off; seat 1 earns 0.1, then 1.1.
    assert batch.value[[0, 2]].isnan().all()
    assert batch.value[[1, 3]].tolist() == pytest.approx([0.1 + 0.55, 1.1])
    _, batch, _ = rows_of([ONE, TWO], value="none")
    assert batch.value.isnan().all()


def test_whole_games_are_held_out_and_equal_ones_stay_together():
    games = [game_of([(i % 3, i // 3 % 3), (i // 9, 1)]) for i in range(27)]
    rows, _, _ = rows_of([*games, *games])
    assert (rows.counts.games, rows.counts.distinct) == (54, 27)
    learnt, held = rows.split(0.25, 3)
    sides = [set(rows.game[part.numpy()].tolist()) for part in (learnt, held)]
    assert sides[0].isdisjoint(sides[1])
    assert (len(sides[0]), len(sides[1])) == (20, 7)
    assert len(learnt) + len(held) == len(rows) == 54 * 4


def test_players_that_play_one_game_again_and_again_are_told():
    with pytest.raises(RecipeError, match=r"3 games, 1 of them different.*random_opening"):
        rows_of([ONE, ONE, ONE])
    with pytest.raises(RecipeError, match=r"decisions of eve to learn from.*players there are ann, bob"):
        rows_of([ONE, TWO], imitate=["eve"])


@pytest.mark.parametrize(
    ("games", "message"),
    [
        ("small", 'games takes "games:PHASE", "player:NAME", "replays:FILES" or a table'),
        ({}, "one of kept, players and replays, found none"),
        ({"kept": "a", "players": ["b"]}, "found kept and players"),
        ("games:nowhere", "neither a phase of this run that kept games"),
        ("player:nobody", "no folder or file, and as a player's name it is not known"),
        ("replays:nowhere", "env 'practice_units' reads no replays"),
    ],
)
def test_games_that_are_not_there_are_told_in_one_sentence(tmp_path, games, message):
    with pytest.raises(LanistaError, match=message):
        make(tmp_path / "run", {**CLONE, "games": games}).play()


def test_a_clone_that_is_not_near_enough_fails_the_phase(tmp_path):
    phase = {**CLONE, "epochs": 1, "learning_rate": 1e-6, "min_agreement": 0.99}
    with pytest.raises(LanistaError, match=r"does the same in .*% of the held-out choices, asked are 99.0%"):
        make(tmp_path / "run", phase).play()


@pytest.mark.parametrize("side", [False, True])
def test_real_numbers_are_cloned_and_the_better_side_is_warm_started(tmp_path, side):
    """Aim at (x, 2 + 2 y), with or without a choice beside it, from games that were written by hand."""
    host = load_plugins(files=[Path(__file__).parent / "aiming.py"])
    env = host.registry.load("envs", "aiming")(1, host.registry.settings("envs", "aiming", {"side": side}), 1)
    rng = np.random.default_rng(0)
    games = []
    for _ in range(150):
        shown = rng.uniform(-1.0, 1.0, (4, 2)).astype(np.float32)
        action = {"aim": np.stack([shown[:, 0], 2 + 2 * shown[:, 1]], axis=1)}
        legal = {}
        if side:
            action["side"] = (shown[:, 1] > 0).astype(np.int64)
            legal["side"] = np.repeat([[True, True, False]], 4, axis=0)
        one = np.ones((4, 1), np.bool_)
        games.append(
            KeptGame(
                ("hand",), np.zeros(1, np.float32), np.zeros(1, np.bool_), one, ~one, np.zeros((4, 1), np.float32),
                {"shown": shown}, legal, action,
            )
        )  # fmt: skip
    write_part(tmp_path / "games", Source("aiming", {"side": side}, env.spec, "by hand"), 0, games)
    phase = {
        "name": "clone", "kind": "clone", "games": f"games:{tmp_path / 'games'}", "epochs": 30, "minibatch_size": 32,
        "network": {"use": "mlp", "hidden": [32]}, "learning_rate": {"start": 0.01, "end": 0.0005}, "patience": 30,
    }  # fmt: skip
    again = {**phase, "name": "again", "network": None, "warm_start": "clone", "epochs": 1}
    values = {
        "name": "t",
        "env": {"use": "aiming", "side": side},
        "phases": [phase, {key: value for key, value in again.items() if value is not None}],
    }
    Run.create(tmp_path / "run", check_recipe(values, host.registry), host).play()
    first, second = (card_of(tmp_path / "run", name) for name in ("clone", "again"))
    assert first["agreement"] > 0.93
    assert second["clone_loss"] < first["clone_loss"] + 0.02
    assert "value_loss" in first  # the official return, all of it 0 here


def test_a_recipe_without_gate_has_no_last_best_teacher(tmp_path):
    with pytest.raises(RecipeError, match="give the phase a league with a gate"):
        make(tmp_path / "run", CLONE, {**ON, "teacher": {"source": "last-best"}})


def test_the_last_best_teacher_is_the_snapshot_that_the_gate_promoted_and_comes_back(
    tmp_path, stop_at, arrays_of
):
    on = {
        **ON,
        "critic_warmup": 0,
        "teacher": {"source": "last-best", "coef": 0.1},
        "league": {
            "opponents": {"latest": 1.0},
            "snapshot_every": 1300,
            "gate": {"games": 4},
        },
        "checkpoint_every": 5,
    }
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    make(whole, {**CLONE, "epochs": 1}, on, seats=2).play()
    rows = [row for row in read_metrics(whole / "metrics.jsonl") if row["phase"] == "on"]
    promoted = [place for place, row in enumerate(rows) if row.get("promoted")]
    assert promoted[0] > 1
    # The clone teaches until then, so the two part from each other; the snapshot is the policy itself.
    before, after = rows[promoted[0]]["teacher_divergence"], rows[promoted[0] + 1]["teacher_divergence"]
    assert after < 0.1 * before
    run = make(torn, {**CLONE, "epochs": 1}, on, seats=2)
    run.progress = stop_at(8)
    with pytest.raises(RunStopped):
        run.play()
    Run.open(torn, HOST).play()
    assert arrays_of(whole) == arrays_of(torn)
