"""Target ``onnx``: the policy as a bare ONNX file, for games that no platform plays."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from lanista.plugins import Registry

if TYPE_CHECKING:
    from lanista.delivery import Delivered, Verdict
    from lanista.policy import Policy
    from lanista_submission.export.record import Recorded

#: the stream of start states that the written files play on
SEED = 20_261_122


class OnnxSettings(BaseModel):
    """What is written and measured beside the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: also write policy.int8.onnx, whose layers keep their weights as int8
    int8: bool = False
    #: seconds that torch, onnxruntime and numpy are timed for, each; 0: no timing
    timing: float = Field(default=0.0, ge=0.0)
    #: greedy episodes that each written file plays by the numpy runtime, on the same starts (one seat); 0: none
    episodes: int = Field(default=0, ge=0)


class Onnx:
    """Exports, and measures what was written. Keeps `lanista.delivery.Target`."""

    def __init__(self, registry: Registry, settings: OnnxSettings | None = None) -> None:
        """`registry` tells of envs, networks and heads."""
        self.registry = registry
        self.settings = settings or OnnxSettings()

    def deliver(self, run_folder: Path, policy_folder: Path, out_folder: Path) -> "Delivered":
        """Export the policy to ``out_folder/policy.onnx``, and what else the settings ask for."""
        from lanista.delivery import Delivered
        from lanista.policy import load_policy
        from lanista_submission.export.graph import export_model
        from lanista_submission.export.int8 import NothingToStoreError
        from lanista_submission.export.policy import export_policy, find_policy, observations_of

        place = find_policy(policy_folder)
        policy = load_policy(place, self.registry)
        recorded, traced = observations_of(place, policy, self.registry), export_model(policy)
        whole = export_policy(policy, out_folder / "policy.onnx", recorded, traced=traced)
        lines = list(whole.lines())
        record: dict[str, Any] = {"target": "onnx", "export": whole.to_json()}
        files = {"float32": whole.path}
        if self.settings.int8:
            try:
                small = export_policy(
                    policy, out_folder / "policy.int8.onnx", recorded, int8=True, traced=traced
                )
            except NothingToStoreError as error:  # a tiny network is no failure
                lines.append(f"no int8 file: {error}")
            else:
                files["int8"] = small.path
                lines += small.lines()[-2:]
                record["int8"] = small.to_json()
        measured: dict[str, Any] = {
            name: self._measure(policy, path, recorded) for name, path in files.items()
        }
        measured["torch_bytes"] = (place / "weights.safetensors").stat().st_size
        return Delivered(whole.path, (*lines, *_told(measured)), {**record, "measured": measured})

    def _measure(self, policy: "Policy", path: Path, recorded: "Recorded") -> dict[str, Any]:
        """Size, times and returns of one written file, as plain values."""
        import onnx

        from lanista.intervals import mean_interval
        from lanista_submission.export.player import exported_returns
        from lanista_submission.export.timing import decision_times
        from lanista_submission.runtime.plan import compile_plan

        content, settings = path.read_bytes(), self.settings
        plan = compile_plan(onnx.load_model_from_string(content))
        told: dict[str, Any] = {
            "file": path.name,
            "onnx_bytes": len(content),
            "numpy_bytes": len(plan.json_bytes()) + len(plan.npz_bytes()),
        }
        if settings.timing > 0.0:
            times = decision_times(policy, content, plan, recorded, settings.timing)
            told["microseconds"] = {
                runner: {"median": time.median, "p99": time.p99} for runner, time in times.items()
            }
        if settings.episodes and policy.card.spec.seats == 1:
            returns = exported_returns(plan, policy.card, self.registry, settings.episodes, SEED)
            low, high = mean_interval(returns.astype(float).tolist())
            told["returns"] = {
                "episodes": len(returns),
                "mean": float(returns.mean()),
                "low": low,
                "high": high,
                "worst": float(returns.min()),
            }
        return told

    def verify(
        self,
        file: Path,
        games: int,
        min_win_rate: Mapping[str, float],
        keep: Path,
        progress: Callable[[int, int, str], None],
    ) -> "Verdict":
        """Say that there is nobody to play it against (exit code 2, not judged)."""
        from lanista.delivery import Verdict

        sentence = f"not judged: {file.name} is a bare network; take the table `verify` out of the recipe"
        return Verdict(
            False, 2, (sentence,), {"ok": False, "problems": [{"code": "no_judge", "message": sentence}]}
        )


def _told(measured: Mapping[str, Any]) -> list[str]:
    """The measured figures as sentences."""
    lines = []
    for kind in ("float32", "int8"):
        told = measured.get(kind, {})
        if "microseconds" in told:
            times = ", ".join(
                f"{runner} {time['median']:.1f} ({time['p99']:.1f})"
                for runner, time in told["microseconds"].items()
            )
            lines.append(f"{told['file']}: µs a decision at batch 1, median (99th percentile): {times}")
        if "returns" in told:
            found = told["returns"]
            lines.append(
                f"{told['file']}: return {found['mean']:.2f} ({found['low']:.2f} to {found['high']:.2f}), worst "
                f"{found['worst']:.2f}, over {found['episodes']} episodes played by the numpy runtime"
            )
    return lines
