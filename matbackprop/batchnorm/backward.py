"""The closed-form pullback of batch norm: from S = ∂R/∂H to ∂R/∂Z, ∂R/∂γ, ∂R/∂β."""

from __future__ import annotations

from array_api_compat import array_namespace, is_numpy_array

from matbackprop._typing import ArrayLike
from matbackprop._validation import real_array
from matbackprop.batchnorm.arrays import AnyArray, widened
from matbackprop.batchnorm.dispatch import passes_for
from matbackprop.batchnorm.normalization import Normalized


def pullback(
    S: ArrayLike, b: Normalized, gamma: ArrayLike, /
) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Pull S back through H = X̂ diag(γ) + 1βᵀ.

    ∂R/∂β = 1ᵀS,  ∂R/∂γ = diag(X̂ᵀS),  and with the moments of the batch

        ∂R/∂Z = (S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − ddof)) diag(γ/σ).

    The two subtracted terms are what batch norm removes: a mean, because adding a constant to
    a column of Z changes nothing, and a multiple of x̂, because scaling it changes nothing.
    With given moments they are absent: ∂R/∂Z = S diag(γ/σ).

    For other axes than the first "column" means a set of entries normalised together, and γ has
    one value for each (or a shape that broadcasts to that of σ).

    Parameters
    ----------
    S
        ∂R/∂H, of the shape of the normalised data.
    b
        The normalisation that was done, from `normalize`.
    gamma
        Shape (p2,).

    Returns
    -------
    ∂R/∂Z in the dtype of the data; ∂R/∂γ and ∂R/∂β of the shape of σ, accumulated in float64.

    References
    ----------
    Ioffe and Szegedy (2015), section 3, where the divisor is N.

    Examples
    --------
    >>> import numpy as np
    >>> from matbackprop.batchnorm import BatchNorm, normalize
    >>> b = normalize(np.array([[-1.0], [1.0], [0.0]]), BatchNorm(ddof=1, eps=0.0))
    >>> S = np.array([[2.0], [0.0], [1.0]])
    >>> dZ, dgamma, dbeta = pullback(S, b, np.ones(1))
    >>> dZ.ravel(), dgamma, dbeta  # S lies in the span of 1 and x̂: nothing passes
    (array([0., 0., 0.]), array([-2.]), array([3.]))
    """
    if is_numpy_array(b.X):
        S = real_array(S, call="pullback(S, b, gamma)", name="S", ndim=b.X.ndim)
    return pulled(S, b, gamma)


def pulled(S: AnyArray, b: Normalized, gamma: AnyArray, /) -> tuple[AnyArray, AnyArray, AnyArray]:
    """Do what `pullback` promises, for an S that was checked."""
    S = array_namespace(S).astype(S, b.X.dtype, copy=False)
    passes = passes_for(b.X, b.axes, S)
    dbeta, cross = passes.cross_sums(S, b.X, b.pivot, b.axes)
    dgamma = (cross - b.shift * dbeta) / b.sigma
    scale = widened(gamma, S) / b.sigma
    if b.divisor is None:
        return passes.scale_shift(S, 0 * b.pivot, scale, 0 * scale, b.axes), dgamma, dbeta
    # X̂ is never formed: X̂·∂R/∂γ/(N − ddof) is (X − c)·slope less a constant.
    slope = dgamma / (b.divisor * b.sigma)
    offset = dbeta / b.count - slope * b.shift
    return passes.combine(S, b.X, b.pivot, scale, slope, offset, b.axes), dgamma, dbeta


def pull_through(G: AnyArray, b: Normalized, /) -> AnyArray:
    """Return ∂L/∂X from G = ∂L/∂X̂: γ = 1."""
    xp = array_namespace(G)
    return pulled(G, b, xp.ones_like(b.sigma))[0]
