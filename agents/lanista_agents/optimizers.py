"""Optimisers over a flat vector of weights: Adam, and Muon for the matrices among them.

Their steps change the weights in place, and their state is a few flat vectors: what a checkpoint has to hold.
"""

import math
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from lanista.flat_parameters import FlatParameters
from lanista.kernels import compile_kernels
from lanista_agents import kernels

_kernels = compile_kernels(kernels, label="learners")


class Optimizer(Protocol):
    """One step at a time, downhill."""

    def step(self, gradient: Tensor, scale: float, learning_rate: float) -> None:
        """Change the weights by the flat gradient times `scale`."""

    def state(self) -> dict[str, Tensor]:
        """Moments and counters."""

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""


class Adam:
    """Adam (Kingma and Ba 2015, algorithm 1) on a part of a flat vector."""

    def __init__(self, flat: FlatParameters, betas: tuple[float, float], eps: float, start: int = 0) -> None:
        """Weights before `start` are left alone."""
        self.flat, self.betas, self.eps, self.start = flat, betas, eps, start
        self.first = torch.zeros(len(flat.vector) - start)
        self.second = torch.zeros(len(flat.vector) - start)
        self.steps = 0

    def step(self, gradient: Tensor, scale: float, learning_rate: float) -> None:
        """See `Optimizer`."""
        self.steps += 1
        beta1, beta2 = self.betas
        _kernels.adam_step(
            self.flat.vector.numpy()[self.start :],
            gradient.numpy()[self.start :],
            self.first.numpy(),
            self.second.numpy(),
            np.float32(scale),
            np.float32(beta1),
            np.float32(1.0 - beta1),
            np.float32(beta2),
            np.float32(1.0 - beta2),
            np.float32(learning_rate / (1.0 - beta1**self.steps)),
            np.float32(1.0 / math.sqrt(1.0 - beta2**self.steps)),
            np.float32(self.eps),
        )

    def state(self) -> dict[str, Tensor]:
        """See `Optimizer`."""
        return {
            "adam_first": self.first.clone(),
            "adam_second": self.second.clone(),
            "adam_steps": torch.tensor(self.steps),
        }

    def load_state(self, state: dict[str, Tensor]) -> None:
        """See `Optimizer`."""
        self.first.copy_(state["adam_first"])
        self.second.copy_(state["adam_second"])
        self.steps = int(state["adam_steps"])


class Muon:
    """Muon for matrices (Jordan 2024, https://kellerjordan.github.io/posts/muon/), Adam for other weights.

    A matrix moves by its Nesterov momentum, made nearly orthogonal by five Newton-Schulz steps and scaled by
    ``sqrt(max(1, rows / columns))``. A convolution counts as the matrix ``[out, in * height * width]``.
    """

    def __init__(self, flat: FlatParameters, momentum: float, betas: tuple[float, float], eps: float) -> None:
        """`betas` and `eps` are Adam's."""
        self.flat, self.momentum = flat, momentum
        self.velocity = torch.zeros(flat.num_in_matrices)
        self.adam = Adam(flat, betas, eps, start=flat.num_in_matrices)
        self.shapes = [(weight.shape[0], weight[0].numel()) for weight in flat.matrices]
        self.sizes = [rows * columns for rows, columns in self.shapes]

    def step(self, gradient: Tensor, scale: float, learning_rate: float) -> None:
        """See `Optimizer`."""
        here = gradient[: self.flat.num_in_matrices] * scale
        self.velocity.lerp_(here, 1.0 - self.momentum)
        direction = here.lerp_(self.velocity, self.momentum)
        moves = torch.split(direction, self.sizes)
        for shape, move, weight in zip(self.shapes, moves, self.flat.matrices, strict=True):
            wide = math.sqrt(max(1.0, shape[0] / shape[1]))
            weight.detach().view(shape).sub_(orthogonalised(move.view(shape)), alpha=learning_rate * wide)
        self.adam.step(gradient, scale, learning_rate)

    def state(self) -> dict[str, Tensor]:
        """See `Optimizer`."""
        return {"muon_velocity": self.velocity.clone(), **self.adam.state()}

    def load_state(self, state: dict[str, Tensor]) -> None:
        """See `Optimizer`."""
        self.velocity.copy_(state["muon_velocity"])
        self.adam.load_state(state)


def orthogonalised(matrix: Tensor, steps: int = 5) -> Tensor:
    """Bring a matrix's singular values near 1 by the quintic Newton-Schulz iteration of Jordan 2024."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (torch.linalg.vector_norm(x) + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x
