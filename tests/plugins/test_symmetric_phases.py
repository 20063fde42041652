"""Phases that learn from games or rows as a drawn symmetry shows them."""

import numpy as np
import pytest
import torch

from lanista.errors import LanistaError, RecipeError
from lanista.games.parts import read_games
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.recipe import check_recipe
from lanista.run import Run, RunStopped
from lanista.symmetry import Symmetries, Symmetry, SymmetryError
from lanista.symmetry.averaging import refuse_numbers
from lanista.symmetry.group import group_of
from lanista.symmetry.rows import Rows
from lanista.tables import EnvTable
from lanista_plugins.phases.clone_rows import ClonedBatch
from lanista_plugins.phases.distill import Distill
from lanista_plugins.phases.labelled import LabelledBatch
from lanista_plugins.phases.settings import DistillSettings
from lanista_plugins.phases.symmetric import SymmetricBatches

HOST = load_plugins()
TRAIN = {
    "name": "train",
    "kind": "train",
    "num_games": 8,
    "num_steps": 8,
    "augment_symmetries": True,
    "random_opening": 3,
    "network": {"use": "mlp", "hidden": [8]},
    "reward": {"outcome": 1.0},
    "keep_games": {"games": 4, "every": 1},
    "until": {"steps": 256},
    "checkpoint_every": 1,
}
CLONE = {
    "name": "clone",
    "kind": "clone",
    "games": "games:train",
    "augment_symmetries": True,
    "network": {"use": "mlp", "hidden": [8]},
    "epochs": 2,
    "minibatch_size": 16,
    "minibatches": 1,
    "checkpoint_every": 1,
}
DISTILL = {
    "name": "distill",
    "kind": "distill",
    "teacher": "train",
    "augment_symmetries": True,
    "average_symmetries": "all",
    "network": {"use": "mlp", "hidden": [8]},
    "num_games": 8,
    "num_steps": 4,
    "minibatch_size": 16,
    "steps_per_rollout": 2,
    "until": {"steps": 64},
    "allowed_loss": 1.0,
    "compare_episodes": 4,
    "checkpoint_every": 1,
}


def make(folder, *phases, env="connectx"):
    return Run.create(
        folder, check_recipe({"name": "t", "env": env, "phases": list(phases)}, HOST.registry), HOST
    )


def weights(folder):
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.glob("phases/*/policy/*.safetensors"))
    }
    assert len(found) == 3
    return found


def test_runs_that_augment_go_on_bit_for_bit(tmp_path, stop_at):
    make(tmp_path / "whole", TRAIN, CLONE, DISTILL).play()
    wanted = weights(tmp_path / "whole")
    for place, stop in enumerate((2, 6)):
        run = make(tmp_path / f"cut{place}", TRAIN, CLONE, DISTILL)
        run.progress = stop_at(stop)
        with pytest.raises(RunStopped):
            run.play()
        Run.open(tmp_path / f"cut{place}", HOST).play()
        assert weights(tmp_path / f"cut{place}") == wanted
    # Kept games are in the env's own words: the stones stand where the columns say.
    (part, *_) = read_games(tmp_path / "whole" / "games" / "train")
    for game in part.games():
        before, after = game.observation["board"][:-1], game.observation["board"][1:]
        fell = (
            (after[:, 1] - before[:, 0]).sum(axis=1).argmax(axis=1)
        )  # own stones are the other's in the next turn
        np.testing.assert_array_equal(fell, game.action["column"][:-1])
    make(tmp_path / "plain", {**TRAIN, "augment_symmetries": False}, CLONE, DISTILL).play()
    assert weights(tmp_path / "plain") != wanted


def context_of(tmp_path, env):
    return PhaseContext(HOST.registry, EnvTable(use=env), "p", tmp_path, 0, 1, {})


