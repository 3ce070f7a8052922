"""Derivatives along directions: whole gradients checked at the cost of a few evaluations."""

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import check_count, real_array
from matbackprop.differences._probe import Function, Probe
from matbackprop.differences.central import shrinking_steps
from matbackprop.differences.records import Estimate
from matbackprop.differences.ridders import derivative_along, rounding_noise
from matbackprop.errors import DataError, OptionError, ShapeError


def directional_derivative(
    f: Function, x: ArrayLike, v: ArrayLike, /, *, step: float = 1e-2, levels: int = 9
) -> Estimate:
    """Return d f(x + tv)/dt at t = 0, by extrapolated central differences along v.

    The largest displacement is that of `central_difference`: no entry moves by more than
    step·max(1, abs(x_i)).

    Returns
    -------
    `Estimate` with `value` and `error` in the shape of f(x). f is called 13 + 2 * levels
    times, whatever the size of x.

    Raises
    ------
    ShapeError
        If v has not the shape of x.
    DataError
        If v is zero, or f is not finite.
    DtypeError, OptionError
        As for `central_difference`.

    Examples
    --------
    >>> estimate = directional_derivative(lambda x: x @ x, np.array([1.0, 2.0]), [1.0, 1.0])
    >>> round(float(estimate.value), 9)
    6.0
    """
    call = "directional_derivative(f, x, v)"
    x = real_array(x, call=call, name="x").astype(np.float64, copy=False)
    v = real_array(v, call=call, name="v").astype(np.float64, copy=False)
    if v.shape != x.shape:
        raise ShapeError(f"`{call}` needs v in the shape of x; got x {x.shape}, v {v.shape}.")
    steps = shrinking_steps(step, levels, call=call)
    estimates, evaluations = _along_each(f, x, v[None], steps, call)
    return Estimate(*estimates[0], evaluations)


def directional_derivatives(
    f: Function, x: ArrayLike, directions: ArrayLike, /, *, step: float = 1e-2, levels: int = 9
) -> Estimate:
    r"""Return the derivatives of f along several directions, which share what they can.

    Parameters
    ----------
    directions
        Stacked along the first axis, shape (K, \*x.shape).

    Returns
    -------
    `Estimate` with `value` and `error` of shape (K, \*f(x).shape). f is called
    13 + 2 * levels * K times: its rounding noise is measured once.

    Raises
    ------
    ShapeError, DataError, DtypeError, OptionError
        As for `directional_derivative`.

    Examples
    --------
    >>> estimate = directional_derivatives(lambda x: x @ x, np.array([1.0, 2.0]), np.eye(2))
    >>> estimate.value.round(9)
    array([2., 4.])
    """
    call = "directional_derivatives(f, x, directions)"
    x = real_array(x, call=call, name="x").astype(np.float64, copy=False)
    stacked = real_array(directions, call=call, name="directions").astype(np.float64, copy=False)
    if stacked.ndim == 0 or stacked.shape[1:] != x.shape or not len(stacked):
        raise ShapeError(
            f"`{call}` needs directions of the shape of x, stacked; "
            f"got x {x.shape}, directions {stacked.shape}."
        )
    steps = shrinking_steps(step, levels, call=call)
    estimates, evaluations = _along_each(f, x, stacked, steps, call)
    value, error = (np.array(column) for column in zip(*estimates, strict=True))
    return Estimate(value, error, evaluations)


def _along_each(
    f: Function, x: Array, directions: Array, steps: Array, call: str
) -> tuple[list[tuple[Array, Array]], int]:
    probe = Probe(f, x, call=call)
    found = []
    noise = None
    for v in directions:
        rate = _rate(x, v)
        if rate == 0.0:
            raise DataError(f"`{call}` needs a direction v that is not zero everywhere.")
        u = v / rate
        if noise is None:
            noise = rounding_noise(probe, x, u, along="v")
        slopes = derivative_along(probe, x, u, steps=steps, noise=noise, along="v")
        value, error = ((a * rate).reshape(probe.shape, order="F") for a in slopes)
        found.append((value, error))
    return found, probe.evaluations


