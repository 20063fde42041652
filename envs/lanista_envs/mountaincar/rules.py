"""The rules of MountainCar-v0 over N games, in gymnasium's own order of operations and so float for float.

Source: gymnasium's ``envs/classic_control/mountain_car.py`` (Moore 1990).

Facts: the height of the track is ``0.55 + 0.45 sin(3 x)``, gymnasium's own drawing. Its slope is the pull of
gravity up to a factor, so ``height + 270 velocity^2`` is an energy: without thrust it stays, but for the
discrete time and the wall on the left. 270 = 0.45 * 3 / (2 * 0.0025).
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.streams import draw_uniform, stream_of

prange = range  # a parallel build puts numba's in its place

MIN_POSITION = -1.2
MAX_POSITION = 0.6
MAX_SPEED = 0.07
GOAL = 0.5
THRUST = 0.001
GRAVITY = 0.0025
START_LOW = -0.6
START_HIGH = -0.4
KINETIC = 270.0
#: games that one thread steps together
BLOCK = 512


class Games(NamedTuple):
    """The arrays of N games; `env.py` allocates them once."""

    #: ``[2, N]`` float64: position, velocity
    state: npt.NDArray[np.float64]
    #: ``[2, N]`` int64: steps of this episode, episode
    counters: npt.NDArray[np.int64]
    #: ``[3, N]`` bool: terminated, truncated, ended
    flags: npt.NDArray[np.bool_]
    #: ``[2, N]`` float32: reward of the last step (0 after a restart), outcome
    reward: npt.NDArray[np.float32]
    #: ``[N, 2]`` float32: the state
    observation: npt.NDArray[np.float32]
    #: ``[N, 2]`` float32: height, energy
    hill: npt.NDArray[np.float32]
    #: ``[N, 2]`` float32: the last state of games that ended
    final: npt.NDArray[np.float32]
    #: ``[N, 2]`` float32: the last height and energy of games that ended
    final_hill: npt.NDArray[np.float32]


def show_game(i: int, games: Games) -> None:
    """Write observation, height and energy of game i."""
    position, velocity = games.state[0, i], games.state[1, i]
    height = 0.55 + 0.45 * math.sin(3 * position)
    games.observation[i, 0] = np.float32(position)
    games.observation[i, 1] = np.float32(velocity)
    games.hill[i, 0] = np.float32(height)
    games.hill[i, 1] = np.float32(height + KINETIC * velocity * velocity)


def start_game(i: int, seed: int, games: Games) -> None:
    """Put game i at rest, at the place in [-0.6, -0.4) that (seed, i, its episode) draws."""
    games.counters[0, i] = 0
    stream = stream_of(seed, i, games.counters[1, i])
    games.state[0, i] = START_LOW + (START_HIGH - START_LOW) * draw_uniform(stream, 0)
    games.state[1, i] = 0.0
    show_game(i, games)


def start_games(seed: int, games: Games) -> None:
    """Start every game anew, at episode 0."""
    for i in range(games.observation.shape[0]):
        games.counters[1, i] = 0
        start_game(i, seed, games)


def move_car(i: int, thrust: int, state: npt.NDArray[np.float64]) -> bool:
    """Integrate game i over one step; is the car at the goal?"""
    position, velocity = state[0, i], state[1, i]
    velocity += (thrust - 1) * THRUST + math.cos(3 * position) * (-GRAVITY)
    velocity = min(max(velocity, -MAX_SPEED), MAX_SPEED)
    position += velocity
    position = min(max(position, MIN_POSITION), MAX_POSITION)
    if position == MIN_POSITION and velocity < 0:
        velocity = 0.0
    state[0, i] = position
    state[1, i] = velocity
    over: bool = position >= GOAL and velocity >= 0.0
    return over


def step_game(i: int, seed: int, limit: int, thrust: int, games: Games) -> None:
    """Play one step of game i, and start its next episode if it ended."""
    over = move_car(i, thrust, games.state)
    games.counters[0, i] += 1
    late = games.counters[0, i] >= limit
    games.flags[0, i] = over
    games.flags[1, i] = late and not over
    games.flags[2, i] = over or late
    games.reward[0, i] = np.float32(-1.0)
    games.reward[1, i] = np.float32(0.0)
    show_game(i, games)
    if over or late:
        for k in range(2):
            games.final[i, k] = games.observation[i, k]
            games.final_hill[i, k] = games.hill[i, k]
        games.reward[0, i] = np.float32(0.0)
        games.reward[1, i] = np.float32(-games.counters[0, i])
        games.counters[1, i] += 1
        start_game(i, seed, games)


def step_games(
    seed: int,
    limit: int,
    thrust: npt.NDArray[np.int64],
    state: npt.NDArray[np.float64],
    counters: npt.NDArray[np.int64],
    flags: npt.NDArray[np.bool_],
    reward: npt.NDArray[np.float32],
    observation: npt.NDArray[np.float32],
    hill: npt.NDArray[np.float32],
    final: npt.NDArray[np.float32],
    final_hill: npt.NDArray[np.float32],
) -> int:
    """Play one step of all games, in blocks that threads may share; give the number of wrong actions.

    `thrust` is ``[N]`` int64, 0 to 2; the rest are the fields of `Games`, one by one because a call that
    hands over a tuple takes a microsecond longer.
    """
    games = Games(state, counters, flags, reward, observation, hill, final, final_hill)
    num_games = thrust.shape[0]
    wrong = 0
    for block in prange((num_games + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        for i in range(first, min(first + BLOCK, num_games)):
            wrong += (thrust[i] < 0) | (thrust[i] > 2)
            step_game(i, seed, limit, thrust[i], games)
    return wrong
