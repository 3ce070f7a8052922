"""The options of batch normalisation, as a record."""

import math
from dataclasses import dataclass
from numbers import Real

from matbackprop._validation import check_count
from matbackprop.errors import OptionError


@dataclass(frozen=True, slots=True)
class BatchNorm:
    """How a column is scaled: σ² = Σ(z − μ)²/(N − ddof) + eps.

    Parameters
    ----------
    ddof
        Delta degrees of freedom. R's `sd` and `scale` mean 1, deep-learning batch norm means 0.
    eps
        Added to the variance, in the squared units of Z. With 0 a constant column is an error.

    Raises
    ------
    OptionError
        If ddof is not an integer >= 0, or eps not a finite number >= 0.

    Examples
    --------
    >>> BatchNorm(ddof=1, eps=0.0)  # what R's `scale` does
    BatchNorm(ddof=1, eps=0.0)
    """

    ddof: int = 0
    eps: float = 1e-5

    def __post_init__(self) -> None:
        check_count(self.ddof, call="BatchNorm(ddof, eps)", name="ddof", at_least=0)
        real = isinstance(self.eps, Real) and not isinstance(self.eps, bool)
        if not real or not 0 <= self.eps < math.inf:
            raise OptionError(
                f"`BatchNorm(ddof, eps)` needs a finite eps >= 0; got {self.eps!r}. "
                "It is added to the variance; 1e-5 is customary."
            )