@dataclass(frozen=True, slots=True, eq=False)
class DirectionCheck:
    """A gradient held against numerical derivatives along random directions.

    Attributes
    ----------
    analytic
        <gradient, v> for each direction v, shape (directions,).
    numeric, error
        The derivative of f along v and its estimated error, each of that shape.
    tolerance
        How far the two may be apart, of that shape.
    """

    analytic: Array
    numeric: Array
    error: Array
    tolerance: Array

    def __post_init__(self) -> None:
        for array in (self.analytic, self.numeric, self.error, self.tolerance):
            array.flags.writeable = False

    @property
    def ok(self) -> bool:
        """Whether all directions agree."""
        return bool((np.abs(self.analytic - self.numeric) <= self.tolerance).all())

    def assert_ok(self) -> None:
        """Raise AssertionError, with the numbers of the worst direction, unless `ok`."""
        if self.ok:
            return
        k = int(np.argmax(np.abs(self.analytic - self.numeric) - self.tolerance))
        analytic, numeric, error = self.analytic[k], self.numeric[k], self.error[k]
        hint = (
            " The numeric value is itself in doubt: x may lie at a kink of f, or f be too noisy."
            if error > self.tolerance[k]
            else ""
        )
        raise AssertionError(
            f"gradient check failed along direction {k + 1} of {self.analytic.size}: "
            f"analytic {analytic:.17g}, numeric {numeric:.17g} ± {error:.1e}; they differ by "
            f"{abs(analytic - numeric):.3g}, allowed is {self.tolerance[k]:.3g}.{hint}"
        )


def check_direction(
    f: Function,
    gradient: ArrayLike,
    x: ArrayLike,
    /,
    *,
    rng: np.random.Generator,
    directions: int = 3,
    rtol: float = 1e-7,
) -> DirectionCheck:
    """Compare <gradient, v> with the derivative of the scalar f along random directions v.

    The two may differ by rtol·Σ|gradient_i v_i| plus the estimated error of the numerical
    derivative. That error counts only while it is small (1e-4 of the sum, or 1e-9 of the
    change that would double f), lest a kink excuse any gradient. Where f is so large against
    its change that rounding hides the slope, no difference can tell right from wrong; compare
    `error` with `numeric` there.

    Parameters
    ----------
    f
        Maps an array of the shape of `x` to a real scalar.
    gradient
        Its gradient at `x` as claimed, in the shape of `x`.
    x
        Where to check.
    rng
        Source of the directions: normal, entry i scaled by max(1, abs(x_i)).
    directions
        How many. One already sees every entry; more guard against bad luck.
    rtol
        Relative tolerance.

    Raises
    ------
    ShapeError
        If gradient and x differ in shape, or f does not return a scalar.
    OptionError
        If rng is not a `numpy.random.Generator`, directions < 1, or rtol is not in (0, 1).
    DataError, DtypeError
        As for `central_difference`.

    Examples
    --------
    >>> x, rng = np.array([1.0, 2.0]), np.random.default_rng(0)
    >>> check_direction(lambda x: (x**2).sum(), 2 * x, x, rng=rng).ok
    True
    >>> check_direction(lambda x: (x**2).sum(), 2.002 * x, x, rng=rng).ok
    False
    """
    call = "check_direction(f, gradient, x)"
    x = real_array(x, call=call, name="x").astype(np.float64, copy=False)
    gradient = real_array(gradient, call=call, name="gradient").astype(np.float64, copy=False)
    directions = check_count(directions, call=call, name="directions")
    if gradient.shape != x.shape:
        raise ShapeError(
            f"`{call}` needs a gradient in the shape of x; got gradient {gradient.shape}, "
            f"x {x.shape}. A gradient has the shape of its variable."
        )
    if not isinstance(rng, np.random.Generator):
        raise OptionError(
            f"`{call}` needs rng as a numpy.random.Generator; got {rng!r}. "
            "Pass `np.random.default_rng(seed)`."
        )
    if not 0.0 < rtol < 1.0:
        raise OptionError(f"`{call}` needs an rtol in (0, 1); got {rtol!r}.")
    probe = Probe(f, x, call=call)
    if probe.shape:
        raise ShapeError(
            f"`{call}` needs f to return a scalar; it returned shape {probe.shape}. "
            "Check one weighted sum of the entries, `lambda x: (W * F(x)).sum()`."
        )

    rows = []
    for _ in range(directions):
        v = rng.standard_normal(x.shape) * np.maximum(1.0, np.abs(x))
        estimate = directional_derivative(f, x, v)
        terms = float(np.abs(gradient * v).sum())
        doubling = float(np.abs(probe.centre[0])) * _rate(x, v)
        believed = min(float(estimate.error), 1e-4 * terms + 1e-9 * doubling)
        rows.append(
            (
                float((gradient * v).sum()),
                float(estimate.value),
                float(estimate.error),
                rtol * terms + believed,
            )
        )
    analytic, numeric, error, tolerance = (np.array(column) for column in zip(*rows, strict=True))
    return DirectionCheck(analytic=analytic, numeric=numeric, error=error, tolerance=tolerance)


def _rate(x: Array, v: Array) -> float:
    """How fast the fastest entry of x + tv moves, relative to max(1, abs(x_i))."""
    return float((np.abs(v) / np.maximum(1.0, np.abs(x))).max())
