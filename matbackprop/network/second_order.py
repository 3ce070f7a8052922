"""The Hessian of the loss times a direction, in closed form: Hv = (∇R)˙."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, overload

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import frozen, real_array
from matbackprop.batchnorm import Cache, Moments, pull_back_dot, push_forward
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.errors import DataError, DtypeError, ShapeError
from matbackprop.network.door import Given, conform
from matbackprop.network.forward_pass import forward
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters, stack, unstack
from matbackprop.network.result import Gradient

_CALL = "hvp(net, par, X, y, direction)"


class Blocks(NamedTuple):
    """A vector in the space of θ, cut into blocks of the shapes of the parameters."""

    Gamma1: Array  # (p1, p2)
    Gamma2: Array  # (p2, q), always in columns
    gamma: Array | None  # (p2,); None without batch norm, as is beta
    beta: Array | None


@overload
def hvp(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    direction: Parameters,
    /,
    *,
    moments: Moments | None = None,
) -> Parameters: ...


@overload
def hvp(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    direction: ArrayLike,
    /,
    *,
    moments: Moments | None = None,
) -> Array: ...


def hvp(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    direction: Parameters | ArrayLike,
    /,
    *,
    moments: Moments | None = None,
) -> Parameters | Array:
    """Return Hv, the Hessian of the loss R at θ times a direction v = θ̇, to rounding.

    H = ∂²R/∂θ∂θᵀ is never formed: Hv is the derivative of the gradient in the direction v, at
    about twice the cost of the gradient. The formulas stand at `curvature`.

    Parameters
    ----------
    net, par, X, y
        As in `gradient`.
    direction
        v, as `Parameters` with the shapes of `par`, or as a vector (P,) in the order of
        `par.to_vector()`. Where a parameter stays, its direction is 0.
    moments
        None: μ and σ are those of this batch and are differentiated, twice. Given: constants.

    Returns
    -------
    Hv in the kind of the direction: `Parameters` (its four blocks) for `Parameters`, a read-only
    vector (P,) for a vector. float32 if every input is, else float64.

    Raises
    ------
    ShapeError
        If X, y, the parameters, the direction and the moments do not conform.
    DataError
        If an entry is not finite, there is no row, or the row labels of X and y differ; if batch
        norm cannot divide by the spread of a column; or if the result overflows.
    DtypeError
        If X, y or the direction is not real.
    OptionError
        If network, parameters and moments disagree about batch norm.

    Notes
    -----
    relu and leaky_relu have a″ = 0 except at the kink, where R has no second derivative: there,
    as everywhere, a″ is taken as 0. The Hessian is then that of R almost everywhere.

    References
    ----------
    Pearlmutter (1994), *Fast exact multiplication by the Hessian*, Neural Computation 6, 147-160.

    Examples
    --------
    R = (y − xΓ₁Γ₂)² with x = 1, Γ₁ = 3, Γ₂ = 2 and y = 5 has the Hessian [[8, 14], [14, 18]]:

    >>> net = Network("identity", batch_norm=None)
    >>> hvp(net, Parameters([[3.0]], [2.0]), [[1.0]], [5.0], [1.0, 0.0])
    array([ 8., 14.])
    """
    given = conform(net, par, X, y, moments, call=_CALL)
    theta_dot = _conforming_direction(direction, par)
    dtype = np.result_type(given.X, theta_dot)  # float32 only where the direction is, too
    dot = blocks_of(theta_dot.astype(dtype, copy=False), par)
    product = stack(*curvature(net, _widened(given, dtype))(dot)).astype(dtype, copy=False)
    check_overflow(product, "Hv", "X, y, the parameters and the direction", call=_CALL)
    if isinstance(direction, Parameters):
        return Parameters.from_vector(product, like=par)
    return frozen(product)


def curvature(net: Network, given: Given, /) -> Callable[[Blocks], Blocks]:
    """Return the map v ↦ Hv at θ: the forward pass and the gradient, differentiated along v.

    With G = ∂R/∂ŷ = −2c₀ε̂ and S = a′(H) ⊙ GΓ₂ᵀ, and a dot for the derivative in the direction
    (Γ̇₁, Γ̇₂, γ̇, β̇), forward and back again:

        Ż = XΓ̇₁                 Ḣ = γ ⊙ X̂̇ + γ̇ ⊙ X̂ + 1β̇ᵀ             (`push_forward`)
        V̇ = a′(H) ⊙ Ḣ           Ġ = 2c₀(V̇Γ₂ + VΓ̇₂)
        Ṡ = a″(H) ⊙ Ḣ ⊙ GΓ₂ᵀ + a′(H) ⊙ (ĠΓ₂ᵀ + GΓ̇₂ᵀ)
        (∂R/∂Γ₂)˙ = V̇ᵀG + VᵀĠ    (∂R/∂Z)˙, (∂R/∂γ)˙, (∂R/∂β)˙ from Ṡ   (`pull_back_dot`)
        (∂R/∂Γ₁)˙ = Xᵀ(∂R/∂Z)˙

    Without batch norm Ḣ = Ż and (∂R/∂Z)˙ = Ṡ.

    Raises
    ------
    DataError
        If batch norm cannot divide by the spread of a column, or the loss overflows.
    """
    X, Gamma2 = given.X, given.Gamma2
    f = forward(net, given)
    check_overflow(f.loss, "the loss", "X, y and the parameters", call=given.call)
    c = 2 * net.c0(len(X))
    slope, bend = net.a.derivative(f.H), net.a.second_derivative(f.H)
    G = -c * f.residuals
    dV = G @ Gamma2.T
    S = slope * dV
    cache = None
    if f.b is not None:
        cache = Cache(f.b, given.gamma, f.Z.shape, batch_arrangement(f.Z.shape))
        if f.b.divisor is not None:
            # Batch norm ignores a constant added to a column of X, in Ż as in Xᵀ(∂R/∂Z)˙. Left in,
            # a common offset would cost its digits twice.
            X = X - X.mean(axis=0, dtype=np.float64).astype(X.dtype)

    def product(dot: Blocks) -> Blocks:
        Z_dot = X @ dot.Gamma1
        H_dot = Z_dot
        if cache is not None:
            H_dot = push_forward(Z_dot, cache, gamma=dot.gamma, beta=dot.beta)
        V_dot = slope * H_dot
        G_dot = c * (V_dot @ Gamma2 + f.V @ dot.Gamma2)
        S_dot = bend * H_dot * dV + slope * (G_dot @ Gamma2.T + G @ dot.Gamma2.T)
        Gamma2_dot = V_dot.T @ G + f.V.T @ G_dot
        if cache is None:
            return Blocks(X.T @ S_dot, Gamma2_dot, None, None)
        back = pull_back_dot(S, cache, X=Z_dot, gamma=dot.gamma, dY_dot=S_dot)
        return Blocks(X.T @ back.X, Gamma2_dot, back.gamma, back.beta)

    return product


def blocks_of(theta_dot: Array, par: Parameters, /) -> Blocks:
    """Cut a vector in the order of `par.to_vector()` into blocks."""
    blocks = Blocks(*unstack(theta_dot, par))  # type: ignore[arg-type]
    return blocks._replace(Gamma2=blocks.Gamma2.reshape(len(par.Gamma2), -1))


def check_overflow(value: Array, what: str, given: str, /, *, call: str) -> None:
    """Raise `DataError` where finite input has led out of the range of floating-point numbers."""
    if not np.isfinite(value).all():
        raise DataError(
            f"`{call}` overflowed: {what} is not finite, though {given} are. Rescale them."
        )


def _conforming_direction(direction: Parameters | ArrayLike, par: Parameters) -> Array:
    if isinstance(direction, Parameters):
        _check_shapes(direction, par)
        direction = direction.to_vector()
    elif isinstance(direction, Gradient):
        raise DtypeError(
            f"`{_CALL}` needs direction to be a `Parameters` or a vector; got Gradient. "
            "Pass `g.to_vector()`."
        )
    P = par.to_vector().size
    theta_dot = real_array(direction, call=_CALL, name="direction", ndim=1)
    if theta_dot.size != P:
        raise ShapeError(
            f"`{_CALL}` needs a direction with {P} entries, as `par.to_vector()` has; "
            f"got {theta_dot.size}."
        )
    return theta_dot


def _check_shapes(direction: Parameters, par: Parameters) -> None:
    for name in Blocks._fields:
        wanted, got = (getattr(getattr(p, name), "shape", None) for p in (par, direction))
        if got != wanted:
            raise ShapeError(
                f"`{_CALL}` needs a direction in the shapes of the parameters, whose {name} has "
                f"shape {wanted}; got {got}. Where a parameter stays, its direction is zeros."
            )


def _widened(given: Given, dtype: np.dtype[np.floating]) -> Given:
    names = ("X", "y", "Gamma1", "Gamma2", "gamma", "beta")
    arrays = {name: getattr(given, name).astype(dtype, copy=False) for name in names}
    return given._replace(**arrays)
