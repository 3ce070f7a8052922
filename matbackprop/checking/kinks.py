"""Points where the function has a corner: the slopes to the left and to the right differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.functions import Outputs

_STEPS = (1e-5, 1e-6)


@dataclass(frozen=True, slots=True)
class Kink:
    """An entry with two slopes."""

    position: int
    left: float
    right: float


def kinks(f: Outputs, theta: Array, positions: Sequence[int], /) -> list[Kink]:
    """Look at these entries of a scalar f, by five evaluations each at most.

    A smooth function's two slopes meet as the step shrinks; those of a kink stay apart.
    """
    found = []
    for k in positions:
        h = max(1.0, abs(theta[k]))
        thetas = []
        for step in _STEPS:
            for sign in (1.0, -1.0):
                moved = theta.copy()
                moved[k] += sign * step * h
                thetas.append(moved)
        centre, *values = (float(v) for v in f.of_many([theta, *thetas]))
        slopes = []
        for step, (plus, minus) in zip(_STEPS, (values[:2], values[2:]), strict=True):
            slopes.append(((centre - minus) / (step * h), (plus - centre) / (step * h)))
        gaps = [right - left for left, right in slopes]
        rounding = 1e-14 * max(abs(centre), *map(abs, values)) / (_STEPS[1] * h)
        if all(np.isfinite(gaps)) and abs(gaps[1]) > max(0.5 * abs(gaps[0]), 20 * rounding) > 0:
            found.append(Kink(k, *slopes[1]))
    return found
