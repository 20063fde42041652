"""Measures training in float32 and in bfloat16, in a process of its own: `python -m lanista_submission.doctor.precision`.

The work is that of the network `grid_resnet` with its defaults on a small board: eight convolutions of 32 channels over
64 positions of 12 x 12, forward and back, on one thread. Both precisions take turns, and what counts is the processor
time of the quickest go, so that other work on the machine matters little. Prints one line of JSON: positions a second.
"""

import json
import time
from typing import Any

CHANNELS, LAYERS, SIDE, POSITIONS = 32, 8, 12, 64
GOES = 5
PRECISIONS = ("float32", "bfloat16")


def measure() -> dict[str, float]:
    """Positions a second by precision. Imports torch, and sets its threads to one."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    layers: list[nn.Module] = []
    for _ in range(LAYERS):
        layers += [nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.ReLU()]
    network: Any = nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own stub lacks it
    boards = torch.rand(POSITIONS, CHANNELS, SIDE, SIDE).contiguous(memory_format=torch.channels_last)

    def seconds(precision: str) -> float:
        begun = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            answer = network(boards)
        answer.float().square().mean().backward()
        return time.process_time() - begun

    for precision in PRECISIONS:
        seconds(precision)  # the first go makes the machine code
    quickest = dict.fromkeys(PRECISIONS, float("inf"))
    for _ in range(GOES):
        for precision in PRECISIONS:
            quickest[precision] = min(quickest[precision], seconds(precision))
    return {precision: POSITIONS / least for precision, least in quickest.items()}


if __name__ == "__main__":
    print(json.dumps(measure()))
