"""`one_game`: games of every shape keep the contract, and every mistake is one sentence."""

import subprocess
import sys
from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from lanista import one_game
from lanista.errors import EnvContractError, LanistaError, UsageError
from lanista.testing import check_env


class Pile:
    """Two seats in turn take 1 to 3 of a pile; who takes the last one wins."""

    name = "pile"
    seats = 2
    actions = 3
    max_steps = 30

    def reset(self, rng):
        self.left = int(rng.integers(5, 12))
        self.turn = 0

    def acting(self):
        return self.turn

    def legal(self, seat):
        return range(min(3, self.left))

    def observe(self, seat):
        return [self.left / 12, self.turn == seat]

    def step(self, actions):
        self.left -= actions[self.turn] + 1
        if self.left == 0:
            return [1, -1] if self.turn == 0 else [-1, 1]
        self.turn = 1 - self.turn
        return None


class Fists:
    """Three seats at once; a dictionary of parts, two heads, who shows least falls out; the last ones win."""

    seats = 3
    actions = {"fist": 4, "shout": 2}  # noqa: RUF012 - as an author writes it
    max_steps = 12
    turns = "simultaneous"
    meanings = {"alive": "who is still there", "fist": "fingers"}  # noqa: RUF012
    spread = {"shown": 3.0}  # noqa: RUF012
    flows = ("shouts",)

    def reset(self, rng):
        self.alive, self.shown, self.shouted = {0, 1, 2}, np.zeros(3, np.int8), [0] * 3
        self.past = deque([0, 0], maxlen=2)

    def acting(self):
        return sorted(self.alive)

    def legal(self, seat):
        return {"fist": np.arange(4) > self.past[0], "shout": [True, False]}

    def observe(self, seat):
        return {"shown": np.roll(self.shown, -seat), "alive": [seat in self.alive], "past": list(self.past)}

    def facts(self, seat):
        return {"shouts": self.shouted[seat], "fingers": self.shown[seat]}

    def step(self, actions):
        assert actions.keys() == self.alive
        self.shouted = [0] * 3
        for seat, chosen in actions.items():
            self.shown[seat], self.shouted[seat] = chosen["fist"], 1 - chosen["shout"]
        least = min(self.shown[seat] for seat in self.alive)
        self.past.append(int(least) - 1 if least else 0)
        losers = [seat for seat in self.alive if self.shown[seat] == least]
        if len(losers) == len(self.alive):
            return None
        self.alive -= set(losers)
        if len(self.alive) == 1:
            return [1 if seat in self.alive else -1 for seat in range(3)]
        return None


class WalkSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    length: int = 5


class Walk:
    """One seat walks to the end of a line in the wind; a step costs a point."""

    seats = 1
    actions = 2
    max_steps = 9
    reward_range = (-1.0, 5.0)

    def __init__(self, settings=None):
        self.settings = settings or WalkSettings()

    def reset(self, rng):
        self.rng, self.place, self.paid = rng, 0, 0.0

    def acting(self):
        return [True]

    def legal(self, seat):
        return [0, 1] if self.place else [1]

    def observe(self, seat):
        return np.eye(self.settings.length + 2, dtype=np.float32)[self.place]

    def facts(self, seat):
        return {"reward": self.paid, "place": self.place}

    def step(self, actions):
        wind = self.rng.random() < 0.3
        self.place = max(0, self.place + (2 * actions[0] - 1) - wind)
        arrived = self.place >= self.settings.length
        self.paid = 5.0 if arrived else -1.0
        return bool(arrived)


class Race:
    """Three seats in turn for points; a seat that rolls 1 is out for good, and paid by then."""

    seats = 3
    actions = 2
    outcome = "score"
    reward_range = (0.0, 6.0)
    max_steps = 15

    def reset(self, rng):
        self.rng, self.out, self.turn, self.gain = rng, [False] * 3, 0, [0.0] * 3

    def acting(self):
        return self.turn

    def legal(self, seat):
        return [True, True]

    def observe(self, seat):
        return {"out": np.array(self.out), "gain": [self.gain[seat]]}

    def facts(self, seat):
        return {"reward": self.gain[seat]}

    def terminated(self):
        return [seat for seat in range(3) if self.out[seat]]

    def step(self, actions):
        self.gain = [0.0] * 3
        rolled = int(self.rng.integers(1, 7))
        if actions[self.turn] and rolled == 1:
            self.out[self.turn] = True
        elif actions[self.turn]:
            self.gain[self.turn] = float(rolled)
        if all(self.out):
            return True
        self.turn = next(seat % 3 for seat in range(self.turn + 1, self.turn + 4) if not self.out[seat % 3])
        return None


GAMES = [Pile, Fists, Walk, Race]


