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
    """Return, entry by entry, the sums of |terms| behind the loss, ŷ and each gradient.

    Where a gradient vanishes (∂R/∂Γ₁ does for eps = 0 and p1 = 1, or N = 2) a relative error
    has no meaning; an error relative to these sums always has: two right computations differ
    by a few units of rounding times the entry here. Each formula of the gradient is evaluated
    with |·| around every factor and + for every −, starting from |y| + |V||Γ₂| for |ε̂|; with
    batch norm, |X̂| is replaced by (|X||Γ₁| + |μ|)/σ, of which it is the cancelled form.

    Returns
    -------
    Arrays named loss, fitted, Gamma1, Gamma2, gamma, beta (the last two with batch norm), X.
    """
    given = conform(net, par, X, y, moments, call="magnitudes(net, par, X, y)")
    f = forward(net, given)
    N = len(f.Z)
    aX, aGamma1, aGamma2 = abs(given.X), abs(given.Gamma1), abs(given.Gamma2)
    fitted = abs(f.V) @ aGamma2
    residuals = abs(given.y) + fitted
    dfitted = 2 * net.c0(N) * residuals
    S = abs(net.a.derivative(f.H)) * (dfitted @ aGamma2.T)
    sizes = {
        "loss": np.asarray(net.c0(N) * (residuals**2).sum()),
        "fitted": fitted,
        "Gamma2": abs(f.V).T @ dfitted,
    }
    dZ = S
    if f.b is not None:
        Xhat = (aX @ aGamma1 + abs(f.b.mu)) / f.b.sigma
        scale = abs(given.gamma) / f.b.sigma
        sizes["gamma"], sizes["beta"] = (Xhat * S).sum(axis=0), S.sum(axis=0)
        dZ = S * scale
        if f.b.divisor is not None:
            dZ = (S + sizes["beta"] / N + Xhat * sizes["gamma"] / f.b.divisor) * scale
    sizes["Gamma1"], sizes["X"] = aX.T @ dZ, dZ @ aGamma1.T
    for name in ("fitted", "Gamma2"):
        sizes[name] = sizes[name].reshape(-1) if par.Gamma2.ndim == 1 else sizes[name]
    return sizes
