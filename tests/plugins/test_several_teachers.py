"""Several teachers of one env as one: what they say together, and which of them do not go together."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.distributions import Categorical, MixtureSameFamily, Normal

from lanista.errors import LanistaError, RecipeError
from lanista.phases import PhaseContext
from lanista.plugins import load_plugins
from lanista.policy import Policy, build_policy, load_policy, save_policy
from lanista.tables import EnvTable
from lanista_plugins.phases.ensemble import Ensemble, the_teacher
from lanista_plugins.phases.settings import DistillSettings

REGISTRY = load_plugins().registry
STUDENT = {
    "network": {"use": "mlp", "hidden": [8]},
    "until": {"steps": 64},
    "num_games": 4,
    "compare_episodes": 6,
}


def context_of(env: str, folder: Path = Path("nowhere")) -> PhaseContext:
    return PhaseContext(REGISTRY, EnvTable(use=env), "student", folder, 0, 1, {})


def save_teacher(folder: Path, env: str, seed: int, gain: float = 2.0) -> Policy:
    context = context_of(env)
    made = context.make_env(1)
    torch.manual_seed(seed)
    policy = build_policy(context.card(made, "mlp", {"hidden": [8], "policy_gain": gain}), REGISTRY)
    save_policy(folder, policy)
    return policy


def combined(env: str, tables: list, combine: str, folder: Path = Path("nowhere")) -> Policy:
    context = context_of(env, folder)
    made = context.make_env(4)
    made.reset(0)
    settings = DistillSettings.model_validate({**STUDENT, "teachers": tables, "combine": combine})
    teacher = the_teacher(context, settings, made, settings.compare_episodes)
    assert isinstance(teacher, Policy)
    return teacher


def test_the_mean_of_choosers_is_the_mixture_of_their_chances(tmp_path):
    members = [save_teacher(tmp_path / str(seed), "cartpole", seed) for seed in range(2)]
    tables = [{"source": str(tmp_path / "0"), "weight": 3.0}, str(tmp_path / "1")]
    teacher = combined("cartpole", tables, "mean")
    (part,) = teacher.card.spec.observation
    rows = {part.name: torch.randn(9, *part.shape)}
    answers = [member.network(rows) for member in members]
    (head,) = teacher.heads
    expected = 0.75 * answers[0].logits[head].softmax(1) + 0.25 * answers[1].logits[head].softmax(1)
    found = teacher.network(rows)
    torch.testing.assert_close(found.logits[head].softmax(1), expected)
    torch.testing.assert_close(found.value, 0.75 * answers[0].value + 0.25 * answers[1].value)
    assert teacher.card.history["teacher"]["weights"] == [0.75, 0.25]


def test_the_mean_of_normal_distributions_has_the_mixtures_moments(tmp_path):
    members = [save_teacher(tmp_path / str(seed), "pendulum", seed) for seed in range(2)]
    teacher = combined(
        "pendulum", [str(tmp_path / "0"), {"source": str(tmp_path / "1"), "weight": 2.0}], "mean"
    )
    (part,) = teacher.card.spec.observation
    rows = {part.name: torch.randn(9, *part.shape)}
    (name,) = teacher.heads
    moments = [member.heads[name].moments(member.network(rows).logits[name]) for member in members]
    mixture = MixtureSameFamily(
        Categorical(torch.tensor([1.0, 2.0]).expand(9, 1, -1)),
        Normal(torch.stack([m for m, _ in moments], -1), torch.stack([s for _, s in moments], -1)),
    )
    mean, std = teacher.heads[name].moments(teacher.network(rows).logits[name])
    torch.testing.assert_close(mean, mixture.mean)
    torch.testing.assert_close(std, mixture.variance.sqrt(), rtol=1e-4, atol=1e-5)


def test_the_teacher_whose_critic_promises_most_speaks_at_each_state(tmp_path):
    members = [save_teacher(tmp_path / str(seed), "cartpole", seed) for seed in range(3)]
    teacher = combined("cartpole", [str(tmp_path / str(seed)) for seed in range(3)], "value")
    (part,) = teacher.card.spec.observation
    rows = {part.name: 3.0 * torch.randn(40, *part.shape)}
    (head,) = teacher.heads
    with torch.no_grad():
        answers = [member.network(rows) for member in members]
        found = teacher.network(rows)
    chosen = set()
    for row in range(40):
        who = max(range(3), key=lambda i: float(answers[i].value[row]))
        chosen.add(who)
        torch.testing.assert_close(found.logits[head][row], answers[who].logits[head][row])
        assert float(found.value[row]) == float(answers[who].value[row])
    assert len(chosen) > 1, "the rows must tell the teachers apart"


def test_the_best_is_the_one_that_returns_most_and_its_card_says_what_all_returned(tmp_path):
    weak = save_teacher(tmp_path / "weak", "cartpole", 0)
    strong = load_policy(tmp_path / "weak", REGISTRY)
    (part,) = strong.card.spec.observation
    with torch.no_grad():  # push the way the pole falls
        for weight in strong.network.parameters():
            weight.zero_()
        strong.network.trunk.layers[0].weight[0, 2:] = torch.tensor([1.0, 1.0])
        strong.network.outputs.layer.weight[1, 0] = 5.0
    save_policy(tmp_path / "strong", strong)
    del weak
    teacher = combined("cartpole", [str(tmp_path / "weak"), str(tmp_path / "strong")], "best", tmp_path)
    told = teacher.card.history["teacher"]
    assert told["source"] == str(tmp_path / "strong")
    assert told["measured"][str(tmp_path / "strong")] > told["measured"][str(tmp_path / "weak")]
    assert told["episodes"] == 6
    rows = {part.name: torch.randn(5, *part.shape)}
    (head,) = teacher.heads
    torch.testing.assert_close(teacher.network(rows).logits[head], strong.network(rows).logits[head])


def test_a_teacher_that_sees_less_is_shown_its_share(tmp_path):
    member = save_teacher(tmp_path / "seen", "cartpole", 0)
    (part,) = member.card.spec.observation
    with pytest.raises(RecipeError, match=r"sees = \[0, 3\] shows it 3 numbers"):
        combined("cartpole", [{"source": str(tmp_path / "seen"), "sees": [0, 3]}], "best")
    with pytest.raises(RecipeError, match="correct sees"):
        combined("cartpole", [{"source": str(tmp_path / "seen"), "sees": [2, 9]}], "best")
    whole = combined("cartpole", [{"source": str(tmp_path / "seen"), "sees": [0, 4]}], "best")
    rows = {part.name: torch.randn(5, 4)}
    (head,) = whole.heads
    torch.testing.assert_close(whole.network(rows).logits[head], member.network(rows).logits[head])
    assert whole.card.spec.observation == (part,)


@pytest.mark.parametrize(
    ("combine", "words"), [("value", "has none"), ("best", "2 seats"), ("mean", "another observation")]
)
def test_teachers_that_do_not_go_together_are_refused_in_a_sentence(tmp_path, combine, words):
    env = {"value": "gymnasium:Pendulum-v1", "best": "connectx", "mean": "cartpole"}[combine]
    if combine == "value":
        folder = Path(__file__).parents[1] / "teachers" / "slim"
        tables = [f"npz:{folder / 'sac-Pendulum-v1.npz'}"] * 2
    elif combine == "best":
        save_teacher(tmp_path / "0", env, 0)
        tables = [str(tmp_path / "0")] * 2
    else:
        save_teacher(tmp_path / "0", "pendulum", 0)
        tables = [str(tmp_path / "0")] * 2
    with pytest.raises(RecipeError, match=words):
        combined(env, tables, combine, tmp_path)


def test_one_teacher_or_several_and_not_both():
    with pytest.raises(ValueError, match="not both"):
        DistillSettings.model_validate({**STUDENT, "teacher": "small", "teachers": ["a", "b"]})
    resolved = DistillSettings.model_validate({**STUDENT, "teachers": ["a", {"source": "b", "weight": 2.0}]})
    assert DistillSettings.model_validate(resolved.model_dump()) == resolved


def test_units_are_given_by_the_member_that_their_seat_listens_to():

    from lanista.policy import PolicyOutput
    from lanista.spec import UNITS, HeadSpec
    from lanista.units import UnitTable

    context = context_of("cartpole")
    spec = context.make_env(1).spec
    orders = HeadSpec("orders", "units", 3, "o", units=(("worker", 3),))
    spec = replace(spec, heads=(orders,))

    class Says(torch.nn.Module):
        def __init__(self, logit, value):
            super().__init__()
            self.logit, self.value = logit, value

        def forward(self, observation):
            units = observation[UNITS]
            return PolicyOutput(
                {"orders": torch.full((units.num_units, 3), self.logit)}, torch.tensor(self.value)
            )

    heads = {"orders": REGISTRY.load("heads", "units")(orders, None)}
    members = [Policy(Says(1.0, [0.0, 5.0]), heads, None), Policy(Says(2.0, [3.0, 1.0]), heads, None)]
    table = UnitTable(
        torch.tensor([0, 2, 5]),
        torch.tensor([0, 0, 1, 1, 1]),
        torch.zeros(5),
        torch.zeros(5),
        torch.ones(5, 3),
    )
    answer = Ensemble(members, "value", [0.5, 0.5], spec)({UNITS: table})
    assert answer.logits["orders"][:, 0].tolist() == [2.0, 2.0, 1.0, 1.0, 1.0]
    assert answer.value.tolist() == [3.0, 5.0]
    mixed = Ensemble(members, "mean", [0.5, 0.5], spec)({UNITS: table})
    torch.testing.assert_close(mixed.logits["orders"].softmax(1), torch.full((5, 3), 1 / 3))


def test_a_teacher_out_of_a_file_sees_what_it_was_trained_with(tmp_path):
    """The env shows a time feature behind the numbers that the file's actor knows."""
    source = f"npz:{Path(__file__).parents[1] / 'teachers' / 'slim' / 'sac-Pendulum-v1.npz'}"
    plain = context_of("gymnasium:Pendulum-v1").policy_of(source)
    table = EnvTable.model_validate({"use": "gymnasium:Pendulum-v1", "wrappers": ["TimeFeatureWrapper"]})
    context = replace(context_of("gymnasium:Pendulum-v1"), env=table)
    env = context.make_env(1)
    env.reset(0)
    settings = DistillSettings.model_validate({**STUDENT, "teachers": [{"source": source, "sees": [0, 3]}]})
    teacher = the_teacher(context, settings, env, 1)
    assert isinstance(teacher, Policy)
    (part,) = env.spec.observation
    assert part.shape == (4,)
    rows = torch.randn(6, 4)
    (head,), (seen,) = teacher.heads, plain.card.spec.observation
    found = teacher.network({part.name: rows}).logits[head]
    torch.testing.assert_close(found, plain.network({seen.name: rows[:, :3]}).logits[head])
    assert teacher.card.history["teacher"]["source"] == source
    with pytest.raises(LanistaError, match="does not fit env"):
        the_teacher(context, DistillSettings.model_validate({**STUDENT, "teachers": [source]}), env, 1)
    env.close()
