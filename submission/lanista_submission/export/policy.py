"""``export_policy``: a policy becomes one ONNX file, and is let out only if three runners agree on it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx

from lanista.arrays import AnyArray
from lanista.errors import CheckpointError
from lanista.files import write_atomically
from lanista.plugins import Registry
from lanista.policy import Policy, load_policy
from lanista_submission.errors import ExportError
from lanista_submission.export.compare import LIMIT, Comparison, compare, cost_of_int8
from lanista_submission.export.graph import add_metadata, export_model, masked_heads
from lanista_submission.export.int8 import with_int8_weights
from lanista_submission.export.record import Recorded, acting_rows, read_recorded, record_play
from lanista_submission.runtime.plan import compile_plan

#: observations that a comparison is made on, unless the caller says otherwise
NUM_OBSERVATIONS = 1000


@dataclass(frozen=True)
class Int8Cost:
    """What int8 weights save, and what they cost against torch's float32 on the observations compared."""

    #: bytes of the ONNX file with float32 weights
    float32_size: int
    #: greatest difference of a head's output, in units of max(1, torch's largest)
    difference: float
    #: mean agreement of the greedy actions, 0..1 (`lanista.actions.agreement`)
    agreement: float


@dataclass(frozen=True)
class ExportReport:
    """What was written, and how far the runners are apart."""

    path: Path
    policy_sha256: str
    parameters: int
    #: bytes of the ONNX file
    size: int
    observations: int
    comparisons: tuple[Comparison, ...]
    #: with int8 weights what they save and cost; else None
    int8: Int8Cost | None = None

    def lines(self) -> tuple[str, ...]:
        """The comparison as a table, the limits, and what was written."""
        titles = ("runner", "batch", "outputs differ", "value differs", "equal greedy", "ties")
        cells = [
            (
                row.runner,
                str(row.batch),
                f"{row.logits:.1e}",
                f"{row.value:.1e}",
                f"{row.equal:.2%}",
                str(row.ties),
            )
            for row in self.comparisons
        ]
        widths = [max(len(row[place]) for row in (titles, *cells)) for place in range(len(titles))]
        against, cost = "torch", []
        if self.int8 is not None:
            against = "onnxruntime (int8 weights in both)"
            cost = [
                f"int8 weights: {self.size:,} bytes, {self.int8.float32_size:,} with float32; against torch with "
                f"float32 the outputs differ by {self.int8.difference:.1e} at most, agreement {self.int8.agreement:.4f}"
            ]
        return (
            *(
                "  ".join(f"{cell:{'>' if place else '<'}{widths[place]}}" for place, cell in enumerate(row))
                for row in (titles, *cells)
            ),
            f"against {against} on {self.observations:,} observations; limits: {LIMIT:.0e} of the largest output or value "
            f"(at least 1), 100 % equal greedy actions but for ties within that",
            *cost,
            f"{self.path}: {self.parameters:,} parameters, {self.size:,} bytes",
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "file": self.path.name,
            "policy_sha256": self.policy_sha256,
            "parameters": self.parameters,
            "size": self.size,
            "observations": self.observations,
            "limit": LIMIT,
            "comparisons": [row.to_json() for row in self.comparisons],
            **({} if self.int8 is None else {"int8": asdict(self.int8)}),
        }


def export_policy(
    policy: Policy,
    path: Path,
    recorded: Recorded | Mapping[str, AnyArray],
    int8: bool = False,
    traced: onnx.ModelProto | None = None,
) -> ExportReport:
    """Write `policy` to `path` as ONNX after comparing torch, onnxruntime and numpy on `recorded`.

    With `int8` the layers' weights are stored in that type: onnxruntime and numpy are compared on the same stored
    weights, and what these cost against torch's own is in the report. `traced` is what `export_model` gave of the
    policy, if somebody asked already; it stays as it is.

    `recorded` may also be a mapping with the keys ``observation/<part>`` and ``legal/<head>``. Raises
    `ExportError`, and writes nothing, if an operator is unknown to the runtime or a limit is missed.
    """
    if not isinstance(recorded, Recorded):
        if policy.card.spec.units_head is not None:
            raise ExportError(
                f"policy {policy.card.name!r} plays units, whose rows a plain mapping of arrays cannot tell apart; record "
                f"them with lanista_submission.export.record.record_play"
            )
        recorded = Recorded(
            {part.name: recorded[f"observation/{part.name}"] for part in policy.card.spec.observation},
            {name: recorded[f"legal/{name}"] for name in masked_heads(policy)},
        )
    recorded = acting_rows(recorded)
    plain = export_model(policy) if traced is None else traced
    model = with_int8_weights(plain) if int8 else onnx.ModelProto.FromString(plain.SerializeToString())
    plan = compile_plan(model)
    rows = compare(policy, model.SerializeToString(deterministic=True), plan, recorded, int8)
    against = "onnxruntime" if int8 else "torch"
    for row in rows:
        if not row.within:
            raise ExportError(
                f"{row.runner} at batch {row.batch} differs from {against} by {row.logits:.1e} in the heads' outputs and "
                f"{row.value:.1e} in the value (limit {LIMIT:.0e}), with {row.equal:.2%} equal greedy "
                f"actions (limit 100 %); nothing was written"
            )
    saved = plain.ByteSize() - model.ByteSize()
    told = {"observations": len(recorded), "limit": LIMIT, "rows": [row.to_json() for row in rows]}
    stored = {"lanista.weights": "int8" if int8 else "float32"}
    add_metadata(model, {"lanista.comparison": json.dumps(told), **stored})
    content = model.SerializeToString(deterministic=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    digest = next(entry.value for entry in model.metadata_props if entry.key == "lanista.policy_sha256")
    cost = Int8Cost(len(content) + saved, *cost_of_int8(policy, plan, recorded)) if int8 else None
    return ExportReport(path, digest, policy.num_parameters, len(content), len(recorded), tuple(rows), cost)


def find_policy(folder: Path) -> Path:
    """The policy folder that a user means: this one, or the ``final`` one of a run."""
    for place in (folder, folder / "final"):
        if (place / "policy.json").is_file():
            return place
    raise CheckpointError(
        f"{folder} holds no policy: neither policy.json nor final/policy.json is there; name a run that "
        f"is over, or a policy's folder"
    )


def default_out(folder: Path) -> Path:
    """Where the ONNX file of a run, or of a policy's folder, goes unless the user says otherwise."""
    return (
        folder / "policy.onnx" if (folder / "policy.json").is_file() else folder / "exported" / "policy.onnx"
    )


def export_folder(
    folder: Path,
    out: Path | None,
    registry: Registry,
    num_observations: int = NUM_OBSERVATIONS,
    int8: bool = False,
) -> ExportReport:
    """Export the policy of a run or of a policy's folder to `out`, by default to `default_out`."""
    place = find_policy(folder)
    policy = load_policy(place, registry)
    recorded = observations_of(place, policy, registry, num_observations)
    return export_policy(policy, out or default_out(folder), recorded, int8)


def observations_of(
    place: Path, policy: Policy, registry: Registry, num_observations: int = NUM_OBSERVATIONS
) -> Recorded:
    """What a run recorded beside the policy in `place`, or else rows of games of the policy with itself."""
    if policy.card.spec.units_head is not None or not (place / "recorded.npz").is_file():
        return record_play(policy, registry, num_observations)
    recorded = read_recorded(place / "recorded.npz", policy)
    if len(recorded) == 0:
        raise ExportError(f"{place / 'recorded.npz'} has no row with a legal action; record it anew")
    return recorded.rows(slice(0, num_observations))
