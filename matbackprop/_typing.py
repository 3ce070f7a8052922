"""Aliases for arrays and for options that take one of a few names."""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
"""A real NumPy array, float32 or float64 (inside, for a complex step, complex128)."""

ArrayLike: TypeAlias = Any
"""What the front door accepts: anything `np.asarray` takes, or a data frame."""

Progress: TypeAlias = Callable[[int, int, str], None]
"""Called with how many parts of the work are done, of how many, and what is being done."""

Loss: TypeAlias = Literal["mse", "sse"]
