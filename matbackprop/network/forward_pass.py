"""The forward pass, with every intermediate under its name in the formulas."""

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import Normalized, check_batch, normalize
from matbackprop.network.door import Given
from matbackprop.network.model import Network


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """Z = XΓ₁, X̂ = b.Xhat, H = X̂diag(γ) + 1βᵀ, V = a(H), ŷ = VΓ₂, ε̂ = y − ŷ, R = c₀ Σε̂²."""

    Z: Array  # (N, p2)
    b: Normalized | None  # None without batch norm; then H = Z
    H: Array  # (N, p2)
    V: Array  # (N, p2)
    fitted: Array  # (N, q)
    residuals: Array  # (N, q)
    loss: Array  # a scalar


def preactivation(net: Network, given: Given, /) -> Array:
    """Return Z = XΓ₁, shape (N, p2), once it is sure that batch norm can divide by its spread."""
    Z = given.X @ given.Gamma1
    if net.batch_norm is not None and given.fixed is None:
        # What rounding does to a sum of p1 products, whose errors add up as a random walk does.
        X, Gamma1 = np.abs(given.X), np.abs(given.Gamma1)
        magnitude = np.sqrt(len(Gamma1)) * (X.max(axis=0) @ Gamma1)
        check_batch(Z, net.batch_norm, call=given.call, magnitude=magnitude)
    return Z


def forward(net: Network, given: Given, /) -> Forward:
    """Run the network forward; also with complex parameters, for a complex step.

    R is accumulated in float64, also for float32.
    """
    Z = preactivation(net, given)
    if net.batch_norm is None:
        b, H = None, Z
    else:
        b = normalize(Z, net.batch_norm, moments=given.fixed)
        H = b.Xhat * given.gamma + given.beta
    V = net.a.value(H)
    fitted = V @ given.Gamma2
    residuals = given.y - fitted
    wide = np.result_type(residuals.dtype, np.float64)
    loss = net.c0(len(Z)) * (residuals.astype(wide) ** 2).sum()
    return Forward(Z, b, H, V, fitted, residuals, loss)
