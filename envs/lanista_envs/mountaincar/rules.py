"""The rules of MountainCar-v0 over N games, in gymnasium's own order of operations and so float for float.

Source: gymnasium's ``envs/classic_control/mountain_car.py`` (Moore 1990).

Rows of the blocks that `env.py` allocates:

    state       position, velocity (``[2, N]`` float64)
    counters    steps of this episode, episode (``[2, N]`` int64)
    flags       terminated, truncated, ended (``[3, N]`` bool)
    reward      reward of the last step, outcome (``[2, N]`` float32)
    hill        height, energy (``[N, 2]`` float32)

Facts: the height of the track is ``0.55 + 0.45 sin(3 x)``, gymnasium's own drawing. Its slope is the pull of
gravity up to a factor, so ``height + 270 velocity^2`` is an energy: without thrust it stays, but for the
discrete time. 270 = 0.45 * 3 / (2 * 0.0025).
"""

import math

import numpy as np

from lanista_envs.streams import stream_of, uniform

prange = range  # a parallel build puts numba's in its place

MIN_POSITION = -1.2
MAX_POSITION = 0.6
MAX_SPEED = 0.07
GOAL = 0.5
THRUST = 0.001
GRAVITY = 0.0025
START_LOW = -0.6
START_HIGH = -0.4
BLOCK = 512


def observe(i, state, observation, hill):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Write observation and hill facts of game i."""
    position, velocity = state[0, i], state[1, i]
    height = 0.55 + 0.45 * math.sin(3 * position)
    observation[i, 0] = np.float32(position)
    observation[i, 1] = np.float32(velocity)
    hill[i, 0] = np.float32(height)
    hill[i, 1] = np.float32(height + 270.0 * velocity * velocity)


def start_game(i, seed, state, counters, observation, hill):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Put game i at rest, at the place in [-0.6, -0.4) that (seed, i, its episode) draws."""
    stream = stream_of(seed, i, counters[1, i])
    counters[0, i] = 0
    state[0, i] = START_LOW + (START_HIGH - START_LOW) * uniform(stream, 0)
    state[1, i] = 0.0
    observe(i, state, observation, hill)


def start_games(seed, state, counters, observation, hill):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Start every game anew, at episode 0."""
    for i in range(state.shape[1]):
        counters[1, i] = 0
        start_game(i, seed, state, counters, observation, hill)


def step_block(
    first, last, seed, limit, action, state, counters, flags, reward, observation, hill, final, final_hill
):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Play one step of the games first..last-1; give how many actions were not 0, 1 or 2."""
    wrong = 0
    for i in range(first, last):
        wrong += (action[i] < 0) | (action[i] > 2)
        position, velocity = state[0, i], state[1, i]
        velocity += (action[i] - 1) * THRUST + math.cos(3 * position) * (-GRAVITY)
        velocity = min(max(velocity, -MAX_SPEED), MAX_SPEED)
        position += velocity
        position = min(max(position, MIN_POSITION), MAX_POSITION)
        if position == MIN_POSITION and velocity < 0:
            velocity = 0.0
        state[0, i], state[1, i] = position, velocity
        counters[0, i] += 1
        over = position >= GOAL and velocity >= 0.0
        flags[0, i] = over
        flags[1, i] = counters[0, i] >= limit and not over
        flags[2, i] = flags[0, i] or flags[1, i]
        observe(i, state, observation, hill)
        reward[0, i] = np.float32(-1.0)
        reward[1, i] = np.float32(0.0)
        if flags[2, i]:
            for k in range(2):
                final[i, k] = observation[i, k]
                final_hill[i, k] = hill[i, k]
            reward[0, i] = np.float32(0.0)
            reward[1, i] = np.float32(-counters[0, i])
            counters[1, i] += 1
            start_game(i, seed, state, counters, observation, hill)
    return wrong


def step_games(seed, limit, action, state, counters, flags, reward, observation, hill, final, final_hill):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    """Play one step of all games, in blocks that threads may share; give the number of wrong actions."""
    num_games = state.shape[1]
    blocks = (num_games + BLOCK - 1) // BLOCK
    wrong = 0
    for block in prange(blocks):
        first = block * BLOCK
        last = min(first + BLOCK, num_games)
        wrong += step_block(
            first,
            last,
            seed,
            limit,
            action,
            state,
            counters,
            flags,
            reward,
            observation,
            hill,
            final,
            final_hill,
        )
    return wrong
