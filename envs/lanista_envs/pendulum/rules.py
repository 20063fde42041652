"""The rules of Pendulum-v1 over N games, in gymnasium's own order of operations and so float for float.

Source: gymnasium's ``envs/classic_control/pendulum.py``. The state is float64 and the torque float32, as gymnasium has
them; what it computes of the torque alone stays float32 until it meets the state.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lanista_envs.streams import draw_uniform, stream_of

prange = range  # a parallel build puts numba's in its place

MAX_SPEED = 8.0
MAX_TORQUE = 2.0
TIME_STEP = 0.05
#: 3 g / (2 l) with g = 10 and l = 1
GRAVITY = 15.0
#: 3 / (m l^2) with m = l = 1
LEVER = np.float32(3.0)
TORQUE_COST = np.float32(0.001)
START_ANGLE = math.pi
START_SPEED = 1.0
#: games that one thread steps together
BLOCK = 256


class Games(NamedTuple):
    """The arrays of N games; `env.py` allocates them once."""

    #: ``[2, N]`` float64: angle from upright, not wrapped (rad), angular velocity (rad/s)
    state: npt.NDArray[np.float64]
    #: ``[N]`` float64: sum of the rewards of this episode
    total: npt.NDArray[np.float64]
    #: ``[2, N]`` int64: steps of this episode, episode
    counters: npt.NDArray[np.int64]
    #: ``[2, N]`` bool: terminated (never), ended, which is truncated
    flags: npt.NDArray[np.bool_]
    #: ``[3, N]`` float32: reward of the last step (0 after a restart), outcome, reward of an ended game's last step
    reward: npt.NDArray[np.float32]
    #: ``[N, 3]`` float32: cosine and sine of the angle, angular velocity
    observation: npt.NDArray[np.float32]
    #: ``[N, 3]`` float32: the last observation of games that ended
    final: npt.NDArray[np.float32]


def show_game(i: int, games: Games) -> None:
    """Write the observation of game i."""
    angle = games.state[0, i]
    games.observation[i, 0] = np.float32(math.cos(angle))
    games.observation[i, 1] = np.float32(math.sin(angle))
    games.observation[i, 2] = np.float32(games.state[1, i])


def start_game(i: int, seed: int, games: Games) -> None:
    """Put game i at the angle in [-pi, pi) and the velocity in [-1, 1) that (seed, i, its episode) draws."""
    games.counters[0, i] = 0
    games.total[i] = 0.0
    stream = stream_of(seed, i, games.counters[1, i])
    games.state[0, i] = -START_ANGLE + 2 * START_ANGLE * draw_uniform(stream, 0)
    games.state[1, i] = -START_SPEED + 2 * START_SPEED * draw_uniform(stream, 1)
    show_game(i, games)


def start_games(seed: int, games: Games) -> None:
    """Start every game anew, at episode 0."""
    for i in range(games.observation.shape[0]):
        games.counters[1, i] = 0
        start_game(i, seed, games)


def swing(i: int, torque: np.float32, state: npt.NDArray[np.float64]) -> float:
    """Integrate game i over one step and give the reward, of the state before it and the torque."""
    held = min(max(torque, np.float32(-MAX_TORQUE)), np.float32(MAX_TORQUE))
    angle, velocity = state[0, i], state[1, i]
    wrapped = (angle + math.pi) % (2 * math.pi) - math.pi
    cost = wrapped * wrapped + 0.1 * (velocity * velocity) + TORQUE_COST * (held * held)
    velocity = velocity + (GRAVITY * math.sin(angle) + LEVER * held) * TIME_STEP
    velocity = min(max(velocity, -MAX_SPEED), MAX_SPEED)
    state[0, i] = angle + velocity * TIME_STEP
    state[1, i] = velocity
    reward: float = -cost
    return reward


def step_game(i: int, seed: int, limit: int, torque: np.float32, games: Games) -> None:
    """Play one step of game i, and start its next episode if its time is over."""
    reward = swing(i, torque, games.state)
    games.total[i] += reward
    games.counters[0, i] += 1
    late = games.counters[0, i] >= limit
    games.flags[1, i] = late
    games.reward[0, i] = np.float32(reward)
    games.reward[1, i] = np.float32(0.0)
    show_game(i, games)
    if late:
        for k in range(3):
            games.final[i, k] = games.observation[i, k]
        games.reward[2, i] = games.reward[0, i]
        games.reward[0, i] = np.float32(0.0)
        games.reward[1, i] = np.float32(games.total[i])
        games.counters[1, i] += 1
        start_game(i, seed, games)


def step_games(
    seed: int,
    limit: int,
    torque: npt.NDArray[np.float32],
    state: npt.NDArray[np.float64],
    total: npt.NDArray[np.float64],
    counters: npt.NDArray[np.int64],
    flags: npt.NDArray[np.bool_],
    reward: npt.NDArray[np.float32],
    observation: npt.NDArray[np.float32],
    final: npt.NDArray[np.float32],
) -> int:
    """Play one step of all games, in blocks that threads may share; give the number of torques that are no number.

    `torque` is ``[N]`` float32 (N m), held within -2..2; the rest are the fields of `Games`, one by one because a
    call that hands over a tuple takes a microsecond longer.
    """
    games = Games(state, total, counters, flags, reward, observation, final)
    num_games = torque.shape[0]
    wrong = 0
    for block in prange((num_games + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        for i in range(first, min(first + BLOCK, num_games)):
            wrong += math.isnan(torque[i])
            step_game(i, seed, limit, torque[i], games)
    return wrong
