"""The type of what is counted here: scores of runs, in double precision."""

import numpy as np
import numpy.typing as npt

#: ``[..., r]`` scores of r runs
Scores = npt.NDArray[np.float64]
