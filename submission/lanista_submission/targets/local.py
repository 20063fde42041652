"""Target ``local``: an archive for any env, judged by the env's own rules; no platform is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lanista_submission.targets.kaggle import KaggleTarget
from lanista_submission.targets.profile import Profile

PROFILE = Profile(
    name="local",
    game="",
    env="",
    act_timeout=1.0,
    codec=("lanista_submission.targets.local_codec", ()),
    source="lanista's own; the limits are in judge/local_messages.py and verify/local.py",
)


class Local(KaggleTarget):
    """Packs a policy of any env; the judge sends it arrays, so the archive carries no codec of the game's."""

    profile = PROFILE

    def pack(self, models: Sequence[Path], out: Path, provenance: Mapping[str, Any] | None = None) -> Path:
        """Write the archive of ONNX files for the env that the first was trained on."""
        from lanista_submission.bundle.pack import pack, read_network
        from lanista_submission.errors import PackError

        profile = self.profile
        if models:
            card = read_network(models[0]).card
            other = next(
                (read_network(path).card for path in models if read_network(path).card.env != card.env), None
            )
            if other is not None:
                raise PackError(
                    f"policy {other.name!r} plays env {other.env!r} and policy {card.name!r} env {card.env!r}; "
                    f"an archive holds policies of one env"
                )
            if any(head.kind == "units" for head in card.spec.heads):
                raise PackError(
                    f"policy {card.name!r} chooses for units, which the target local cannot ask for yet; "
                    f"pack it for its platform's target"
                )
            profile = replace(profile, env=card.env)
        return pack(models, profile, out, self.registry, provenance)

    def next_steps(self, archive: Path) -> tuple[str, ...]:
        """How to play it again, since there is nowhere to send it."""
        return (f"play it again, or another archive against it, with: lanista verify {archive}",)
