"""How large are the terms that cancel: the yardstick for comparing two right answers."""

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop.batchnorm import Moments
from matbackprop.network.door import conform
from matbackprop.network.forward_pass import forward
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters


def magnitudes(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    /,
    *,
    moments: Moments | None = None,
) -> dict[str, Array]:
    """Return, entry by entry, how much a relative error of one unit can do to each result.

    Where a gradient vanishes (∂R/∂Γ₁ does for eps = 0 and p1 = 1, or N = 2) a relative error
    has no meaning; an error relative to these sizes always has: two right computations differ
    by a few units of rounding times the entry here.

    Each size is the sum of |terms| in a formula, plus the errors its factors bring along, to
    first order: for a product of A and B, |A|·δB + δA·|B|, where δA is the size of A. It
    starts from δZ = |X||Γ₁|, δX̂ = (δZ + |μ|)/σ and so on through the network.

    Returns
    -------
    Arrays named loss, fitted, Gamma1, Gamma2, gamma, beta (the last two with batch norm), X.

    References
    ----------
    Higham (2002), *Accuracy and Stability of Numerical Algorithms*, chapter 3.

    Examples
    --------
    >>> par = Parameters([[1.0], [-1.0]], [1.0])
    >>> sizes = magnitudes(Network("identity", batch_norm=None), par, [[5.0, 5.0]], [0.0])
    >>> sizes["fitted"] >= 10  # ŷ is 5 − 5 = 0, of two terms of size 5
    array([ True])
    """
    given = conform(net, par, X, y, moments, call="magnitudes(net, par, X, y)")
    f = forward(net, given)
    aX, aGamma1, aGamma2 = abs(given.X), abs(given.Gamma1), abs(given.Gamma2)
    c = 2 * net.c0(len(f.Z))

    dH = aX @ aGamma1
    if f.b is not None:
        Xhat, scale = abs(f.b.Xhat), abs(given.gamma) / f.b.sigma
        dXhat = (dH + abs(f.b.mu)) / f.b.sigma
        if f.b.divisor is not None:  # by way of σ
            dXhat = dXhat + Xhat * (Xhat * dXhat).sum(axis=0) / f.b.divisor
        dH = dXhat * abs(given.gamma) + abs(given.beta)
    slope, bend = abs(net.a.derivative(f.H)), abs(net.a.second_derivative(f.H))
    V = abs(f.V)
    dV = V + slope * dH
    fitted = dV @ aGamma2
    residuals = abs(f.residuals)
    dresiduals = abs(given.y) + fitted

    S = slope * (c * residuals @ aGamma2.T)
    dS = slope * (c * dresiduals @ aGamma2.T) + bend * dH * (c * residuals @ aGamma2.T)
    sizes = {
        "loss": np.asarray(c * (residuals * dresiduals).sum()),
        "fitted": fitted,
        "Gamma2": c * (V.T @ dresiduals + dV.T @ residuals),
    }
    dZ = dS
    if f.b is not None:
        sizes["gamma"] = (dXhat * S + Xhat * dS).sum(axis=0)
        sizes["beta"] = dS.sum(axis=0)
        if f.b.divisor is not None:
            along = dXhat * (Xhat * S).sum(axis=0) + Xhat * sizes["gamma"]
            dZ = dS + sizes["beta"] / len(f.Z) + along / f.b.divisor
        dZ = dZ * scale
    sizes["Gamma1"], sizes["X"] = aX.T @ dZ, dZ @ aGamma1.T
    for name in ("fitted", "Gamma2"):
        sizes[name] = sizes[name].reshape(-1) if par.Gamma2.ndim == 1 else sizes[name]
    return sizes
