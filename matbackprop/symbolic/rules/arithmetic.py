"""Sums and products: A + B, sM, A B, A ⊙ B, xᵃ."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import (
    add,
    apply,
    hadamard,
    identity,
    inner,
    kron,
    matmul,
    number,
    power,
    scale,
    sub,
    transpose,
    vec,
)
from matbackprop.symbolic.expressions.expression import Expr, Hadamard, MatMul, Power, Scale, Sum
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK
from matbackprop.symbolic.rules.entries import along_the_diagonal


@DIFFERENTIAL.rule(Sum)
def _(node: Sum, *dargs: Expr | None) -> Expr:
    """d(A + B) = dA + dB."""
    return add(*(d for d in dargs if d is not None))


@PULLBACK.rule(Sum)
def _(node: Sum, G: Expr, i: int) -> Expr:
    """∂L/∂A = G."""
    return G


@JACOBIAN.rule(Sum)
def _(node: Sum, i: int) -> Expr:
    """∂vec(A + B)/∂vec(A)ᵀ = I."""
    return identity(node.rows * node.columns)


@DIFFERENTIAL.rule(Scale)
def _(node: Scale, ds: Expr | None, dM: Expr | None) -> Expr:
    """d(sM) = ds·M + s·dM."""
    s, M = node.args
    first = [] if ds is None else [scale(ds, M)]
    second = [] if dM is None else [scale(s, dM)]
    return add(*first, *second)


@PULLBACK.rule(Scale)
def _(node: Scale, G: Expr, i: int) -> Expr:
    """∂L/∂s = ⟨M, G⟩, ∂L/∂M = sG."""
    s, M = node.args
    return scale(s, G) if i else inner(M, G)


@JACOBIAN.rule(Scale)
def _(node: Scale, i: int) -> Expr:
    """∂vec(sM)/∂s = vec(M), ∂vec(sM)/∂vec(M)ᵀ = sI."""
    s, M = node.args
    return scale(s, identity(M.rows * M.columns)) if i else vec(M)


@DIFFERENTIAL.rule(MatMul)
def _(node: MatMul, *dargs: Expr | None) -> Expr:
    """d(LAR) = dL·A R + L·dA·R + L A·dR."""
    return add(
        *(
            matmul(*node.args[:i], d, *node.args[i + 1 :])
            for i, d in enumerate(dargs)
            if d is not None
        )
    )


@PULLBACK.rule(MatMul)
def _(node: MatMul, G: Expr, i: int) -> Expr:
    """∂L/∂A = LᵀG Rᵀ in LAR."""
    before = (transpose(factor) for factor in reversed(node.args[:i]))
    after = (transpose(factor) for factor in reversed(node.args[i + 1 :]))
    return matmul(*before, G, *after)


@JACOBIAN.rule(MatMul)
def _(node: MatMul, i: int) -> Expr:
    """∂vec(LAR)/∂vec(A)ᵀ = Rᵀ ⊗ L."""
    A, before, after = node.args[i], node.args[:i], node.args[i + 1 :]
    L = matmul(*before) if before else identity(A.rows)
    R = matmul(*after) if after else identity(A.columns)
    return kron(transpose(R), L)


@DIFFERENTIAL.rule(Hadamard)
def _(node: Hadamard, *dargs: Expr | None) -> Expr:
    """d(A ⊙ B) = dA ⊙ B + A ⊙ dB."""
    return add(
        *(
            hadamard(*node.args[:i], d, *node.args[i + 1 :])
            for i, d in enumerate(dargs)
            if d is not None
        )
    )


@PULLBACK.rule(Hadamard)
def _(node: Hadamard, G: Expr, i: int) -> Expr:
    """∂L/∂A = B ⊙ G."""
    return hadamard(*node.args[:i], *node.args[i + 1 :], G)


@JACOBIAN.rule(Hadamard)
def _(node: Hadamard, i: int) -> Expr:
    """∂vec(A ⊙ B)/∂vec(A)ᵀ = diag(vec B)."""
    rest = (*node.args[:i], *node.args[i + 1 :])
    # A product of one factor is that factor; there is no empty product to take the shape from.
    return along_the_diagonal(hadamard(*rest)) if rest else identity(node.rows * node.columns)


@DIFFERENTIAL.rule(Power)
def _(node: Power, dx: Expr | None, da: Expr | None) -> Expr:
    """d(xᵃ) = a xᵃ⁻¹ ⊙ dx + da·xᵃ ⊙ log x."""
    first = [] if dx is None else [hadamard(_slope(node), dx)]
    second = [] if da is None else [scale(da, _growth(node))]
    return add(*first, *second)


@PULLBACK.rule(Power)
def _(node: Power, G: Expr, i: int) -> Expr:
    """∂L/∂x = a xᵃ⁻¹ ⊙ G, ∂L/∂a = ⟨xᵃ ⊙ log x, G⟩."""
    return inner(_growth(node), G) if i else hadamard(_slope(node), G)


@JACOBIAN.rule(Power)
def _(node: Power, i: int) -> Expr:
    """∂vec(xᵃ)/∂vec(x)ᵀ = diag(vec(a xᵃ⁻¹)), ∂vec(xᵃ)/∂a = vec(xᵃ ⊙ log x)."""
    return vec(_growth(node)) if i else along_the_diagonal(_slope(node))


def _slope(node: Power) -> Expr:
    x, a = node.args
    return scale(a, power(x, sub(a, number(1))))


def _growth(node: Power) -> Expr:
    return hadamard(node, apply("log", node.args[0]))
