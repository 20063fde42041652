"""The warning that the shaped return rises while the outcome falls: it comes when it should, and not on noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanista.report.trends import BLOCKS, LEAST, alarm, blocks, divergence, divergences, trend


def rows_of(shaped, outcome, figure="outcome", phase="p", length=10.0):
    return [
        {
            "phase": phase,
            "step": step,
            "reward/a": up * 0.7,
            "reward/b": up * 0.3,
            "length": length,
            figure: down,
        }
        for step, (up, down) in enumerate(zip(shaped, outcome, strict=True))
    ]


def noise(seed, count, memory=0.0):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=count)
    for place in range(1, count):
        values[place] += memory * values[place - 1]
    return values


@pytest.mark.parametrize("count", [LEAST, 60, 500])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_said_when_one_rises_and_the_other_falls(count, seed):
    time = np.linspace(0.0, 1.0, count)
    shaped, outcome = time + 0.1 * noise(seed, count), -0.6 * time + 0.1 * noise(seed + 100, count)
    found = divergence("carts", rows_of(shaped, outcome))
    assert found is not None
    assert found.sentence.startswith("phase 'carts': the shaped return rose over the phase (")
    assert "while outcome fell (" in found.sentence
    for turned in (rows_of(shaped, -outcome), rows_of(-shaped, outcome), rows_of(-shaped, -outcome)):
        assert divergence("carts", turned) is None


def test_a_fall_that_begins_half_way_is_seen():
    time = np.linspace(0.0, 1.0, 200)
    outcome = np.where(time < 0.5, time, 1.0 - 1.2 * (time - 0.3)) + 0.03 * noise(1, 200)
    found = divergence("p", rows_of(time, outcome))
    assert found is not None
    assert found.stretch in ("the phase", "its last half")


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("count", [LEAST, 60, 300])
def test_noise_gives_no_alarm(count, memory):
    alarms = [
        divergence("p", rows_of(noise(2 * seed, count, memory), noise(2 * seed + 1, count, memory)))
        for seed in range(40)
    ]
    assert sum(alarm is not None for alarm in alarms) <= 1


def test_too_few_updates_say_nothing():
    time = np.linspace(0.0, 1.0, LEAST - 1)
    assert divergence("p", rows_of(time, -time)) is None
    assert divergence("p", []) is None


def test_a_fall_too_small_to_matter_is_no_alarm():
    time = np.linspace(0.0, 1.0, 100)
    assert divergence("p", rows_of(time, -0.02 * time)) is None
    assert divergence("p", rows_of(time, 500.0 - 10.0 * time)) is None
    assert divergence("p", rows_of(time, 500.0 - 200.0 * time)) is not None


def test_games_that_grow_longer_count_for_the_shaped_return():
    time = np.linspace(0.0, 1.0, 100)
    rows = rows_of(np.full(100, 0.1), -time)
    for row, share in zip(rows, time, strict=True):
        row["length"] = 10.0 + 90.0 * share
    assert divergence("p", rows) is not None


def test_snapshots_that_grow_stronger_are_no_yardstick():
    time = np.linspace(0.0, 1.0, 100)
    pool = rows_of(time, -time, figure="outcome/pool")
    for row in pool:
        row["outcome"] = row["outcome/pool"]
    assert divergence("p", pool) is None
    for row, share in zip(pool, time, strict=True):
        row["outcome/bots"] = -share
    found = divergence("p", pool)
    assert found is not None
    assert found.figure == "outcome/bots"


def test_gaps_and_nan_are_passed_over():
    time = np.linspace(0.0, 1.0, 120)
    rows = rows_of(time, -time)
    for row in rows[::3]:
        del row["outcome"]
    for row in rows[1::7]:
        row["reward/a"] = float("nan")
    assert divergence("p", rows) is not None


def test_games_longer_than_a_rollout_are_judged_by_all_of_their_parts():
    """Games of 6 updates that end together: the updates in which they end see only what is paid at the end."""
    count, rows = 60, []
    for game in range(count):
        for part in range(6):
            paid = game / count if part < 5 else -game / count
            rows.append(
                {
                    "phase": "p",
                    "reward/tiles": paid,
                    **({} if part < 5 else {"outcome": -game / count, "length": 360}),
                }
            )
    found = divergence("p", rows)
    assert found is not None
    assert found.shaped.end == pytest.approx(360 * 4 / 6, rel=0.05)
    assert alarm("p", rows) == {"shaped_up_outcome_down": 1.0}
    for row in rows:
        row["reward/tiles"] *= -1
    assert divergence("p", rows) is None
    assert alarm("p", rows) == {"shaped_up_outcome_down": 0.0}
    assert alarm("p", rows[:60]) == {}


def test_each_phase_is_judged_alone():
    time = np.linspace(0.0, 1.0, 100)
    rows = rows_of(time, time, phase="good") + rows_of(time, -time, phase="bad")
    assert [warning.phase for warning in divergences(rows)] == ["bad"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=90))
def test_a_trend_turned_round_is_its_mirror(values):
    there, back = trend(values), trend([-value for value in values])
    assert there.z == pytest.approx(-back.z, abs=1e-9)
    assert there.change == pytest.approx(-back.change, rel=1e-6, abs=1e-6)
    assert not (there.rises and there.falls)


def test_one_outlier_does_not_make_a_trend():
    values = np.zeros(40) + 0.01 * noise(3, 40)
    values[-1] = 1e6
    assert not trend(values).rises


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=500))
def test_blocks_keep_the_mean_in_order(values):
    found = blocks(np.array(values))
    assert len(found) == min(len(values), BLOCKS)
    assert np.isfinite(found).all()
    if len(values) % len(found) == 0:
        assert found.mean() == pytest.approx(np.mean(values), abs=1e-6)
