import copy
import io

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from safetensors.torch import load, save

from lanista.errors import LanistaError, RecipeError
from lanista.policy import PolicyOutput
from lanista.spec import HeadSpec, ObsPart
from lanista_agents.networks.conv import Conv
from lanista_agents.networks.mlp import Mlp
from lanista_agents.settings import ConvSettings, MlpSettings

HEADS = (HeadSpec("move", "categorical", 7, "a column"), HeadSpec("speed", "categorical", 3, "how fast"))
BOARD = ObsPart("board", (3, 4, 5), "uint8", "planes")
NUMBERS = ObsPart("numbers", (2, 3), "float32", "numbers", center=(1.0, 2.0, 3.0), spread=(4.0, 5.0, 6.0))
CLOCK = ObsPart("clock", (1,), "int32", "turn", center=(10.0,), spread=(20.0,))
PARTS = (BOARD, NUMBERS, CLOCK)


def observe(parts, rows, seed=0):
    rng = np.random.default_rng(seed)
    whole = {
        "float32": lambda shape: rng.standard_normal(shape).astype(np.float32),
        "uint8": lambda shape: rng.integers(0, 2, shape, np.uint8),
        "int32": lambda shape: rng.integers(0, 40, shape, np.int32),
    }
    return {part.name: torch.from_numpy(whole[part.dtype]((rows, *part.shape))) for part in parts}


