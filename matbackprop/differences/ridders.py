"""The derivative along one line through x, extrapolated to step zero, with its error.

Central slopes T(h) = (f(x + hu) − f(x − hu)) / 2h = f′ + a h² + b h⁴ + ... are taken at steps
that shrink by a constant ratio. Richardson's table removes the powers of h² one by one, and
Ridders' rule takes the entry of the table whose neighbours agree best with it.

Agreement alone can deceive. Beyond a kink, two *large* steps may agree to six digits on the
mean of the two one-sided slopes. So each entry must also agree with all smaller steps, as far
as rounding lets those speak; and one-sided slopes that stay apart as the step shrinks
betray a kink closer than the smallest step.

References
----------
Ridders (1982), *Accurate computation of F′(x) and F′(x)F″(x)*, Adv. Eng. Software 4, 75-76.
Moré and Wild (2011), *Estimating computational noise*, SIAM J. Sci. Comput. 33, 1292-1314.
"""

from itertools import pairwise

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences._probe import Probe

RATIO = 4.0

# Far below the smallest step, lest a kink be taken for noise. Three, and far from powers of two,
# because rounding errors that happen to be linear in the spacing leave no fourth difference.
SPACINGS = tuple(2.0**-30 * factor for factor in (4 / 3, 1.618, 2.236))

# How many standard errors of rounding may part two slopes that agree.
SLACK = 6.0


def rounding_noise(probe: Probe, x: Array, u: Array, /, *, along: str) -> Array:
    """Return the size of the rounding error of f near x, per output; f is called 12 times.

    Over tiny steps the fourth difference of anything smooth vanishes; what it leaves is noise,
    whose variance it multiplies by the sum of the squared binomials, 70.
    """
    noise = probe.resolution * np.abs(probe.centre)
    for spacing in SPACINGS:
        # To one side: about x the odd part of the errors would cancel.
        later = [probe(x + k * spacing * u, along, k * spacing) for k in range(1, 5)]
        fourth = np.diff([probe.centre, *later], n=4, axis=0)[0]
        noise = np.maximum(noise, np.abs(fourth) / np.sqrt(70.0))
    return noise


def derivative_along(
    probe: Probe, x: Array, u: Array, /, *, steps: Array, noise: Array, along: str
) -> tuple[Array, Array]:
    """Return d vec f(x + tu)/dt at t = 0 and its estimated error, each of shape (outputs,)."""
    slopes, gaps, roundings = [], [], []
    largest = np.abs(u).max()
    unit = u / largest
    for h in steps:
        forward, backward = x + h * u, x - h * u
        # x ± hu is rounded too: divide by the distance really travelled along u.
        travelled = float(np.vdot((forward - backward) / largest, unit) / np.vdot(unit, unit))
        plus, minus = probe(forward, along, h), probe(backward, along, -h)
        slopes.append((plus - minus) / travelled)
        gaps.append(np.abs((plus - probe.centre) - (probe.centre - minus)) / h)
        floor = probe.resolution * np.maximum(np.abs(plus), np.abs(minus))
        roundings.append(np.maximum(noise, floor) / h)
    value, error = _extrapolate(slopes, roundings)
    return value, np.maximum(error, _kink(gaps, roundings))


def _extrapolate(slopes: list[Array], roundings: list[Array]) -> tuple[Array, Array]:
    table = [[slopes[0]]]
    for slope in slopes[1:]:
        row = [slope]
        for j, coarser in enumerate(table[-1], start=1):
            row.append(row[-1] + (row[-1] - coarser) / (RATIO ** (2 * j) - 1.0))
        table.append(row)

    value, error = slopes[-1], np.full_like(slopes[-1], np.inf)
    for k, (above, row) in enumerate(pairwise(table), start=1):
        for j in range(1, k + 1):
            doubt = np.maximum(np.abs(row[j] - row[j - 1]), np.abs(row[j] - above[j - 1]))
            for finer, rounding in zip(table[k + 1 :], roundings[k + 1 :], strict=True):
                doubt = np.maximum(doubt, np.abs(row[j] - finer[-1]) - SLACK * rounding)
            doubt = doubt + roundings[k]
            better = doubt < error
            value, error = np.where(better, row[j], value), np.where(better, doubt, error)
    return value, error


def _kink(gaps: list[Array], roundings: list[Array]) -> Array:
    """Return how much the one-sided slopes still differ where, if smooth, they would meet.

    The gap of a smooth f shrinks with the step, by `RATIO`; that of a kink inside the
    smallest step stays, and the central slope is wrong by up to half of it.
    """
    # A gap has three values of f in it, with weights 1, −2, 1: hence the larger slack.
    return np.asarray(2.0 * gaps[-1] - gaps[-2] - 3.0 * SLACK * roundings[-1])
