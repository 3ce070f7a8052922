"""Whether two gradients agree: no further apart than rounding and the difference quotient allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.records import BlockCheck
from matbackprop.checking.view import RTOL

_ERRORS, _NOISES = 10.0, 20.0
_HOPELESS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One parameter, and how far its numerical derivative may be off."""

    check: BlockCheck
    allowance: Array  # what the error of t and the rounding of g may come to


def judge(
    name: str,
    shape: tuple[int, ...],
    g: Array,
    t: Array,
    error: Array,
    noise: Array,
    rtol: float,
    /,
) -> Judged:
    """Compare entry by entry.

    Two entries agree when they differ by no more than `rtol` of the larger, ten times the error
    estimated for the numerical derivative and twenty times the rounding noise of the gradient.
    Where that is no small part of the entry, and the difference lies within it, nothing is
    judged: the point is at a kink, or rounding hides the slope.
    """
    size = np.maximum(np.abs(t), np.abs(g))
    largest = float(size.max()) if size.size else 0.0
    allowance = _ERRORS * error + _NOISES * noise + 1e-14 * largest
    allowed = rtol * size + allowance
    agrees = np.abs(g - t) <= allowed
    hidden = (allowance > _HOPELESS * size) & (allowance > RTOL * largest)
    return Judged(BlockCheck(name, shape, g, t, error, agrees, ~hidden | ~agrees), allowance)


def judge_directions(
    name: str,
    shape: tuple[int, ...],
    g: Array,
    directions: Array,
    slopes: Array,
    errors: Array,
    noise: Array,
    rtol: float,
    /,
) -> Judged:
    """Compare ⟨g, v⟩ with the slope along each direction v."""
    analytic = directions @ g
    products = np.abs(directions * g)
    terms, rounding = (np.linalg.norm(a, axis=1) for a in (products, directions * noise))
    allowance = _ERRORS * errors + _NOISES * rounding + 1e-12 * products.sum(axis=1)
    allowed = rtol * (terms + np.abs(slopes)) + allowance
    agrees = np.abs(analytic - slopes) <= allowed
    hidden = allowance > _HOPELESS * np.maximum(np.maximum(np.abs(analytic), np.abs(slopes)), terms)
    check = BlockCheck(name, shape, analytic, slopes, errors, agrees, ~hidden | ~agrees)
    return Judged(check, allowance)
