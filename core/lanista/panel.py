"""A panel: a TOML file that lists the opponents that an entry is measured by.

::

    env = "lux_s1"                      # may stand here instead of on the command line
    agents = [
        "kaggle:simple_agent",          # an agent that the game brings along
        "entries/mine-v3.tar.gz",       # paths are seen from the panel's folder
        { name = "second place", agent = "entries/second" },
    ]
"""

import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lanista.errors import UsageError
from lanista.hints import validation_sentences


class PanelAgent(BaseModel):
    """One agent of a panel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: as on the command line: a run, a policy folder, a main.py, a folder, an archive, a player
    agent: str = Field(min_length=1)
    #: what tables call it; by default what it is called on the command line
    name: str | None = Field(default=None, min_length=1)


class Panel(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: str | None = None
    agents: list[str | PanelAgent] = Field(min_length=1)


def read_panel(path: Path) -> tuple[str | None, list[PanelAgent]]:
    """Give (env, agents); relative paths that exist beside the file are led there. Raises `UsageError`."""
    try:
        panel = Panel.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"panel {path} cannot be read: {error}; name a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"panel {path} is no TOML: {error}") from error
    except ValidationError as error:
        raise UsageError(f"panel {path}: {validation_sentences(error, Panel)}") from error
    agents = [PanelAgent(agent=agent) if isinstance(agent, str) else agent for agent in panel.agents]
    return panel.env, [agent.model_copy(update={"agent": _placed(agent.agent, path)}) for agent in agents]


def _placed(agent: str, panel: Path) -> str:
    beside = panel.parent / agent
    return str(beside) if not Path(agent).is_absolute() and beside.exists() else agent
