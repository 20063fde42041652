"""Microseconds a decision takes at batch 1: torch (eager), onnxruntime and the numpy runtime, on one thread.

    python benchmarks/latency.py [--calls 2000] [--rounds 7] [--json FILE]

For each network a policy for Connect X with random weights is exported; the three runners then take turns on
the same recorded observations, mask and input scaling included. A figure is the median over the rounds, each
the mean of `--calls` calls; the spread is the lowest and the highest round.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from pathlib import Path
from time import perf_counter

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402 - after the number of threads is set
import torch  # noqa: E402

from lanista.plugins import load_plugins  # noqa: E402
from lanista.policy import PolicyCard, build_policy  # noqa: E402
from lanista_submission.export.compare import numpy_runner, onnx_runner, torch_runner  # noqa: E402
from lanista_submission.export.policy import export_policy  # noqa: E402
from lanista_submission.export.record import record_play  # noqa: E402
from lanista_submission.runtime.plan import compile_plan  # noqa: E402

NETWORKS = {
    "cartpole mlp 64x64": ("cartpole", "mlp", {"hidden": [64, 64]}),
    "connectx mlp 64x64": ("connectx", "mlp", {"hidden": [64, 64]}),
    "connectx mlp 256x256": ("connectx", "mlp", {"hidden": [256, 256]}),
    "connectx conv 32, 2 blocks": ("connectx", "conv", {"channels": 32, "blocks": 2}),
    "connectx conv 64, 4 blocks": ("connectx", "conv", {"channels": 64, "blocks": 4, "hidden": 128}),
}


def seconds_of(runner, rows, calls):
    """Mean seconds of a call, over all rows in turn."""
    start = perf_counter()
    for call in range(calls):
        runner(rows[call % len(rows)])
    return (perf_counter() - start) / calls


def measure(env_name, network, settings, calls, rounds, registry):
    """{runner: [seconds a call, one a round]} and the number of parameters."""
    import onnx

    env = registry.load("envs", env_name)(1, registry.settings("envs", env_name, {}), 1)
    torch.manual_seed(0)
    policy = build_policy(PolicyCard(env_name, {}, env.spec, network, settings), registry)
    recorded = record_play(policy, registry, 64)
    with tempfile.TemporaryDirectory() as folder:
        model = export_policy(policy, Path(folder) / "policy.onnx", recorded).path.read_bytes()
    runners = {
        "torch": torch_runner(policy),
        "onnxruntime": onnx_runner(model),
        "numpy": numpy_runner(compile_plan(onnx.load_model_from_string(model))),
    }
    inputs = recorded.inputs()
    rows = [{name: array[row : row + 1] for name, array in inputs.items()} for row in range(len(recorded))]
    for runner in runners.values():
        seconds_of(runner, rows, 50)
    found = {name: [] for name in runners}
    for _ in range(rounds):
        for name, runner in runners.items():
            found[name].append(seconds_of(runner, rows, calls))
    return found, policy.num_parameters


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    registry = load_plugins().registry
    record = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {"numpy": np.__version__, "torch": torch.__version__},
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "microseconds": {},
    }
    print(
        f"{'network':<28}{'parameters':>11}{'torch':>20}{'onnxruntime':>20}{'numpy runtime':>20}   (µs a decision)"
    )
    for title, (env, network, settings) in NETWORKS.items():
        found, parameters = measure(env, network, settings, options.calls, options.rounds, registry)
        cells = []
        for seconds in found.values():
            micro = [1e6 * value for value in seconds]
            cells.append(f"{statistics.median(micro):.1f} ({min(micro):.1f}-{max(micro):.1f})")
        print(f"{title:<28}{parameters:>11,}" + "".join(f"{cell:>20}" for cell in cells), flush=True)
        record["microseconds"][title] = {
            name: round(1e6 * statistics.median(seconds), 2) for name, seconds in found.items()
        }
    print(f"{record['machine']}; numpy {np.__version__}, torch {torch.__version__}, one thread")
    if options.json is not None:
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
