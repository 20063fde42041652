"""The rules of CartPole-v1 over N games, in gymnasium's own order of operations and so float for float.

Source: gymnasium's ``envs/classic_control/cartpole.py`` (Barto, Sutton & Anderson 1983), Euler integration.
One call of `step_games` plays one step of every game: trigonometry first (library calls), then arithmetic
in a loop that the compiler can vectorise, then the few games that ended.

Rows of the blocks that `env.py` allocates (all ``[rows, N]``, float64 unless said):

    state       x (m), x_dot (m/s), theta (rad), theta_dot (rad/s)
    turn        sin(theta), cos(theta), scratch
    counters    steps of this episode, episode (int64)
    flags       terminated, truncated, ended (bool)
    reward      reward of the last step, outcome (float32)
"""

import math

import numpy as np

from lanista_envs.streams import stream_of, uniform

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
BLOCK = 512


def start_game(i, seed, state, counters, observation):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Put game i at the start that (seed, i, its episode) draws: each of the four in [-0.05, 0.05)."""
    stream = stream_of(seed, i, counters[1, i])
    counters[0, i] = 0
    for k in range(4):
        state[k, i] = -START + (START - -START) * uniform(stream, k)
        observation[i, k] = np.float32(state[k, i])


def start_games(seed, state, counters, observation):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Start every game anew, at episode 0."""
    for i in range(state.shape[1]):
        counters[1, i] = 0
        start_game(i, seed, state, counters, observation)


def step_block(first, last, seed, limit, action, state, turn, counters, flags, reward, observation, final):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Play one step of the games first..last-1; give how many actions were neither 0 nor 1."""
    x, x_dot, theta, theta_dot = state[0], state[1], state[2], state[3]
    sin, cos = turn[0], turn[1]
    for i in range(first, last):
        sin[i] = math.sin(theta[i])
        cos[i] = math.cos(theta[i])
    wrong = 0
    for i in range(first, last):
        wrong += (action[i] < 0) | (action[i] > 1)
        force = FORCE if action[i] == 1 else -FORCE
        temp = (force + POLE_MASS_LENGTH * (theta_dot[i] * theta_dot[i]) * sin[i]) / TOTAL_MASS
        theta_acc = (GRAVITY * sin[i] - cos[i] * temp) / (
            HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos[i] * cos[i]) / TOTAL_MASS)
        )
        x_acc = temp - POLE_MASS_LENGTH * theta_acc * cos[i] / TOTAL_MASS
        x[i] = x[i] + TAU * x_dot[i]
        x_dot[i] = x_dot[i] + TAU * x_acc
        theta[i] = theta[i] + TAU * theta_dot[i]
        theta_dot[i] = theta_dot[i] + TAU * theta_acc
    terminated, truncated, ended = flags[0], flags[1], flags[2]
    for i in range(first, last):
        counters[0, i] += 1
        over = (x[i] < -X_LIMIT) | (x[i] > X_LIMIT) | (theta[i] < -THETA_LIMIT) | (theta[i] > THETA_LIMIT)
        terminated[i] = over
        truncated[i] = (counters[0, i] >= limit) & (not over)
        ended[i] = over | (counters[0, i] >= limit)
    for i in range(first, last):
        observation[i, 0] = np.float32(x[i])
        observation[i, 1] = np.float32(x_dot[i])
        observation[i, 2] = np.float32(theta[i])
        observation[i, 3] = np.float32(theta_dot[i])
        reward[0, i] = np.float32(1.0)
        reward[1, i] = np.float32(0.0)
    for i in range(first, last):
        if ended[i]:
            for k in range(4):
                final[i, k] = observation[i, k]
            reward[0, i] = np.float32(0.0)
            reward[1, i] = np.float32(counters[0, i])
            counters[1, i] += 1
            start_game(i, seed, state, counters, observation)
    return wrong


def step_games(seed, limit, action, state, turn, counters, flags, reward, observation, final):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Play one step of all games, in blocks that threads may share; give the number of wrong actions."""
    num_games = state.shape[1]
    blocks = (num_games + BLOCK - 1) // BLOCK
    wrong = 0
    for block in prange(blocks):
        first = block * BLOCK
        last = min(first + BLOCK, num_games)
        wrong += step_block(
            first, last, seed, limit, action, state, turn, counters, flags, reward, observation, final
        )
    return wrong
