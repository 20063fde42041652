"""The contract of a batch of games: N games stepped together, every seat of every game.

The life of the arrays:

1. ``reset(seed)`` starts N games; all exposed arrays are valid afterwards.
2. ``step(actions)`` reads the actions of the seats that had to act (``acting`` *before* the step) and
   overwrites the exposed arrays in place. The env owns them; a caller that wants to keep one copies it.
3. A game that ended restarts in the same step: ``observation``, ``legal``, ``acting`` and ``facts`` already
   belong to the new game, while ``final_observation`` and ``final_facts`` show the old one's last state
   (valid for ended games only, until the next step). ``outcome``, ``terminated``, ``truncated`` and ``ended``
   speak of the old one.

Randomness is a stream per (seed, game index, episode): given its actions, game i does not depend on N or on
the number of threads. `lanista.testing.check_env` is this contract as a test.
"""

from abc import ABC, abstractmethod

from lanista.arrays import AnyArray, BoolArray, FloatArray
from lanista.spec import EnvSpec


class VecEnv(ABC):
    """N games in lock-step. An author fills the arrays below; nothing here is padded or copied for you."""

    spec: EnvSpec
    num_games: int
    #: False if `save`/`load` are not offered; every run then restarts its games at each checkpoint.
    resumable: bool = True

    #: part name -> ``[N, S, *part.shape]`` of the part's dtype, for every seat, acting or not.
    observation: dict[str, AnyArray]
    #: head name -> ``[N, S, A]`` bool, True = legal. A seat that acts has at least one legal action.
    legal: dict[str, BoolArray]
    #: ``[N, S]`` bool: must this seat act at the next step?
    acting: BoolArray
    #: fact name -> ``[N, S]`` float32; `reward` (a flow, the official reward of the last step) is always there.
    #: Levels are those of the current state (the new game's, for a game that has just restarted); flows are
    #: the last step's, and are 0 after a reset and for a game that has just restarted.
    facts: dict[str, FloatArray]
    #: ``[N, S]`` float32, meaningful where `ended`: see `EnvSpec.outcome`; 0 elsewhere.
    outcome: FloatArray
    #: ``[N, S]`` bool: this seat's game is over by the rules (a seat may die before its game ends).
    terminated: BoolArray
    #: ``[N, S]`` bool: this seat's game was cut off by a limit; values bootstrap over it.
    truncated: BoolArray
    #: ``[N]`` bool: the game ended in this step and has been restarted.
    ended: BoolArray
    #: like `observation`, valid where `ended`.
    final_observation: dict[str, AnyArray]
    #: like `facts` (flows included: the last step's amounts), valid where `ended`.
    final_facts: dict[str, FloatArray]

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Start all N games anew from the streams of `seed`."""

    @abstractmethod
    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one step. `actions` maps each head to ``[N, S]`` int64 (values of seats that do not act are ignored)."""

    def save(self) -> dict[str, AnyArray]:
        """Give the whole state (games, streams, exposed arrays) as copies of arrays."""
        raise NotImplementedError(f"{self.spec.name} says resumable = {self.resumable} and offers no save()")

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave; the env then goes on as though it had never stopped."""
        raise NotImplementedError(f"{self.spec.name} says resumable = {self.resumable} and offers no load()")

    def render(self, game: int) -> str:
        """Draw one game as text, for people."""
        return f"{self.spec.name}: game {game}"

    def close(self) -> None:  # noqa: B027 - most envs hold nothing that must be let go
        """Let go of processes and files."""
