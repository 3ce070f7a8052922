"""Functions of each row: softmax, and the logarithm of the sum of exponentials."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import (
    broadcast,
    diag,
    hadamard,
    identity,
    kron,
    matmul,
    ones,
    rowsum,
    softmax,
    sub,
    transpose,
    vec,
)
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import LogSumExp, Softmax
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK


@DIFFERENTIAL.rule(Softmax)
def _(node: Softmax, dZ: Expr) -> Expr:
    """DP = P ⊙ (dZ − (P ⊙ dZ)11ᵀ) for P = softmax(Z)."""
    return _less_its_mean(node, dZ)


@PULLBACK.rule(Softmax)
def _(node: Softmax, G: Expr, i: int) -> Expr:
    """∂L/∂Z = P ⊙ (G − (P ⊙ G)11ᵀ): row by row dP/dZ is symmetric."""
    return _less_its_mean(node, G)


@JACOBIAN.rule(Softmax)
def _(node: Softmax, i: int) -> Expr:
    """∂vec(P)/∂vec(Z)ᵀ = D − BBᵀ with D = diag(vec P), B = D(1 ⊗ I)."""
    D = diag(vec(node))
    B = matmul(D, kron(ones(node.columns), identity(node.rows)))
    return sub(D, matmul(B, transpose(B)))


def _less_its_mean(P: Expr, M: Expr) -> Expr:
    # The rows of P are weights: (P ⊙ M)1 holds the weighted mean of each row of M.
    return hadamard(P, sub(M, broadcast(rowsum(hadamard(P, M)), P.shape)))


@DIFFERENTIAL.rule(LogSumExp)
def _(node: LogSumExp, dZ: Expr) -> Expr:
    """D logsumexp(Z) = (softmax(Z) ⊙ dZ)1."""
    return rowsum(hadamard(softmax(node.args[0]), dZ))


@PULLBACK.rule(LogSumExp)
def _(node: LogSumExp, G: Expr, i: int) -> Expr:
    """∂L/∂Z = softmax(Z) ⊙ G1ᵀ."""
    (Z,) = node.args
    return hadamard(softmax(Z), broadcast(G, Z.shape))


@JACOBIAN.rule(LogSumExp)
def _(node: LogSumExp, i: int) -> Expr:
    """∂logsumexp(Z)/∂vec(Z)ᵀ = (1ᵀ ⊗ I) diag(vec softmax(Z))."""
    (Z,) = node.args
    return matmul(kron(ones(1, Z.columns), identity(Z.rows)), diag(vec(softmax(Z))))
