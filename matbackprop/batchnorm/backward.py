"""The closed-form pullback of batch norm: from S = ∂R/∂H to ∂R/∂Z, ∂R/∂γ, ∂R/∂β."""

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import real_array
from matbackprop.batchnorm.normalization import Normalized


def pullback(S: Array, b: Normalized, gamma: Array, /) -> tuple[Array, Array, Array]:
    """Pull S back through H = X̂ diag(γ) + 1βᵀ.

    ∂R/∂β = 1ᵀS,  ∂R/∂γ = diag(X̂ᵀS),  and with the moments of the batch

        ∂R/∂Z = (S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − ddof)) diag(γ/σ).

    The two subtracted terms are what batch norm removes: a mean, because adding a constant to
    a column of Z changes nothing, and a multiple of x̂, because scaling it changes nothing.
    With given moments they are absent: ∂R/∂Z = S diag(γ/σ).

    Parameters
    ----------
    S
        ∂R/∂H, shape (N, p2).
    b
        The normalisation that was done, from `normalize`.
    gamma
        Shape (p2,).

    Returns
    -------
    ∂R/∂Z of shape (N, p2), in the dtype of S; ∂R/∂γ and ∂R/∂β of shape (p2,), accumulated in
    float64.

    References
    ----------
    Ioffe and Szegedy (2015), section 3, where the divisor is N.

    Examples
    --------
    >>> Xhat = np.array([[-1.0], [1.0], [0.0]])
    >>> b = Normalized(Xhat, mu=np.zeros(1), sigma=np.ones(1), divisor=2)
    >>> S = np.array([[2.0], [0.0], [1.0]])
    >>> dZ, dgamma, dbeta = pullback(S, b, np.ones(1))
    >>> dZ.ravel(), dgamma, dbeta  # S lies in the span of 1 and x̂: nothing passes
    (array([0., 0., 0.]), array([-2.]), array([3.]))
    """
    S = real_array(S, call="pullback(S, b, gamma)", name="S", ndim=2)
    wide = np.result_type(S.dtype, np.float64)
    dgamma = (b.Xhat * S).sum(axis=0, dtype=wide)
    dbeta = S.sum(axis=0, dtype=wide)
    passed = S if b.divisor is None else S - dbeta / len(S) - b.Xhat * (dgamma / b.divisor)
    return (passed * (gamma / b.sigma)).astype(S.dtype, copy=False), dgamma, dbeta
