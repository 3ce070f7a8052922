"""The one-pass formulation: everything that leaves a block of rows is a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from array_api_compat import array_namespace

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray, wide_dtype, widened
from matbackprop.network.affine_form import (
    AffineForm,
    BatchForm,
    batch_form,
    fixed_form,
    plain_form,
)
from matbackprop.network.column_spread import is_far_from_zero, sigma_of
from matbackprop.network.data_moments import DataMoments, block_moments
from matbackprop.network.door import Given, checked
from matbackprop.network.model import Network
from matbackprop.network.result import Gradient

ROWS = 512
"""Rows a block: few enough to stay in cache, many enough to be worth a product."""

Pair: TypeAlias = Callable[[AnyArray], tuple[AnyArray, AnyArray]]
"""H ↦ (a(H), a′(H))."""


class BlockMap(NamedTuple):
    """What a block meets: H = (X − 1·pivotᵀ)W + 1cᵀ, V = a(H), ŷ = VΓ₂; arrays of its library."""

    pair: Pair
    W: AnyArray  # (p1, p2)
    c: AnyArray  # (p2,)
    pivot: AnyArray | None  # (p1,)
    Gamma2: AnyArray  # (p2, q)


class Activated(NamedTuple):
    """A block on its way: the rows as they were multiplied, a(H), a′(H), ŷ."""

    X: AnyArray  # (n, p1)
    V: AnyArray  # (n, p2)
    slope: AnyArray  # (n, p2)
    fitted: AnyArray  # (n, q)


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Σwε̂², and with u = −2wε̂ and S = a′(H) ⊙ uΓ₂ᵀ the sums XᵀS, 1ᵀS, Vᵀu: R's without c₀.

    In float64 wherever the device has it, so that many blocks round no more than one.
    """

    loss: AnyArray
    W: AnyArray  # (p1, p2)
    c: AnyArray  # (p2,)
    Gamma2: AnyArray  # (p2, q)

    def merge(self, other: Sums, /) -> Sums:
        """Return the sums over the rows of both."""
        return Sums(
            self.loss + other.loss,
            self.W + other.W,
            self.c + other.c,
            self.Gamma2 + other.Gamma2,
        )


def activate(block: BlockMap, X: AnyArray, /) -> Activated:
    """Return the forward pass of a block of rows."""
    if block.pivot is not None:
        X = X - block.pivot
    H = X @ block.W
    H += block.c
    V, slope = block.pair(H)
    return Activated(X, V, slope, V @ block.Gamma2)


def leave(block: BlockMap, f: Activated, u: AnyArray, loss: AnyArray, /) -> Sums:
    """Return what u, the gradient for ŷ, shape (n, q), sends back to W, c and Γ₂."""
    xp, wide = array_namespace(f.X), wide_dtype(f.X)
    # With one output it is the product of a column and a row: faster entry by entry.
    dV = u * block.Gamma2.T if u.shape[1] == 1 else u @ block.Gamma2.T
    S = f.slope * dV
    products = f.X.T @ S, f.V.T @ u
    return Sums(
        loss, widened(products[0], S), xp.sum(S, axis=0, dtype=wide), widened(products[1], S)
    )


def block_sums(
    block: BlockMap, X: AnyArray, y: AnyArray, weights: AnyArray | None = None, /
) -> Sums:
    """Return the sums of a block of rows: y of shape (n, q), weights (n,) or None for 1 each."""
    f = activate(block, X)
    return leave(block, f, *weighted_residuals(y - f.fitted, weights))


def weighted_residuals(
    residuals: AnyArray, weights: AnyArray | None, /
) -> tuple[AnyArray, AnyArray]:
    """Return u = −2wε̂ and Σwε̂², the latter in the wide dtype."""
    xp = array_namespace(residuals)
    wide = widened(residuals, residuals)
    squares = wide * wide
    if weights is None:
        return -2 * residuals, xp.sum(squares)
    w = xp.expand_dims(weights, axis=1)
    return -2 * w * residuals, xp.sum(widened(w, residuals) * squares)


def centred_squares(
    X: AnyArray, Gamma1: AnyArray, data: DataMoments, weights: AnyArray | None = None, /
) -> AnyArray:
    """Return Σ w (z − μ)² of a block, in the wide dtype: each z from rows near their pivot."""
    xp = array_namespace(X)
    Z = (widened(X, X) - widened(data.pivot, X) - data.shift) @ Gamma1
    return xp.sum(Z * Z if weights is None else xp.expand_dims(weights, axis=1) * Z * Z, axis=0)


