"""Counter-based random numbers: a stream per (seed, game, episode), without a generator object.

Each number is a hash of where it stands, so a game draws the same whatever N or the number of threads. The
mixing function is splitmix64's (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", 2014).
Portable; in plain numpy wrap calls in ``numpy.errstate(over="ignore")``, since uint64 wraps on purpose.
"""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def mix(word: np.uint64) -> np.uint64:
    """Scramble one uint64 into another, one to one."""
    word = (word ^ (word >> np.uint64(30))) * _MIX_1
    word = (word ^ (word >> np.uint64(27))) * _MIX_2
    return word ^ (word >> np.uint64(31))


def stream_of(seed: int, game: int, episode: int) -> np.uint64:
    """The start of the stream of one game's episode, from three int64 numbers."""
    word = mix(np.uint64(seed) + _GOLDEN)
    word = mix(word + np.uint64(game) * _GOLDEN + np.uint64(1))
    return mix(word + np.uint64(episode) * _GOLDEN + np.uint64(2))


def draw_bits(stream: np.uint64, draw: int) -> np.uint64:
    """Number `draw` (0, 1, ...) of a stream, 64 bits."""
    return mix(stream + np.uint64(draw + 1) * _GOLDEN)


def draw_uniform(stream: np.uint64, draw: int) -> float:
    """Number `draw` of a stream, in [0, 1) with 53 bits."""
    return np.float64(draw_bits(stream, draw) >> np.uint64(11)) * 2.0**-53
