"""The clock guard: no network plays a turn that the overage cannot bear, and a hiccup is forgiven."""

from hypothesis import given
from hypothesis import strategies as st

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
