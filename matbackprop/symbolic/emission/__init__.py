"""Source text of expressions: NumPy functions and base-R functions to paste or source."""

from matbackprop.symbolic.emission.numpy_text import to_numpy
from matbackprop.symbolic.emission.program import Output
from matbackprop.symbolic.emission.r_text import to_r

__all__ = ["Output", "to_numpy", "to_r"]
