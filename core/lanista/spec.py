"""What an env declares about itself. Learners and targets branch on this record, never on an env's name."""

from dataclasses import asdict, dataclass
from math import prod
from typing import Any, Literal

#: the kind of a head that is asked for every acting unit
UNITS = "units"
#: the name of the part ``[1, H, W]`` that an env shows beside its planes where boards are filled up to one size: 1 on the
#: cells of the board, 0 on what fills it up
INSIDE = "inside"


@dataclass(frozen=True)
class ObsPart:
    """One named array of an observation.

    A network scales it as ``(x - center) / spread``; both are broadcast over `shape` (a single number, or
    one number for each entry of the last axis). They are natural magnitudes, fixed by the env, not statistics.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32", "int8", "int32", "uint8"]
    meaning: str
    center: tuple[float, ...] = (0.0,)
    spread: tuple[float, ...] = (1.0,)

    @property
    def size(self) -> int:
        """Numbers in one observation of this part."""
        return prod(self.shape)


@dataclass(frozen=True)
class HeadSpec:
    """One decision of a seat: `kind` names a head plugin, `size` is A.

    Without bounds the seat chooses one of A actions, of which a mask in `VecEnv.legal` says which are legal. With
    `low` and `high`, A numbers each and finite, it gives A real numbers inside them, and there is no mask; `kind` is
    then a head of real numbers such as ``"gaussian"``.

    A head of the kind ``"units"`` (one an env, at most) is asked once for every acting unit instead: `units` then
    names the kinds of units in the order of `VecEnv.unit_kind`, each with its number of choices. What choice 3
    means may depend on the kind; a kind with fewer than A choices has the first ones. `exclusive` says, for each
    kind, which choices only one unit of a cell can take in a step (two that leave a cell by one side would stop each
    other), whatever the others' kinds; it is empty where units never get in each other's way.
    """

    name: str
    kind: str
    size: int
    meaning: str
    units: tuple[tuple[str, int], ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    exclusive: tuple[tuple[int, ...], ...] = ()

    @property
    def continuous(self) -> bool:
        """Is an action A real numbers within bounds, and not one of A choices?"""
        return bool(self.low)

    @property
    def action_shape(self) -> tuple[int, ...]:
        """The shape of one action: ``()`` for a choice, ``(A,)`` for real numbers."""
        return (self.size,) if self.continuous else ()

    @property
    def action_dtype(self) -> Literal["int64", "float32"]:
        """The type of an action's numbers."""
        return "float32" if self.continuous else "int64"


@dataclass(frozen=True)
class FactSpec:
    """A number that the env reports for every seat after every step.

    A *level* is a state of affairs (reward weights act on its change); a *flow* is this step's amount.
    """

    name: str
    kind: Literal["level", "flow"]
    unit: str
    meaning: str


@dataclass(frozen=True)
class EnvSpec:
    """The whole declaration. `outcome` says what the env's ``outcome`` array holds at a game's end:
    ``"result"`` (+1 win, 0 draw, -1 loss) or ``"score"`` (the episode's official return). `unit_observation`
    declares what is shown of each acting unit, beside what its seat sees; it is empty without a head of units.
    """

    name: str
    version: str
    source: str
    seats: int
    turns: Literal["simultaneous", "alternating"]
    observation: tuple[ObsPart, ...]
    heads: tuple[HeadSpec, ...]
    facts: tuple[FactSpec, ...]
    max_steps: int
    reward_range: tuple[float, float]
    outcome: Literal["result", "score"]
    unit_observation: tuple[ObsPart, ...] = ()

    @property
    def units_head(self) -> HeadSpec | None:
        """The head that is asked for every acting unit, if there is one."""
        return next((head for head in self.heads if head.kind == UNITS), None)

    def to_json(self) -> dict[str, Any]:
        """Give the record as plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(record: dict[str, Any]) -> "EnvSpec":
        """Rebuild a record that `to_json` gave."""

        def tuples(value: Any) -> Any:  # noqa: ANN401 - JSON values of any kind pass through
            return tuple(tuples(item) for item in value) if isinstance(value, list) else value

        def build(kind: type[Any], row: dict[str, Any]) -> Any:  # noqa: ANN401 - one of three record types
            return kind(**{key: tuples(value) for key, value in row.items()})

        return EnvSpec(
            **{
                key: tuples(value)
                for key, value in record.items()
                if key not in {"observation", "heads", "facts", "unit_observation"}
            },
            observation=tuple(build(ObsPart, row) for row in record["observation"]),
            heads=tuple(build(HeadSpec, row) for row in record["heads"]),
            facts=tuple(build(FactSpec, row) for row in record["facts"]),
            unit_observation=tuple(build(ObsPart, row) for row in record.get("unit_observation", ())),
        )
