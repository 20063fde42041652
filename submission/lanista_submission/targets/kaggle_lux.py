"""Target ``kaggle:lux_ai_2021``: Lux AI Season 1, on the competition's four sizes of board."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from lanista.plugins import Registry
from lanista_submission.targets.kaggle import KaggleTarget
from lanista_submission.targets.profile import Profile

if TYPE_CHECKING:
    from lanista.delivery import Verdict
    from lanista_submission.export.policy import ExportReport

#: a side of the competition's boards
Size = Literal[12, 16, 24, 32]
SIZES: tuple[Size, ...] = (12, 16, 24, 32)
#: observations that the exports for further sizes are compared on
_NUM_FURTHER = 64
PROFILE = Profile(
    name="kaggle:lux_ai_2021",
    game="lux-ai-2021",
    env="lux_s1",
    act_timeout=3.0,
    default_action=[],
    max_bytes=100 * 2**20,
    source="kaggle-environments 1.33.2, lux_ai_2021.json 3.1.0; size as quoted for Orbit Wars; November 2026",
)


class LuxSettings(BaseModel):
    """Settings of the target `kaggle:lux_ai_2021`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: how the archive plays: "greedy", or "sampled" by the policy's probabilities
    actions: Literal["greedy", "sampled"] = "greedy"
    #: "all" symmetries of the env, or names with commas between: the archive averages over them while there is time
    average_symmetries: str | None = None
    #: are units kept out of each other's way after the network (`lanista_envs.lux.settling`)?
    settle: bool = True
    #: sides of the boards that the archive plays; a network that sees planes is exported for each
    sizes: tuple[Size, ...] = Field(default=SIZES, min_length=1)
    #: sides of the boards on which a run verifies its archive, game after game in turn
    verify_sizes: tuple[Size, ...] = Field(default=(12,), min_length=1)


class LuxAi2021(KaggleTarget):
    """Lux AI Season 1 on Kaggle."""

    def __init__(self, registry: Registry, settings: LuxSettings | None = None) -> None:
        """`registry` tells of envs, networks and heads."""
        super().__init__(registry)
        self.settings = settings or LuxSettings()
        self.profile = replace(
            PROFILE,
            actions=self.settings.actions,
            settle=self.settings.settle,
            average_symmetries=self.settings.average_symmetries,
        )

    def export_further(self, policy_folder: Path, out_folder: Path) -> "list[ExportReport]":
        """Of a policy whose network reads planes, one more file a size: ``policy_16.onnx`` and so on."""
        import tempfile

        from lanista.policy import load_policy, save_policy
        from lanista_submission.export.policy import export_folder, find_policy
        from lanista_submission.export.resize import of_size

        place = find_policy(policy_folder)
        policy = load_policy(place, self.registry)
        reports: list[ExportReport] = []
        boards = [part.shape for part in policy.card.spec.observation if len(part.shape) == 3]
        for size in self.settings.sizes if boards else ():
            if size == boards[0][-1]:
                continue
            with tempfile.TemporaryDirectory(prefix="lanista-export-") as folder:
                save_policy(Path(folder), of_size(policy, size, self.registry))
                out = out_folder / f"policy_{size}.onnx"
                reports.append(export_folder(Path(folder), out, self.registry, _NUM_FURTHER))
        return reports

    def verify(
        self,
        file: Path,
        games: int,
        min_win_rate: Mapping[str, float],
        keep: Path,
        progress: Callable[[int, int, str], None],
    ) -> "Verdict":
        """Play the archive on the boards of `verify_sizes`; `lanista verify` plays all four sizes."""
        from lanista_submission.verify.profile import own_profiles

        profile = own_profiles()[self.profile.name]
        sizes = self.settings.verify_sizes
        variants = tuple({"width": size, "height": size} for size in sizes)
        return self.judged(
            file, games, min_win_rate, keep, progress, profile.model_copy(update={"variants": variants})
        )
