"""The complex step: a derivative without a difference, hence without cancellation."""

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import real_array
from matbackprop.differences._probe import Function, Probe, entry_name
from matbackprop.errors import DataError, OptionError


def complex_step(f: Function, x: ArrayLike, /, *, step: float = 1e-100) -> Array:
    """Return the derivative of an analytic f, exact to rounding: Im f(x + ih e) / h.

    Parameters
    ----------
    f
        Maps a complex array of the shape of `x` to a complex scalar or array. It must be
        analytic and real on the real line: no `abs`, no conjugate, no comparison that decides.
        A conjugate (`.conj()`, `np.vdot`) keeps the dtype and cannot be detected; the
        result is then wrong. Where in doubt compare with `central_difference`.
    x
        Where to differentiate; real. float32 is taken as float64.
    step
        The h above. Terms in h² are lost to rounding for any small h; the default also
        leaves room for entries of x, and derivatives, of any size met in practice.

    Returns
    -------
    The gradient, in the shape of `x`, if f returns a scalar (0-D); else the Jacobian
    ∂vec(F)/∂vec(x)ᵀ, shape (F.size, x.size). f is called x.size + 1 times.

    Raises
    ------
    DtypeError
        If `x` is complex, or f returns real numbers for complex input.
    DataError
        If f is not finite, or not real for real input, as a logarithm of a negative number.
    ShapeError, OptionError
        If f changes its shape, x is empty, f is not callable, or step is not in (0, 1e-10].

    References
    ----------
    Squire and Trapp (1998), *Using complex variables to estimate derivatives of real
    functions*, SIAM Review 40, 110-112.

    Examples
    --------
    >>> complex_step(lambda z: (z**3).sum(), np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    call = "complex_step(f, x)"
    x = real_array(x, call=call, name="x").astype(np.float64, copy=False)
    if not 0.0 < step <= 1e-10:
        raise OptionError(f"`{call}` needs a step in (0, 1e-10]; got {step!r}.")
    probe = Probe(f, x, call=call, complex_valued=True)
    _check_real_on_the_real_line(probe, call)

    jacobian = np.empty((probe.centre.size, x.size))
    for column in range(x.size):
        index = tuple(int(i) for i in np.unravel_index(column, x.shape, order="F"))
        point = x.astype(np.complex128)
        point[index] += 1j * step
        jacobian[:, column] = probe(point, f"i·{entry_name(index)}", step).imag / step
    return jacobian if probe.shape else jacobian.reshape(x.shape, order="F")


def _check_real_on_the_real_line(probe: Probe, call: str) -> None:
    # Past a branch point (log, sqrt of a negative) the real function is undefined, while its
    # complex continuation has an imaginary part that, divided by h, looks like a slope.
    wrong = np.flatnonzero(probe.centre.imag)
    if wrong.size:
        raise DataError(
            f"`{call}` needs f to be real for real x; entry {wrong[0]} of vec(f(x)) is "
            f"{probe.centre[wrong[0]]}. Outside the domain of a logarithm or root move x; "
            "through an FFT or an eigendecomposition use `central_difference(f, x)`."
        )
