"""What a network's answer must look like, wherever one is met: in a check, or when a run builds its policy."""

from typing import Any

from lanista.spec import UNITS, HeadSpec
from lanista.testing.complaints import Complaints


def check_output(
    output: Any,  # noqa: ANN401
    heads: tuple[HeadSpec, ...],
    rows: int,
    complaints: Complaints,
    units: int = 0,
) -> None:
    """Refuse a network's answer to `rows` rows, of `units` units together, whose form is not the contract's."""
    logits, value = getattr(output, "logits", None), getattr(output, "value", None)
    refuse = complaints.refuse
    refuse(
        not isinstance(logits, dict) or value is None, "forward", f"gave a {type(output).__name__}",
        "give lanista.policy.PolicyOutput(logits, value)",
    )  # fmt: skip
    assert isinstance(logits, dict)
    assert value is not None
    refuse(
        set(logits) != {head.name for head in heads}, "forward, logits,", f"are those of the heads {sorted(logits)}",
        f"give one for each of {', '.join(head.name for head in heads)}",
    )  # fmt: skip
    for field, tensor, shape in (
        *(
            (
                f"forward, logits[{head.name!r}],",
                logits[head.name],
                (units if head.kind == UNITS else rows, head.size),
            )
            for head in heads
        ),
        ("forward, value,", value, (rows,)),
    ):
        refuse(
            tuple(tensor.shape) != shape, field, f"has the shape {tuple(tensor.shape)} for {rows} rows"
            + (f" and {units} units" if units else ""), f"asked is {shape}",
        )  # fmt: skip
        dtype = str(tensor.dtype).removeprefix("torch.")
        refuse(dtype != "float32", field, f"has the dtype {dtype}", "give float32")
        refuse(
            not bool(tensor.isfinite().all()), field, "holds NaN or infinity", "look at divisions and scales"
        )