def gradient_of(form: AffineForm, sums: Sums, c0: float, /) -> Gradient:
    """Return the gradient that the sums over all rows make; c₀ is applied here, once."""
    pulled = form.pull_back(c0 * sums.W, c0 * sums.c)
    return Gradient(
        loss=c0 * sums.loss,
        Gamma1=pulled.Gamma1,
        Gamma2=c0 * sums.Gamma2,
        gamma=pulled.gamma,
        beta=pulled.beta,
    )


@checked
def one_pass(net: Network, given: Given, inputs: bool, /) -> Gradient:
    """Return the gradients from one pass over blocks of rows, nothing of size N × p2 in memory.

    With N, x̄ and C known, and S = a′(H) ⊙ (−2c₀ ε̂Γ₂ᵀ),

        μ = x̄ᵀΓ₁      σ² = diag(Γ₁ᵀCΓ₁)/(N − ddof) + eps
        H = XW + 1c,   W = Γ₁diag(γ/σ),  c = β − x̄ᵀW
        ∂R/∂Γ₁ = (XᵀS − x̄ ∂R/∂β − C Γ₁ diag(σ⁻¹ ⊙ ∂R/∂γ)/(N − ddof)) diag(γ/σ)
        ∂R/∂γ_j = Γ₁ⱼᵀ(XᵀS − x̄ ∂R/∂β)_j / σ_j

    and 1ᵀS, XᵀS, Vᵀε̂ are sums over blocks. Finding x̄ and C is a pass of its own here;
    `matbackprop.streaming.Problem` finds them once. ∂R/∂X costs one more.
    """
    form, c0 = _form(net, given), net.c0(len(given.X))
    block = block_map(form, given.Gamma2, activation_pair(net), given.X.dtype)
    fitted = np.empty_like(given.y)

    def sums(rows: slice) -> Sums:
        f = activate(block, given.X[rows])
        fitted[rows] = f.fitted
        return leave(block, f, *weighted_residuals(given.y[rows] - f.fitted, None))

    g = gradient_of(form, reduce(Sums.merge, map(sums, _blocks(len(given.X)))), c0)
    dX = _inputs(g, given, form, block, c0) if inputs else None
    return replace(g, X=dX, fitted=fitted)


def activation_pair(net: Network, /) -> Pair:
    """Return H ↦ (a(H), a′(H)) for NumPy arrays, as the activation itself computes them."""
    return lambda H: (net.a.value(H), net.a.derivative(H))


def _form(net: Network, given: Given) -> AffineForm:
    if net.batch_norm is None:
        return plain_form(given)
    if given.fixed is not None:
        return fixed_form(given, None)
    X = given.X
    data = reduce(DataMoments.merge, (block_moments(X[b]) for b in _blocks(len(X)))).settled()

    def squares(Gamma1: Array) -> Array:
        return sum(centred_squares(X[rows], Gamma1, data) for rows in _blocks(len(X)))

    sigma, divisor = sigma_of(given, net.batch_norm, data, squares)
    return batch_form(given, data, sigma, divisor, data.pivot if is_far_from_zero(data) else None)


def block_map(form: AffineForm, Gamma2: Array, pair: Pair, dtype: Any, /) -> BlockMap:
    """Return the map of the rows, in the dtype in which they are multiplied."""
    pivot = None if form.pivot is None else form.pivot.astype(dtype, copy=False)
    return BlockMap(pair, form.W.astype(dtype), form.c.astype(dtype), pivot, Gamma2.astype(dtype))


def _blocks(N: int) -> Iterator[slice]:
    return (slice(start, start + ROWS) for start in range(0, N, ROWS))


def _inputs(g: Gradient, given: Given, form: AffineForm, block: BlockMap, c0: float) -> Array:
    """Return ∂R/∂X = S Wᵀ, and what goes by way of the moments."""
    dX = np.empty_like(given.X)
    for rows in _blocks(len(dX)):
        f = activate(block, given.X[rows])
        u, _ = weighted_residuals(given.y[rows] - f.fitted, None)
        dX[rows] = (c0 * f.slope * (u @ block.Gamma2.T)) @ block.W.T
        if isinstance(form, BatchForm):
            a, A = form.through_moments(g, len(dX))
            dX[rows] -= a + (f.X - form.m) @ A
    return dX
