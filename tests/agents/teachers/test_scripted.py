"""Scripted players as teachers: labels where the env stands, logits that stand for them."""

from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.errors import LanistaError, RecipeError
from lanista.phases import PhaseContext
from lanista.tables import EnvTable, TeacherTable
from lanista.teachers import LiveTeacher


def context(registry, env, **options):
    table = EnvTable.model_validate({"use": env, **options})
    return PhaseContext(registry, table, "learn", Path("."), 0, 1, {})


def test_a_player_labels_the_rows_that_it_is_shown(registry):
    phase = context(registry, "connectx")
    env = phase.make_env(4)
    env.reset(0)
    teacher = phase.teacher_of(TeacherTable(source="player:connectx_negamax:depth=1", certainty=0.9), env)
    assert isinstance(teacher, LiveTeacher)
    games, seats = np.arange(4), np.zeros(4, np.int64)
    actions = teacher.labels(env, games, seats)
    output = teacher.output(actions)
    (name,) = actions
    legal = torch.from_numpy(env.legal[name][:, 0])
    assert np.array_equal(teacher.heads[name].greedy(output.logits[name], legal).numpy(), actions[name])
    chances = torch.softmax(output.logits[name], dim=1).max(dim=1).values
    assert chances.numpy() == pytest.approx(0.9)
    assert bool(output.value.isnan().all())
    assert teacher.card.history["teacher"]["source"] == "player:connectx_negamax:depth=1"


def test_real_numbers_of_a_player_are_said_by_the_head(registry):
    phase = context(registry, "pendulum")
    env = phase.make_env(3)
    env.reset(0)
    teacher = phase.teacher_of("player:random", env)
    (spec,) = env.spec.heads
    before = teacher.state()
    actions = teacher.labels(env, np.arange(3), np.zeros(3, np.int64))
    said = teacher.heads[spec.name].greedy(teacher.output(actions).logits[spec.name], None).numpy()
    assert np.allclose(said, actions[spec.name], atol=2e-3)
    teacher.load_state(before)
    again = teacher.labels(env, np.arange(3), np.zeros(3, np.int64))
    assert np.array_equal(again[spec.name], actions[spec.name])


def test_where_a_policy_is_asked_a_player_is_refused_in_a_sentence(registry):
    with pytest.raises(RecipeError, match="'player:random' must see the env itself, which no policy does"):
        context(registry, "connectx").policy_of("player:random")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("player:negamaxx", "no plugin offers player 'negamaxx'"),
        ("player:connectx_negamax:dept=2", "unknown key 'dept'"),
        ("plyer:random", "is neither an earlier phase .* nor a teacher of a plugin .*player:"),
        ("player:", "is a family|nor a teacher of a plugin"),
    ],
)
def test_a_player_that_there_is_not_is_one_sentence(source, match, registry):
    with pytest.raises(LanistaError, match=match) as caught:
        context(registry, "connectx").teacher_of(source)
    assert "\n" not in str(caught.value)