@pytest.mark.parametrize("rules", GAMES, ids=[rules.__name__ for rules in GAMES])
def test_games_of_every_shape_keep_the_contract_and_can_be_saved(rules):
    env = one_game(rules)(2)
    assert env.resumable
    check_env(one_game(rules), steps=120)


def test_the_declaration_is_read_off_the_class_and_the_first_position():
    spec = one_game(Fists)(1).spec
    assert (spec.name, spec.turns, spec.outcome, spec.max_steps) == ("fists", "simultaneous", "result", 12)
    assert [(part.name, part.shape, part.dtype) for part in spec.observation] == [
        ("shown", (3,), "int8"), ("alive", (1,), "float32"), ("past", (2,), "float32"),
    ]  # fmt: skip
    assert spec.observation[0].spread == (3.0,)
    assert spec.observation[1].meaning == "who is still there"
    assert [(head.name, head.size) for head in spec.heads] == [("fist", 4), ("shout", 2)]
    assert [(fact.name, fact.kind) for fact in spec.facts] == [
        ("reward", "flow"), ("shouts", "flow"), ("fingers", "level"),
    ]  # fmt: skip
    assert one_game(Walk)(1).spec.outcome == "score"
    assert one_game(Pile)(1).spec.turns == "alternating"


def test_the_settings_of_the_env_reach_the_constructor():
    assert one_game(Walk)(1, WalkSettings(length=3)).observation["board"].shape == (1, 1, 5)
    assert one_game(Walk)(1).observation["board"].shape == (1, 1, 7)


def test_it_serves_as_a_decorator_and_keeps_the_class():
    factory = one_game(Pile)
    assert factory.rules is Pile
    assert len(factory(3).rules) == 3


def test_a_game_that_runs_out_of_steps_is_cut_off_and_its_outcome_is_nought():
    class Endless(Pile):
        max_steps = 4

        def step(self, actions):
            self.turn = 1 - self.turn

    env = one_game(Endless)(1)
    env.reset(0)
    for _ in range(4):
        env.step({"action": np.zeros((1, 2), np.int64)})
    assert env.ended[0]
    assert env.truncated.all()
    assert not env.terminated.any()
    assert not env.outcome.any()


def test_a_seat_that_is_out_early_stays_terminated_until_the_game_ends():
    class Out(Race):
        def step(self, actions):
            self.out[0], self.turn = True, 1
            self.steps = getattr(self, "steps", 0) + 1
            return self.steps == 3

    env = one_game(Out)(1)
    env.reset(0)
    action = {"action": np.ones((1, 3), np.int64)}
    for _ in range(2):
        env.step(action)
        assert env.terminated[0].tolist() == [True, False, False]
    env.step(action)
    assert env.ended[0]
    assert env.terminated.all()


def test_an_illegal_action_is_refused_before_anything_is_played():
    env = one_game(Pile)(2)
    env.reset(0)
    with pytest.raises(
        UsageError, match=r"env pile: seat 0 of game 1 plays action 7, which is not legal there"
    ):
        env.step({"action": np.array([[0, 0], [7, 0]])})
    assert [rules.turn for rules in env.rules] == [0, 0]


def play(rules, steps=40):
    env = one_game(rules)(2)
    env.reset(0)
    for _ in range(steps):
        env.step({head.name: env.legal[head.name].argmax(2) for head in env.spec.heads})


def refused(rules):
    """The sentence that a rules class ends with, at the latest while it is played."""
    with pytest.raises(LanistaError) as caught:
        play(rules)
    text = str(caught.value)
    assert "\n" not in text
    assert "; " in text
    return text


def without(name):
    return type("Lacking", (), {key: value for key, value in vars(Pile).items() if key != name})


def changed(**attributes):
    """Pile with other attributes; a plain value of a method's name is what that method gives."""
    made = {
        name: (lambda *arguments, value=value: value)
        if name in ("acting", "legal", "observe", "step", "facts", "terminated") and not callable(value)
        else value
        for name, value in attributes.items()
    }
    return type("Changed", (Pile,), made)


@pytest.mark.parametrize("name", ["reset", "acting", "legal", "observe", "step"])
def test_a_missing_method_is_named_with_what_to_write(name):
    text = refused(without(name))
    assert f"game class Lacking: it has no method {name}" in text
    assert f"write def {name}(self" in text


def test_a_method_of_a_name_that_is_nearly_right_is_pointed_out():
    rules = type("Near", (without("observe"),), {"observ": Pile.observe})
    assert "did you mean 'observ'?" in refused(rules)


