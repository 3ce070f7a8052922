"""One compared quantity: a row of the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from matbackprop._typing import Array, ArrayLike


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far a candidate is from a reference, and whether that is near enough.

    Parameters
    ----------
    group, problem, quantity
        What is compared.
    reference, candidate
        Who computed the two values.
    shape
        The shape of the reference.
    max_abs
        The largest |Δ|; infinite where shapes differ or an entry is NaN.
    max_rel
        The largest |Δ| relative to the yardstick, entry by entry.
    yardstick
        What |Δ| is measured against.
    tolerance
        What `max_rel` may be at most.
    verdict
        "match" or "MISMATCH".
    """

    group: str
    problem: str
    quantity: str
    reference: str
    candidate: str
    shape: str
    max_abs: float
    max_rel: float
    yardstick: str
    tolerance: float
    verdict: Literal["match", "MISMATCH"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two computations of the same quantities."""

    group: str
    problem: str
    reference: str
    candidate: str

    def compare(
        self,
        quantity: str,
        expected: ArrayLike,
        got: ArrayLike,
        /,
        *,
        scale: ArrayLike,
        tolerance: float,
        yardstick: str,
    ) -> Comparison:
        """Compare two values entry by entry, relative to `scale` (a scalar, or of their shape).

        Equal entries match whatever the scale; where the scale is 0, nothing else does. What is
        missing, not numeric, not finite or of another shape is a mismatch, never an exception.

        Examples
        --------
        >>> pair = Pair("g", "p", "R", "Python")
        >>> row = pair.compare("x", [1.0, 2.0], [1.0, 2.5], scale=1, tolerance=0.1, yardstick="1")
        >>> row.max_abs, row.verdict
        (0.5, 'MISMATCH')
        """
        one, two, size = _numbers(expected), _numbers(got), _numbers(scale)
        max_abs = max_rel = np.inf
        if one.shape == two.shape and size.shape in ((), one.shape) and np.isfinite(size).all():
            with np.errstate(divide="ignore", invalid="ignore"):
                difference = np.where(one == two, 0.0, np.abs(one - two))
                relative = np.where(difference == 0, 0.0, difference / size)
            max_abs, max_rel = _worst(difference), _worst(relative)
        return Comparison(
            group=self.group,
            problem=self.problem,
            quantity=quantity,
            reference=self.reference,
            candidate=self.candidate,
            shape=" × ".join(map(str, one.shape)) or "scalar",
            max_abs=max_abs,
            max_rel=max_rel,
            yardstick=yardstick,
            tolerance=tolerance,
            verdict="match" if max_rel <= tolerance else "MISMATCH",
        )


def as_results(answer: Any, /) -> Mapping[str, Any]:
    """Return R's answer by name; nothing where it is no named list, so that nothing matches."""
    return answer if isinstance(answer, Mapping) else {}


def largest(value: ArrayLike, /) -> float:
    """Return the largest |entry| of a computed value; NaN for what is no array of numbers."""
    return float(np.abs(_numbers(value)).max(initial=0.0))


def _numbers(value: ArrayLike) -> Array:
    """Return an array; what is missing or no number becomes NaN, which matches nothing."""
    try:
        return np.asarray(value, dtype=np.float64)  # None becomes NaN here
    except (TypeError, ValueError):
        return np.asarray(np.nan)


def _worst(entries: Array) -> float:
    """Return the largest entry; a NaN counts as infinite, so that it can never match."""
    worst = float(entries.max(initial=0.0))
    return np.inf if np.isnan(worst) else worst
