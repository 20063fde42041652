"""The judge that every toolkit is measured by: what counts, when it looks, when it has seen enough."""

import math
from time import monotonic, sleep

import numpy as np
from solving.tables import share_at_least, speed_table, spread, steadiness_table, times_as_long
from solving.trial import Trial


def wish(**changes):
    task = {"env_id": "CartPole-v1", "bar": 475.0, "every": 1024, "after": 0, "limit_s": 60.0, "seed": 0}
    return {**task, "born": monotonic(), **changes}


def balance(observation):
    """Push towards the side to which the pole falls: reaches 500 from every start."""
    x, x_dot, theta, theta_dot = observation.T
    return (theta + 0.5 * theta_dot + 0.01 * x + 0.05 * x_dot > 0).astype(np.int64)


def to_the_left(observation):
    return np.zeros(len(observation), np.int64)


def test_a_balancing_policy_is_solved_and_a_falling_one_is_not():
    trial = Trial(wish())
    assert trial.mean_return(balance, 0) == 500.0
    assert 8.0 < trial.mean_return(to_the_left, 0) < 11.0


def test_mountain_car_is_judged_too():
    trial = Trial(wish(env_id="MountainCar-v0"))
    assert -140.0 < trial.mean_return(lambda observation: np.where(observation[:, 1] < 0, 0, 2), 0) < -100.0
    assert trial.mean_return(lambda observation: np.ones(len(observation), np.int64), 0) == -200.0


def test_it_looks_no_oftener_than_asked_and_ends_when_both_looks_pass(monkeypatch):
    looks = []
    means = {(1500, 0): 480.0, (1500, 1): 470.0, (3000, 0): 480.0, (3000, 1): 475.0}

    def mean_return(self, act, steps, stream):
        looks.append((steps, stream))
        return means[steps, stream]

    monkeypatch.setattr(Trial, "mean_return", mean_return)
    trial = Trial(wish())
    trial.begin()
    ends = [trial.between_updates(steps, balance) for steps in (500, 1000, 1500, 2000, 2500, 3000)]
    assert looks == [(1500, 0), (1500, 1), (3000, 0), (3000, 1)]
    assert ends == [False] * 5 + [True]
    record = trial.record()
    assert record["solved"]
    assert (record["steps"], record["mean"], record["second_mean"]) == (3000, 480.0, 475.0)
    assert record["evaluations"] == [(1500, 480.0), (3000, 480.0)]


def test_after_solving_it_goes_on_and_keeps_what_it_sees(monkeypatch):
    monkeypatch.setattr(
        Trial, "mean_return", lambda self, act, steps, stream: 500.0 if steps < 4096 else 100.0
    )
    trial = Trial(wish(after=5000))
    trial.begin()
    ends = [trial.between_updates(steps, balance) for steps in range(1024, 7168, 1024)]
    assert ends == [False] * 5 + [True]
    assert trial.record()["steps"] == 1024
    assert trial.record()["later"] == [
        (2048, 500.0),
        (3072, 500.0),
        (4096, 100.0),
        (5120, 100.0),
        (6144, 100.0),
    ]


def test_the_clock_stands_still_while_it_looks(monkeypatch):
    def slow(self, act, steps, stream):
        sleep(0.2)
        return 0.0

    monkeypatch.setattr(Trial, "mean_return", slow)
    trial = Trial(wish())
    trial.begin()
    assert not trial.between_updates(1024, balance)
    record = trial.record()
    assert record["seconds"] < record["evaluating_seconds"]
    assert record["evaluating_seconds"] >= 0.2
    assert not record["solved"]


def test_a_run_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(Trial, "mean_return", lambda self, act, steps, stream: 0.0)
    trial = Trial(wish(limit_s=0.0))
    trial.begin()
    assert trial.between_updates(1024, balance)
    assert not trial.record()["solved"]


def run(peer, seed, seconds, solved=True, later=()):
    steps = seconds * 1000
    return {
        "peer": peer, "seed": seed, "seconds": seconds, "solved": solved, "steps": steps, "start_seconds": 2.0,
        "later": [(steps + k, mean) for k, mean in enumerate(later)],
    }  # fmt: skip


RUNS = [
    run("ours", 0, 1.0, later=[500.0, 400.0]), run("ours, bare", 0, 1.0), run("theirs", 0, 4.0, later=[475.0, 474.0]),
    run("ours", 1, 2.0, later=[500.0, 500.0]), run("ours, bare", 1, 2.0), run("theirs", 1, 9.0, solved=False),
]  # fmt: skip


def test_only_seeds_that_both_solved_make_a_pair():
    assert times_as_long(RUNS, "theirs", "ours", lambda run: run["seconds"]) == [4.0]


def test_tables_say_how_many_were_solved_and_leave_the_others_out():
    rows = speed_table(RUNS, ["ours", "ours, bare", "theirs"], "ours", "ours, bare").splitlines()[2:]
    assert rows == [
        "| ours | 2/2 | 1.500 (1.000 to 2.000) | 1,500 (1,000 to 2,000) | 3.50 (3.00 to 4.00) |  |  |",
        "| ours, bare | 2/2 | 1.500 (1.000 to 2.000) | 1,500 (1,000 to 2,000) | 3.50 (3.00 to 4.00) |  |  |",
        "| theirs | 1/2 | 4.000 (4.000 to 4.000) | 4,000 (4,000 to 4,000) | 6.00 (6.00 to 6.00) | "
        "4.0 (4.0 to 4.0) | 2.0 (2.0 to 2.0) |",
    ]
    rows = steadiness_table(RUNS, ["ours", "theirs"], 475.0).splitlines()[2:]
    assert rows == [
        "| ours | 2 | 4 | 0.750 | 0.75 (0.50 to 1.00) | 400.0 |",
        "| theirs | 1 | 2 | 0.500 | 0.50 (0.50 to 0.50) | 474.0 |",
    ]


def test_nothing_solved_is_a_dash():
    assert spread([]) == "-"
    assert math.isclose(share_at_least([1.0, 2.0, 3.0], 2.0), 2 / 3)
