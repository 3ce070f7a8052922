"""The truth: numerical derivatives that know nothing of the gradient they are held against.

Few parameters: every entry, by the complex step where the function is analytic and takes complex
numbers (a difference along a random direction confirms it), else by central differences. Many
parameters: the derivative along a few random directions, at a cost that does not grow with them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.functions import Outputs
from matbackprop.checking.kinks import bends_smoothly
from matbackprop.checking.records import Method
from matbackprop.differences import (
    Estimate,
    central_difference,
    complex_step,
    directional_derivative,
    directional_derivatives,
)
from matbackprop.errors import DataError

EVERY_ENTRY = 1000
"""Up to so many parameters each entry is measured; beyond, random directions."""

DIRECTIONS = 4
DIRECTION_STEP, DIRECTION_LEVELS = 1e-3, 3
"""13 evaluations that the directions share, and 6 for each: 37, at any number of parameters."""

MORE_DIRECTIONS = 4
"""As many again by the complex step, where it agrees along the first: an evaluation each."""

_DOUBT = 1e-3
_SMALLER_STEPS = (1e-4, 1e-6, 1e-8, 1e-10)
_SMALLEST_FOR_DOUBT = 1e-6  # smaller ones only where f is not finite further off
_EPS = float(np.finfo(np.float64).eps)

Function = Callable[[Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The derivative at a point: of every entry, (outputs, P), or along directions, (K,)."""

    value: Array
    error: Array
    method: Method
    directions: Array | None = None  # (K, P)
    supports: tuple[str, ...] = ()  # which block each direction moves; "" for all
    analytic: bool = False  # whether the complex step is to be trusted


def measure_entries(
    f: Outputs, theta: Array, /, *, step: float, rng: np.random.Generator
) -> Measured:
    """Measure ∂vec(f)/∂θᵀ entry by entry, shape (outputs, P), or (P,) for a scalar."""
    if (exact := _by_complex_step(f, theta, rng)) is not None:
        return exact
    f.note_grain(theta, rng.choice([-1.0, 1.0], theta.shape))
    value, error = _differences(f, theta, step)
    # Where all differences are zero to the last bit, rounding may have swallowed the slope.
    error = np.where((value == 0) & (error == 0), _EPS, error)
    if f.coarse:
        # What one rounding of the loss makes of the largest step's slope, at the very least.
        reach = step * np.maximum(1.0, np.abs(theta))
        error = np.maximum(error, f.eps * np.abs(f(theta)).max() / reach)
    return Measured(value, error, "central differences")


def measure_along(
    f: Outputs, theta: Array, slices: dict[str, slice], rng: np.random.Generator, /
) -> Measured:
    """Measure a scalar f along a few random directions, more of them where f is analytic."""
    rows, supports = random_directions(theta, slices, DIRECTIONS, rng)
    real = measure_directions(f, theta, rows, supports)
    if (exact := _confirmed(f, theta, real)) is None:
        return real
    more, names = random_directions(theta, {}, MORE_DIRECTIONS, rng)
    rest = measure_complex_directions(f, theta, more, names)
    if rest is None:
        return real
    return Measured(
        np.concatenate([exact.value, rest.value]),
        np.concatenate([exact.error, rest.error]),
        "random directions",
        np.concatenate([rows, more]),
        (*supports, *names),
        analytic=True,
    )


def _confirmed(f: Outputs, theta: Array, real: Measured) -> Measured | None:
    """Return the complex slopes along the same directions, if they agree with the real ones."""
    assert real.directions is not None
    first = measure_complex_directions(f, theta, real.directions[:1], real.supports[:1])
    if first is None or not _agree(first.value, real.value[:1], real.error[:1]):
        return None
    rest = measure_complex_directions(f, theta, real.directions[1:], real.supports[1:])
    if rest is None or not _agree(rest.value, real.value[1:], real.error[1:]):
        return None
    return replace(
        real,
        value=np.concatenate([first.value, rest.value]),
        error=np.concatenate([first.error, rest.error]),
    )


