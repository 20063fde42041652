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

from lanista.arrays import AnyArray, BoolArray, FloatArray, IntArray
from lanista.spec import EnvSpec


class VecEnv(ABC):
    """N games in lock-step. An author fills the arrays below; nothing here is padded or copied for you."""

    spec: EnvSpec
    num_games: int
    #: False if `save`/`load` are not offered; every run then restarts its games at each checkpoint.
    resumable: bool = True

    #: part name -> ``[N, S, *part.shape]`` of the part's dtype, for every seat, acting or not.
    observation: dict[str, AnyArray]
    #: head name -> ``[N, S, A]`` bool, True = legal. A seat that acts has at least one legal action. A head of
    #: the kind ``"units"`` has no entry here but `unit_legal`; one of real numbers (with bounds) has none at all.
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

    #: Names of the kinds of games that an env plays side by side, such as sizes of boards; figures are then told for each
    #: variant as well. Empty where all games are alike.
    variants: tuple[str, ...] = ()
    #: ``[N]`` int64, only with `variants`: which of them each game is (the new one, for a game that has just restarted).
    variant: IntArray

    #: Envs of the games in order, a few each, where these may be reset and stepped by threads of their own, each at its
    #: own pace: what a game is does not depend on which way it is stepped. `reset` the whole to step it again. Empty: no.
    shares: "tuple[VecEnv, ...]" = ()

    #: None: nobody asks. Whoever sets a dict wants, for each game that ends, the text of its last state under the
    #: game's number: `render` shows the new game already. An env that can draw it puts it there in `step`.
    final_drawings: dict[int, str] | None = None

    # The table of acting units, only where the spec has a head of the kind ``"units"``: U rows, by game, by seat,
    # then in the env's own order. A seat that acts may have none (its part of the action is then empty). U changes
    # from step to step and nothing is padded, so the arrays below, `unit_offsets` apart, are other objects after
    # each step: fetch them anew, and copy what is to be kept. There is no final table: nobody acts in a game that
    # has ended, so a value over a truncation must come from `final_observation` alone.
    #: ``[N * S + 1]`` int64: rows ``unit_offsets[r]`` to ``unit_offsets[r + 1]`` are those of r = game * S + seat
    unit_offsets: IntArray
    #: ``[U]`` int64: r, which rises
    unit_row: IntArray
    #: ``[U]`` int64: where the unit stands, as the place ``y * W + x`` of a plane ``[H, W]``
    unit_cell: IntArray
    #: ``[U]`` int64: which of `HeadSpec.units` it is
    unit_kind: IntArray
    #: ``[U, A]`` bool, True = legal; at least one in a row, none beyond the choices of the row's kind
    unit_legal: BoolArray
    #: part name -> ``[U, *part.shape]`` of the part's dtype, for the parts of `EnvSpec.unit_observation`
    unit_observation: dict[str, AnyArray]

    @abstractmethod
    def reset(self, seed: int) -> None:
        """Start all N games anew from the streams of `seed`."""

    @abstractmethod
    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one step.

        `actions` maps each head to ``[N, S]`` int64 (values of seats that do not act are ignored), a head of real
        numbers to ``[N, S, A]`` float32 inside its bounds, and a head of the kind ``"units"`` to ``[U]`` int64, a
        choice for every row of the table of units.
        """

    def save(self) -> dict[str, AnyArray]:
        """Give the whole state (games, streams, exposed arrays) as copies of arrays."""
        raise NotImplementedError(f"{self.spec.name} says resumable = {self.resumable} and offers no save()")

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave; the env then goes on as though it had never stopped."""
        raise NotImplementedError(f"{self.spec.name} says resumable = {self.resumable} and offers no load()")

    def render(self, game: int) -> str:
        """Draw one game as text, for people."""
        return f"{self.spec.name}: game {game}"

    def picture(self, game: int) -> AnyArray | None:
        """Draw one game as a picture, ``[H, W, 3]`` uint8; None: this env, or as it was made, draws text only."""
        return None

    def close(self) -> None:  # noqa: B027 - most envs hold nothing that must be let go
        """Let go of processes and files."""
