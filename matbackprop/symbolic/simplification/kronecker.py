"""Normal form of ⊗, vec, reshape, commutation and rearrangement."""

from __future__ import annotations

from typing import Any

from matbackprop.symbolic.expressions.construct import (
    add,
    broadcast,
    hadamard,
    identity,
    item,
    kron,
    matmul,
    reshape,
    scale,
    transpose,
    vec,
    zero,
)
from matbackprop.symbolic.expressions.expression import Expr, Scale, Sum
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Assemble,
    Centering,
    Commutation,
    Identity,
    Kron,
    Rearrange,
    Reshape,
    Vec,
)
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.order import UNIT, is_zero, kind_of_broadcast, split

Args = tuple[Expr, ...]
Data = tuple[Any, ...]


@NORMAL_FORM.rule(Kron)
def _(args: Args, data: Data) -> Expr:
    """I ⊗ I = I, s ⊗ A = sA, c ⊗ r = cr for a column and a row."""
    a, b = args
    if is_zero(a) or is_zero(b):
        return zero((a.rows * b.rows, a.columns * b.columns))
    if isinstance(a, Scale):
        return scale(a.args[0], kron(a.args[1], b))
    if isinstance(b, Scale):
        return scale(b.args[0], kron(a, b.args[1]))
    for one, other in ((a, b), (b, a)):
        if one.shape == (ONE, ONE):
            return scale(item(one), other)
    if isinstance(a, Identity) and isinstance(b, Identity):
        return identity(a.rows * b.rows)
    if a.columns == ONE and b.rows == ONE:
        return matmul(a, b)
    if a.rows == ONE and b.columns == ONE:
        return matmul(b, a)
    if kind_of_broadcast(a) == kind_of_broadcast(b) == "scalar":
        scalar = hadamard(a.args[0], b.args[0])
        return broadcast(scalar, (a.rows * b.rows, a.columns * b.columns))
    return Kron(a, b)


@NORMAL_FORM.rule(Vec)
def _(args: Args, data: Data) -> Expr:
    """Leave a column, transpose a row; vec(1r) = rᵀ ⊗ 1, vec(c1ᵀ) = 1 ⊗ c."""
    (a,) = args
    if is_zero(a):
        return zero((a.rows * a.columns, ONE))
    if a.columns == ONE:
        return a
    if a.rows == ONE:
        return transpose(a)
    if isinstance(a, Scale):
        return scale(a.args[0], vec(a.args[1]))
    if kind_of_broadcast(a) == "scalar":
        return broadcast(a.args[0], (a.rows * a.columns, ONE))
    match kind_of_broadcast(a):
        case "row":
            return kron(transpose(a.args[0]), broadcast(UNIT, (a.rows, ONE)))
        case "column":
            return kron(broadcast(UNIT, (a.columns, ONE)), a.args[0])
    return vec(a.args[0]) if isinstance(a, Reshape) else Vec(a)


@NORMAL_FORM.rule(Reshape)
def _(args: Args, data: Data) -> Expr:
    """Undo a vec; what has the shape already is left as it is."""
    (a,) = args
    if a.shape == data:
        return a
    if is_zero(a):
        return zero(data)
    if isinstance(a, Vec | Reshape):
        return reshape(a.args[0], data)
    if isinstance(a, Scale):
        return scale(a.args[0], reshape(a.args[1], data))
    if kind_of_broadcast(a) == "scalar":
        return broadcast(a.args[0], data)
    if isinstance(a, Sum) and any(isinstance(split(t)[1], Vec | Reshape) for t in a.args):
        return add(*(reshape(t, data) for t in a.args))
    if data[1] == ONE:
        return vec(a)
    if data[0] == ONE and ONE in a.shape:
        return transpose(vec(a))
    return Reshape(a, *data)


@NORMAL_FORM.rule(Commutation)
def _(args: Args, data: Data) -> Expr:
    """K(1, n) = K(n, 1) = I."""
    return identity(data[0] * data[1]) if ONE in data else Commutation(*data)


@NORMAL_FORM.rule(Identity)
def _(args: Args, data: Data) -> Expr:
    """I of one row is the 1×1 matrix 1."""
    return broadcast(UNIT, (ONE, ONE)) if data[0] == ONE else Identity(*data)


@NORMAL_FORM.rule(Centering)
def _(args: Args, data: Data) -> Expr:
    """Of one row nothing is left."""
    return zero((ONE, ONE)) if data[0] == ONE else Centering(*data)


@NORMAL_FORM.rule(Rearrange)
def _(args: Args, data: Data) -> Expr:
    """R(A ⊗ B) = vec(A)vec(B)ᵀ."""
    (a,) = args
    m, n, p, q = data
    if isinstance(a, Kron) and a.args[0].shape == (m, n) and a.args[1].shape == (p, q):
        return matmul(vec(a.args[0]), transpose(vec(a.args[1])))
    if n == ONE and q == ONE:
        return transpose(reshape(a, (p, m)))
    if m == ONE and p == ONE:
        return transpose(reshape(a, (q, n)))
    return _moved(a, Rearrange, Assemble, data)


@NORMAL_FORM.rule(Assemble)
def _(args: Args, data: Data) -> Expr:
    """Undo a rearrangement."""
    return _moved(args[0], Assemble, Rearrange, data)


def _moved(a: Expr, kind: type[Expr], undone: type[Expr], data: Data) -> Expr:
    if isinstance(a, undone) and a.data == data:
        return a.args[0]
    shape = kind.shape_of((a,), data)
    if is_zero(a):
        return zero(shape)
    if isinstance(a, Scale):
        return scale(a.args[0], NORMAL_FORM[kind]((a.args[1],), data))
    if kind_of_broadcast(a) == "scalar":
        return broadcast(a.args[0], shape)
    if isinstance(a, Sum) and any(isinstance(t, undone) for t in a.args):
        return add(*(NORMAL_FORM[kind]((t,), data) for t in a.args))
    return kind.make((a,), data)
