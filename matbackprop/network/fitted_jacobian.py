"""The Jacobian of the fitted values, ∂vec(ŷ)/∂θᵀ, as a labelled dense matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import column_names, frozen
from matbackprop.batchnorm import Moments, Normalized
from matbackprop.network.door import NO_OUTCOME, Given, conform
from matbackprop.network.forward_pass import forward
from matbackprop.network.labels import parameter_blocks, parameter_labels
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters
from matbackprop.network.result import output_labels


@dataclass(frozen=True, slots=True, eq=False)
class Jacobian:
    """∂vec(ŷ)/∂θᵀ, shape (N q, P), with θ = (vec Γ₁, vec Γ₂, γ, β).

    Parameters
    ----------
    matrix
        The numbers.
    row_labels
        "y[1]" … "y[N]", or "y1[1]" …: outputs one under the other, as vec(ŷ) stacks them.
    column_labels
        "Gamma1[x1,h1]" … "beta[h4]"; names of the columns of X take the place of x1.
    blocks
        Which columns belong to "Gamma1", "Gamma2", "gamma", "beta".

    Examples
    --------
    >>> par = Parameters(Gamma1=[[1.0]], Gamma2=[3.0])
    >>> J = jacobian(Network("identity", batch_norm=None), par, [[2.0]])
    >>> J.matrix[:, J.blocks["Gamma1"]]
    array([[6.]])
    """

    matrix: Array
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    blocks: dict[str, slice]

    def __str__(self) -> str:
        rows, columns = self.matrix.shape
        spans = ", ".join(f"{name} {s.start}:{s.stop}" for name, s in self.blocks.items())
        return f"Jacobian ∂vec(ŷ)/∂θᵀ, shape ({rows}, {columns}); columns of {spans}"

    __repr__ = __str__


def jacobian(
    net: Network, par: Parameters, X: ArrayLike, /, *, moments: Moments | None = None
) -> Jacobian:
    """Return ∂vec(ŷ)/∂θᵀ, dense, with θ = (vec Γ₁, vec Γ₂, γ, β) in columns.

    With D_kj = Γ₂[j, k] a′(H)_j, column by column of H, output k has the blocks

        ∂ŷ_k/∂Γ₁ⱼᵀ = diag(D_kj) J_bj X     ∂ŷ_k/∂γ_j = D_kj ⊙ x̂_j     ∂ŷ_k/∂β_j = D_kj

    and V where ∂ŷ_k/∂Γ₂ₖᵀ stands; J_bj X = (γ_j/σ_j)(X − 1x̄ᵀ − x̂_j x̂_jᵀX/(N − ddof)).

    Parameters
    ----------
    net, par, X
        The network, its parameters, and data of shape (N, p1).
    moments
        None: μ and σ are those of this batch and are differentiated. Given: constants.

    Returns
    -------
    A frozen `Jacobian`: N q P numbers.

    Raises
    ------
    ShapeError
        If X, the parameters and the moments do not conform.
    DataError
        If X has an entry that is not finite, or no row; or if batch norm cannot divide by the
        spread of a column (see `moments`).
    DtypeError
        If X is not real.
    OptionError
        If network, parameters and moments disagree about batch norm.

    Examples
    --------
    >>> par = Parameters(Gamma1=[[1.0]], Gamma2=[3.0])
    >>> J = jacobian(Network("identity", batch_norm=None), par, [[2.0]])
    >>> J.matrix, J.column_labels
    (array([[6., 2.]]), ('Gamma1[x1,h1]', 'Gamma2[h1]'))
    """
    given = conform(net, par, X, NO_OUTCOME, moments, call="jacobian(net, par, X)")
    f = forward(net, given)
    (N, p2), p1, q = f.Z.shape, given.X.shape[1], given.Gamma2.shape[1]
    slope = net.a.derivative(f.H)
    blocks, labels = parameter_blocks(par), parameter_labels(par, column_names(X), None)
    J = np.zeros((q, N, len(labels)), dtype=given.X.dtype)  # output, row, parameter
    for j in range(p2):
        dH = given.X if f.b is None else _through_batch_norm(given, f.b, j)
        for k in range(q):
            D = given.Gamma2[j, k] * slope[:, j]
            J[k, :, j * p1 : (j + 1) * p1] = D[:, None] * dH  # vec Γ₁ comes first in θ
    for k in range(q):
        start = blocks["Gamma2"].start + k * p2
        J[k, :, start : start + p2] = f.V
        if f.b is not None:
            D = slope * given.Gamma2[:, k]
            J[k, :, blocks["gamma"]] = D * f.b.Xhat
            J[k, :, blocks["beta"]] = D
    return Jacobian(
        matrix=frozen(J.reshape(q * N, -1)),
        row_labels=tuple(f"{y}[{n + 1}]" for y in output_labels(q, None) for n in range(N)),
        column_labels=labels,
        blocks=blocks,
    )


def _through_batch_norm(given: Given, b: Normalized, j: int) -> Array:
    """Return ∂h_j/∂Γ₁ⱼᵀ = J_bj X, shape (N, p1)."""
    X, xhat = given.X, b.Xhat[:, j]
    scale = given.gamma[j] / b.sigma[j]
    if b.divisor is None:
        return X * scale
    centred = X - X.mean(axis=0, dtype=np.float64)
    return (centred - np.outer(xhat, xhat @ centred) / b.divisor) * scale
