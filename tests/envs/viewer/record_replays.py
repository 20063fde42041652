"""Records the replays beside this file with kaggle-environments: run it with the judge's Python, node in PATH."""

import gzip
import json
from pathlib import Path

from kaggle_environments import make

GAMES = {
    "connectx": (["negamax", "random"], {}),
    "lux_ai_2021": (["simple_agent", "random_agent"], {"seed": 5, "width": 12, "height": 12}),
}

for name, (agents, configuration) in GAMES.items():
    env = make(name, configuration=configuration)
    env.run(agents)
    file = Path(__file__).parent / f"{name.removesuffix('_ai_2021')}_replay.json.gz"
    file.write_bytes(gzip.compress(json.dumps(env.toJSON()).encode(), mtime=0))
