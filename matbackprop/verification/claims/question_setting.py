"""The network of the question as its formulas see it: every quantity a matrix, nothing broadcast.

A product of matrices is `@`, an entrywise one `hadamard`, so that what does not conform raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from matbackprop._typing import Array, Loss
from matbackprop.differences import complex_step
from matbackprop.linalg import hadamard, kron
from matbackprop.network import BatchNorm, Network, Parameters, moments, objective
from matbackprop.verification.claims.definition import affine, mean, normalised, variance
from matbackprop.verification.claims.draw import Draw, differential
from matbackprop.verification.problem import as_question

R_STYLE = BatchNorm(ddof=1, eps=0.0)
COMPACT_GAMMA1 = "Xᵀ(S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − 1)) diag(γ/σ)"
COMPACT_GAMMA = "diag(X̂ᵀS)"
COMPACT_BETA = "1ᵀS"


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A network, its parameters and its data, with every symbol of the question.

    Parameters
    ----------
    net, par, X, y
        A network with one output; X of shape (N, p1), y of shape (N,).

    Examples
    --------
    >>> s = random_setting(Draw(np.random.default_rng(0), r={}))
    >>> s.S.shape == s.Z.shape and s.gamma.shape == (1, s.Z.shape[1])
    True
    """

    net: Network
    par: Parameters
    X: Array
    y: Array

    @property
    def ones(self) -> Array:
        """1_N, (N, 1)."""
        return np.ones((len(self.X), 1))

    @property
    def gamma(self) -> Array:
        """γ as a row, (1, p2)."""
        return np.atleast_2d(np.asarray(self.par.gamma))

    @property
    def beta(self) -> Array:
        """β as a row, (1, p2)."""
        return np.atleast_2d(np.asarray(self.par.beta))

    @property
    def Gamma2(self) -> Array:
        """Γ₂ as a column, (p2, 1)."""
        return self.par.Gamma2.reshape(-1, 1)

    @property
    def Z(self) -> Array:
        """XΓ₁, (N, p2)."""
        return self.X @ self.par.Gamma1

    @property
    def mu(self) -> Array:
        """The column means of Z in each row, (N, p2)."""
        return repeated_rows(self.Z.mean(axis=0), self.ones)

    @property
    def sigma(self) -> Array:
        """The standard deviations of Z's columns, R's, in each row, (N, p2)."""
        return repeated_rows(self.Z.std(axis=0, ddof=1), self.ones)

    @property
    def Xhat(self) -> Array:
        """Z with its columns standardised, (N, p2)."""
        return hadamard(self.Z - self.mu, 1 / self.sigma)

    @property
    def H(self) -> Array:
        """What the activation is applied to, (N, p2)."""
        if self.par.gamma is None:
            return self.Z
        gamma, beta = repeated_rows(self.gamma, self.ones), repeated_rows(self.beta, self.ones)
        return hadamard(gamma, self.Xhat) + beta

    @property
    def V(self) -> Array:
        """a(H), (N, p2)."""
        return self.net.a.value(self.H)

    @property
    def residuals(self) -> Array:
        """ε̂ = y − ŷ as a column, (N, 1)."""
        return self.y.reshape(-1, 1) - self.V @ self.Gamma2

    def slope(self, H: Array, /) -> Array:
        """Return a′(H): a complex step through a, exact for ReLU too, away from 0."""
        return differential(self.net.a.value, H, np.ones_like(H))

    @property
    def S(self) -> Array:
        """What the question calls the stub, with the right a′: (N, p2), for R = Σε̂²."""
        return hadamard(self.slope(self.H), -2 * self.residuals @ self.Gamma2.T)

    def gradient(
        self,
        name: Literal["Gamma1", "Gamma2", "gamma", "beta"],
        /,
        *,
        loss: Loss = "sse",
        fixed_moments: bool = False,
    ) -> Array:
        """Return a gradient by a complex step through the forward pass; γ, β as rows, Γ₂ a column.

        With `fixed_moments` μ and σ are constants, and do not move with Γ₁.
        """
        net = Network(self.net.activation, self.net.batch_norm, loss)
        kept = moments(net, self.par, self.X) if fixed_moments else None
        R = objective(net, self.par, self.X, self.y, moments=kept)
        slopes = Parameters.from_vector(complex_step(R, self.par.to_vector()), like=self.par)
        block = np.asarray(getattr(slopes, name))
        shapes = {"Gamma1": block.shape, "Gamma2": (-1, 1)}
        return block.reshape(shapes.get(name, (1, -1)))


