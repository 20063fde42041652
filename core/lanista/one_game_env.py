"""`one_game`: a batch of games from a class that plays a single one in plain Python.

1. `one_game(Rules)` looks at the class and gives a factory, which recipes and tests build the env with.
2. The env keeps one object a game and asks it, after each step, who acts, what is legal and what each seat sees;
   the answers go straight into the batch's arrays.
3. Whatever does not fit, or is raised on the way, becomes one sentence that names class, method and game.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from lanista.arrays import AnyArray
from lanista.env import VecEnv
from lanista.errors import EnvContractError, LanistaError, UsageError
from lanista.hints import shown, told
from lanista.one_game_answers import Answers, acting_seats
from lanista.one_game_checks import check_batch, refuse_illegal
from lanista.one_game_spec import ACTION, BOARD, Rules, read_rules, spec_of
from lanista.one_game_state import StateError, Streams, game_state, put_back_state, refuse_unsavable

#: an outcome given by `step` beside rewards of its own must agree with their sum this far
_TOLERANCE = 1e-4
_RESULTS = (-1.0, 0.0, 1.0)
#: where this package lies; what is raised elsewhere is the author's
_LANISTA = str(Path(__file__).parent)


def one_game(rules: type[Any]) -> "OneGame":
    """Make an env of a class that plays one game; serves as a decorator too.

    The class has the methods ``reset(rng)``, ``acting()``, ``legal(seat)``, ``observe(seat)`` and
    ``step(actions)``, and the attributes `seats` and `actions`. docs/your-first-game.md explains them, and what
    else a class may say. Raises `EnvContractError`, one sentence, for a class that lacks something.
    """
    return OneGame(rules)


class OneGame:
    """The factory of an env: ``factory(num_games, settings, num_threads)``."""

    def __init__(self, rules: type[Any]) -> None:
        """Check the class; no game is made yet."""
        #: the class that was handed in
        self.rules = rules
        self._read = read_rules(rules)
        self.__name__ = rules.__name__
        self.__doc__ = rules.__doc__
        self.__module__ = rules.__module__

    def __call__(self, num_games: int, settings: Any = None, num_threads: int = 1) -> "OneGameEnv":  # noqa: ANN401
        """Build the env; plain Python plays on one thread, whatever `num_threads`."""
        del num_threads
        return OneGameEnv(self._read, num_games, settings)


class OneGameEnv(VecEnv):
    """N objects of a rules class. Players may read `rules`, the objects themselves."""

    def __init__(self, read: Rules, num_games: int, settings: Any) -> None:  # noqa: ANN401 - the author's model
        """Make the objects, and read the spec off the first one's first position."""
        if num_games < 1:
            raise UsageError(f"game class {read.title}: {num_games} games were asked for; ask for 1 or more")
        self._read = read
        self._answers = Answers(read.title, 0)
        self._streams = Streams(num_games)
        with self._told():
            #: one object a game
            self.rules = [read.build(settings) for _ in range(num_games)]
            probe = read.build(settings)
            probe.reset(self._streams.rng(0, 0, 0, 0))
            self.spec = spec = spec_of(read, probe)
        self._answers.seats = spec.seats
        self.num_games = num_games
        self.resumable = _resumable(probe)
        names = {fact.name for fact in spec.facts}
        #: are the rewards the rules' own?
        self._reports = hasattr(probe, "facts") and any(name == "reward" for name in probe.facts(0))
        self._has_facts = hasattr(probe, "facts")
        self._has_terminated = hasattr(probe, "terminated")
        self._fact_names = [name for name in names if name != "reward" or self._reports]
        self._flows = [fact.name for fact in spec.facts if fact.kind == "flow"]
        self._allocate()

    def _allocate(self) -> None:
        spec, cells = self.spec, (self.num_games, self.spec.seats)
        for group in ("observation", "final_observation"):
            setattr(self, group, {p.name: np.zeros((*cells, *p.shape), p.dtype) for p in spec.observation})
        for group in ("facts", "final_facts"):
            setattr(self, group, {fact.name: np.zeros(cells, np.float32) for fact in spec.facts})
        self.legal = {head.name: np.zeros((*cells, head.size), np.bool_) for head in spec.heads}
        self.acting = np.zeros(cells, np.bool_)
        self.outcome = np.zeros(cells, np.float32)
        self.terminated, self.truncated = np.zeros(cells, np.bool_), np.zeros(cells, np.bool_)
        self.ended = np.zeros(self.num_games, np.bool_)
        self._seed = 0
        self._episode = np.zeros(self.num_games, np.int64)
        self._age = np.zeros(self.num_games, np.int64)
        self._returns = np.zeros(cells, np.float64)
        self._seats = tuple(range(spec.seats))
        self._head_names = [head.name for head in spec.heads]
        self._one_head = self._head_names[0] if self._head_names == [ACTION] else None
        self._part_names = [part.name for part in spec.observation]
        self._one_part = self._part_names[0] if self._part_names == [BOARD] else None
        #: the seats that act, by game: what `acting` says, for the loop
        self._to_act: list[tuple[int, ...]] = [()] * self.num_games

    def reset(self, seed: int) -> None:
        """Start all games; each draws from a stream of (seed, game, episode)."""
        self._seed = seed
        self._episode[:] = 0
        shown: tuple[AnyArray, ...] = (self.outcome, self.terminated, self.truncated, self.ended)
        for array in shown:
            array.fill(0)
        with self._told():
            for game in range(self.num_games):
                self._begin(game)
        check_batch(self, self._answers)

    def _begin(self, game: int) -> None:
        """Start the next game of one object."""
        self._answers.game = game
        rules = self.rules[game]
        rules.reset(self._streams.rng(game, self._seed, game, int(self._episode[game])))
        self._age[game] = 0
        self._returns[game] = 0.0
        self._show(game, rules, self.observation, self.facts)
        for name in self._flows:
            self.facts[name][game] = 0.0
        self._ask(game, rules)

    def _show(
        self,
        game: int,
        rules: Any,  # noqa: ANN401 - the author's object
        observation: dict[str, AnyArray],
        facts: dict[str, AnyArray],
    ) -> None:
        """Write what every seat sees, and its facts, into the arrays given."""
        answers, one = self._answers, self._one_part
        for seat in self._seats:
            seen = rules.observe(seat)
            if one is not None and type(seen) is not dict:
                answers.put_seen(observation[one][game, seat], seen, one, seat)
                continue
            table = answers.table(f"observe({seat})", seen, self._part_names, one)
            for name in self._part_names:
                answers.put_seen(observation[name][game, seat], table[name], name, seat)
        if self._has_facts:
            for seat in self._seats:
                call = f"facts({seat})"
                table = answers.table(call, rules.facts(seat), self._fact_names, None)
                for name in self._fact_names:
                    facts[name][game, seat] = answers.number(call, table[name], name)

    def _ask(self, game: int, rules: Any) -> None:  # noqa: ANN401 - the author's object
        """Ask who acts and what is legal for those who do."""
        seats = self.spec.seats
        to_act = acting_seats(self._answers.refuse, rules, seats)
        if len(to_act) > 1 and self.spec.turns == "alternating":
            self._answers.refuse(
                "acting()", f"names {len(to_act)} seats, and in the first position one seat acted",
                'write turns = "simultaneous" where several seats may act at once',
            )  # fmt: skip
        self._to_act[game] = to_act
        self.acting[game] = False
        for mask in self.legal.values():
            mask[game] = False
        for seat in to_act:
            self.acting[game, seat] = True
            given = rules.legal(seat)
            if self._one_head is not None and type(given) is not dict:
                self._answers.put_legal(self.legal[self._one_head][game, seat], given, self._one_head, seat)
                continue
            table = self._answers.table(f"legal({seat})", given, self._head_names, self._one_head)
            for name in self._head_names:
                self._answers.put_legal(self.legal[name][game, seat], table[name], name, seat)

    def step(self, actions: dict[str, AnyArray]) -> None:
        """Play one step in every game; an illegal action is an error, and then nothing is played."""
        refuse_illegal(self, actions)
        chosen = {name: actions[name].tolist() for name in self._head_names}
        single = chosen[self._one_head] if self._one_head is not None else None
        over = np.flatnonzero(self.ended)
        self.terminated[over] = self.truncated[over] = False
        self.outcome[over] = 0.0
        self.ended[over] = False
        self._age += 1
        at_limit = (self._age >= self.spec.max_steps).tolist()
        with self._told():
            for game, rules in enumerate(self.rules):
                self._answers.game = game
                to_act = self._to_act[game]
                if single is not None:
                    row = single[game]
                    given = rules.step({seat: row[seat] for seat in to_act})
                else:
                    given = rules.step(
                        {seat: {name: rows[game][seat] for name, rows in chosen.items()} for seat in to_act}
                    )
                self._take(game, rules, given, at_limit[game])
        check_batch(self, self._answers)

    def _take(self, game: int, rules: Any, given: Any, at_limit: bool) -> None:  # noqa: ANN401 - an author's
        """Take in what `step` returned: the game goes on, ends, or is cut off."""
        goes_on = given is None or (isinstance(given, (bool, np.bool_)) and not given)
        if goes_on and self._has_terminated:
            self._mark_out(game, rules)
        if goes_on and not at_limit:
            self._show(game, rules, self.observation, self.facts)
            self._ask(game, rules)
            if self._has_terminated:
                self._refuse_dead(game)
            if self._reports:
                self._returns[game] += self.facts["reward"][game]
            return
        self._show(game, rules, self.final_observation, self.final_facts)
        self._end(game, given, goes_on)
        if self.final_drawings is not None:
            self.final_drawings[game] = self.render(game)
        self._episode[game] += 1
        self._begin(game)

    def _end(self, game: int, given: Any, cut: bool) -> None:  # noqa: ANN401 - what `step` returned
        """Write outcome, reward and flags of a game that is over."""
        reward = self.final_facts["reward"][game]
        if self._reports:
            self._returns[game] += reward
        if cut:
            outcome: AnyArray = np.zeros(self.spec.seats)
            self.truncated[game] = ~self.terminated[game]
        else:
            outcome = self._outcome(game, given)
            self.terminated[game] = True
        if self.spec.outcome == "score" and self._reports:
            outcome = self._returns[game]
        if not self._reports:
            reward[...] = outcome
        self.outcome[game] = outcome
        self.ended[game] = True

    def _outcome(self, game: int, given: Any) -> AnyArray:  # noqa: ANN401 - what `step` returned
        """The outcome that `step` gave at a game's end, one number a seat."""
        if isinstance(given, (bool, np.bool_)):
            if self.spec.outcome == "score" and self._reports:
                own: AnyArray = self._returns[game]
                return own
            self._answers.refuse(
                "step", "returns True, which is no outcome",
                f"return a list of {self.spec.seats} numbers, one a seat, when the game is over",
            )  # fmt: skip
        numbers = self._answers.outcome(given)
        if self.spec.outcome == "result" and any(number not in _RESULTS for number in numbers):
            self._answers.refuse(
                "step", f"returns the outcome {shown(numbers)}",
                'a result is 1 for a win, 0 for a draw, -1 for a loss; write outcome = "score" for points',
            )  # fmt: skip
        outcome = np.array(numbers)
        sums = self._returns[game]
        if self.spec.outcome == "score" and self._reports and not np.allclose(outcome, sums, _TOLERANCE):
            self._answers.refuse(
                "step",
                f"returns the score {shown(numbers)}",
                f"a score is the sum of the rewards, here {shown(sums.tolist())}: return True, or correct one",
            )
        return outcome

    def _mark_out(self, game: int, rules: Any) -> None:  # noqa: ANN401 - the author's object
        """Note the seats whose own game is over though others play on."""
        for seat in rules.terminated():
            if isinstance(seat, (bool, np.bool_)) or seat not in self._seats:
                self._answers.refuse(
                    "terminated()", f"names {shown(seat)}", "list the seats that are out, such as [0, 2]"
                )
            self.terminated[game, seat] = True
        if self.terminated[game].all():
            self._answers.refuse(
                "terminated()", "names every seat, and step has not ended the game",
                "return the outcome from step when nobody is left",
            )  # fmt: skip

    def _refuse_dead(self, game: int) -> None:
        dead = next((seat for seat in self._to_act[game] if self.terminated[game, seat]), None)
        if dead is not None:
            self._answers.refuse(
                "acting()", f"names seat {dead}, which terminated() has named before",
                "leave a seat that is out of acting()",
            )  # fmt: skip

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the author's code raises into one sentence."""
        try:
            yield
        except LanistaError:
            raise
        except Exception as error:
            frames = traceback.extract_tb(error.__traceback__)
            own = [frame for frame in frames if not frame.filename.startswith(_LANISTA)] or frames[-1:]
            line = [frame.lineno for frame in own if frame.filename == own[0].filename][-1]
            called = "its constructor" if own[0].name in ("build", "__init__") else own[0].name
            raise EnvContractError(
                f"game class {self._read.title}: {called} raised {told(error)} "
                f"({Path(own[0].filename).name} line {line}) in game {self._answers.game}; "
                f"mend that line (--debug shows the way to it)"
            ) from error

    def save(self) -> dict[str, AnyArray]:
        """Copies of the whole state; no pickle."""
        if not self.resumable:
            return super().save()
        try:
            games = game_state(self.rules, self._streams)
        except StateError as error:
            raise EnvContractError(
                f"game class {self._read.title}: {error}, which cannot be saved; write save(self) and "
                f"load(self, state), or resumable = False"
            ) from error
        exposed = {name: array.copy() for name, array in self._exposed().items()}
        return {**exposed, **self._streams.save(), "seed": np.array([self._seed], np.int64), "games": games}

    def load(self, state: dict[str, AnyArray]) -> None:
        """Take back what `save` gave."""
        if not self.resumable:
            super().load(state)
        for name, array in self._exposed().items():
            array[...] = state[name]
        self._seed = int(state["seed"][0])
        self._streams.load(state)
        with self._told():
            put_back_state(self.rules, self._streams, state["games"])
        self._to_act = [tuple(int(seat) for seat in np.flatnonzero(row)) for row in self.acting]

    def _exposed(self) -> dict[str, AnyArray]:
        groups = ("observation", "final_observation", "facts", "final_facts", "legal")
        named = {f"{group}.{name}": array for group in groups for name, array in getattr(self, group).items()}
        rest = ("acting", "outcome", "terminated", "truncated", "ended", "_episode", "_age", "_returns")
        return named | {name.lstrip("_"): getattr(self, name) for name in rest}

    def render(self, game: int) -> str:
        """What the rules' own `render` gives, if they have one."""
        draw = getattr(self.rules[game], "render", None)
        if draw is None:
            return super().render(game)
        self._answers.game = game
        with self._told():
            return str(draw())


def _resumable(game: Any) -> bool:  # noqa: ANN401 - the author's object
    """Whether the state of a game can be kept as JSON and arrays; an author may say that it cannot."""
    if not getattr(game, "resumable", True):
        return False
    try:
        refuse_unsavable(game)
    except StateError:
        return False
    return True
