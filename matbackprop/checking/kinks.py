"""Points where the function has a corner: the slopes to the left and to the right differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.functions import Outputs

_STEPS = (1e-5, 1e-6)


def bends_smoothly(f: Outputs, theta: Array, k: int, h: float, /) -> bool:
    """Tell whether the two slopes of a scalar f in entry k approach each other as h shrinks.

    Of a smooth function their gap is f″h: of a tenth of the step, a tenth. Kinks at all scales,
    as of many absolute values, leave a gap that hardly shrinks.
    """
    thetas = [theta.copy() for _ in range(4)]
    for moved, by in zip(thetas, (h, -h, h / 10, -h / 10), strict=True):
        moved[k] += by
    centre, *values = (float(v) for v in f.of_many([theta, *thetas]))
    wide, narrow = (
        abs(one - 2 * centre + other) / step
        for one, other, step in ((*values[:2], h), (*values[2:], h / 10))
    )
    rounding = 5 * f.eps * max(map(abs, (centre, *values))) / (h / 10)
    return bool(np.isfinite(wide) and narrow <= 0.2 * wide + 20 * rounding)


@dataclass(frozen=True, slots=True)
class Kink:
    """An entry with two slopes."""

    position: int
    left: float
    right: float


def find_kinks(f: Outputs, theta: Array, positions: Sequence[int], /) -> list[Kink]:
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
        rounding = 50 * f.eps * max(abs(centre), *map(abs, values)) / (_STEPS[1] * h)
        if all(np.isfinite(gaps)) and abs(gaps[1]) > max(0.5 * abs(gaps[0]), 20 * rounding) > 0:
            found.append(Kink(k, *slopes[1]))
    return found
