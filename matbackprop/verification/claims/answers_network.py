"""Random networks ŷ = a(b(XΓ₁))Γ₂ for the first answer's claims, every vector a real column."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import kron, vec
from matbackprop.network import ACTIVATIONS, Activation
from matbackprop.verification.claims.draw import Draw, pulled_back
from matbackprop.verification.claims.question_setting import node_by_node

RANDOM_NETS = "; random networks with tanh or softplus, σ over N or N − 1"
RESIDUALS_AS_A_ROW = "ε̂ is taken as a row, ε̂ᵀ"
LAST_LINES = "first answer, last lines"


class Net(NamedTuple):
    """Data and weights; R is the sum of squares, whose derivative is −2ε̂."""

    X: Array  # (N, p1)
    y: Array  # (N, 1)
    Gamma1: Array  # (p1, p2)
    Gamma2: Array  # (p2, 1)
    gamma: Array  # (p2, 1)
    beta: Array  # (p2, 1)
    a: Activation
    ddof: int

    @property
    def Z(self) -> Array:
        """XΓ₁."""
        return self.X @ self.Gamma1

    @property
    def one(self) -> Array:
        """e, the column of N ones."""
        return np.ones((self.X.shape[0], 1))

    @property
    def mu(self) -> Array:
        """The means of Z's columns, as a column."""
        return column(self.Z.mean(axis=0))

    @property
    def centred(self) -> Array:
        """Z − eμᵀ."""
        return self.Z - self.one @ self.mu.T

    @property
    def inverse_root(self) -> Array:
        """Σ^(−1/2), of shape (p2, p2)."""
        return np.diag(1 / self.Z.std(axis=0, ddof=self.ddof))

    def b(self, Z: Array, gamma: Array | None = None, beta: Array | None = None) -> Array:
        """Batch norm by its definition, one column after the other."""
        scales = self.gamma if gamma is None else gamma
        shifts = self.beta if beta is None else beta
        return node_by_node(Z, scales, shifts, ddof=self.ddof)

    @property
    def H(self) -> Array:
        """b(XΓ₁)."""
        return self.b(self.Z)

    def R(self, H: Array) -> Array:
        """Sum of squared residuals of the network, from b(XΓ₁) on."""
        return ((self.y - self.a.value(H) @ self.Gamma2) ** 2).sum()

    @property
    def residuals(self) -> Array:
        """ε̂ = y − ŷ, a column."""
        return self.y - self.a.value(self.H) @ self.Gamma2

    @property
    def W(self) -> Array:
        """a′(b(XΓ₁)) ⊙ (−2ε̂Γ₂ᵀ), which the question calls the stub."""
        return self.a.derivative(self.H) * (-2 * self.residuals @ self.Gamma2.T)

    def loss_row(self, residuals: Array) -> Array:
        """Return −2ε̂(Γ₂ᵀ ⊗ I), a row if ε̂ comes as one."""
        return -2 * residuals @ kron(self.Gamma2.T, np.eye(len(self.y)))

    @property
    def elementwise(self) -> Array:
        """diag(vec a′(b(XΓ₁)))."""
        return np.diag(vec(self.a.derivative(self.H)))

    def true_dbeta(self) -> Array:
        """∂R/∂β by complex step, a column."""
        return complex_step(lambda beta: self.R(self.b(self.Z, beta=beta)), self.beta)

    def true_dgamma(self) -> Array:
        """∂R/∂γ by complex step, a column."""
        return complex_step(lambda gamma: self.R(self.b(self.Z, gamma=gamma)), self.gamma)

    def true_dH(self) -> Array:
        """∂R/∂b(XΓ₁) by complex step."""
        return pulled_back(self.R, self.H, np.ones(()))


def net(draw: Draw) -> Net:
    """Draw one: three different sizes, tanh or softplus, deviations over N or N − 1.

    Examples
    --------
    >>> n = net(Draw(np.random.default_rng(0), r={}))
    >>> bool(abs(n.true_dbeta() - (n.one.T @ n.W).T).max() < 1e-12)
    True
    """
    N, p1, p2 = draw.sizes(3, low=3, high=8)
    return Net(
        X=draw.matrix(N, p1) + draw.matrix(1, p1),
        y=draw.matrix(N, 1),
        Gamma1=draw.matrix(p1, p2),
        Gamma2=draw.matrix(p2, 1),
        gamma=draw.matrix(p2, 1),
        beta=draw.matrix(p2, 1),
        a=ACTIVATIONS[str(draw.rng.choice(["tanh", "softplus"]))],
        ddof=draw.size(0, 1),
    )


def column(v: Array, /) -> Array:
    """Make a matrix of one column of v.

    Examples
    --------
    >>> column(np.array([1.0, 2.0]))
    array([[1.],
           [2.]])
    """
    return np.asarray(v).reshape(-1, 1, order="F")