def test_each_row_is_shown_with_its_label(tmp_path):
    context = context_of(tmp_path, "connectx")
    env = context.make_env(1)
    batches = SymmetricBatches(context, env, labelled=True)
    rng = np.random.default_rng(0)
    board = torch.from_numpy(rng.integers(2, size=(30, *env.spec.observation[0].shape)).astype(np.uint8))
    logits = torch.from_numpy(rng.random((30, 7)).astype(np.float32))
    legal, value = logits > 0.3, torch.arange(30.0)
    column = torch.arange(30) % 7
    batch = ClonedBatch({"board": board}, {"column": legal}, {"column": logits}, value, {"column": column})
    found = batches.shown(batch, torch.Generator().manual_seed(0))
    drawn = torch.randint(2, (30,), generator=torch.Generator().manual_seed(0))
    assert 0 < drawn.sum() < 30
    for row, mirrored in enumerate(drawn.tolist()):
        wanted = [part[row].flip(-1) if mirrored else part[row] for part in (board, legal, logits)]
        for part, told in zip(
            (found.observation["board"], found.legal["column"], found.logits["column"]), wanted, strict=True
        ):
            assert torch.equal(part[row], told)
        assert found.action["column"][row] == (6 - column[row] if mirrored else column[row])
    assert torch.equal(found.value, value)
    plain = batches.shown(
        LabelledBatch(batch.observation, batch.legal, batch.logits, value), torch.Generator().manual_seed(0)
    )
    assert type(plain) is LabelledBatch
    assert torch.equal(plain.logits["column"], found.logits["column"])


def test_an_env_without_symmetries_is_told_in_a_sentence(tmp_path):
    with pytest.raises(LanistaError, match="env cartpole declares no symmetries"):
        make(tmp_path / "a", {**TRAIN, "reward": {}, "keep_games": None}, env="cartpole").play()


@pytest.mark.parametrize("told", [None, "mirror", "all"])
def test_a_teacher_teaches_the_average_over_symmetries(tmp_path, told):
    make(tmp_path / "run", TRAIN).play()
    settings = {key: value for key, value in DISTILL.items() if key not in {"name", "kind"}}
    settings |= {"teacher": str(tmp_path / "run"), "average_symmetries": told}
    context = PhaseContext(HOST.registry, EnvTable(use="connectx"), "distill", tmp_path, 0, 1, {})
    phase = Distill(context, DistillSettings.model_validate(settings))
    phase.start()
    phase.update()
    (name,) = phase.env.observation
    seen = torch.from_numpy(phase.env.observation[name][:, 0].copy())
    here, mirrored = (
        phase.teacher.network({name: shown}).logits["column"] for shown in (seen, seen.flip(-1))
    )
    assert torch.allclose(here, mirrored.flip(-1), atol=1e-6) == (told is not None)
    phase.close()


def test_a_teacher_that_cannot_average_is_refused(tmp_path):
    phase = {**DISTILL, "teacher": "player:connectx_negamax"}
    with pytest.raises(
        RecipeError, match="average_symmetries is for a policy, and the teacher must see the env itself"
    ):
        make(tmp_path / "run", phase).play()


def test_losses_along_own_games_are_not_augmented(tmp_path):
    own = {**DISTILL, "losses": [{"loss": "n_distill"}], "greedy": False, "student_share": 1.0}
    with pytest.raises(LanistaError, match="not to be turned afterwards; leave augment_symmetries out"):
        make(tmp_path / "a", TRAIN, own).play()


def test_labels_of_real_numbers_are_not_turned(tmp_path):
    context = context_of(tmp_path, "pendulum")
    spec = context.make_env(1).spec
    assert spec.heads[0].continuous

    def swung(seen):
        return seen * np.array([1.0, -1.0, -1.0])

    part, head = spec.observation[0], spec.heads[0]
    assert part.shape == (3,)
    mirror = Symmetry("mirror", parts={part.name: swung}, heads={head.name: lambda torque: -torque})
    group = group_of(spec, Symmetries((mirror,)))
    with pytest.raises(
        SymmetryError, match=f"head '{head.name}' of pendulum gives real numbers, and averaging"
    ):
        refuse_numbers(group, spec)
    rows, element = Rows(group, spec), np.array([0, 1])
    seen, _ = rows.transformed({part.name: torch.ones(2, 3)}, {}, element)
    assert seen[part.name].tolist() == [[1, 1, 1], [1, -1, -1]]
    assert rows.actions({head.name: torch.ones(2, 1)}, element)[head.name].tolist() == [[1], [-1]]
    with pytest.raises(SymmetryError, match="what a symmetry does to its outputs is not known"):
        rows.logits({head.name: torch.ones(2, 2)}, element)
