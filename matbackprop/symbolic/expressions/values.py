"""The numerical value of each node, in NumPy. Complex numbers pass, for the complex step.

These are the definitions, written for plainness, not for speed: the witness against which
every derivative is certified. `emission` writes the fast code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from matbackprop import linalg
from matbackprop._typing import Array
from matbackprop.symbolic.expressions.bindings import Bindings
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Size,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Named,
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
    Zeros,
)
from matbackprop.symbolic.expressions.tables import VALUE


@VALUE.rule(Variable)
def _(node: Variable, args: list[Any], given: Bindings) -> Any:
    return given.arrays[node.name]


@VALUE.rule(Number)
def _(node: Number, args: list[Any], given: Bindings) -> Any:
    return float(node.value)


@VALUE.rule(Size)
def _(node: Size, args: list[Any], given: Bindings) -> Any:
    return float(given.size(node.dim))


@VALUE.rule(Named)
def _(node: Named, args: list[Any], given: Bindings) -> Any:
    return args[0]


@VALUE.rule(Zeros)
def _(node: Zeros, args: list[Any], given: Bindings) -> Any:
    return np.zeros(sizes(node, given))


@VALUE.rule(Ones)
def _(node: Ones, args: list[Any], given: Bindings) -> Any:
    return np.ones(sizes(node, given))


@VALUE.rule(Identity)
def _(node: Identity, args: list[Any], given: Bindings) -> Any:
    return np.eye(sizes(node, given)[0])


@VALUE.rule(Centering)
def _(node: Centering, args: list[Any], given: Bindings) -> Any:
    n = sizes(node, given)[0]
    return np.eye(n) - np.ones((n, n)) / n


@VALUE.rule(Commutation)
def _(node: Commutation, args: list[Any], given: Bindings) -> Any:
    m, n = (given.size(dim) for dim in node.data)
    return linalg.commutation(m, n).toarray()


@VALUE.rule(Duplication)
def _(node: Duplication, args: list[Any], given: Bindings) -> Any:
    return linalg.duplication(given.size(node.data[0])).toarray()


@VALUE.rule(Sum)
def _(node: Sum, args: list[Any], given: Bindings) -> Any:
    return sum(args[1:], args[0])


@VALUE.rule(Scale)
def _(node: Scale, args: list[Any], given: Bindings) -> Any:
    return args[0] * args[1]


@VALUE.rule(MatMul)
def _(node: MatMul, args: list[Any], given: Bindings) -> Any:
    result = args[0]
    for factor in args[1:]:
        result = result @ factor
    return result


@VALUE.rule(Hadamard)
def _(node: Hadamard, args: list[Any], given: Bindings) -> Any:
    result = args[0]
    for factor in args[1:]:
        result = result * factor
    return result


@VALUE.rule(Power)
def _(node: Power, args: list[Any], given: Bindings) -> Any:
    base, exponent = args
    whole = float(np.real(exponent)).is_integer() and not np.imag(exponent)
    with np.errstate(divide="ignore", invalid="ignore"):
        if whole:  # of −x where x < 0, lest a large power of a complex number cross its cut
            k, base = float(np.real(exponent)), np.asarray(base)
            negative = base.real < 0
            return np.power(np.where(negative, -base, base), k) * np.where(negative, (-1) ** k, 1)
        return np.power(np.asarray(base), exponent)


@VALUE.rule(Transpose)
def _(node: Transpose, args: list[Any], given: Bindings) -> Any:
    return np.transpose(args[0])


@VALUE.rule(Broadcast)
def _(node: Broadcast, args: list[Any], given: Bindings) -> Any:
    return np.broadcast_to(args[0], sizes(node, given))


@VALUE.rule(Apply)
def _(node: Apply, args: list[Any], given: Bindings) -> Any:
    return FUNCTIONS[node.name].value(np.asarray(args[0]))


@VALUE.rule(Item)
def _(node: Item, args: list[Any], given: Bindings) -> Any:
    return args[0][0, 0]


@VALUE.rule(Inverse)
def _(node: Inverse, args: list[Any], given: Bindings) -> Any:
    return np.linalg.inv(args[0])


@VALUE.rule(MatrixPower)
def _(node: MatrixPower, args: list[Any], given: Bindings) -> Any:
    return np.linalg.matrix_power(args[0], node.power)


@VALUE.rule(Det)
def _(node: Det, args: list[Any], given: Bindings) -> Any:
    return np.linalg.det(args[0])


@VALUE.rule(LogDet)
def _(node: LogDet, args: list[Any], given: Bindings) -> Any:
    # log of a negative determinant is NaN, and of a complex one continues from the real line.
    determinant = np.asarray(np.linalg.det(args[0]))
    sign, log_size = np.linalg.slogdet(args[0])
    if determinant.real <= 0:
        return np.nan
    return log_size + (1j * np.angle(sign) if np.iscomplexobj(sign) else 0)


@VALUE.rule(Trace)
def _(node: Trace, args: list[Any], given: Bindings) -> Any:
    return np.trace(args[0])


@VALUE.rule(Total)
def _(node: Total, args: list[Any], given: Bindings) -> Any:
    return np.sum(args[0])


@VALUE.rule(Norm2)
def _(node: Norm2, args: list[Any], given: Bindings) -> Any:
    return np.sqrt(np.sum(args[0] * args[0]))  # no conjugate: analytic


@VALUE.rule(Norm1)
def _(node: Norm1, args: list[Any], given: Bindings) -> Any:
    return np.sum(FUNCTIONS["abs"].value(args[0]))


@VALUE.rule(RowSum)
def _(node: RowSum, args: list[Any], given: Bindings) -> Any:
    return np.sum(args[0], axis=1, keepdims=True)


@VALUE.rule(ColSum)
def _(node: ColSum, args: list[Any], given: Bindings) -> Any:
    return np.sum(args[0], axis=0, keepdims=True)


@VALUE.rule(Diag)
def _(node: Diag, args: list[Any], given: Bindings) -> Any:
    return np.diag(args[0][:, 0])


@VALUE.rule(DiagVec)
def _(node: DiagVec, args: list[Any], given: Bindings) -> Any:
    return np.diag(args[0])[:, None]


@VALUE.rule(Kron)
def _(node: Kron, args: list[Any], given: Bindings) -> Any:
    return np.kron(args[0], args[1])


@VALUE.rule(Vec)
def _(node: Vec, args: list[Any], given: Bindings) -> Any:
    return args[0].reshape(-1, 1, order="F")


@VALUE.rule(Reshape)
def _(node: Reshape, args: list[Any], given: Bindings) -> Any:
    return args[0].reshape(sizes(node, given), order="F")


@VALUE.rule(Rearrange)
def _(node: Rearrange, args: list[Any], given: Bindings) -> Any:
    m, n, p, q = (given.size(dim) for dim in node.data)
    blocks = args[0].reshape(m, p, n, q)  # [i, a, j, b]: entry (a, b) of block (i, j)
    return blocks.transpose(2, 0, 3, 1).reshape(m * n, p * q)


@VALUE.rule(Assemble)
def _(node: Assemble, args: list[Any], given: Bindings) -> Any:
    m, n, p, q = (given.size(dim) for dim in node.data)
    blocks = args[0].reshape(n, m, q, p)
    return blocks.transpose(1, 3, 0, 2).reshape(m * p, n * q)


@VALUE.rule(Softmax)
def _(node: Softmax, args: list[Any], given: Bindings) -> Any:
    return np.exp(args[0] - _log_sum_exp(args[0]))


@VALUE.rule(LogSumExp)
def _(node: LogSumExp, args: list[Any], given: Bindings) -> Any:
    return _log_sum_exp(args[0])


def _log_sum_exp(Z: Array) -> Array:
    top = np.max(Z.real, axis=1, keepdims=True)
    return top + np.log(np.sum(np.exp(Z - top), axis=1, keepdims=True))


def sizes(node: Expr, given: Bindings, /) -> tuple[int, ...]:
    """Return the shape of a node's value."""
    return tuple(given.size(dim) for dim in node.shape)
