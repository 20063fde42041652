"""What must hold of a network: raw logits a head and a value a row, the same by row whatever the batch, exportable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

from lanista.errors import LanistaError
from lanista.plugins import Registry
from lanista.spec import UNITS, HeadSpec, ObsPart
from lanista.testing.complaints import Complaints
from lanista.testing.grounds import first_that_fits, settings_of
from lanista.testing.outputs import check_output

if TYPE_CHECKING:
    from torch import Tensor

    from lanista.policy import PolicyOutput
    from lanista.units import UnitTable

VECTOR = ObsPart("vector", (7,), "float32", "numbers", center=(0.5,), spread=(2.0,))
BOARD = ObsPart("board", (3, 6, 7), "uint8", "planes of a board")
#: observations to try, a network must take at least one of them
OBSERVATIONS = ((VECTOR,), (BOARD,), (BOARD, VECTOR))
HEADS = (HeadSpec("move", "categorical", 5, "a move"), HeadSpec("turn", "categorical", 2, "a turn"))
ORDERS = HeadSpec("orders", UNITS, 4, "an order a unit", units=(("worker", 4), ("tile", 2)))
SEEN = ObsPart("seen", (6,), "float32", "numbers of a unit")


@dataclass(frozen=True)
class _Ground:
    """What a network is made for and tried on."""

    parts: tuple[ObsPart, ...]
    heads: tuple[HeadSpec, ...]

    @property
    def units(self) -> bool:
        return ORDERS in self.heads

    def build(self, factory: Any, settings: Any) -> Any:  # noqa: ANN401
        """The network, or what it raises."""
        more = {"unit_observation": (SEEN,)} if self.units else {}
        return factory(self.parts, self.heads, settings, **more)

    def rows(self, count: int) -> "dict[str, Any]":
        """Random rows; every third has no units."""
        rows: dict[str, Any] = _rows(self.parts, count)
        if self.units:
            rows[UNITS] = _table(count)
        return rows


def _grounds(factory: Any) -> Iterator[_Ground]:  # noqa: ANN401
    takes_units = "unit_observation" in signature(factory).parameters
    for parts in OBSERVATIONS:
        yield _Ground(parts, HEADS)
        if takes_units:
            yield _Ground(parts, (ORDERS, HEADS[1]))


def check_network(registry: Registry, name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Raise `LanistaError`, one sentence, for the first thing in which a network breaks its contract."""
    import torch

    complaints = Complaints.about(registry.get("networks", name))
    settings = settings_of(registry, "networks", name, options)
    factory = registry.load("networks", name)
    problems: list[str] = []
    tried = 0
    for ground in _grounds(factory):
        tried += 1
        torch.manual_seed(0)
        try:
            network = ground.build(factory, settings)
        except LanistaError as error:  # a network for boards refuses numbers alone, in its own words
            problems.append(str(error))
            continue
        complaints.refuse(
            not isinstance(network, torch.nn.Module), "the network", f"is a {type(network).__name__}",
            "subclass lanista.policy.Network, a torch.nn.Module",
        )  # fmt: skip
        _check_on(ground, network, complaints)
        _check_growth(ground, network, settings, complaints)
        if not ground.units:
            _check_export(ground, factory, settings, complaints)
    if len(problems) == tried:
        raise first_that_fits(problems, complaints.words)


def _table(count: int) -> "UnitTable":
    import torch

    from lanista.units import UnitTable

    generator = torch.Generator().manual_seed(4)
    counts = torch.arange(count) % 3
    row = torch.repeat_interleave(torch.arange(count), counts)
    kind = torch.arange(len(row)) % len(ORDERS.units)
    choices = torch.tensor([number for _, number in ORDERS.units])[kind]
    return UnitTable(
        torch.cat([counts.new_zeros(1), counts.cumsum(0)]),
        row,
        torch.randint(BOARD.shape[1] * BOARD.shape[2], (len(row),), generator=generator),
        kind,
        torch.arange(ORDERS.size) < choices.unsqueeze(1),
        {SEEN.name: torch.randn(len(row), *SEEN.shape, generator=generator)},
    )


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


def _check_on(ground: _Ground, network: Any, complaints: Complaints) -> None:  # noqa: ANN401
    import torch

    rows, one = ground.rows(5), slice(2, 3)
    units, own = (rows[UNITS], rows[UNITS].row == 2) if ground.units else (None, None)
    output: PolicyOutput = network(rows)
    check_output(output, ground.heads, 5, complaints, 0 if units is None else units.num_units)
    with torch.no_grad():
        alone = network({name: part[one] for name, part in rows.items()})
        again = network(rows)
    check_output(alone, ground.heads, 1, complaints, 0 if own is None else int(own.sum()))
    gap = max(
        float((alone.value - again.value[one]).abs().max()),
        *(
            float(
                (alone.logits[head.name] - again.logits[head.name][own if head is ORDERS else one])
                .abs()
                .max()
            )
            for head in ground.heads
        ),
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


def _check_growth(ground: _Ground, network: Any, settings: Any, complaints: Complaints) -> None:  # noqa: ANN401
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
    rows = ground.rows(5)
    with torch.no_grad():
        before, after = network(rows), grown(rows)
    gap = max(
        float((before.logits[head.name] - after.logits[head.name]).abs().max()) for head in ground.heads
    )
    complaints.refuse(
        gap > 1e-5,
        "grow",
        f"changes the function by {gap:.2g}",
        "give new weights that leave the outputs as they were",
    )


def _check_export(ground: _Ground, factory: Any, settings: Any, complaints: Complaints) -> None:  # noqa: ANN401
    """Trace it as the export does: what cannot become a graph cannot become an archive."""
    import warnings

    import torch

    module = ground.build(factory, settings).eval()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.export.export(module, (ground.rows(4),))
    except Exception as error:  # torch raises whatever its tracer stumbles over
        first = str(error).strip().splitlines() or [type(error).__name__]
        complaints.complain(
            "forward", f"cannot be exported ({first[0][:160]})",
            "use torch operations on whole tensors, without branches that depend on their values",
        )  # fmt: skip
