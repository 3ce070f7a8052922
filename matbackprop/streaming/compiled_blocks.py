"""The gradient's sums over a chunk of rows, compiled by numba, for activations of two lines.

Between the two products of a block everything is done in one sweep over H, a row at a time, while
it is in the first cache. numba stores what it compiled, so that only a first use waits for it.
"""

from __future__ import annotations

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm.compilation import compiled


@compiled
def two_line_sums(
    X: Array,
    y: Array,
    weights: Array,
    W: Array,
    c: Array,
    pivot: Array,
    Gamma2T: Array,
    slope: float,
    rows: int,
) -> tuple[float, Array, Array, Array]:
    """Return Σwε̂², XᵀS, 1ᵀS and (Vᵀu)ᵀ, for a(h) = h where h > 0, and slope·h elsewhere.

    All arrays C-contiguous and of one dtype: X (N, p1), weights (N,) or (0,) for 1 each, W
    (p1, p2), c (p2,), pivot (p1,) or (0,) to subtract nothing; with one output y (N,) and Γ₂ᵀ
    (p2,), else (N, q) and (q, p2): numba compiles only the one that is used. Within a block sums
    are kept in that dtype, from block to block in float64.
    """
    (N, p1), p2 = X.shape, len(c)
    loss = 0.0
    XS, S1, uV = np.zeros((p1, p2)), np.zeros(p2), np.zeros(Gamma2T.shape)
    H, product = np.empty((rows, p2), X.dtype), np.empty((p1, p2), X.dtype)
    near = np.empty((rows if pivot.size else 0, p1), X.dtype)
    block_S1, block_uV = np.empty(p2, X.dtype), np.empty(Gamma2T.shape, X.dtype)
    for start in range(0, N, rows):
        n = min(rows, N - start)
        Xb, Hb, yb, wb = X[start : start + n], H[:n], y[start : start + n], weights[start:]
        if pivot.size:
            for i in range(n):
                for k in range(p1):
                    near[i, k] = Xb[i, k] - pivot[k]
            Xb = near[:n]
        np.dot(Xb, W, Hb)
        block_S1[:] = 0
        block_uV[:] = 0
        if Gamma2T.ndim == 1:
            loss += _sweep_one(Hb, yb, wb, c, Gamma2T, slope, block_S1, block_uV)
        else:
            loss += _sweep_many(Hb, yb, wb, c, Gamma2T, slope, block_S1, block_uV)
        np.dot(Xb.T, Hb, product)
        for k in range(p1):
            for j in range(p2):
                XS[k, j] += product[k, j]
        S1 += block_S1
        uV += block_uV
    if Gamma2T.ndim == 1:
        XS *= Gamma2T
        S1 *= Gamma2T
    return loss, XS, S1, uV


@compiled
def _sweep_many(
    H: Array,
    y: Array,
    weights: Array,
    c: Array,
    Gamma2T: Array,
    slope: float,
    S1: Array,
    uV: Array,
) -> float:
    """Put S in the place of XW; add 1ᵀS and (Vᵀu)ᵀ to S1 and uV; return Σwε̂²."""
    (n, p2), q, number = H.shape, len(Gamma2T), H.dtype.type
    a, loss, dV = number(slope), 0.0, np.empty(p2, H.dtype)
    for i in range(n):
        for j in range(p2):
            h = H[i, j] + c[j]
            H[i, j] = h if h > 0 else a * h
        dV[:] = 0
        for k in range(q):
            fitted = number(0)
            for j in range(p2):
                fitted += H[i, j] * Gamma2T[k, j]
            residual = y[i, k] - fitted
            u = number(-2) * residual
            square = np.float64(residual) * np.float64(residual)
            if weights.size:
                u *= weights[i]
                square *= np.float64(weights[i])
            loss += square
            for j in range(p2):
                uV[k, j] += H[i, j] * u
                dV[j] += u * Gamma2T[k, j]
        for j in range(p2):
            s = dV[j] if H[i, j] > 0 else a * dV[j]
            S1[j] += s
            H[i, j] = s
    return loss


@compiled
def _sweep_one(
    H: Array,
    y: Array,
    weights: Array,
    c: Array,
    Gamma2T: Array,
    slope: float,
    S1: Array,
    uV: Array,
) -> float:
    """Do the same for one output, leaving S diag(Γ₂)⁻¹: Γ₂ then multiplies sums, and no rows."""
    (n, p2), number = H.shape, H.dtype.type
    a, loss = number(slope), 0.0
    for i in range(n):
        fitted = number(0)
        for j in range(p2):
            h = H[i, j] + c[j]
            v = h if h > 0 else a * h
            H[i, j] = v
            fitted += v * Gamma2T[j]
        residual = y[i] - fitted
        u = number(-2) * residual
        square = np.float64(residual) * np.float64(residual)
        if weights.size:
            u *= weights[i]
            square *= np.float64(weights[i])
        loss += square
        along = a * u
        for j in range(p2):
            v = H[i, j]
            uV[j] += v * u
            s = u if v > 0 else along
            S1[j] += s
            H[i, j] = s
    return loss
