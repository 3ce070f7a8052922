"""Central differences for gradients and Jacobians of any function of real input."""

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import check_count, real_array
from matbackprop.differences._probe import Function, Probe, entry_name
from matbackprop.differences.records import Estimate
from matbackprop.differences.ridders import RATIO, derivative_along, rounding_noise
from matbackprop.errors import OptionError


def central_difference(
    f: Function, x: ArrayLike, /, *, step: float = 1e-2, levels: int = 9
) -> Estimate:
    """Differentiate f at x by Richardson-extrapolated central differences.

    Entry i is displaced by h·max(1, abs(x_i)) to either side, h = step, step/4, step/16, ...;
    how the slopes are combined and judged is said in `matbackprop.differences.ridders`.

    Parameters
    ----------
    f
        Maps a float64 array of the shape of `x` to a real scalar or array.
    x
        Where to differentiate.
    step
        The largest relative step. f must be finite that far from `x` in every entry.
    levels
        The number of steps. With the defaults the smallest is 1.5e-7: a kink, as that of ReLU,
        does little harm unless it is nearer than that, and then `error` says so.

    Returns
    -------
    `Estimate` with `value` and `error` in the shape of `x` if f returns a scalar (0-D); else
    of shape (F.size, x.size), the Jacobian ∂vec(F)/∂vec(x)ᵀ. f is called
    13 + 2 * levels * x.size times.

    Raises
    ------
    DataError
        If f returns NaN or an infinite value; the entry and the step are named.
    ShapeError
        If f changes the shape of its output, or x is empty.
    DtypeError
        If `x` or the output of f is not real.
    OptionError
        If step is not positive and finite, levels < 3, or f is not callable.

    References
    ----------
    Ridders (1982), *Accurate computation of F′(x) and F′(x)F″(x)*, Adv. Eng. Software 4, 75-76.

    Examples
    --------
    >>> estimate = central_difference(lambda x: np.exp(x).sum(), np.zeros(2))
    >>> bool((abs(estimate.value - 1.0) <= 3 * estimate.error).all())
    True
    >>> bool((estimate.error < 1e-10).all())
    True
    """
    call = "central_difference(f, x)"
    x = real_array(x, call=call, name="x").astype(np.float64, copy=False)
    steps = shrinking_steps(step, levels, call=call)
    probe = Probe(f, x, call=call)
    scale = np.maximum(1.0, np.abs(x))
    # A direction that moves every entry, no two by the same amount.
    everywhere = scale * np.cos(np.arange(x.size)).reshape(x.shape)
    noise = rounding_noise(probe, x, everywhere, along="all entries of x together")

    value = np.empty((probe.centre.size, x.size))
    error = np.empty_like(value)
    for column in range(x.size):
        index = tuple(int(i) for i in np.unravel_index(column, x.shape, order="F"))
        u = np.zeros_like(x)
        u[index] = scale[index]
        slope, doubt = derivative_along(
            probe, x, u, steps=steps, noise=noise, along=entry_name(index)
        )
        value[:, column], error[:, column] = slope / scale[index], doubt / scale[index]
    if not probe.shape:
        value, error = (a.reshape(x.shape, order="F") for a in (value, error))
    return Estimate(value=value, error=error, evaluations=probe.evaluations)


def shrinking_steps(step: float, levels: int, /, *, call: str) -> Array:
    """Return step, step/4, step/16, ... after checking both options."""
    levels = check_count(levels, call=call, name="levels", at_least=3)
    if not 0.0 < step < np.inf:
        raise OptionError(f"`{call}` needs a positive, finite step; got {step!r}.")
    return np.asarray(step / RATIO ** np.arange(levels))
