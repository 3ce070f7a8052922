"""Sums of entries: over all, by rows, by columns; the two norms."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import (
    apply,
    broadcast,
    colsum,
    divide,
    identity,
    inner,
    kron,
    ones,
    power,
    rowsum,
    scale,
    total,
    transpose,
    vec,
)
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import ColSum, Norm1, Norm2, RowSum, Total
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK


@DIFFERENTIAL.rule(Total)
def _(node: Total, dM: Expr) -> Expr:
    """d(1ᵀM1) = 1ᵀ dM 1."""
    return total(dM)


@PULLBACK.rule(Total)
def _(node: Total, G: Expr, i: int) -> Expr:
    """∂L/∂M = G 11ᵀ."""
    return broadcast(G, node.args[0].shape)


@JACOBIAN.rule(Total)
def _(node: Total, i: int) -> Expr:
    """∂(1ᵀM1)/∂vec(M)ᵀ = 1ᵀ."""
    (M,) = node.args
    return ones(1, M.rows * M.columns)


@DIFFERENTIAL.rule(RowSum)
def _(node: RowSum, dM: Expr) -> Expr:
    """d(M1) = dM 1."""
    return rowsum(dM)


@PULLBACK.rule(RowSum)
def _(node: RowSum, G: Expr, i: int) -> Expr:
    """∂L/∂M = G1ᵀ."""
    return broadcast(G, node.args[0].shape)


@JACOBIAN.rule(RowSum)
def _(node: RowSum, i: int) -> Expr:
    """∂(M1)/∂vec(M)ᵀ = 1ᵀ ⊗ I."""
    (M,) = node.args
    return kron(ones(1, M.columns), identity(M.rows))


@DIFFERENTIAL.rule(ColSum)
def _(node: ColSum, dM: Expr) -> Expr:
    """d(1ᵀM) = 1ᵀ dM."""
    return colsum(dM)


@PULLBACK.rule(ColSum)
def _(node: ColSum, G: Expr, i: int) -> Expr:
    """∂L/∂M = 1G."""
    return broadcast(G, node.args[0].shape)


@JACOBIAN.rule(ColSum)
def _(node: ColSum, i: int) -> Expr:
    """∂vec(1ᵀM)/∂vec(M)ᵀ = I ⊗ 1ᵀ."""
    (M,) = node.args
    return kron(identity(M.columns), ones(1, M.rows))


@DIFFERENTIAL.rule(Norm2)
def _(node: Norm2, dM: Expr) -> Expr:
    """d‖M‖ = ⟨M, dM⟩/‖M‖."""
    return divide(inner(node.args[0], dM), node)


@PULLBACK.rule(Norm2)
def _(node: Norm2, G: Expr, i: int) -> Expr:
    """∂L/∂M = (G/‖M‖) M."""
    return scale(divide(G, node), node.args[0])


@JACOBIAN.rule(Norm2)
def _(node: Norm2, i: int) -> Expr:
    """∂‖M‖/∂vec(M)ᵀ = vec(M)ᵀ/‖M‖."""
    return scale(power(node, -1), transpose(vec(node.args[0])))


@DIFFERENTIAL.rule(Norm1)
def _(node: Norm1, dM: Expr) -> Expr:
    """D Σ|M| = ⟨sign M, dM⟩."""
    return inner(apply("sign", node.args[0]), dM)


@PULLBACK.rule(Norm1)
def _(node: Norm1, G: Expr, i: int) -> Expr:
    """∂L/∂M = G sign M."""
    return scale(G, apply("sign", node.args[0]))


@JACOBIAN.rule(Norm1)
def _(node: Norm1, i: int) -> Expr:
    """∂Σ|M|/∂vec(M)ᵀ = vec(sign M)ᵀ."""
    return transpose(vec(apply("sign", node.args[0])))
