import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError
from torch.distributions import Categorical as TorchCategorical
from torch.distributions import kl_divergence

from lanista.plugins import load_plugins
from lanista.policy import Policy, PolicyCard, build_policy
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista_plugins.distillers.kl import ForwardKl, ReverseKl
from lanista_plugins.distillers.settings import KlSettings, ValueSettings
from lanista_plugins.distillers.value import Value

ROWS = 6


@pytest.fixture(scope="module")
def policy() -> Policy:
    heads = (HeadSpec("move", "categorical", 5, "m"), HeadSpec("speed", "categorical", 3, "s"))
    parts = (ObsPart("state", (4,), "float32", "n"),)
    spec = EnvSpec(
        "task", "1", "here", 1, "simultaneous", parts, heads, (), 9, (0, 1), "score"
    )  # fmt: skip
    return build_policy(PolicyCard("task", {}, spec, "mlp", {}), load_plugins().registry)


@pytest.fixture
def rows():
    generator = torch.Generator().manual_seed(0)

    def draw(size):
        return torch.randn(ROWS, size, generator=generator).requires_grad_()

    legal = {"move": torch.ones(ROWS, 5, dtype=torch.bool), "speed": torch.ones(ROWS, 3, dtype=torch.bool)}
    legal["move"][:, 1] = False
    student = {"move": draw(5), "speed": draw(3)}
    teacher = {"move": draw(5), "speed": draw(3)}
    return student, draw(1).squeeze(1), teacher, draw(1).squeeze(1), legal


def subset(logits, legal, temperature):
    return TorchCategorical(logits=logits.masked_fill(~legal, -1e30) / temperature)


@pytest.mark.parametrize("temperature", [1.0, 2.5])
@pytest.mark.parametrize("kind", [ForwardKl, ReverseKl])
def test_divergences_are_their_formulas(policy, rows, kind, temperature):
    student, student_value, teacher, teacher_value, legal = rows
    loss = kind(KlSettings(temperature=temperature)).loss(
        policy, student, student_value, teacher, teacher_value, legal
    )
    expected = torch.zeros(ROWS)
    for name in student:
        one, other = (
            subset(teacher[name], legal[name], temperature),
            subset(student[name], legal[name], temperature),
        )
        expected = expected + (kl_divergence(one, other) if kind is ForwardKl else kl_divergence(other, one))
    assert loss.shape == (ROWS,)
    torch.testing.assert_close(loss, expected * temperature**2, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "distiller",
    [
        ForwardKl(KlSettings()),
        ReverseKl(KlSettings(temperature=2.0)),
        Value(ValueSettings()),
        Value(ValueSettings(kind="huber")),
    ],
)
def test_gradients_flow_into_the_student_only_and_vanish_where_it_equals_the_teacher(policy, rows, distiller):
    student, student_value, teacher, teacher_value, legal = rows
    distiller.loss(policy, student, student_value, teacher, teacher_value, legal).sum().backward()
    assert all(logits.grad is None for logits in teacher.values())
    inputs = [*student.values(), student_value]
    reached = torch.autograd.grad(
        distiller.loss(policy, student, student_value, teacher, teacher_value, legal).sum(),
        inputs,
        allow_unused=True,
    )
    assert sum(float(gradient.abs().sum()) for gradient in reached if gradient is not None) > 0.0
    alike = distiller.loss(policy, student, student_value, student, student_value, legal)
    torch.testing.assert_close(alike, torch.zeros(ROWS), atol=1e-6, rtol=0.0)
    still = torch.autograd.grad(alike.sum(), inputs, allow_unused=True)
    for gradient in still:
        assert gradient is None or gradient.abs().max() < 1e-6


def test_the_gradient_keeps_its_size_at_any_temperature(policy, rows):
    """For small logits the softened gradient falls as 1 / T^2, which the factor makes good."""
    student, student_value, teacher, teacher_value, legal = rows
    small = {name: (logits.detach() * 1e-2).requires_grad_() for name, logits in student.items()}
    aim = {name: logits.detach() * 1e-2 for name, logits in teacher.items()}
    sizes = []
    for temperature in (1.0, 4.0):
        loss = ForwardKl(KlSettings(temperature=temperature)).loss(
            policy, small, student_value, aim, teacher_value, legal
        )
        sizes.append(torch.autograd.grad(loss.sum(), small["move"])[0].norm().item())
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)


def test_value_distances_by_hand(policy):
    student, teacher = torch.tensor([1.0, 0.0, -3.0]), torch.tensor([1.0, 0.5, 0.0])
    nothing: dict[str, torch.Tensor] = {}
    squared = Value(ValueSettings()).loss(policy, nothing, student, nothing, teacher, nothing)
    assert squared.tolist() == [0.0, 0.25, 9.0]
    huber = Value(ValueSettings(kind="huber", delta=2.0)).loss(
        policy, nothing, student, nothing, teacher, nothing
    )
    assert huber.tolist() == [0.0, 0.125, 2.0 * (3.0 - 1.0)]


def test_settings_refuse_what_has_no_meaning():
    for model, table in (
        (KlSettings, {"temperature": 0.0}),
        (ValueSettings, {"kind": "mae"}),
        (KlSettings, {"temp": 1.0}),
    ):
        with pytest.raises(ValidationError):
            model.model_validate(table)


def test_the_settings_module_is_light():
    code = "import sys, lanista_plugins.distillers.settings; print({'torch', 'numba'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "set()"
