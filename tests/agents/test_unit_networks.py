"""Networks that play units: rows by themselves, growth, padding, board sizes, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from lanista.errors import LanistaError
from lanista.policy import PolicyCard, PolicyOutput, build_policy, load_policy, save_policy
from lanista.spec import UNITS, EnvSpec, FactSpec, HeadSpec, ObsPart
from lanista.testing import check_network
from lanista.units import UnitTable
from lanista_agents.settings import GridResnetSettings

KINDS = (("worker", 4), ("tile", 2))
HEADS = (
    HeadSpec("orders", "units", 4, "an order", units=KINDS),
    HeadSpec("mood", "categorical", 3, "a mood"),
)

MORE = (ObsPart("around", (2, 4), "int8", "whole numbers"),)


def spec_of(side=5, planes=3, heads=HEADS, unit_parts=True):
    return EnvSpec(
        "field", "1", "made up", 2, "simultaneous",
        (
            ObsPart("board", (planes, side, side), "uint8", "planes", center=(10.0,), spread=(50.0,)),
            ObsPart("clock", (2,), "float32", "time"),
        ),
        heads, (FactSpec("reward", "flow", "points", "nothing"),), 9, (0.0, 0.0), "result",
        unit_observation=(ObsPart("seen", (6,), "float32", "numbers", spread=(2.0,)),) if unit_parts else (),
    )  # fmt: skip


def rows_of(spec, counts, seed=0):
    rng = np.random.default_rng(seed)
    counts = torch.tensor(counts)
    row = torch.repeat_interleave(torch.arange(len(counts)), counts)
    board = spec.observation[0]
    planes = rng.integers(0, 200, (len(counts), *board.shape)).astype(np.uint8)
    legal = torch.ones(len(row), 4, dtype=torch.bool)
    seen = torch.from_numpy(rng.standard_normal((len(row), 6)).astype(np.float32))
    table = UnitTable(
        torch.cat([torch.zeros(1, dtype=torch.int64), counts.cumsum(0)]),
        row,
        torch.from_numpy(rng.integers(0, board.shape[1] ** 2, len(row))),
        torch.from_numpy(rng.integers(0, 2, len(row))),
        legal,
        {part.name: seen for part in spec.unit_observation},
    )
    times = torch.from_numpy(rng.random((len(counts), 2)).astype(np.float32))
    return {"board": torch.from_numpy(planes), "clock": times, UNITS: table}


def network_of(registry, name, settings, spec=None, seed=0):
    torch.manual_seed(seed)
    card = PolicyCard("field", {}, spec or spec_of(), name, {"policy_gain": 1.0, **settings})
    return build_policy(card, registry).network


def stirred(network, seed=1):
    """Weights that start at zero would hide what they do."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.1 * torch.randn(weight.shape))
    return network


def near(one, other, atol=1e-5):
    torch.testing.assert_close(one.value, other.value, atol=atol, rtol=1e-4)
    for name, logits in one.logits.items():
        torch.testing.assert_close(logits, other.logits[name], atol=atol, rtol=1e-4)


CASES = [
    ("unit_mlp", {"width": 12, "context": 8}),
    ("unit_mlp", {"width": 12, "context": 8, "attention_heads": 2, "blocks": 1, "context_blocks": 1}),
    ("grid_resnet", {"channels": 8, "blocks": 2, "squeeze": 4, "hidden": 8}),
    ("grid_resnet", {"channels": 8, "blocks": 1, "squeeze": 0, "kernel": 5, "activation": "gelu"}),
]


