"""Which env a teacher's file says that it plays, before an env is there to build the teacher for.

``env_of(settings)`` gives an env's table, ``{"use": "gymnasium:CartPole-v1"}``, or None where the file does not say.
Files of Stable-Baselines3 do not: what they hold of their env is its spaces.
"""

import json
from typing import Any

from lanista.hints import told
from lanista_agents.teachers.npz import read_header
from lanista_agents.teachers.plan import TeacherFileError, read_bytes
from lanista_agents.teachers.settings import NpzSettings, OnnxSettings


def npz_env(settings: NpzSettings) -> dict[str, Any] | None:
    """The id behind the algorithm in ``teacher``, "ppo/AntBulletEnv-v0", and the wrapper that stands beside it."""
    header = read_header(settings)
    _, slash, name = header.teacher.partition("/")
    if not slash or not name:
        return None
    wrapper = header.env_wrapper.rpartition(".")[2]
    wrappers = {"wrappers": [wrapper]} if wrapper not in ("", "None") else {}
    return {"use": f"gymnasium:{name}", **wrappers}


def onnx_env(settings: OnnxSettings) -> dict[str, Any] | None:
    """The env of the policy's card, in a file that lanista exported."""
    import onnx

    words = f"teacher 'onnx:{settings.file}'"
    try:
        model = onnx.load_model_from_string(read_bytes(settings.file, words))
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        card = json.loads(metadata["lanista.card"]) if "lanista.card" in metadata else None
        return None if card is None else {"use": card["env"], **card["env_settings"]}
    except TeacherFileError:
        raise
    except Exception as error:  # the parser has errors of several kinds
        raise TeacherFileError(
            f"{words}: it is no ONNX file, or a damaged one ({told(error)[:200]})"
        ) from error