def _agree(exact: Array, real: Array, error: Array) -> bool:
    return bool((np.abs(exact - real) <= 10 * error + 1e-6 * np.abs(real)).all())


def measure_directions(
    f: Outputs, theta: Array, directions: Array, supports: Sequence[str], /
) -> Measured:
    """Measure the derivative of a scalar f along each of the directions, shape (K,)."""
    trouble: DataError | None = None
    for step in (DIRECTION_STEP, DIRECTION_STEP * 1e-2, DIRECTION_STEP * 1e-4):
        try:
            found = _ahead(
                f,
                lambda g, s: directional_derivatives(
                    g, theta, directions, step=s, levels=DIRECTION_LEVELS
                ),
                step,
            )
        except DataError as error:
            trouble = trouble or error
            continue
        return Measured(found.value, found.error, "random directions", directions, tuple(supports))
    raise DataError(_named(str(trouble), f)) from None


def measure_complex_directions(
    f: Outputs, theta: Array, directions: Array, supports: Sequence[str], /
) -> Measured | None:
    """Measure along directions by one complex evaluation each; None where f is not fit for it."""
    slopes = []
    for v in directions:
        slope = _complex_slope(f, theta, v)
        if slope is None:
            return None
        slopes.append(slope)
    value = np.array(slopes)
    return Measured(
        value, 1e3 * _EPS * np.abs(value), "random directions", directions, tuple(supports)
    )


def random_directions(
    theta: Array, slices: dict[str, slice], count: int, rng: np.random.Generator, /
) -> tuple[Array, tuple[str, ...]]:
    """Draw directions: one in each block while there are no more blocks than that, then in all."""
    supports = list(slices) if 1 < len(slices) <= count else []
    supports += [""] * (count - len(supports))
    scale = np.maximum(1.0, np.abs(theta))
    rows = []
    for support in supports:
        v = rng.standard_normal(theta.size) * scale
        if support:
            kept = np.zeros_like(v)
            kept[slices[support]] = v[slices[support]]
            v = kept
        rows.append(v)
    return np.array(rows), tuple(supports)


def complex_gradient(f: Outputs, theta: Array, /) -> Array | None:
    """Return the gradient by the complex step, unconfirmed; None where f is not fit for it."""
    if f.f.real_only:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return complex_step(f, theta)
    except Exception:  # whatever a function of real numbers says of complex ones
        return None


def _complex_slope(f: Outputs, theta: Array, v: Array) -> float | None:
    if f.f.real_only:
        return None
    h = 1e-30
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            value = np.asarray(f(theta + 1j * h * v))
    except Exception:  # whatever a function of real numbers says of complex ones
        return None
    if value.dtype.kind != "c" or value.size != 1 or not np.isfinite(value).all():
        return None
    return float(value.reshape(()).imag / h)


def _by_complex_step(f: Outputs, theta: Array, rng: np.random.Generator) -> Measured | None:
    if (value := complex_gradient(f, theta)) is None:
        return None
    # A conjugate or `.real` inside f passes unseen, and at a kink a comparison of complex numbers
    # takes a side: so a real difference must confirm it.
    v = rng.standard_normal(theta.size) * np.maximum(1.0, np.abs(theta))
    if (check := along(f, theta, v)) is None:
        return None
    expected = value @ v
    terms = np.abs(value) @ np.abs(v)
    gap = np.abs(
        expected - check.value.ravel(order="F") if value.ndim == 2 else expected - check.value
    )
    error = check.error.ravel(order="F") if value.ndim == 2 else check.error
    if np.any(10 * error > 1e-4 * terms) or np.any(gap > 1e-7 * terms + 10 * error):
        return None
    return Measured(value, np.zeros_like(value), "complex step", analytic=True)


def along(f: Outputs, theta: Array, v: Array, /) -> Estimate | None:
    """Measure along one direction, by the largest step that stays where f is finite."""
    for step in (1e-3, 1e-5, 1e-7, 1e-9):
        try:
            return directional_derivative(f, theta, v, step=step, levels=6)
        except DataError:
            continue
    return None


