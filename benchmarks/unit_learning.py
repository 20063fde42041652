"""What learning from units costs: a learner's update beside the bare forward and backward pass of its network.

    python benchmarks/unit_learning.py [--network unit_mlp | grid_resnet] [--learner ppo | impala] [--units 15]
                                       [--precision float32 | bfloat16]

Rows as `lux_s1` declares them on 12 x 12, filled with random numbers, `--units` acting units a row, one thread. The bare
passes go over the same minibatches, cut beforehand: by torch's own differentiation, and by the network's own way back
where it has one (`lanista_agents.vjp`). Seconds are the processor's for this process, the least of five goes that take
turns, so that other work on the machine counts little.
"""

import argparse
import time

import numpy as np
import torch

from lanista.learning import Rollout
from lanista.plugins import load_plugins
from lanista.policy import PolicyCard, PolicyOutput, build_policy
from lanista.spec import UNITS
from lanista.units import UnitTable
from lanista_agents.vjp import network_vjp
from lanista_envs.lux.settings import LuxS1Settings
from lanista_envs.lux.spec import HEAD, lux_spec

NETWORKS = {
    "unit_mlp": ({"width": 96, "context": 64}, "units"),
    "grid_resnet": ({"channels": 32, "blocks": 4}, "planes"),
}
STEPS, ROWS, MINIBATCH = 8, 128, 512


def random_table(spec, rows, units, rng):
    """`units` units in each row, all kinds, half of the choices legal."""
    total = rows * units
    kind = torch.from_numpy(rng.integers(0, len(spec.units_head.units), total))
    choices = torch.tensor([number for _, number in spec.units_head.units])[kind]
    legal = torch.from_numpy(rng.random((total, spec.units_head.size)) < 0.5)
    legal[:, 0] = True
    seen = {
        part.name: torch.from_numpy(rng.standard_normal((total, *part.shape)).astype(part.dtype))
        for part in spec.unit_observation
    }
    return UnitTable(
        torch.arange(rows + 1) * units,
        torch.repeat_interleave(torch.arange(rows), units),
        torch.from_numpy(rng.integers(0, 144, total)),
        kind,
        legal & (torch.arange(spec.units_head.size) < choices.unsqueeze(1)),
        seen,
    )


def played(policy, units):
    """A rollout of random rows with the policy's own choices, and those rows as its network takes them."""
    rng = np.random.default_rng(0)
    spec, shape = policy.card.spec, (STEPS, ROWS)
    table = random_table(spec, STEPS * ROWS, units, rng)
    observation = {
        part.name: rng.integers(0, 200, (*shape, *part.shape)).astype(part.dtype) for part in spec.observation
    }
    rows = {name: torch.from_numpy(part).flatten(0, 1) for name, part in observation.items()}
    rows[UNITS] = table
    chosen, logprob, value = policy.act(rows, {HEAD: table}, torch.Generator().manual_seed(0))
    never = np.zeros(shape, np.bool_)
    rollout = Rollout(
        observation, {}, {HEAD: chosen[HEAD].numpy()}, logprob.numpy().reshape(shape), value.numpy().reshape(shape),
        ~never, rng.standard_normal(shape).astype(np.float32), never, never, np.zeros(shape, np.float32),
        np.zeros(ROWS, np.float32), {HEAD: table},
    )  # fmt: skip
    return rollout, rows


def least(works, times=5):
    """Processor seconds of the quickest go of each, the works taking turns."""
    seconds = [float("inf")] * len(works)
    for _ in range(times):
        for i, work in enumerate(works):
            begun = time.process_time()
            work()
            seconds[i] = min(seconds[i], time.process_time() - begun)
    return seconds


def main():
    """Print one line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--network", choices=sorted(NETWORKS), default="unit_mlp")
    parser.add_argument("--learner", choices=("ppo", "impala"), default="ppo")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--units", type=int, default=15)
    wish = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    registry = load_plugins().registry
    options, shown = NETWORKS[wish.network]
    spec = lux_spec(LuxS1Settings(size=12, observation=shown))
    card = PolicyCard("lux_s1", {}, spec, wish.network, {**options, "precision": wish.precision})
    policy = build_policy(card, registry)
    rollout, rows = played(policy, wish.units)
    settings = registry.settings("learners", wish.learner, {"minibatch_size": MINIBATCH, "num_epochs": 1})
    learner = registry.load("learners", wish.learner)(policy, settings, 1)
    cuts = [slice(first, first + MINIBATCH) for first in range(0, STEPS * ROWS, MINIBATCH)]
    pieces = [{name: part[cut] for name, part in rows.items()} for cut in cuts]

    def by_torch():
        for piece in pieces:
            output = policy.network(piece)
            (output.logits[HEAD].sum() + output.value.sum()).backward()
            policy.network.zero_grad()

    def by_own():
        for piece in pieces:
            output, pull = network_vjp(policy.network, piece)
            ones = {name: torch.ones_like(logits) for name, logits in output.logits.items()}
            pull(PolicyOutput(ones, torch.ones_like(output.value)), learner.descent.flat.slots)

    def update():
        learner.update(rollout, 0.0, [])

    for work in (by_torch, by_own, update):
        work()
    torch_s, own_s, update_s = least((by_torch, by_own, update))
    count = STEPS * ROWS
    print(
        f"{wish.network} ({policy.num_parameters:,} parameters, {wish.precision}), {count:,} rows of {wish.units} units: "
        f"{wish.learner}'s update {update_s:.3f} s, {count / update_s:,.0f} rows/s; forward and backward by torch "
        f"{torch_s:.3f} s (the update is {update_s / torch_s:.2f} times that), by its own way back {own_s:.3f} s "
        f"({update_s / own_s:.2f} times)"
    )


if __name__ == "__main__":
    main()
