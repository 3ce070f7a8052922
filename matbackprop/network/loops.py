"""The nodewise formulation: explicit loops and the scalar chain rule. The specification."""

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import BatchNorm
from matbackprop.network.door import Given, checked
from matbackprop.network.forward_pass import preactivation
from matbackprop.network.model import Network
from matbackprop.network.result import Gradient

Column: TypeAlias = list[float]
Rows: TypeAlias = list[list[float]]


@checked
def nodewise(net: Network, given: Given, inputs: bool, /) -> Gradient:
    """Return the gradients by loops over rows n, inputs i, nodes j and outputs k.

    No matrix product and no closed form: each line is the chain rule for one number, so that a
    reader can hold it against a textbook. What the matrix forms abbreviate is spelled out in
    `_batch_column`, where every z_m moves every x̂_n through μ and σ.
    """
    X, y = given.X.tolist(), given.y.tolist()
    Gamma1, Gamma2 = given.Gamma1.tolist(), given.Gamma2.tolist()
    gamma, beta = given.gamma.tolist(), given.beta.tolist()
    (N, p1), (p2, q) = given.X.shape, given.Gamma2.shape
    c0 = net.c0(N)

    preactivation(net, given)  # only for its checks
    Z = [[sum(X[n][i] * Gamma1[i][j] for i in range(p1)) for j in range(p2)] for n in range(N)]
    b = _normalize(Z, net.batch_norm, given)
    H = [row.copy() for row in Z]
    for j, column in enumerate(b):
        for n in range(N):
            H[n][j] = column.xhat[n] * gamma[j] + beta[j]
    V, slope = _each(net.a.value, H), _each(net.a.derivative, H)
    fitted = [[sum(V[n][j] * Gamma2[j][k] for j in range(p2)) for k in range(q)] for n in range(N)]
    residual = [[y[n][k] - fitted[n][k] for k in range(q)] for n in range(N)]

    dGamma1, dGamma2, dX = _zeros(p1, p2), _zeros(p2, q), _zeros(N, p1)
    dgamma, dbeta = [0.0] * len(b), [0.0] * len(b)
    for j in range(p2):
        S = [0.0] * N  # ∂R/∂h_nj
        for n in range(N):
            for k in range(q):
                dfitted = -2 * c0 * residual[n][k]
                dGamma2[j][k] += dfitted * V[n][j]
                S[n] += dfitted * Gamma2[j][k] * slope[n][j]
        dZ = S
        if b:
            for n in range(N):
                dbeta[j] += S[n]
                dgamma[j] += S[n] * b[j].xhat[n]
            dZ = [sum(S[n] * gamma[j] * b[j].dxhat_dz(n, m) for n in range(N)) for m in range(N)]
        for m in range(N):
            for i in range(p1):
                dGamma1[i][j] += dZ[m] * X[m][i]
                dX[m][i] += dZ[m] * Gamma1[i][j]

    return Gradient(
        loss=c0 * sum(r * r for row in residual for r in row),
        Gamma1=np.array(dGamma1),
        Gamma2=np.array(dGamma2),
        gamma=np.array(dgamma) if b else None,
        beta=np.array(dbeta) if b else None,
        X=np.array(dX) if inputs else None,
        fitted=np.array(fitted),
    )


class _NormalizedColumn(NamedTuple):
    xhat: Column
    dxhat_dz: Callable[[int, int], float]  # (n, m) ↦ ∂x̂_n/∂z_m


def _normalize(Z: Rows, options: BatchNorm | None, given: Given) -> list[_NormalizedColumn]:
    """Return every column normalised; none without batch norm."""
    if options is None:
        return []
    columns = [list(column) for column in zip(*Z, strict=True)]
    if given.fixed is not None:
        moments = zip(given.fixed.mu.tolist(), given.fixed.sigma.tolist(), strict=True)
        return [_fixed_column(z, *each) for z, each in zip(columns, moments, strict=True)]
    return [_batch_column(z, options) for z in columns]


def _fixed_column(z: Column, mu: float, sigma: float) -> _NormalizedColumn:
    return _NormalizedColumn([(z_n - mu) / sigma for z_n in z], lambda n, m: (n == m) / sigma)


def _batch_column(z: Column, options: BatchNorm) -> _NormalizedColumn:
    N = len(z)
    mu = sum(z) / N
    sigma = math.sqrt(sum((z_n - mu) ** 2 for z_n in z) / (N - options.ddof) + options.eps)

    def dxhat_dz(n: int, m: int) -> float:
        # quotient rule for (z_n − μ)/σ, with ∂μ/∂z_m = 1/N
        dnumerator = (n == m) - 1 / N
        dsigma = (z[m] - mu) / ((N - options.ddof) * sigma)
        return (dnumerator * sigma - (z[n] - mu) * dsigma) / sigma**2

    return _NormalizedColumn([(z_n - mu) / sigma for z_n in z], dxhat_dz)


def _each(function: Callable[[Array], Array], rows: Rows) -> Rows:
    return [[float(function(np.asarray(entry))) for entry in row] for row in rows]


def _zeros(rows: int, columns: int) -> Rows:
    return [[0.0] * columns for _ in range(rows)]