MISTAKES = {
    "a method that cannot be called": (
        {"legal": lambda self: [0]}, "legal(self) cannot be called with seat; write def legal(self, seat)"),
    "no seats": ({"seats": None}, "it does not say seats"),
    "seats of 0": ({"seats": 0}, "seats is 0"),
    "no actions": ({"actions": None}, "it does not say actions"),
    "actions of a text": ({"actions": "9"}, "actions has 'action': '9'"),
    "actions of nothing": ({"actions": {}}, "actions is empty"),
    "max_steps of a half": ({"max_steps": 0.5}, "max_steps is 0.5"),
    "another outcome": ({"outcome": "points"}, "outcome is 'points'"),
    "a score without a range": ({"outcome": "score"}, "it does not say reward_range"),
    "a range upside down": ({"reward_range": (1, -1)}, "reward_range is (1, -1)"),
    "turns of a strange kind": ({"turns": "mixed"}, "turns is 'mixed'"),
    "a spread for nothing": ({"spread": {"bord": 2.0}}, "spread names 'bord', which is no part; did you mean 'board'?"),
    "a spread of 0": ({"spread": {"board": 0.0}}, "spread['board'] is (0.0,)"),
    "an observation of text": ({"observe": ["X", "O"]}, "observe(0) gives ['X', 'O'] for the part 'board'"),
    "an observation of nothing": ({"observe": None}, "which is no array of numbers"),
    "a ragged observation": ({"observe": [[1, 2], [3]]}, "observe(0) gives [[1, 2], [3]]"),
    "another shape": (
        {"observe": lambda self, seat: [1.0] * (2 + seat)},
        "observe(1) gives the part 'board' in the shape (3,) in game 0; the first observation had (2,)"),
    "another dtype": (
        {"observe": lambda self, seat: np.zeros(2, np.float64 if seat else np.int8)},
        "observe(1) gives the part 'board' as float64 in game 0; the first observation had int8"),
    "a number that is none": (
        {"observe": lambda self, seat: [float("nan"), 0.0]}, "observe(0) gives a number in 'board' that is not finite"),
    "another part": (
        {"observe": lambda self, seat: {"one" if seat else "own": [1.0]}},
        "observe(1) gives 'one', which was not there at first in game 0; did you mean 'own'?"),
    "no legal action": ({"legal": []}, "legal(0) gives no legal action for 'action' though acting() names seat 0"),
    "legal without return": ({"legal": None}, "legal(0) gives None for 'action'"),
    "a mask of another length": ({"legal": [True, False]}, "legal(0) gives a mask of the shape (2,) for 'action'"),
    "a mask array of another shape": ({"legal": np.ones((3, 1), bool)}, "a mask of the shape (3, 1)"),
    "a mask of ones and noughts": ({"legal": [1, 1, 0]}, "lists the action 1 twice"),
    "an action that does not exist": ({"legal": [3]}, "lists the action 3 for 'action' in game 0; actions are counted from 0 to 2"),
    "an action of a half": ({"legal": [0.5]}, "lists 0.5 for 'action'"),
    "a seat that does not exist": ({"acting": 2}, "acting() names seat 2"),
    "nobody acts": ({"acting": []}, "acting() names no seat though the game goes on"),
    "acting gives text": ({"acting": "0"}, "acting() gives '0'"),
    "acting gives a truth value": ({"acting": True}, "acting() gives true"),
    "acting gives too few truth values": ({"acting": [True]}, "acting() gives 1 truth values for 2 seats"),
    "acting names a seat twice": ({"acting": [0, 0]}, "acting() names a seat twice: [0, 0]"),
    "two act where one did": (
        {"acting": lambda self: [0, 1] if self.left < 5 else 0}, 'write turns = "simultaneous"'),
    "an outcome too short": ({"step": [1]}, "step returns an outcome of 1 numbers in game 0"),
    "an outcome of text": ({"step": "won"}, "step returns 'won'"),
    "an outcome by a truth value": ({"step": True}, "step returns True, which is no outcome"),
    "an outcome that is no number": ({"step": [1, float("nan")]}, "step gives nan as the outcome of seat 1"),
    "an outcome of points": ({"step": [3, -3]}, 'step returns the outcome [3.0, -3.0] in game 0; a result is 1 for a win'),
    "a reward that is no number": (
        {"facts": {"reward": float("nan")}, "reward_range": (0, 1)}, "facts(0) gives nan as reward"),
    "a reward out of range": ({"facts": {"reward": 2.0}, "reward_range": (0, 1)}, "reward_range says (0, 1)"),
    "facts of a list": ({"facts": [1]}, "facts(0) gives [1]"),
    "other facts later": (
        {"facts": lambda self, seat: {"stones" if seat else "stone": 1}},
        "facts(1) gives 'stones', which was not there at first"),
    "a flow that no fact is": ({"flows": ("eaten",), "facts": {"eating": 1}}, "flows names 'eaten', which facts(0) does not give"),
    "all out and no end": ({"terminated": [0, 1]}, "terminated() names every seat"),
    "a seat out that acts": ({"terminated": [0], "acting": 0}, "acting() names seat 0, which terminated() has named before"),
    "a seat out that does not exist": ({"terminated": [5]}, "terminated() names 5"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_class_method_and_cure(mistake):
    attributes, expected = MISTAKES[mistake]
    text = refused(changed(**attributes))
    assert text.startswith("game class Changed: ")
    assert expected in text


def test_what_the_rules_raise_names_method_line_and_game():
    class Broken(Pile):
        def step(self, actions):
            if self.left < 9:
                raise KeyError("pile")
            super().step(actions)

    text = refused(Broken)
    assert "game class Broken: step raised KeyError: 'pile' (test_one_game.py line" in text
    assert "in game " in text


def test_what_is_no_class_is_refused():
    with pytest.raises(EnvContractError, match="one_game takes a class"):
        one_game(Pile())


def test_a_constructor_that_needs_settings_says_so():
    class Needs(Pile):
        def __init__(self, settings):
            self.size = settings.size

    with pytest.raises(EnvContractError, match=r"register\(\.\.\., settings=Model\)"):
        one_game(Needs)(1)


def test_games_that_hold_what_json_does_not_know_are_not_resumable():
    class Holds(Pile):
        def reset(self, rng):
            super().reset(rng)
            self.log = object()

    class Twice(Pile):
        def reset(self, rng):
            super().reset(rng)
            self.own = self.other = []

    class Refuses(Pile):
        resumable = False

    for rules in (Holds, Twice, Refuses):
        env = one_game(rules)(2)
        assert not env.resumable
        with pytest.raises(NotImplementedError, match="resumable = False"):
            env.save()
        check_env(one_game(rules), steps=40)


def test_an_attribute_that_comes_later_and_cannot_be_kept_is_named_on_saving():
    class Late(Pile):
        def step(self, actions):
            self.thing = object()

    env = one_game(Late)(1)
    env.reset(0)
    env.step({"action": np.zeros((1, 2), np.int64)})
    with pytest.raises(
        EnvContractError, match="game class Late: thing holds a object, which cannot be saved"
    ):
        env.save()


def test_save_and_load_of_the_rules_own_are_used():
    class Own(Pile):
        def reset(self, rng):
            super().reset(rng)
            self.noise = object()

        def save(self):
            return [self.left, self.turn]

        def load(self, state):
            self.left, self.turn = state

    assert one_game(Own)(1).resumable
    check_env(one_game(Own), steps=60)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(
            st.integers() | st.text(max_size=3) | st.tuples(st.integers(), st.booleans()), inner, max_size=3
        )
        | st.lists(inner, max_size=3).map(lambda items: deque(items, 5))
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=12,
)


@given(VALUES, st.sampled_from(["int8", "float32", "bool", "uint16"]))
@settings(max_examples=150, deadline=None)
def test_any_nest_of_plain_values_comes_back_as_it_was(value, dtype):
    from lanista.one_game_state import Streams, game_state, put_back_state

    class Holder:
        pass

    holder, streams = Holder(), Streams(1)
    holder.value, holder.array = value, np.arange(6).astype(dtype).reshape(2, 3)
    holder.number, holder.rng = holder.array[0, 1], streams.at(0)
    text = game_state([holder], streams)
    other = Holder()
    put_back_state([other], streams, text)
    assert other.value == value
    assert type(other.value) is type(value)
    assert np.array_equal(other.array, holder.array)
    assert other.array.dtype == holder.array.dtype
    assert type(other.number) is type(holder.number)
    assert other.rng is streams.at(0)


@given(st.integers(0, 2**63 - 1), st.integers(0, 1000), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_stream_depends_on_seed_game_and_episode_alone(seed, game, episode):
    from lanista.one_game_state import Streams

    streams = Streams(2)
    first = streams.rng(0, seed, game, episode).random(3).tolist()
    streams.rng(1, seed, game, episode + 1).integers(3)
    assert streams.rng(1, seed, game, episode).random(3).tolist() == first
    for other in ((seed ^ 1, game, episode), (seed, game + 1, episode), (seed, game, episode + 1)):
        assert streams.rng(1, *other).random(3).tolist() != first


def test_render_is_the_rules_own():
    class Drawn(Pile):
        def render(self):
            return "|" * self.left

    env = one_game(Drawn)(1)
    env.reset(0)
    assert env.render(0) == "|" * env.rules[0].left
    assert one_game(Pile)(1).render(0) == "pile: game 0"


def test_importing_one_game_loads_neither_torch_nor_numba():
    code = "from lanista import one_game; import sys; print(sorted({'torch', 'numba', 'gymnasium'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