@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize("unit_parts", [True, False])
def test_a_row_is_answered_the_same_whatever_stands_beside_it(registry, name, settings, unit_parts):
    spec = spec_of(unit_parts=unit_parts)
    network = stirred(network_of(registry, name, settings, spec))
    rows = rows_of(spec, [3, 0, 5, 1, 0, 2])
    whole = network(rows)
    assert whole.logits["orders"].shape == (11, 4)
    assert whole.logits["mood"].shape == (6, 3)
    for pick in (torch.tensor([4]), torch.tensor([2, 0, 5]), torch.tensor([1, 4])):
        few = network({part: values[pick] for part, values in rows.items()})
        table = rows[UNITS].with_further({"logits": whole.logits["orders"]})[pick]
        torch.testing.assert_close(few.logits["orders"], table.further["logits"], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(few.value, whole.value[pick], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_every_kind_has_logits_of_its_own(registry, name, settings):
    network = stirred(network_of(registry, name, settings))
    rows = rows_of(spec_of(), [1])
    answers = []
    for kind in (0, 1):
        rows[UNITS].kind[:] = kind
        answers.append(network(rows).logits["orders"])
    assert not torch.allclose(*answers)


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        (
            "unit_mlp",
            {"width": 12, "context": 8, "attention_heads": 2, "blocks": 1},
            {"width": 20, "context": 9, "attention_heads": 2, "blocks": 2, "context_blocks": 1},
        ),
        (
            "grid_resnet",
            {"channels": 8, "blocks": 1, "squeeze": 4, "hidden": 8},
            {"channels": 13, "blocks": 3, "squeeze": 6, "hidden": 10},
        ),
    ],
)
def test_growing_keeps_the_function_and_wakes_the_new_weights(registry, name, small, large):
    network = stirred(network_of(registry, name, small))
    settings = registry.settings("networks", name, {"policy_gain": 1.0, **large})
    grown = network.grow(settings)
    rows = rows_of(spec_of(), [3, 0, 5])
    near(grown(rows), network(rows))
    answer = grown(rows)
    (answer.logits["orders"].square().sum() + answer.value.sum()).backward()
    assert (
        grown.second.weight.grad[:, 12:].any()
        if name == "unit_mlp"
        else grown.of_cell.weight.grad[:, 8:].any()
    )
    with pytest.raises(LanistaError, match="cannot shrink"):
        grown.grow(network.settings)
    with pytest.raises(LanistaError, match="cannot change activation"):
        network.grow(settings.model_copy(update={"activation": "tanh"}))


def test_grid_resnet_refuses_to_grow_squeeze_excitation_where_there_is_none(registry):
    network = network_of(registry, "grid_resnet", {"channels": 8, "squeeze": 0})
    with pytest.raises(LanistaError, match="squeeze from 0 to 8"):
        network.grow(GridResnetSettings(channels=8))


def test_padded_boards_are_answered_as_unpadded_ones(registry):
    settings = {"channels": 8, "blocks": 2, "squeeze": 4, "inside": ["board", 2]}
    small = rows_of(spec_of(side=5), [3, 0, 5])
    small["board"][:, 2] = 1
    network = stirred(network_of(registry, "grid_resnet", settings))
    padded = {**small, "board": torch.full((3, 3, 8, 8), 0, dtype=torch.uint8)}
    padded["board"][:, :2] = 77  # whatever stands there
    padded["board"][:, :, :5, :5] = small["board"]
    table = small[UNITS]
    cell = table.cell // 5 * 8 + table.cell % 5
    padded[UNITS] = UnitTable(table.offsets, table.row, cell, table.kind, table.legal, table.observation)
    near(network(padded), network(small))


def test_weights_of_grid_resnet_move_from_one_board_size_to_another(registry):
    settings = {"channels": 8, "blocks": 1}
    network = stirred(network_of(registry, "grid_resnet", settings))
    larger = network_of(registry, "grid_resnet", settings, spec_of(side=9), seed=7)
    larger.load_state_dict(network.state_dict())
    assert larger(rows_of(spec_of(side=9), [2, 1])).logits["orders"].isfinite().all()
    near(larger(rows_of(spec_of(), [2, 1])), network(rows_of(spec_of(), [2, 1])))


def test_bfloat16_answers_nearly_as_float32_and_learns(registry):
    settings = {"channels": 8, "blocks": 2}
    network = stirred(network_of(registry, "grid_resnet", settings))
    half = network_of(registry, "grid_resnet", {**settings, "precision": "bfloat16"})
    half.load_state_dict(network.state_dict())
    rows = rows_of(spec_of(), [3, 0, 5])
    answer = half(rows)
    assert answer.value.dtype == answer.logits["orders"].dtype == torch.float32
    near(answer, network(rows), atol=0.3)
    answer.value.sum().backward()
    assert half.first.weight.grad.isfinite().all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"kernel": 4}, "take an odd number"), ({"inside": ("board", -1)}, "planes count from 0")],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        GridResnetSettings(**settings)