def shaken(network, seed=0):
    """Weights away from their special first values."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
    return network


def numbers_of(output):
    return torch.cat([*output.logits.values(), output.value[:, None]], dim=1)


CASES = [
    pytest.param(Mlp, MlpSettings(hidden=(16, 12)), id="mlp"),
    pytest.param(Mlp, MlpSettings(hidden=(16,), residual_blocks=2, activation="relu"), id="mlp-residual"),
    pytest.param(Mlp, MlpSettings(hidden=(16, 8), separate_value=True, activation="gelu"), id="mlp-separate"),
    pytest.param(Conv, ConvSettings(channels=6, blocks=1, readout=2, hidden=10), id="conv"),
    pytest.param(Conv, ConvSettings(channels=4, blocks=0, activation="tanh"), id="conv-plain"),
]


@pytest.mark.parametrize(("kind", "settings"), CASES)
def test_outputs_have_the_contracts_shapes_and_every_weight_gets_a_gradient(kind, settings):
    network = shaken(kind(PARTS, HEADS, settings))
    output = network(observe(PARTS, 9))
    assert {name: tuple(logits.shape) for name, logits in output.logits.items()} == {
        "move": (9, 7),
        "speed": (9, 3),
    }
    assert output.value.shape == (9,)
    assert numbers_of(output).dtype == torch.float32
    numbers_of(output).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0.0, name


@pytest.mark.filterwarnings("ignore")  # torch's exporter warns of its own deprecated parts
@pytest.mark.parametrize(("kind", "settings"), CASES)
def test_the_exported_graph_computes_the_same_for_any_batch(kind, settings):
    network = shaken(kind(PARTS, HEADS, settings)).eval()
    batch = torch.export.Dim("batch", min=1, max=4096)
    file = io.BytesIO()
    program = torch.onnx.export(
        network, kwargs={"observation": observe(PARTS, 3)}, dynamo=True, verbose=False,
        dynamic_shapes={"observation": {part.name: {0: batch} for part in PARTS}},
    )  # fmt: skip
    program.save(file)
    onnx.checker.check_model(onnx.load_from_string(file.getvalue()))
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    names = [node.name for node in session.get_inputs()]
    for rows in (1, 2, 17):
        observation = observe(PARTS, rows, seed=rows)
        feed = dict(zip(names, [observation[part.name].numpy() for part in PARTS], strict=True))
        found = session.run(None, feed)
        with torch.no_grad():
            expected = network(observation)
        for mine, other in zip(found, [*expected.logits.values(), expected.value], strict=True):
            np.testing.assert_allclose(mine, other.numpy(), atol=1e-5)


def test_inputs_are_scaled_inside_the_graph_by_what_the_env_declares():
    network = Mlp(PARTS, HEADS, MlpSettings())
    observation = observe(PARTS, 5)
    expected = torch.cat(
        [
            observation["board"].flatten(1).float(),
            (
                (observation["numbers"] - torch.tensor([1.0, 2.0, 3.0])) / torch.tensor([4.0, 5.0, 6.0])
            ).flatten(1),
            (observation["clock"].float() - 10.0) / 20.0,
        ],
        dim=1,
    )
    torch.testing.assert_close(network.inputs(observation), expected)
    conv = Conv((ObsPart("board", (2, 2, 2), "float32", "", (1.0, 2.0), (2.0, 4.0)),), HEADS, ConvSettings())
    board = torch.randn(3, 2, 2, 2)
    torch.testing.assert_close(
        conv.boards({"board": board}), (board - torch.tensor([1.0, 2.0])) / torch.tensor([2.0, 4.0])
    )


def test_scaling_is_no_weight_and_is_left_out_where_it_changes_nothing():
    network = Mlp((BOARD,), HEADS, MlpSettings())
    assert not network.inputs.scaling.needed
    scaled = Mlp(PARTS, HEADS, MlpSettings())
    assert scaled.inputs.scaling.needed
    assert not any("scaling" in name for name in scaled.state_dict())


def test_a_separate_value_shares_nothing_with_the_policy():
    network = shaken(Mlp(PARTS, HEADS, MlpSettings(separate_value=True)))
    network(observe(PARTS, 4)).value.sum().backward()
    touched = {
        name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()
    }
    assert touched
    assert all(name.startswith(("value_trunk.", "outputs.value.")) for name in touched)


def test_fresh_policies_are_nearly_even():
    torch.manual_seed(0)
    logits = Mlp(PARTS, HEADS, MlpSettings()).forward(observe(PARTS, 50)).logits["move"]
    assert logits.abs().max() < 0.2


def test_the_same_seed_draws_the_same_weights_and_flat_memory_survives_copies_and_files(make_policy, play):
    from lanista_agents.ppo import Ppo
    from lanista_agents.settings import PpoSettings

    policy, twin = make_policy(seed=4), make_policy(seed=4)
    Ppo(policy, PpoSettings(), 0)
    state = policy.network.state_dict()
    for name, weight in twin.network.state_dict().items():
        assert torch.equal(weight, state[name])
    read = load(save({name: weight.contiguous() for name, weight in state.items()}))
    copied = copy.deepcopy(policy.network)
    with torch.no_grad():
        for weight in policy.network.parameters():
            weight.zero_()
    for name, weight in twin.network.state_dict().items():
        assert torch.equal(weight, read[name])
        assert torch.equal(weight, copied.state_dict()[name])


GROWTHS = [
    pytest.param(Mlp, {"hidden": (8, 6)}, {"hidden": (16, 6)}, id="mlp-first-layer"),
    pytest.param(Mlp, {"hidden": (8, 6)}, {"hidden": (9, 24)}, id="mlp-wider"),
    pytest.param(Mlp, {"hidden": (8,)}, {"hidden": (8,), "residual_blocks": 2}, id="mlp-deeper"),
    pytest.param(
        Mlp,
        {"hidden": (8,), "residual_blocks": 1, "activation": "gelu", "separate_value": True},
        {"hidden": (13,), "residual_blocks": 3, "activation": "gelu", "separate_value": True},
        id="mlp-both",
    ),
    pytest.param(Conv, {"channels": 4, "blocks": 1}, {"channels": 7, "blocks": 1}, id="conv-wider"),
    pytest.param(
        Conv,
        {"channels": 4, "blocks": 1, "readout": 2, "hidden": 8},
        {"channels": 6, "blocks": 3, "readout": 5, "hidden": 20},
        id="conv-both",
    ),
]


def models(kind, *tables):
    settings = MlpSettings if kind is Mlp else ConvSettings
    return [settings.model_validate(table) for table in tables]


@pytest.mark.parametrize(("kind", "small", "large"), GROWTHS)
def test_a_grown_network_computes_the_same_and_has_more_weights(kind, small, large):
    before, after = models(kind, small, large)
    network = shaken(kind(PARTS, HEADS, before))
    grown = network.grow(after)
    observation = observe(PARTS, 200)
    with torch.no_grad():
        torch.testing.assert_close(
            numbers_of(grown(observation)), numbers_of(network(observation)), atol=1e-5, rtol=1e-5
        )
    assert grown.settings == after
    count = [sum(weight.numel() for weight in one.parameters()) for one in (network, grown)]
    assert count[1] > count[0]


@pytest.mark.parametrize(("kind", "small", "large"), GROWTHS)
def test_after_a_few_steps_every_new_weight_moves(kind, small, large):
    before, after = models(kind, small, large)
    network = shaken(kind(PARTS, HEADS, before))
    grown = network.grow(after)
    first = {name: weight.detach().clone() for name, weight in grown.named_parameters()}
    goal = torch.randn(64, 11, generator=torch.Generator().manual_seed(1))
    optimiser = torch.optim.Adam(grown.parameters(), lr=1e-2)
    for _ in range(4):
        optimiser.zero_grad()
        (numbers_of(grown(observe(PARTS, 64))) - goal).square().mean().backward()
        optimiser.step()
    old_sizes = {name: weight.shape for name, weight in network.named_parameters()}
    for name, weight in grown.named_parameters():
        moved = (weight - first[name]) != 0.0
        fresh = torch.ones_like(moved)
        if name in old_sizes:
            fresh[tuple(slice(size) for size in old_sizes[name])] = False
        if fresh.any():
            assert moved[fresh].float().mean() > 0.5, name


@pytest.mark.parametrize(
    ("kind", "small", "large", "sentence"),
    [
        (Mlp, {"hidden": (8, 8)}, {"hidden": (8, 4)}, r"shrink hidden\[1\] from 8 to 4 .* use 8"),
        (Mlp, {"hidden": (8,)}, {"hidden": (8, 8)}, r"mlp cannot grow from 1 to 2 hidden .* residual_blocks"),
        (Mlp, {"residual_blocks": 2}, {"residual_blocks": 1}, r"cannot shrink residual_blocks from 2 to 1"),
        (Mlp, {}, {"activation": "relu"}, r"change activation from 'tanh' to 'relu' by growing; keep it"),
        (Mlp, {}, {"separate_value": True}, r"mlp cannot change separate_value from False to True"),
        (Conv, {"channels": 8}, {"channels": 4}, r"conv cannot shrink channels from 8 to 4"),
        (Conv, {"blocks": 2}, {"blocks": 0}, r"conv cannot shrink blocks from 2 to 0"),
        (Conv, {}, {"activation": "gelu"}, r"conv cannot change activation from 'relu' to 'gelu'"),
    ],
)  # fmt: skip
def test_what_cannot_grow_says_so(kind, small, large, sentence):
    before, after = models(kind, small, large)
    with pytest.raises(LanistaError, match=sentence):
        kind(PARTS, HEADS, before).grow(after)


def test_conv_says_what_it_needs():
    with pytest.raises(
        LanistaError, match=r'conv needs a part of shape \[C, H, W\], found clock \[1\]; use network "mlp"'
    ):
        Conv((CLOCK,), HEADS, ConvSettings())
    other = ObsPart("map", (1, 9, 9), "uint8", "a larger board")
    with pytest.raises(
        LanistaError, match=r"one height and width, found board \[3, 4, 5\], map \[1, 9, 9\]; pad"
    ):
        Conv((BOARD, other), HEADS, ConvSettings())


def test_wrong_sizes_are_refused_by_name(registry):
    for table in ({"hidden": []}, {"hidden": [0]}, {"hidden": [8], "activation": "selu"}):
        with pytest.raises(RecipeError, match=r"hidden|activation"):
            registry.settings("networks", "mlp", table)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": (7,)},
        {"hidden": (7, 5), "activation": "relu"},
        {"hidden": (7, 5, 6), "activation": "gelu", "residual_blocks": 2},
        {"hidden": (7, 5), "residual_blocks": 1, "separate_value": True},
    ],
)
def test_the_mlps_own_way_back_is_torchs(settings):
    network = shaken(Mlp(PARTS, HEADS, MlpSettings(**settings)))
    observation = observe(PARTS, 11)
    generator = torch.Generator().manual_seed(0)
    output, pull = network.vjp(observation)
    torch.testing.assert_close(numbers_of(output), numbers_of(network(observation)).detach())
    assert not output.value.requires_grad
    gradient = PolicyOutput(
        {name: torch.randn(logits.shape, generator=generator) for name, logits in output.logits.items()},
        torch.randn(11, generator=generator),
    )
    slots = {weight: torch.full(weight.shape, torch.nan) for weight in network.parameters()}
    pull(gradient, slots)
    (numbers_of(network(observation)) * numbers_of(gradient)).sum().backward()
    for name, weight in network.named_parameters():
        torch.testing.assert_close(slots[weight], weight.grad, atol=1e-4, rtol=1e-4, msg=name)
