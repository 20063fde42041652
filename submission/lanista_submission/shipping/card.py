"""The card of a policy that is given away: ``card.json``, beside the files that it tells of.

::

    name, env, env_settings, actions, average_symmetries (null: none), network, network_settings, parameters, policy_sha256
    files      name -> {"bytes", "sha256"}
    archive    bytes and sha256 of what `lanista pack` makes of the files, and for which target
    decision   microseconds at batch 1 of torch, onnxruntime and the numpy runtime: median and 99th percentile
    training   see `training`
    own        see `strength.own_games`
    official   {"rules", "matches": see `strength.official_games`, "seed": the first start}
"""

import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lanista.cards import CARD, FORMAT, file_facts
from lanista.files import write_atomically
from lanista.policy import Policy
from lanista.version import __version__
from lanista_submission.shipping.words import card_page

PAGE = "CARD.md"


def write_card(folder: Path, policy: Policy, told: Mapping[str, Any]) -> dict[str, Any]:
    """Write ``card.json`` and ``CARD.md`` into the folder that holds the policy's files, and give the card."""
    files = {path.name: file_facts(path) for path in sorted(folder.glob("*.onnx"))}
    card = {
        "format": FORMAT,
        "lanista": __version__,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "env": policy.card.env,
        "env_version": policy.card.spec.version,
        "env_settings": policy.card.env_settings,
        "network": policy.card.network,
        "network_settings": policy.card.network_settings,
        "parameters": policy.num_parameters,
        "files": files,
        **told,
    }
    write_atomically(folder / CARD, (json.dumps(card, indent=1, allow_nan=False) + "\n").encode())
    write_atomically(folder / PAGE, card_page(card).encode())
    return card
