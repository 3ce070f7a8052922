"""The steps every normalising layer takes: check, normalise; and back, check, pull back."""

from __future__ import annotations

from collections.abc import Callable

from array_api_compat import array_namespace, is_lazy_array

from matbackprop.batchnorm.affine import Cache, Gradients, pull_back
from matbackprop.batchnorm.arrangements import Arrangement
from matbackprop.batchnorm.arrays import AnyArray, Axes, count, widened
from matbackprop.batchnorm.centring import CentredMoments, centred_moments
from matbackprop.batchnorm.door import admit, check_data, check_same_library, unwarned
from matbackprop.batchnorm.normalization import Normalized, by_batch
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.errors import DataError, DtypeError, ShapeError


def by_its_own_moments(
    X: AnyArray, arrangement: Arrangement, eps: float, /, *, call: str, remedy: str
) -> tuple[Normalized, CentredMoments]:
    """Normalise X, seen as the arrangement's view, by the moments of what lies together.

    Raises
    ------
    DataError
        If one entry alone is normalised, if X is not finite, or if eps = 0 and what lies
        together is constant.
    """
    m = count(arrangement.view, arrangement.axes)
    if m == 1:
        raise DataError(
            f"`{call}` needs two or more entries to normalise together; X of shape "
            f"{tuple(X.shape)} has one, and would become 0 whatever it is. {remedy}"
        )
    view = array_namespace(X).reshape(X, arrangement.view)
    with unwarned():
        moments = centred_moments(view, arrangement.axes)
    check_data(X, moments.variance, call=call, name="X")
    if eps == 0:
        _check_spread(view, moments, arrangement.axes, call)
    return by_batch(view, moments, BatchNorm(eps=eps), arrangement.axes), moments


def _check_spread(view: AnyArray, moments: CentredMoments, axes: Axes, call: str) -> None:
    """Raise where there is no deviation to divide by; by the rules of `check_batch`."""
    if is_lazy_array(view):
        return
    xp = array_namespace(view)
    eps = xp.finfo(view.dtype).eps
    wide = xp.finfo(moments.variance.dtype)
    faint = moments.variance < wide.smallest_normal / wide.eps
    near = xp.sqrt(moments.variance) <= 8 * eps * xp.abs(moments.mean)
    if not bool(xp.any(faint | near)):
        return
    # Seldom reached: the range tells rounding of a constant from a column that varies.
    least, largest = xp.min(view, axis=axes), xp.max(view, axis=axes)
    size = xp.maximum(xp.abs(least), xp.abs(largest))
    constant = largest - least <= 8 * eps * size
    bad = xp.reshape(constant | faint, (-1,))
    if not bool(xp.any(bad)):
        return
    place = int(xp.argmax(xp.astype(bad, xp.uint8)))
    value, spread = (float(xp.reshape(a, (-1,))[place]) for a in (largest, largest - least))
    how = f"are all {value:g}"
    if not bool(xp.reshape(constant, (-1,))[place]):
        how = f"vary by only {spread:g}, too little to square"
    raise DataError(
        f"`{call}` with eps=0 divides by a standard deviation; the entries of set {place} "
        f"(counted from 0; for batch norm, of that channel) {how}. Use an eps > 0."
    )


def checked_backward(
    dY: AnyArray,
    cache: Cache,
    /,
    *,
    call: str,
    belongs: Callable[[Cache], bool],
    name: str = "dY",
    by: Callable[[AnyArray, Cache], Gradients] = pull_back,
) -> Gradients:
    """Return ∂L/∂X, ∂L/∂γ, ∂L/∂β from ∂L/∂Y, by a pullback.

    `belongs` tells whether a cache can be that of the layer; `name` is what the call says for dY.

    Raises
    ------
    DtypeError
        If `cache` is no cache, or that of another layer, or dY of another library or kind.
    ShapeError
        If dY has not the shape of the output.
    DataError
        If dY is not finite.
    """
    if not isinstance(cache, Cache):
        raise DtypeError(
            f"`{call}` needs the cache that `forward` returned; got {type(cache).__name__}."
        )
    if not belongs(cache):
        raise DtypeError(
            f"`{call}` needs the cache of its own forward pass; got that of another layer, for "
            f"data of shape {cache.shape}."
        )
    dY = admit(dY, call=call, name=name)
    if tuple(dY.shape) != cache.shape:
        raise ShapeError(
            f"`{call}` needs {name} of the shape of the output, {cache.shape}; got "
            f"{tuple(dY.shape)}. Is the cache that of another forward pass?"
        )
    check_same_library(cache.b.X, dY, call=call, names=("the data", name))
    with unwarned():
        gradients = by(dY, cache)
    shown = gradients.beta
    if shown is None and not is_lazy_array(dY):
        shown = array_namespace(dY).sum(widened(dY, dY))
    if shown is not None:
        check_data(dY, shown, call=call, name=name)
    return gradients
