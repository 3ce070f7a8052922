"""What a numerical derivative returns: the number, and how far to trust it."""

from dataclasses import dataclass

from matbackprop._typing import Array


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A numerical derivative with an error estimate for each of its entries.

    Attributes
    ----------
    value
        The derivative. Read-only, float64.
    error
        Estimated absolute error of each entry, in the shape of `value`. Read-only.
    evaluations
        How often the function was called.
    """

    value: Array
    error: Array
    evaluations: int

    def __post_init__(self) -> None:
        self.value.flags.writeable = False
        self.error.flags.writeable = False
