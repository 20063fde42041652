"""The codec of a bundle: the target's own, the one that the policy was trained through, or its env's portable one."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from lanista.plugins import Registry
from lanista.policy import PolicyCard
from lanista_submission.bundle.portable import check_imports, portable_sources
from lanista_submission.errors import PackError
from lanista_submission.targets.profile import Profile

#: the module in a bundle that calls the codec: `lanista.codec`, copied
CALLS = "codec_calls"


def codec_sources(
    card: PolicyCard, profile: Profile, registry: Registry, taken: Iterable[str]
) -> tuple[str, dict[str, bytes]]:
    """Give (the codec's module, its files by name); `taken` are the module names that the bundle has already."""
    calls = {f"{CALLS}.py": files("lanista").joinpath("codec.py").read_bytes()}
    taken = {*taken, CALLS}
    if profile.codec is not None:
        codec, kernels = profile.codec
        return codec.rpartition(".")[2], calls | portable_sources(codec, kernels, taken)
    entry = registry.get("envs", card.env)
    field = entry.traits.get("codec")
    if field is not None:
        settings = registry.settings("envs", card.env, card.env_settings)
        source = str(getattr(settings, field)).encode()
        check_imports(f"codec {settings.codec}", source, set())
        return "codec", calls | {"codec.py": source}
    if "portable" not in entry.traits:
        raise PackError(
            f"env {card.env!r} of plugin {entry.owner} names no portable modules, so no bundle "
            f'can read its game; register it with portable=("package.codec", ["package.kernels"])'
        )
    codec, kernels = entry.traits["portable"]
    return codec.rpartition(".")[2], calls | portable_sources(codec, kernels, taken)


def same_codec(cards: Iterable[PolicyCard], registry: Registry) -> None:
    """Refuse policies that were trained through different codecs: an archive has one."""
    texts: dict[str, Any] = {}
    for card in cards:
        field = registry.get("envs", card.env).traits.get("codec")
        if field is not None:
            texts[str(card.env_settings.get(field))] = card.name
    if len(texts) > 1:
        first, second, *_ = texts.values()
        raise PackError(
            f"the policies {first!r} and {second!r} were trained through different codecs, and an archive has one; "
            f"train both through the same"
        )
