"""Connect X has one symmetry: left and right changed."""

import numpy as np

from lanista.arrays import AnyArray
from lanista.spec import EnvSpec
from lanista.symmetry import Symmetries, Symmetry
from lanista_envs.connectx.settings import ConnectXSettings


def _mirrored(board: AnyArray) -> AnyArray:
    return np.flip(board, axis=-1)


def symmetries(spec: EnvSpec, settings: ConnectXSettings) -> Symmetries:
    """What was column c is column ``columns - 1 - c``; the rules have nothing else that tells left from right."""
    del spec
    columns = range(settings.columns)[::-1]
    return Symmetries((Symmetry("mirror", parts={"board": _mirrored}, heads={"column": columns}),))
