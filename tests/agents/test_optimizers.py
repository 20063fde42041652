import pytest
import torch
from torch import nn

from lanista.flat_parameters import FlatParameters
from lanista_agents.optimizers import Adam, Muon, orthogonalised


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4))


def gradients(network, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(weight.shape, generator=generator) for weight in network.parameters()]


def step_both(flat, optimiser, network, seed, rate):
    for weight, gradient in zip(network.parameters(), gradients(network, seed), strict=True):
        flat.slots[weight].copy_(gradient)
    optimiser.step(flat.gradient, 1.0, rate)


def test_the_flat_vector_is_the_networks_memory_matrices_first():
    network = net()
    flat = FlatParameters(network)
    assert flat.num_in_matrices == 3 * 2 * 9 + 4 * 12
    assert len(flat.vector) == flat.num_in_matrices + 3 + 4
    flat.vector.zero_()
    assert all((weight == 0.0).all() for weight in network.parameters())
    assert flat.weights[-1] is network[2].bias


def test_adam_is_torchs():
    network, twin = net(), net()
    flat = FlatParameters(network)
    ours = Adam(flat, (0.8, 0.95), 1e-6)
    theirs = torch.optim.Adam(twin.parameters(), betas=(0.8, 0.95), eps=1e-6)
    for seed, rate in enumerate((0.1, 0.05, 0.2, 0.01)):
        step_both(flat, ours, network, seed, rate)
        theirs.param_groups[0]["lr"] = rate
        for weight, gradient in zip(twin.parameters(), gradients(twin, seed), strict=True):
            weight.grad = gradient
        theirs.step()
    for mine, other in zip(network.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine, other, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (6, 6), (1, 5)])
def test_an_orthogonalised_matrix_keeps_its_directions_and_has_singular_values_near_one(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    found = orthogonalised(matrix)
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.3
    assert values.max() < 1.3
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    inside = left.T @ found @ right.T
    torch.testing.assert_close(inside, torch.diag(inside.diagonal()), atol=1e-4, rtol=0.0)
    torch.testing.assert_close(orthogonalised(matrix * 1e3), found, atol=1e-4, rtol=1e-3)


def test_muon_is_its_formula_for_matrices_and_adam_for_the_rest():
    network, twin = net(), net()
    flat, twin_flat = FlatParameters(network), FlatParameters(twin)
    ours, adam = Muon(flat, 0.9, (0.9, 0.99), 1e-8), Adam(twin_flat, (0.9, 0.99), 1e-8)
    velocity = [torch.zeros_like(weight) for weight in twin.parameters()]
    expected = [weight.detach().clone() for weight in twin.parameters()]
    for seed, rate in enumerate((0.1, 0.05, 0.02)):
        step_both(flat, ours, network, seed, rate)
        step_both(twin_flat, adam, twin, seed, rate)
        for i, gradient in enumerate(gradients(twin, seed)):
            if gradient.ndim < 2:
                continue
            velocity[i] = 0.9 * velocity[i] + 0.1 * gradient
            nesterov = (0.1 * gradient + 0.9 * velocity[i]).flatten(1)
            rows, columns = nesterov.shape
            move = orthogonalised(nesterov) * max(1.0, rows / columns) ** 0.5
            expected[i] -= rate * move.view(gradient.shape)
    for i, weight in enumerate(network.parameters()):
        truth = expected[i] if weight.ndim >= 2 else list(twin.parameters())[i].detach()
        torch.testing.assert_close(weight.detach(), truth, atol=1e-5, rtol=1e-4)
