"""What a decision costs a student at batch 1: torch, onnxruntime and the numpy runtime, in turns, on one thread.

    python benchmarks/inference.py [--seconds 5] [--json FILE]

Policies with random weights for a robot's task (29 numbers seen, 8 real numbers chosen) and for a game's (8 seen, 4
choices), scaling of the inputs and the way to the bounds, or the mask, included. A block is 20 calls; a figure is the
median of the blocks' means and their 99th percentile, with the files' sizes and the same for int8 weights.
"""

import argparse
import json
import os
import platform
import sys
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402 - after the number of threads is set
import onnxruntime  # noqa: E402
import torch  # noqa: E402

from lanista.plugins import load_plugins  # noqa: E402
from lanista.policy import PolicyCard, build_policy  # noqa: E402
from lanista.spec import EnvSpec, FactSpec, HeadSpec, ObsPart  # noqa: E402
from lanista_submission.export.graph import export_model  # noqa: E402
from lanista_submission.export.int8 import with_int8_weights  # noqa: E402
from lanista_submission.export.record import Recorded  # noqa: E402
from lanista_submission.export.timing import decision_times  # noqa: E402
from lanista_submission.runtime.plan import compile_plan  # noqa: E402

SIZES = ((400, 300), (256, 256), (64, 64), (32, 32), (16, 16))
TASKS = {
    "robot, 29 to 8 numbers": (
        29,
        HeadSpec("action", "gaussian", 8, "torques", low=(-1.0,) * 8, high=(1.0,) * 8),
    ),
    "game, 8 to 4 choices": (8, HeadSpec("action", "categorical", 4, "engines")),
}


def policy_of(numbers, head, hidden, registry):
    """A policy with random weights and biases, as after training."""
    rng = np.random.default_rng(0)
    part = ObsPart(
        "observation", (numbers,), "float32", "numbers",
        tuple(rng.normal(size=numbers).tolist()), tuple(rng.uniform(0.5, 2.0, numbers).tolist()),
    )  # fmt: skip
    spec = EnvSpec(
        "task", "1", "here", 1, "simultaneous", (part,), (head,),
        (FactSpec("reward", "flow", "points", "reward"),), 1000, (0.0, 1.0), "score",
    )  # fmt: skip
    torch.manual_seed(0)
    policy = build_policy(PolicyCard("task", {}, spec, "mlp", {"hidden": list(hidden)}), registry)
    with torch.no_grad():
        for weight in policy.network.parameters():
            weight += 0.05 * torch.randn_like(weight)
    seen = rng.normal(size=(64, numbers)).astype(np.float32)
    legal = {} if head.continuous else {"action": rng.random((64, head.size)) < 0.8}
    for mask in legal.values():
        mask[:, 0] = True
    return policy, Recorded({"observation": seen}, legal)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="for each runtime, network and kind of weights"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    registry = load_plugins().registry
    record = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {
            "numpy": np.__version__,
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
        },
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "rows": [],
    }
    print(f"{'task':<24}{'hidden':<10}{'weights':<9}{'kB ONNX':>8}{'kB numpy':>9}", end="")
    print(
        "".join(f"{name:>18}" for name in ("torch", "onnxruntime", "numpy")),
        "  (µs, median and 99th percentile)",
    )
    for task, (numbers, head) in TASKS.items():
        for hidden in SIZES:
            policy, recorded = policy_of(numbers, head, hidden, registry)
            traced = export_model(policy)
            for kind, model in (("float32", traced), ("int8", with_int8_weights(traced))):
                content, plan = model.SerializeToString(), compile_plan(model)
                times = decision_times(policy, content, plan, recorded, options.seconds)
                sizes = len(content) / 1000, (len(plan.json_bytes()) + len(plan.npz_bytes())) / 1000
                name = "x".join(str(size) for size in hidden)
                cells = "".join(f"{f'{time.median:.2f} ({time.p99:.1f})':>18}" for time in times.values())
                print(f"{task:<24}{name:<10}{kind:<9}{sizes[0]:>8.1f}{sizes[1]:>9.1f}{cells}", flush=True)
                record["rows"].append(
                    {
                        "task": task, "hidden": list(hidden), "weights": kind, "parameters": policy.num_parameters,
                        "onnx_kb": round(sizes[0], 2), "numpy_kb": round(sizes[1], 2),
                        "microseconds": {
                            runner: {"median": round(time.median, 2), "p99": round(time.p99, 2)}
                            for runner, time in times.items()
                        },
                    }
                )  # fmt: skip
    print(f"{record['machine']}; one thread; {record['versions']}")
    if options.json is not None:
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
