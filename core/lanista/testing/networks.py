"""What must hold of a network: raw logits a head and a value a row, the same by row whatever the batch, exportable."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lanista.errors import LanistaError
from lanista.plugins import Registry
from lanista.spec import HeadSpec, ObsPart
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import first_that_fits, settings_of
from lanista.testing.outputs import check_output

if TYPE_CHECKING:
    from torch import Tensor

    from lanista.policy import PolicyOutput

VECTOR = ObsPart("vector", (7,), "float32", "numbers", center=(0.5,), spread=(2.0,))
BOARD = ObsPart("board", (3, 6, 7), "uint8", "planes of a board")
#: observations to try, a network must take at least one of them
OBSERVATIONS = ((VECTOR,), (BOARD,), (BOARD, VECTOR))
HEADS = (HeadSpec("move", "categorical", 5, "a move"), HeadSpec("turn", "categorical", 2, "a turn"))


def check_network(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a network breaks its contract."""
    import torch

    complaints = Complaints.about(registry.get("networks", name))
    settings = settings_of(registry, "networks", name, options)
    factory = registry.load("networks", name)
    problems: list[str] = []
    for parts in OBSERVATIONS:
        torch.manual_seed(0)
        try:
            network = factory(parts, HEADS, settings)
        except LanistaError as error:  # a network for boards refuses numbers alone, in its own words
            problems.append(str(error))
            continue
        complaints.refuse(
            not isinstance(network, torch.nn.Module), "the network", f"is a {type(network).__name__}",
            "subclass lanista.policy.Network, a torch.nn.Module",
        )  # fmt: skip
        _check_on(parts, network, complaints)
        _check_growth(parts, network, settings, complaints)
        _check_export(registry, name, parts, settings, complaints)
    if len(problems) == len(OBSERVATIONS):
        raise first_that_fits(problems, complaints.words)


def _rows(parts: tuple[ObsPart, ...], count: int) -> "dict[str, Tensor]":
    import torch

    generator = torch.Generator().manual_seed(3)
    drawn = {part.name: torch.rand(count, *part.shape, generator=generator) for part in parts}
    return {
        part.name: (drawn[part.name] > 0.5).to(torch.uint8)
        if part.dtype == "uint8"
        else drawn[part.name] * 4 - 2
        for part in parts
    }


def _check_on(parts: tuple[ObsPart, ...], network: Any, complaints: Complaints) -> None:  # noqa: ANN401
    import torch

    rows = _rows(parts, 5)
    output: PolicyOutput = network(rows)
    check_output(output, HEADS, 5, complaints)
    with torch.no_grad():
        alone = network({name: part[2:3] for name, part in rows.items()})
        again = network(rows)
    check_output(alone, HEADS, 1, complaints)
    gap = max(
        float((alone.value - again.value[2:3]).abs().max()),
        *(float((alone.logits[head.name] - again.logits[head.name][2:3]).abs().max()) for head in HEADS),
    )
    complaints.refuse(
        gap > 1e-4, "forward", f"answers a row differently in another batch (by {gap:.2g})",
        "let no row depend on the others: no batch normalisation, no dropout",
    )  # fmt: skip
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    complaints.refuse(
        not weights, "the network", "has no weights to learn", "make its layers attributes of it"
    )
    total = output.value.sum() + sum(logits.square().sum() for logits in output.logits.values())
    gradients = torch.autograd.grad(total, weights, allow_unused=True)
    complaints.refuse(
        all(gradient is None or not gradient.any() for gradient in gradients), "forward",
        "lets no gradient through to the weights", "do not detach what is to be learnt",
    )  # fmt: skip


def _check_growth(parts: tuple[ObsPart, ...], network: Any, settings: Any, complaints: Complaints) -> None:  # noqa: ANN401
    """Growing to the same settings must keep the function, or be refused in a sentence."""
    import torch

    complaints.refuse(
        not callable(getattr(network, "grow", None)), "grow", "is missing",
        "subclass lanista.policy.Network, and raise a LanistaError in grow if there is no growing",
    )  # fmt: skip
    try:
        grown = network.grow(settings)
    except LanistaError:
        return
    rows = _rows(parts, 5)
    with torch.no_grad():
        before, after = network(rows), grown(rows)
    gap = max(float((before.logits[head.name] - after.logits[head.name]).abs().max()) for head in HEADS)
    complaints.refuse(
        gap > 1e-5,
        "grow",
        f"changes the function by {gap:.2g}",
        "give new weights that leave the outputs as they were",
    )


def _check_export(
    registry: Registry,
    name: str,
    parts: tuple[ObsPart, ...],
    settings: Any,  # noqa: ANN401
    complaints: Complaints,
) -> None:
    """Trace it as the export does: what cannot become a graph cannot become an archive."""
    import warnings

    import torch

    module = registry.load("networks", name)(parts, HEADS, settings).eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.export.export(module, (_rows(parts, 4),))
    except Exception as error:  # torch raises whatever its tracer stumbles over
        first = str(error).strip().splitlines() or [type(error).__name__]
        complaints.complain(
            "forward", f"cannot be exported ({first[0][:160]})",
            "use torch operations on whole tensors, without branches that depend on their values",
        )  # fmt: skip
