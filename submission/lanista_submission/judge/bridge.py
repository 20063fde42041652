"""A scripted player of lanista's own games in the official one: between the platform's values and the env that it knows.

The judging environment has no lanista in it, so such a player is entered as a small ``main.py`` (`write_entry`) that
starts this module in lanista's own Python and hands every turn on, a JSON line each way:

1. the observation becomes the state of an env of one game, by the function that the env's trait ``official_state``
   names (``function(env, obs, config)``);
2. the player chooses there, as it does in any env;
3. the env's portable codec makes the platform's action of the choice.
"""

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lanista.codec import Codec
from lanista.contenders import Contender
from lanista.env import VecEnv
from lanista.errors import UsageError
from lanista.plugins import start_host
from lanista.registry import Registry

MAIN = """\
import json
import os
import subprocess

COMMAND, VARIABLES = json.loads({told!r})
# lanista keeps compiled code in its user's folders: started with these it need not compile anew
CHILD = subprocess.Popen(
    COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={{**os.environ, **VARIABLES}}
)


def agent(obs, config):
    print(json.dumps([obs, config]), file=CHILD.stdin, flush=True)
    answer = CHILD.stdout.readline()
    if not answer:
        raise RuntimeError("the scripted player's process ended")
    answer = json.loads(answer)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["action"]
"""
#: variables that the player's process keeps, beside those that begin with one of the prefixes
_KEPT = ("HOME", "PATH", "PYTHONPATH", "VIRTUAL_ENV", "USERPROFILE", "LOCALAPPDATA", "APPDATA")
_PREFIXES = ("LANISTA_", "NUMBA_", "OMP_", "XDG_")


def refuse_unbridged(env: str, contender: Contender, registry: Registry) -> None:
    """Raise `UsageError` unless the env says how its scripted players see official observations."""
    entry = registry.get("envs", env)
    if "official_state" not in entry.traits or "portable" not in entry.traits:
        raise UsageError(
            f"player {contender.name!r} plays in lanista's own games, and env {env!r} of plugin {entry.owner} does not say "
            f"how it would see the official one; name an entry, a policy or one of the game's own agents, kaggle:<agent>, "
            f'or register the env with portable=... and official_state="package.module:function"'
        )


def write_entry(
    folder: Path, env: str, settings: Mapping[str, Any], contender: Contender, plugins: Sequence[str]
) -> Path:
    """Write the ``main.py`` of a scripted player into `folder` and give that."""
    told = {
        "env": env,
        "settings": dict(settings),
        "player": contender.use,
        "options": contender.options or {},
        "plugins": list(plugins),
    }
    command = [
        sys.executable,
        "-B",
        "-m",
        "lanista_submission.judge.bridge",
        json.dumps(told, sort_keys=True),
    ]
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith(_PREFIXES)}
    folder.mkdir(parents=True)
    (folder / "main.py").write_text(MAIN.format(told=json.dumps([command, kept])))
    return folder


class Bridge:
    """One scripted player in one seat."""

    def __init__(self, told: Mapping[str, Any], registry: Registry) -> None:
        """`told` is what `write_entry` wrote."""
        entry = registry.get("envs", told["env"])
        settings = registry.settings("envs", told["env"], told["settings"])
        self._env: VecEnv = registry.load("envs", told["env"])(1, settings, 1)
        self._env.reset(0)
        module, _, attribute = str(entry.traits["official_state"]).partition(":")
        self._show = getattr(importlib.import_module(module), attribute)
        codec = str(entry.traits["portable"][0])
        self._codec = Codec(importlib.import_module(codec), codec)
        self._codec.prepare(())
        contender = Contender(told["player"], use=told["player"], options=told["options"])
        self._player = contender.player(registry, self._env.spec, 0, sample=False)

    def act(self, obs: Mapping[str, Any], config: Mapping[str, Any]) -> Any:  # noqa: ANN401 - the platform's own
        """Play one turn."""
        seat = self._show(self._env, obs, config)
        chosen = self._player.act(self._env, np.zeros(1, np.int64), np.array([seat]))
        spec = self._env.spec.heads[0]
        choice = chosen[spec.name] if spec.kind == "units" else int(chosen[spec.name][0])
        self._codec.observe(obs, config)  # a codec may look at what it saw last
        return self._codec.act(choice, obs, config)


def main() -> None:
    """Answer turns until stdin closes."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what plugins print must not stand among the answers
    told = json.loads(sys.argv[1])
    bridge = Bridge(told, start_host([Path(file) for file in told["plugins"]]).registry)
    for line in sys.stdin:
        obs, config = json.loads(line)
        try:
            answer = {"action": bridge.act(obs, config)}
        except Exception as error:  # told to the judge, who counts it as the player's failure
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=replies, flush=True)


if __name__ == "__main__":
    main()