def random_setting(
    draw: Draw, *, batch_norm: bool = True, sizes: tuple[int, int, int] | None = None
) -> Setting:
    """Draw a tanh network, standardised by R's sd; (N, p1, p2) all different unless given."""
    N, p1, p2 = sizes or draw.sizes(3, low=4, high=8)
    par = Parameters(
        draw.matrix(p1, p2),
        draw.matrix(p2),
        draw.positive(p2) if batch_norm else None,
        draw.matrix(p2) if batch_norm else None,
    )
    net = Network("tanh", R_STYLE if batch_norm else None, "sse")
    return Setting(net, par, draw.matrix(N, p1) + draw.matrix(p1), draw.matrix(N))


def posed_setting(draw: Draw) -> Setting:
    """Return the question's own network and data, as R drew them: ReLU, R = Σε̂²."""
    q = as_question(draw.r["question_data"])
    return Setting(q.network, q.parameters, q.X, q.y)


def repeated_rows(row: Array, ones: Array, /) -> Array:
    """Return 1_N times a row."""
    return ones @ np.atleast_2d(row)


def standardised(Z: Array, /, *, ddof: int = 1, eps: float = 0.0) -> Array:
    """Return the columns of Z standardised by the definition, σ with R's divisor N − 1."""
    return normalised(Z, mean(Z), spread(Z, ddof=ddof) ** 2, eps)


def spread(Z: Array, /, *, ddof: int = 1) -> Array:
    """Return σ, the deviation of each column by the definition, as a row, (1, p2)."""
    return np.sqrt(variance(Z) * (len(Z) / (len(Z) - ddof)))


def node_by_node(X: Array, gamma: Array, beta: Array, /, *, ddof: int = 1) -> Array:
    """Return batch norm of a layer by the definition, each column as a node of its own."""
    return affine(standardised(X, ddof=ddof), gamma, beta)


def scale_factors(s: Setting, /) -> Array:
    """Return w = (γ ⊗ 1_N) ⊘ σ, (N, p2), as the question defines it."""
    return hadamard(kron(s.gamma, s.ones), 1 / s.sigma)


def ones_times_S(s: Setting, /) -> Array:
    """Return 1ᵀS, (1, p2)."""
    return s.ones.T @ s.S


def diagonal_of_XhatS(s: Setting, /) -> Array:
    """Return diag(X̂ᵀS) as a row, (1, p2)."""
    return np.diag(s.Xhat.T @ s.S).reshape(1, -1)


def compact_Gamma1(s: Setting, /) -> Array:
    """Return Xᵀ(S − 1·mean(S) − X̂ diag(diag(X̂ᵀS))/(N − 1)) diag(γ/σ), (p1, p2)."""
    N = len(s.X)
    through_mu = s.ones @ ones_times_S(s) / N
    through_sigma = s.Xhat @ np.diag(diagonal_of_XhatS(s)[0]) / (N - 1)
    return s.X.T @ (s.S - through_mu - through_sigma) @ np.diag(scale_factors(s)[0])


def true_gradients(s: Setting, /) -> Array:
    """Return ∂R/∂Γ₁, ∂R/∂γ and ∂R/∂β by complex steps, one below the other."""
    return np.vstack([s.gradient("Gamma1"), s.gradient("gamma"), s.gradient("beta")])


def compact_gradients(s: Setting, /) -> Array:
    """Return the compact formulas for the same three, one below the other."""
    return np.vstack([compact_Gamma1(s), diagonal_of_XhatS(s), ones_times_S(s)])
