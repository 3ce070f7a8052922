"""A replica of what the question computed, faults included, so that its figures can be traced.

Nothing here is a gradient to use: `matbackprop.gradient` gives the right ones.
"""

import numpy as np

from matbackprop._typing import Array
from matbackprop.linalg import kron
from matbackprop.verification.problem import Question


def posted_figures(q: Question, /) -> dict[str, Array]:
    """Return the question's seven printed results, computed with its own mistakes.

    - The activation derivative is 1 everywhere: negatives are set to 0 first, and then
      everything >= 0, by now everything, to 1.
    - The factor γ/σ of ∂R/∂Γ₁ is computed as γ·σ, and μ, σ are held constant.
    - ∂R/∂γ carries a factor γ, though b is linear in γ.
    - The loop for ∂R/∂β pairs column i of X with row i of Γ₁ instead of X with column i. It
      agrees with the matrix line only because the derivative ignores its argument.

    The 40 × 4 Kronecker derivative, which the question takes for a failure, is right: it is the
    Jacobian ∂vec(1βᵀ)/∂βᵀ = I ⊗ 1_N.

    Examples
    --------
    >>> from matbackprop.verification import question
    >>> posted_figures(question())["beta_matrix"].round(7)
    array([[-0.4460901,  0.3899186,  1.2675802, -0.0958958]])
    """
    par, X, u = q.parameters, q.X, q.noise
    N, p2 = len(X), par.Gamma1.shape[1]
    gamma, beta = np.asarray(par.gamma), np.asarray(par.beta)
    Z = X @ par.Gamma1
    Xhat = _scale(Z)
    stub = -2 * np.outer(u, par.Gamma2) * _derivative(Xhat * gamma + beta)
    w = gamma * Z.std(axis=0, ddof=1)
    beta_loop = [
        np.sum(
            -2
            * u
            * par.Gamma2[i]
            * _derivative(_scale(np.outer(X[:, i], par.Gamma1[i]))[:, i] * gamma[i] + beta[i])
        )
        for i in range(p2)
    ]
    return {
        "beta_matrix": np.ones((1, N)) @ stub,
        "beta_loop": np.array(beta_loop),
        "kronecker_rule": kron(np.eye(p2), np.ones(N)),
        "Gamma1_matrix": X.T @ (stub * w),
        "Gamma1_loop": np.array([[(x * w[j]) @ stub[:, j] for j in range(p2)] for x in X.T]),
        "gamma_matrix": Xhat.T @ (stub * gamma),
        "gamma_loop": np.array([Xhat[:, j] @ (stub[:, j] * gamma[j]) for j in range(p2)]),
    }


def _scale(Z: Array) -> Array:
    """Return what R's `scale` returns."""
    return (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1)


def _derivative(h: Array) -> Array:
    """Return the question's a′, with its mistake: 1 everywhere."""
    clipped = np.where(h < 0, 0.0, h)
    return np.where(clipped >= 0, 1.0, clipped)
