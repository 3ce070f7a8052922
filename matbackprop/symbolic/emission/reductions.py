"""What matrix functions, sums and rearrangements become in a program."""

from __future__ import annotations

from matbackprop.symbolic.emission.chains import Chain, chain
from matbackprop.symbolic.emission.entrywise import FULL, Factors, extent
from matbackprop.symbolic.emission.lowering import LOWERED, Lowering, Signed
from matbackprop.symbolic.emission.operations import Product, Raised, full, inner
from matbackprop.symbolic.expressions.expression import Expr, MatMul, Number
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    ColSum,
    Det,
    Diag,
    DiagVec,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Norm1,
    Norm2,
    Ones,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
)


@LOWERED.rule(
    *(Inverse, Det, LogDet, Norm2, Diag, Kron, Vec, Reshape),
    *(Rearrange, Assemble, Softmax, LogSumExp),
)
def _(node: Expr, lowering: Lowering) -> Expr:
    return node.with_args(tuple(lowering.whole(arg) for arg in node.args))


@LOWERED.rule(Norm1)
def _(node: Norm1, lowering: Lowering) -> Expr:
    return Total(Apply("abs", lowering.whole(node.args[0])))


@LOWERED.rule(MatrixPower)
def _(node: MatrixPower, lowering: Lowering) -> Expr:
    return _powered(lowering.whole(node.args[0]), node.power)


def _powered(A: Expr, k: int) -> Expr:
    if k == 1:
        return A
    return Product(A, _powered(A, k - 1)) if k % 2 else _powered(Product(A, A), k // 2)


@LOWERED.rule(RowSum)
def _(node: RowSum, lowering: Lowering) -> Signed:
    (M,) = node.args
    return _product(node, lowering, *chain(lowering, M, Ones(M.columns, 1)))


@LOWERED.rule(ColSum)
def _(node: ColSum, lowering: Lowering) -> Signed:
    (M,) = node.args
    return _product(node, lowering, *chain(lowering, Ones(1, M.rows), M))


def _product(node: Expr, lowering: Lowering, scalars: list[Expr], links: Chain) -> Signed:
    factors = Factors(lowering, node.shape)
    factors.take_chain(scalars, links)
    return factors.value()


@LOWERED.rule(DiagVec)
def _(node: DiagVec, lowering: Lowering) -> Signed:
    scalars, links = chain(lowering, node.args[0])
    return _scaled(node, lowering, scalars, links.diagonal())


@LOWERED.rule(Trace, Item)
def _(node: Expr, lowering: Lowering) -> Signed:
    scalars, links = chain(lowering, node.args[0])
    return _scaled(node, lowering, scalars, links.trace())


def _scaled(node: Expr, lowering: Lowering, scalars: list[Expr], value: Expr) -> Signed:
    factors = Factors(lowering, node.shape)
    for scalar in scalars:
        factors.take(scalar, alone=lowering.once(scalar))
    factors.put(value)
    return factors.value()


@LOWERED.rule(Total)
def _(node: Total, lowering: Lowering) -> Signed:
    (M,) = node.args
    if isinstance(M, MatMul) and lowering.once(M):
        scalars, links = chain(lowering, Ones(1, M.rows), M, Ones(M.columns, 1))
        return _scaled(node, lowering, scalars, links.trace())
    factors = Factors(lowering, M.shape)
    factors.take(M, alone=lowering.once(M))
    result = factors.scalars()
    matrices = [value for value in factors.above if extent(value, M.shape) == FULL]
    if len(matrices) > 1:
        # One of the matrices stands apart; the rest keeps the full shape.
        factors.above.remove(matrices[0])
        result.put(inner(matrices[0], factors.value()[1]))
    else:
        value = full(factors.value()[1], M.shape)
        squared = isinstance(value, Raised) and value.args[1] is Number(2)
        x = value.args[0] if squared else None
        result.put(Total(value) if x is None else inner(x, x))
    return result.value()
