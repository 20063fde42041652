"""The random numbers of the official map generator: npm's ``seedrandom`` 3.0.5, seeded with a string. Portable.

ARC4 with the characters' codes as its key, the first 256 bytes thrown away; a number takes seven bytes or more,
so that all 53 bits of a double are filled.
"""

import numpy as np
import numpy.typing as npt

#: the generator: 256 numbers that are shuffled, then its two places in them
SIZE = 258
#: what stands before the seed's decimal digits: "gen_"
_PREFIX = (103, 101, 110, 95)
_MINUS, _ZERO = 45, 48
#: seeds beyond it are no integers in JavaScript
MAX_SEED = 2**53 - 1

Generator = npt.NDArray[np.int64]


def seed_generator(seed: int, generator: Generator) -> None:
    """Make `generator` (``[258]`` int64) the one of the string ``gen_SEED``."""
    key = np.empty(32, np.int64)
    length = 0
    for code in _PREFIX:
        key[length] = code
        length += 1
    rest = seed
    if rest < 0:
        key[length] = _MINUS
        length += 1
        rest = -rest
    power = 1
    while power * 10 <= rest:
        power *= 10
    while power > 0:
        key[length] = _ZERO + rest // power % 10
        length += 1
        power //= 10
    for i in range(256):
        generator[i] = i
    j = 0
    for i in range(256):
        here = generator[i]
        j = (j + key[i % length] + here) & 255
        generator[i] = generator[j]
        generator[j] = here
    generator[256] = 0
    generator[257] = 0
    for _ in range(256):
        draw_byte(generator)


def draw_byte(generator: Generator) -> int:
    """Draw a number from 0 to 255."""
    i = (generator[256] + 1) & 255
    here = generator[i]
    j = (generator[257] + here) & 255
    there = generator[j]
    generator[i] = there
    generator[j] = here
    generator[256] = i
    generator[257] = j
    drawn: int = generator[(here + there) & 255]
    return drawn


def draw(generator: Generator) -> float:
    """Draw a number in [0, 1)."""
    number = 0
    for _ in range(6):
        number = number * 256 + draw_byte(generator)
    scale = 2.0**48
    extra = 0
    while number < 2**52:
        number = (number + extra) * 256
        scale *= 256.0
        extra = draw_byte(generator)
    while number >= 2**53:
        number //= 2
        scale /= 2.0
        extra >>= 1
    return (number + extra) / scale


def draw_below(generator: Generator, count: float) -> int:
    """Draw an integer from 0 to below `count`, the floor of a double product."""
    return int(draw(generator) * count)
