"""The record for arrays whose entries have names in R."""

from dataclasses import dataclass

from matbackprop._typing import Array
from matbackprop.errors import ShapeError

Names = tuple[str | None, ...]
"""Labels along one dimension; None is R's missing label."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """An array with R's `names` (one dimension) or `dimnames` (more).

    Attributes
    ----------
    values
        Array of any kind the bridge converts, shape (n1, ..., nd).
    dimnames
        d entries: the labels along each dimension, or None where there are none.

    Raises
    ------
    ShapeError
        If the labels do not fit the shape.

    Examples
    --------
    >>> import numpy as np
    >>> Labelled(np.array([1.0, 2.0]), (("a", "b"),)).dimnames
    (('a', 'b'),)
    """

    values: Array
    dimnames: tuple[Names | None, ...]

    def __post_init__(self) -> None:
        shape = self.values.shape
        lengths = tuple(None if names is None else len(names) for names in self.dimnames)
        if len(lengths) != len(shape) or any(
            length not in (None, size) for length, size in zip(lengths, shape, strict=True)
        ):
            raise ShapeError(
                f"`Labelled(values, dimnames)` got values of shape {shape} and labels of lengths "
                f"{lengths}; give one tuple of labels, or None, for each dimension."
            )