def _differences(f: Outputs, theta: Array, step: float) -> tuple[Array, Array]:
    """Take central differences, again with smaller steps where the first are in doubt."""
    found: tuple[Array, Array] | None = None
    trouble: DataError | None = None
    rms = float(np.sqrt(np.mean(theta**2)))
    tiny = [step * rms] if 0 < rms < 1e-2 else []
    for attempt in (step, *tiny, *(s for s in _SMALLER_STEPS if s < step)):
        if found is not None and attempt < _SMALLEST_FOR_DOUBT and attempt not in tiny:
            break
        if found is not None and f.coarse:
            break  # smaller steps would measure its rounding
        try:
            estimate = _ahead(f, lambda g, s: central_difference(g, theta, step=s), attempt)
        except DataError as refused:
            trouble = trouble or refused
            continue
        value, error = estimate.value, estimate.error
        if found is not None:
            # Smaller steps help where the function is steep. About a kink they only say again,
            # with less doubt, the mean of its two slopes.
            better = error < found[1]
            for k in np.flatnonzero(better) if better.ndim == 1 else ():
                better[k] = bends_smoothly(f, theta, int(k), attempt * max(1.0, abs(theta[k])))
            value = np.where(better, value, found[0])
            error = np.where(better, error, found[1])
        found = value.copy(), error.copy()
        if (
            value.ndim == 2
            or (error <= _DOUBT * np.maximum(np.abs(value), 1e-6 * np.abs(value).max())).all()
        ):
            break
    if found is None:
        assert trouble is not None
        raise DataError(_named(str(trouble), f) + _end_of_domain(f, theta)) from None
    return found


def _end_of_domain(f: Outputs, theta: Array) -> str:
    """Say which entry ends the domain of f soonest, for a message."""
    for step in (1e-12, *_SMALLER_STEPS[::-1]):
        for k in range(theta.size):
            for sign in (1.0, -1.0):
                moved = theta.copy()
                moved[k] += sign * step * max(1.0, abs(theta[k]))
                if not np.isfinite(f(moved)).all():
                    packing = f.f.packing
                    return (
                        f" The end is nearest in {packing.entry(k)} = {theta[k]:.6g}, "
                        f"less than {step:g} away."
                    )
    return ""


def _ahead(f: Outputs, plan: Callable[[Function, float], Estimate], step: float) -> Estimate:
    """Carry out a plan of differences; where f can answer many points at once, by one call.

    The points do not depend on the answers: a rehearsal with zeros collects them.
    """
    if f.f.many is None:
        return plan(lambda theta: _in_its_precision(f, f(theta)), step)
    points: list[Array] = []

    def note(theta: Array) -> Array:
        points.append(theta.copy())
        return np.zeros(f.shape)

    plan(note, step)
    answers: Iterator[Array] = iter([_in_its_precision(f, v) for v in f.of_many(points)])
    return plan(lambda theta: next(answers), step)


def _in_its_precision(f: Outputs, value: Array) -> Array:
    """Return a value in the precision it was computed in, by which differences judge rounding."""
    return value.astype(np.float32) if f.coarse and value.dtype == np.float64 else value


def _named(text: str, f: Outputs) -> str:
    """Put the names of the call and of the entry into a message of `differences`."""
    packing = f.f.packing
    text = re.sub(r"`\w+\(f, x(?:, v)?\)`", f"`{packing.call}`", text)
    text = re.sub(r"\bx\[(\d+)\]", lambda m: packing.entry(int(m[1])), text)
    name = f.f.name
    for theirs, ours in {
        "finite values of f; f is": f"finite values; {name} is",
        "all entries of x together": "all entries together",
        "Move x to where f is finite.": "Move the point.",
        "If f is defined only close to x,": f"If {name} is defined only close to the point,",
        "along v": "along a random direction",
    }.items():
        text = text.replace(theirs, ours)
    return text