def test_networks_say_what_they_are_not_for(registry):
    with pytest.raises(LanistaError, match="network 'mlp' takes no units, and field asks for every unit"):
        network_of(registry, "mlp", {"hidden": [8]})
    with pytest.raises(
        LanistaError, match=r"names plane 9 of 'board', and the env's boards are board with 3 planes"
    ):
        network_of(registry, "grid_resnet", {"inside": ["board", 9]})
    with pytest.raises(LanistaError, match=r"found the heads mood \(categorical\); use network mlp or conv"):
        registry.load("networks", "unit_mlp")(
            spec_of().observation, HEADS[1:], registry.settings("networks", "unit_mlp", {})
        )


def test_grid_resnet_also_plays_games_without_units(registry):
    check_network(registry, "grid_resnet")


@pytest.mark.parametrize(("name", "settings"), CASES[1:3])
def test_a_saved_policy_with_units_is_read_back_the_same(registry, tmp_path, name, settings):
    torch.manual_seed(0)
    policy = build_policy(PolicyCard("field", {}, spec_of(), name, settings), registry)
    stirred(policy.network)
    save_policy(tmp_path, policy)
    rows = rows_of(spec_of(), [3, 0, 5])
    near(load_policy(tmp_path, registry).network(rows), policy.network(rows), atol=0.0)


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh"])
@pytest.mark.parametrize("attention_heads", [0, 2])
@pytest.mark.parametrize("counts", [[3, 0, 5, 1, 0, 2], [0, 0], [1]])
def test_unit_mlps_own_way_back_is_that_of_torch(registry, activation, attention_heads, counts):
    settings = {"width": 12, "context": 8, "blocks": 1, "context_blocks": 1}
    settings |= {"activation": activation, "attention_heads": attention_heads}
    spec = spec_of()
    spec = replace(spec, unit_observation=(replace(spec.unit_observation[0], center=(0.3,)), *MORE))
    network = stirred(network_of(registry, "unit_mlp", settings, spec))
    rows = rows_of(spec, counts)
    more = torch.arange(8 * sum(counts)).view(-1, 2, 4) % 7
    table = rows[UNITS]
    rows[UNITS] = replace(table, observation={**table.observation, "around": more.to(torch.int8)})
    traced = network(rows)
    gradient = PolicyOutput(
        {name: torch.randn_like(logits) for name, logits in traced.logits.items()},
        torch.randn_like(traced.value),
    )
    loss = (traced.value * gradient.value).sum()
    loss = loss + sum((logits * gradient.logits[name]).sum() for name, logits in traced.logits.items())
    weights = list(network.parameters())
    wanted = torch.autograd.grad(loss, weights)
    output, pull = network.vjp(rows)
    near(traced, output)
    slots = {weight: torch.full_like(weight, torch.nan) for weight in weights}
    pull(gradient, slots)
    for weight, by in zip(weights, wanted, strict=True):
        torch.testing.assert_close(slots[weight], by, atol=2e-5, rtol=1e-4)
    with torch.no_grad():
        near(traced, network(rows))


def test_unit_mlp_in_bfloat16_answers_and_leads_back_nearly_as_in_float32(registry):
    settings, rows = {"width": 32, "context": 16}, rows_of(spec_of(), [3, 0, 5, 1, 7, 2])
    found = []
    for precision in ("float32", "bfloat16"):
        network = stirred(network_of(registry, "unit_mlp", {**settings, "precision": precision}))
        output, pull = network.vjp(rows)
        assert output.value.dtype == output.logits["orders"].dtype == torch.float32
        slots = {weight: torch.full_like(weight, torch.nan) for weight in network.parameters()}
        logits = {name: torch.ones_like(part) for name, part in output.logits.items()}
        pull(PolicyOutput(logits, torch.ones_like(output.value)), slots)
        found.append((output, torch.cat([slot.flatten() for slot in slots.values()])))
    (single, by_single), (half, by_half) = found
    near(single, half, atol=0.1)
    assert not torch.equal(single.value, half.value)
    assert torch.linalg.vector_norm(by_half - by_single) < 0.03 * torch.linalg.vector_norm(by_single)
