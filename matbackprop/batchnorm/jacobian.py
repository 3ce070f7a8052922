"""The Jacobian of batch norm, ∂vec(H)/∂vec(Z)ᵀ, as an operator that is never stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy

from matbackprop._typing import Array
from matbackprop.batchnorm.normalization import Normalized
from matbackprop.linalg import unvec, vec

if TYPE_CHECKING:
    from scipy.sparse.linalg import LinearOperator


def normalization_jacobian(b: Normalized, gamma: Array, /) -> LinearOperator[Any]:
    """Return J_b = blockdiag_j (γ_j/σ_j)(I − 11ᵀ/N − x̂_j x̂_jᵀ/(N − ddof)), acting on vec(Z).

    Each block is symmetric, so J_b = J_bᵀ. Stored densely it would hold (N p2)² numbers; as an
    operator it holds X̂ and acts in O(N p2). With given moments it is diag(γ/σ) ⊗ I.

    Parameters
    ----------
    b
        The normalisation that was done, from `normalize`.
    gamma
        Shape (p2,).

    Returns
    -------
    A `scipy.sparse.linalg.LinearOperator` of shape (N p2, N p2).

    Examples
    --------
    >>> import numpy as np
    >>> Xhat = np.array([[-1.0], [1.0], [0.0]])
    >>> b = Normalized(Xhat, mu=np.zeros(1), sigma=np.ones(1), divisor=2)
    >>> J = normalization_jacobian(b, np.ones(1))
    >>> J @ np.ones(3), J @ vec(Xhat)  # removed: the mean, and the scale
    (array([0., 0., 0.]), array([0., 0., 0.]))
    """
    N, p2 = b.Xhat.shape

    def apply(v: Array) -> Array:
        V = unvec(v.ravel(), (N, p2))
        if b.divisor is not None:
            along = (b.Xhat * V).sum(axis=0) / b.divisor
            V = V - V.mean(axis=0, dtype=np.float64) - b.Xhat * along
        return vec((V * (gamma / b.sigma)).astype(b.Xhat.dtype, copy=False))

    return scipy.sparse.linalg.LinearOperator(
        (N * p2, N * p2), matvec=apply, rmatvec=apply, dtype=b.Xhat.dtype
    )
