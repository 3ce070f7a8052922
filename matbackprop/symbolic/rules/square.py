"""Functions of a square matrix: A⁻¹, Aᵏ, |A|, log|A|, tr A."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import (
    add,
    identity,
    inverse,
    kron,
    matmul,
    matrix_power,
    neg,
    scale,
    trace,
    transpose,
    vec,
)
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Det, Inverse, LogDet, MatrixPower, Trace
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK


@DIFFERENTIAL.rule(Inverse)
def _(node: Inverse, dA: Expr) -> Expr:
    """d(A⁻¹) = −A⁻¹ dA A⁻¹."""
    return neg(matmul(node, dA, node))


@PULLBACK.rule(Inverse)
def _(node: Inverse, G: Expr, i: int) -> Expr:
    """∂L/∂A = −A⁻ᵀ G A⁻ᵀ."""
    return neg(matmul(transpose(node), G, transpose(node)))


@JACOBIAN.rule(Inverse)
def _(node: Inverse, i: int) -> Expr:
    """∂vec(A⁻¹)/∂vec(A)ᵀ = −A⁻ᵀ ⊗ A⁻¹."""
    return neg(kron(transpose(node), node))


@DIFFERENTIAL.rule(MatrixPower)
def _(node: MatrixPower, dA: Expr) -> Expr:
    """d(Aᵏ) = Σⱼ Aʲ dA Aᵏ⁻¹⁻ʲ."""
    return add(*(matmul(*left, dA, *right) for left, right in _splits(node)))


@PULLBACK.rule(MatrixPower)
def _(node: MatrixPower, G: Expr, i: int) -> Expr:
    """∂L/∂A = Σⱼ (Aʲ)ᵀ G (Aᵏ⁻¹⁻ʲ)ᵀ."""
    return add(
        *(matmul(*map(transpose, left), G, *map(transpose, right)) for left, right in _splits(node))
    )


@JACOBIAN.rule(MatrixPower)
def _(node: MatrixPower, i: int) -> Expr:
    """∂vec(Aᵏ)/∂vec(A)ᵀ = Σⱼ (Aᵏ⁻¹⁻ʲ)ᵀ ⊗ Aʲ."""
    A, k = node.args[0], node.power
    return add(*(kron(transpose(matrix_power(A, k - 1 - j)), matrix_power(A, j)) for j in range(k)))


def _splits(node: MatrixPower) -> list[tuple[list[Expr], list[Expr]]]:
    """Return the powers left and right of each factor of A A … A; none where there is no factor."""
    A, k = node.args[0], node.power
    side = [[matrix_power(A, j)] if j else [] for j in range(k)]
    return [(side[j], side[k - 1 - j]) for j in range(k)]


@DIFFERENTIAL.rule(Det)
def _(node: Det, dA: Expr) -> Expr:
    """d|A| = |A| tr(A⁻¹ dA)."""
    return scale(node, trace(matmul(inverse(node.args[0]), dA)))


@PULLBACK.rule(Det)
def _(node: Det, G: Expr, i: int) -> Expr:
    """∂L/∂A = G |A| A⁻ᵀ."""
    return scale(G, scale(node, transpose(inverse(node.args[0]))))


@JACOBIAN.rule(Det)
def _(node: Det, i: int) -> Expr:
    """∂|A|/∂vec(A)ᵀ = |A| vec(A⁻ᵀ)ᵀ."""
    return scale(node, transpose(vec(transpose(inverse(node.args[0])))))


@DIFFERENTIAL.rule(LogDet)
def _(node: LogDet, dA: Expr) -> Expr:
    """D log|A| = tr(A⁻¹ dA)."""
    return trace(matmul(inverse(node.args[0]), dA))


@PULLBACK.rule(LogDet)
def _(node: LogDet, G: Expr, i: int) -> Expr:
    """∂L/∂A = G A⁻ᵀ."""
    return scale(G, transpose(inverse(node.args[0])))


@JACOBIAN.rule(LogDet)
def _(node: LogDet, i: int) -> Expr:
    """∂log|A|/∂vec(A)ᵀ = vec(A⁻ᵀ)ᵀ."""
    return transpose(vec(transpose(inverse(node.args[0]))))


@DIFFERENTIAL.rule(Trace)
def _(node: Trace, dA: Expr) -> Expr:
    """D tr A = tr dA."""
    return trace(dA)


@PULLBACK.rule(Trace)
def _(node: Trace, G: Expr, i: int) -> Expr:
    """∂L/∂A = G I."""
    return scale(G, identity(node.args[0].rows))


@JACOBIAN.rule(Trace)
def _(node: Trace, i: int) -> Expr:
    """∂tr A/∂vec(A)ᵀ = vec(I)ᵀ."""
    return transpose(vec(identity(node.args[0].rows)))
