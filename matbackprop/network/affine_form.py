"""Batch norm folded away: what a row of X meets is one affine map, H = (X − 1·pivotᵀ)W + 1cᵀ.

Batch norm needs only two moments of X, and those do not change while Γ₁ does. Once x̄ and C are
known, μ and σ are functions of Γ₁ alone, and batch norm is a map of parameters,

    (Γ₁, γ, β) ↦ (W, c),        W = Γ₁ diag(γ/σ),  c = β − (x̄ − pivot)ᵀW.

So the rows meet a network without batch norm, and leave the sums G = ∂R/∂W and g = ∂R/∂c behind.
`pull_back` takes these through the map above, `push_forward` takes a change of the parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.network.data_moments import DataMoments
from matbackprop.network.door import Given
from matbackprop.network.result import Gradient


class Pulled(NamedTuple):
    """∂R/∂Γ₁ and, with batch norm, ∂R/∂γ and ∂R/∂β."""

    Gamma1: Array
    gamma: Array | None
    beta: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class AffineForm(ABC):
    """H = (X − 1·pivotᵀ)W + 1cᵀ, and how its two parts depend on the parameters.

    Parameters
    ----------
    W
        Shape (p1, p2), float64.
    c
        Shape (p2,), float64.
    pivot
        What is subtracted from each row first, shape (p1,), in the dtype of X; None for nothing.
    """

    W: Array
    c: Array
    pivot: Array | None

    @abstractmethod
    def pull_back(self, G: Array, g: Array, /) -> Pulled:
        """Return the gradients that G = ∂R/∂W and g = ∂R/∂c make."""

    @abstractmethod
    def push_forward(self, dGamma1: Array, dgamma: Array, dbeta: Array, /) -> tuple[Array, Array]:
        """Return (dW, dc) along a change of the parameters; without batch norm two are empty."""


@dataclass(frozen=True, slots=True, eq=False)
class PlainForm(AffineForm):
    """Without batch norm: W = Γ₁, c = 0."""

    def pull_back(self, G: Array, g: Array, /) -> Pulled:
        """∂R/∂Γ₁ = G."""
        return Pulled(G, None, None)

    def push_forward(self, dGamma1: Array, dgamma: Array, dbeta: Array, /) -> tuple[Array, Array]:
        """Return dW = dΓ₁ and dc = 0."""
        return dGamma1, np.zeros_like(self.c)


@dataclass(frozen=True, slots=True, eq=False)
class FixedForm(AffineForm):
    """With given moments: W = Γ₁ diag(γ/σ), c = β + (d ⊙ γ/σ), where d = Γ₁ᵀpivot − μ."""

    Gamma1: Array
    gamma: Array
    sigma: Array
    d: Array

    def pull_back(self, G: Array, g: Array, /) -> Pulled:
        """Return ∂R/∂Γ₁ = (G + pivot gᵀ) diag(γ/σ), ∂R/∂γ = (diag(Γ₁ᵀG) + d ⊙ g)/σ, ∂R/∂β = g."""
        dgamma = ((self.Gamma1 * G).sum(axis=0) + self.d * g) / self.sigma
        if self.pivot is not None:
            G = G + np.outer(self.pivot, g)
        return Pulled(G * (self.gamma / self.sigma), dgamma, g)

    def push_forward(self, dGamma1: Array, dgamma: Array, dbeta: Array, /) -> tuple[Array, Array]:
        """Return the differentials of W and c; μ and σ are constants."""
        scale, dscale = self.gamma / self.sigma, dgamma / self.sigma
        dc = dbeta + self.d * dscale
        if self.pivot is not None:
            dc = dc + (self.pivot @ dGamma1) * scale
        return dGamma1 * scale + self.Gamma1 * dscale, dc


@dataclass(frozen=True, slots=True, eq=False)
class BatchForm(AffineForm):
    """With the moments of all rows, which move with Γ₁: m = x̄ − pivot, and σ² has a Γ₁ᵀCΓ₁ in it.

    `divisor` is Σw − ddof, and `CGamma1` is C Γ₁.
    """

    Gamma1: Array
    gamma: Array
    mu: Array
    sigma: Array
    m: Array
    CGamma1: Array
    divisor: float

    def pull_back(self, G: Array, g: Array, /) -> Pulled:
        """Return the gradients, by way of μ and σ too.

        With Ĝ = G − m gᵀ, which is what W gets when c follows it,

            ∂R/∂β = g,    ∂R/∂γ = diag(Γ₁ᵀĜ)/σ,
            ∂R/∂Γ₁ = (Ĝ − CΓ₁ diag(∂R/∂γ/σ)/(Σw − ddof)) diag(γ/σ).
        """
        G = G - np.outer(self.m, g)
        dgamma = (self.Gamma1 * G).sum(axis=0) / self.sigma
        along = self.CGamma1 * (dgamma / self.sigma / self.divisor)
        return Pulled((G - along) * (self.gamma / self.sigma), dgamma, g)

    def push_forward(self, dGamma1: Array, dgamma: Array, dbeta: Array, /) -> tuple[Array, Array]:
        """Return the differentials of W and c, with dσ = diag(Γ₁ᵀC dΓ₁)/((Σw − ddof)σ)."""
        dsigma = (self.CGamma1 * dGamma1).sum(axis=0) / (self.divisor * self.sigma)
        dscale = (dgamma - self.gamma * dsigma / self.sigma) / self.sigma
        dW = dGamma1 * (self.gamma / self.sigma) + self.Gamma1 * dscale
        return dW, dbeta - self.m @ dW

    def through_moments(self, g: Gradient, weight: float, /) -> tuple[Array, Array]:
        """Return a and A: a row x also moves x̄ and C, and its gradient has −a − A(x − x̄) for it.

        a = Γ₁(γ/σ ⊙ ∂R/∂β)/Σw and A = Γ₁ diag(γ ∂R/∂γ/σ²) Γ₁ᵀ/(Σw − ddof).
        """
        scale = self.gamma / self.sigma
        along = scale * np.asarray(g.gamma) / self.sigma / self.divisor
        a = self.Gamma1 @ (scale * np.asarray(g.beta) / weight)
        return a, (self.Gamma1 * along) @ self.Gamma1.T


def plain_form(given: Given, /) -> PlainForm:
    """Return the form of a network without batch norm."""
    Gamma1 = given.Gamma1.astype(np.float64)
    return PlainForm(Gamma1, np.zeros(Gamma1.shape[1]), None)


def fixed_form(given: Given, pivot: Array | None, /) -> FixedForm:
    """Return the form of a network whose moments are given."""
    assert given.fixed is not None
    Gamma1, gamma, beta = _wide(given)
    mu, sigma = given.fixed.mu.astype(np.float64), given.fixed.sigma.astype(np.float64)
    d = -mu if pivot is None else pivot.astype(np.float64) @ Gamma1 - mu
    scale = gamma / sigma
    return FixedForm(Gamma1 * scale, beta + d * scale, pivot, Gamma1, gamma, sigma, d)


def batch_form(
    given: Given, data: DataMoments, sigma: Array, divisor: float, pivot: Array | None, /
) -> BatchForm:
    """Return the form of a network whose moments are those of the rows, once σ is known."""
    Gamma1, gamma, beta = _wide(given)
    m = data.mean if pivot is None else data.shift
    W = Gamma1 * (gamma / sigma)
    mu, CGamma1 = data.mean @ Gamma1, data.gram @ Gamma1
    return BatchForm(W, beta - m @ W, pivot, Gamma1, gamma, mu, sigma, m, CGamma1, divisor)


def _wide(given: Given) -> tuple[Array, Array, Array]:
    Gamma1, gamma, beta = (
        block.astype(np.float64) for block in (given.Gamma1, given.gamma, given.beta)
    )
    return Gamma1, gamma, beta
