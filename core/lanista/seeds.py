"""Seeds for the parts of a run: one number in, an independent stream for every named use."""

import hashlib


def derive_seed(seed: int, *names: object) -> int:
    """Give a 63-bit seed for a use, such as ``derive_seed(3, "phase", 0, "rollout")``."""
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1
