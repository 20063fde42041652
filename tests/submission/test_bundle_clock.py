"""The clock guard: no network plays a turn that the overage cannot bear, and a hiccup is forgiven."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lanista_submission.runtime import play
from lanista_submission.runtime.clock import MARGIN, SHARE, Clock

SECONDS = st.floats(0.0, 50.0)


@given(st.lists(SECONDS, min_size=1, max_size=3), st.floats(0.1, 5.0), st.floats(-1.0, 60.0))
def test_the_first_that_fits_plays(seconds, act_timeout, overage):
    place = Clock(seconds).choose(act_timeout, overage)
    fits = [slowest * MARGIN <= act_timeout + SHARE * max(overage, 0.0) for slowest in seconds]
    assert place == (fits.index(True) if True in fits else None)


@given(
    steady=st.lists(st.floats(0.001, 12.0), min_size=1, max_size=3), act_timeout=st.floats(0.1, 3.0),
    overage=st.floats(0.0, 60.0), wobble=st.lists(st.floats(0.75, 1.0), min_size=80, max_size=80),
)  # fmt: skip
def test_steady_networks_never_use_up_the_overage(steady, act_timeout, overage, wobble):
    """Turns between 3/4 of what was measured while loading and all of it, for a whole game."""
    clock = Clock(steady)
    for factor in wobble:
        place = clock.choose(act_timeout, overage)
        seconds = 0.0 if place is None else steady[place] * factor
        overage -= max(seconds - act_timeout, 0.0)
        assert overage >= 0.0
        clock.turn_over(place, seconds)


def test_a_hiccup_of_a_quick_network_is_forgiven():
    clock = Clock([0.001])
    for seconds in (0.001, 6.0):
        assert clock.choose(2.0, 4.0) == 0
        clock.turn_over(0, seconds)
    chosen = [clock.choose(2.0, 0.5) for _ in range(10)]
    assert chosen[0] is None
    assert chosen[-1] == 0
    assert chosen == sorted(chosen, key=lambda place: place is not None)


def test_a_network_that_is_always_slow_stays_out():
    clock = Clock([0.001])  # quick without the codec, slow in play
    assert clock.choose(2.0, 4.0) == 0
    clock.turn_over(0, 5.0)
    assert [clock.choose(2.0, 1.0) for _ in range(100)] == [None] * 100


class Machine:
    """A machine whose clock moves only by what its agent does; a slow one takes `slow` times as long."""

    def __init__(self, reading, passes, default=0):
        self.now, self.slow, self.reading = 0.0, 1.0, reading
        self.networks = [Network(self, seconds) for seconds in passes]
        self.default = default

    def perf_counter(self):
        return self.now

    def spend(self, seconds):
        self.now += seconds * self.slow

    def observe(self, obs, config):
        self.spend(self.reading)
        return {"x": np.zeros(1)}, {"move": np.array([True, True, True])}

    def act(self, action, obs, config):
        return int(action)


class Network:
    shapes, unit_inputs = {"x": (1,)}, frozenset()

    def __init__(self, machine, seconds):
        self.machine, self.seconds = machine, seconds

    def fits(self, observation):
        return True

    def run(self, inputs):
        self.machine.spend(self.seconds)
        return {"logits_move": np.array([[0.0, 1.0, 2.0]])}


def games_overage(machine, turns, act_timeout=3.0, overage=60.0, slow=lambda turn: 1.0):
    """(The bank of time after each turn of a game, the player)."""
    settings = {"heads": {"move": None}, "default_action": 0, "act_timeout": act_timeout}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(play, "perf_counter", machine.perf_counter)
        player, left = play.Player(machine, machine.networks, settings, strict=True), []
        for turn in range(turns):
            machine.slow, began = slow(turn), machine.now
            player.act({"remainingOverageTime": overage}, {"actTimeout": act_timeout})
            overage -= max(machine.now - began - act_timeout, 0.0)
            left.append(overage)
    return left, player


@given(st.floats(0.0, 10.0), st.lists(st.floats(0.0, 8.0), min_size=1, max_size=2))
def test_no_game_is_lost_on_time_however_slow_the_machine(reading, passes):
    left, player = games_overage(Machine(reading, sorted(passes, reverse=True)), 360)
    assert min(left) >= 0.0
    assert sum(player.turns.values()) == 360


def test_a_slow_machine_falls_back_to_the_smaller_network_then_to_none_then_to_the_default():
    left, player = games_overage(Machine(0.1, [8.0, 0.2]), 360)
    assert player.turns["1"] > 340
    assert min(left) > 0.0
    left, player = games_overage(Machine(2.0, [8.0, 4.0]), 360)
    assert player.turns["none"] > 300
    assert player.turns["unread"] == 0
    left, player = games_overage(Machine(9.0, [1.0]), 360)
    assert player.turns["unread"] > 340
    assert min(left) > 0.0


def test_a_machine_that_slows_down_for_a_while_costs_no_more_than_that_while():
    left, player = games_overage(
        Machine(0.02, [0.1, 0.01]), 360, slow=lambda turn: 60.0 if 100 <= turn < 140 else 1.0
    )
    assert min(left) > 0.0
    assert player.turns["0"] > 300


@given(st.lists(st.tuples(st.integers(0, 350), st.integers(1, 100), st.floats(1.0, 40.0)), max_size=4))
def test_no_game_is_lost_on_a_machine_that_is_slow_now_and_then(whiles):
    def slow(turn):
        return max([factor for began, turns, factor in whiles if began <= turn < began + turns], default=1.0)

    left, _ = games_overage(Machine(0.03, [0.15, 0.01]), 360, slow=slow)
    assert min(left) > 0.0


def test_times_that_are_not_told_count_as_the_targets_own_and_an_empty_bank():
    settings = {"heads": {"move": None}, "default_action": 0, "act_timeout": 2.0}
    machine = Machine(0.0, [0.0])
    player = play.Player(machine, machine.networks, settings, strict=False)
    odd = [None, {}, {"actTimeout": None}, {"actTimeout": float("nan")}, {"actTimeout": "soon"}]
    for config in odd:
        assert player._time({"remainingOverageTime": 5.0}, config) == (2.0, 5.0)
    assert player._time({"remainingOverageTime": float("inf")}, {"actTimeout": 3}) == (3.0, 0.0)
    assert player._time(None, {"actTimeout": "4"}) == (4.0, 0.0)
    assert player.faults["time"] == len(odd) + 2
