"""The rules of CartPole-v1 over N games, in gymnasium's own order of operations and so float for float.

Source: gymnasium's ``envs/classic_control/cartpole.py`` (Barto, Sutton & Anderson 1983), Euler integration.

A block of games takes one step in passes over short rows that stay in the nearest cache. Each pass reads and
writes few rows on purpose: with more, the compiler gives up proving that they do not overlap and the pass
runs one game at a time. Sine and cosine are the C library's, as in gymnasium (`sines.py`).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.cartpole.sines import find_places, write_cosines, write_sines
from lanista_envs.streams import draw_uniform, stream_of

prange = range  # a parallel build puts numba's in its place

GRAVITY = 9.8
TOTAL_MASS = 0.1 + 1.0
POLE_MASS = 0.1
HALF_LENGTH = 0.5
POLE_MASS_LENGTH = POLE_MASS * HALF_LENGTH
FORCE = 10.0
TAU = 0.02
THETA_LIMIT = 12 * 2 * math.pi / 360
X_LIMIT = 2.4
START = 0.05
#: games that one thread steps together: eight rows of float64 fill half of a 48 KiB cache
BLOCK = 512


class Games(NamedTuple):
    """The arrays of N games; `env.py` allocates them once."""

    #: ``[4, N]`` float64: x (m), x_dot (m/s), theta (rad), theta_dot (rad/s)
    state: npt.NDArray[np.float64]
    #: ``[4, N]`` float64: room for sine, cosine and two accelerations
    room: npt.NDArray[np.float64]
    #: ``[2, N]`` int64: steps of this episode, episode
    counters: npt.NDArray[np.int64]
    #: ``[N]`` int64: room for places in a block, such as those of the games that ended
    place: npt.NDArray[np.int64]
    #: ``[4, N]`` bool: terminated, truncated, ended, and a row of room
    flags: npt.NDArray[np.bool_]
    #: ``[2, N]`` float32: reward of the last step (0 after a restart), outcome
    reward: npt.NDArray[np.float32]
    #: ``[N, 4]`` float32: the state
    observation: npt.NDArray[np.float32]
    #: ``[N, 4]`` float32: the last state of games that ended
    final: npt.NDArray[np.float32]


def start_game(i: int, seed: int, games: Games) -> None:
    """Put game i at the start that (seed, i, its episode) draws: each of the four in [-0.05, 0.05)."""
    stream = stream_of(seed, i, games.counters[1, i])
    games.counters[0, i] = 0
    for k in range(4):
        games.state[k, i] = -START + (START - -START) * draw_uniform(stream, k)
        games.observation[i, k] = np.float32(games.state[k, i])


def start_games(seed: int, games: Games) -> None:
    """Start every game anew, at episode 0."""
    for i in range(games.observation.shape[0]):
        games.counters[1, i] = 0
        start_game(i, seed, games)


def move_carts(first: int, last: int, push: npt.NDArray[np.int64], games: Games) -> None:
    """Integrate the games first..last-1 over one step of 0.02 s."""
    # a row first, then its part: a part of all rows at once would hide from the compiler that a row is contiguous
    x, x_dot = games.state[0][first:last], games.state[1][first:last]
    theta, theta_dot = games.state[2][first:last], games.state[3][first:last]
    sin, cos = games.room[0][first:last], games.room[1][first:last]
    temp, acc = games.room[2][first:last], games.room[3][first:last]
    flag, place = games.flags[3][first:last], games.place[first:last]
    write_sines(theta, sin, flag, place)
    write_cosines(theta, cos, flag, place)
    for i in range(len(x)):
        force = FORCE if push[i] == 1 else -FORCE
        temp[i] = (force + POLE_MASS_LENGTH * (theta_dot[i] * theta_dot[i]) * sin[i]) / TOTAL_MASS
    for i in range(len(x)):
        acc[i] = (GRAVITY * sin[i] - cos[i] * temp[i]) / (
            HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos[i] * cos[i]) / TOTAL_MASS)
        )
    for i in range(len(x)):
        temp[i] = temp[i] - POLE_MASS_LENGTH * acc[i] * cos[i] / TOTAL_MASS
    for i in range(len(x)):
        x[i] = x[i] + TAU * x_dot[i]
        x_dot[i] = x_dot[i] + TAU * temp[i]
    for i in range(len(x)):
        theta[i] = theta[i] + TAU * theta_dot[i]
        theta_dot[i] = theta_dot[i] + TAU * acc[i]


def judge_games(first: int, last: int, limit: int, games: Games) -> int:
    """Count the step of the games first..last-1, raise their flags and show their states.

    Give how many ended; `games.place` holds their places, counted from `first`.
    """
    x, x_dot = games.state[0][first:last], games.state[1][first:last]
    theta, theta_dot = games.state[2][first:last], games.state[3][first:last]
    terminated, truncated, ended = (
        games.flags[0][first:last],
        games.flags[1][first:last],
        games.flags[2][first:last],
    )
    steps, observation = games.counters[0][first:last], games.observation[first:last]
    for i in range(len(x)):
        terminated[i] = (
            (x[i] < -X_LIMIT) | (x[i] > X_LIMIT) | (theta[i] < -THETA_LIMIT) | (theta[i] > THETA_LIMIT)
        )
    for i in range(len(x)):
        steps[i] += 1
    for i in range(len(x)):
        truncated[i] = (steps[i] >= limit) & (not terminated[i])
    for i in range(len(x)):
        ended[i] = terminated[i] | truncated[i]
    for i in range(len(x)):
        observation[i, 0] = np.float32(x[i])
        observation[i, 1] = np.float32(x_dot[i])
        observation[i, 2] = np.float32(theta[i])
        observation[i, 3] = np.float32(theta_dot[i])
    games.reward[0][first:last] = np.float32(1.0)
    games.reward[1][first:last] = np.float32(0.0)
    return find_places(ended, games.place[first:last])


def restart_games(first: int, over: npt.NDArray[np.int64], seed: int, games: Games) -> None:
    """Keep the last state and the score of the games ``first + over[...]`` and start their next episode."""
    for place in over:
        i = first + place
        for k in range(4):
            games.final[i, k] = games.observation[i, k]
        games.reward[0, i] = np.float32(0.0)
        games.reward[1, i] = np.float32(games.counters[0, i])
        games.counters[1, i] += 1
        start_game(i, seed, games)


def step_block(
    first: int, last: int, seed: int, limit: int, push: npt.NDArray[np.int64], games: Games
) -> int:
    """Play one step of the games first..last-1; give how many actions were neither 0 nor 1."""
    push = push[first:last]
    wrong = 0
    for i in range(len(push)):
        wrong += (push[i] < 0) | (push[i] > 1)
    move_carts(first, last, push, games)
    endings = judge_games(first, last, limit, games)
    restart_games(first, games.place[first : first + endings], seed, games)
    return wrong


def step_games(
    seed: int,
    limit: int,
    push: npt.NDArray[np.int64],
    state: npt.NDArray[np.float64],
    room: npt.NDArray[np.float64],
    counters: npt.NDArray[np.int64],
    place: npt.NDArray[np.int64],
    flags: npt.NDArray[np.bool_],
    reward: npt.NDArray[np.float32],
    observation: npt.NDArray[np.float32],
    final: npt.NDArray[np.float32],
) -> int:
    """Play one step of all games, in blocks that threads may share; give the number of wrong actions.

    `push` is ``[N]`` int64, 0 or 1; the rest are the fields of `Games`, one by one because a call that hands
    over a tuple takes a microsecond longer.
    """
    games = Games(state, room, counters, place, flags, reward, observation, final)
    num_games = push.shape[0]
    wrong = 0
    for block in prange((num_games + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        wrong += step_block(first, min(first + BLOCK, num_games), seed, limit, push, games)
    return wrong
