"""How long one update of a distillation takes: draw, forward, loss, back, Adam, average.

    python benchmarks/distill_update.py [--rows 1000] [--hidden 64 64] [--updates 300] [--repeats 9]

A memory of 100,000 rows of AntBullet's form (29 numbers seen, 8 given); the loss is the squared distance of the
actions, for the heads `gaussian` and `deterministic`, and the KL for a `categorical` one of 8. Prints the median and
the best over the repeats, in milliseconds of processor time (which a busy machine stretches less than the clock's), on
one thread.
"""

import argparse
from statistics import median
from time import process_time

import torch

from lanista.plugins import Registry, load_plugins
from lanista.policy import PolicyCard, PolicyOutput, build_policy
from lanista.schedules import Schedule
from lanista.spec import EnvSpec, HeadSpec, ObsPart
from lanista.tables import DistillerTable
from lanista_plugins.phases.fitting import Fitting, Losses
from lanista_plugins.phases.labelled import LabelledRows
from lanista_plugins.phases.settings import LossSettings

SEEN, GIVEN, MEMORY = 29, 8, 100_000


def spec(kind: str) -> EnvSpec:
    """An env of AntBullet's form, or one that chooses."""
    bounds = {} if kind == "categorical" else {"low": (-1.0,) * GIVEN, "high": (1.0,) * GIVEN}
    return EnvSpec(
        name="form", version="1", source="none", seats=1, turns="simultaneous",
        observation=(ObsPart("observation", (SEEN,), "float32", "numbers"),),
        heads=(HeadSpec("action", kind, GIVEN, "numbers", **bounds),),
        facts=(), max_steps=1, reward_range=(0.0, 1.0), outcome="score",
    )  # fmt: skip


def updates(registry: Registry, kind: str, activation: str, args: argparse.Namespace) -> list[float]:
    """Milliseconds an update, by repeat."""
    settings = {"hidden": args.hidden, "activation": activation}
    policy = build_policy(PolicyCard("form", {}, spec(kind), "mlp", settings), registry)
    loss = {"use": "kl", "temperature": 0.2} if kind == "categorical" else {"use": "mse"}
    one = Schedule(start=1.0, end=1.0)
    terms = [LossSettings(loss=DistillerTable.model_validate(loss), coef=one)]
    fitting, rows = Fitting(policy.network, Losses(terms, registry), 0.99), LabelledRows(MEMORY)
    outputs = policy.heads["action"].num_outputs
    rows.add(
        {"observation": torch.randn(MEMORY, SEEN)},
        {"action": torch.ones(MEMORY, GIVEN, dtype=torch.bool)} if kind == "categorical" else {},
        PolicyOutput({"action": torch.randn(MEMORY, outputs)}, torch.zeros(MEMORY)),
    )
    generator = torch.Generator().manual_seed(0)

    def some() -> float:
        started = process_time()
        for _ in range(args.updates):
            fitting.step([(policy, rows.draw(args.rows, generator))], 0.5, 1e-3)
        return (process_time() - started) / args.updates * 1e3

    some()
    return [some() for _ in range(args.repeats)]


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 64])
    parser.add_argument("--updates", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=9)
    args = parser.parse_args()
    torch.set_num_threads(1)
    registry = load_plugins().registry
    for kind in ("gaussian", "deterministic", "categorical"):
        for activation in ("relu", "tanh"):
            found = updates(registry, kind, activation, args)
            print(f"{kind:14} {activation:5} median {median(found):.3f} ms, best {min(found):.3f} ms")


if __name__ == "__main__":
    main()
