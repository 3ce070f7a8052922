"""Normal form of transposes, inverses, determinants, traces and diagonals."""

from __future__ import annotations

from typing import Any

from matbackprop.symbolic.expressions.construct import (
    add,
    broadcast,
    colsum,
    commutation,
    det,
    diag,
    diagvec,
    hadamard,
    inverse,
    item,
    kron,
    logdet,
    matmul,
    matrix_power,
    neg,
    number,
    power,
    rowsum,
    scale,
    size,
    total,
    trace,
    transpose,
    zero,
)
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Kron,
    LogDet,
    MatrixPower,
    RowSum,
    Trace,
)
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.facts import is_orthogonal, is_symmetric
from matbackprop.symbolic.simplification.order import UNIT, is_zero, kind_of_broadcast
from matbackprop.symbolic.simplification.reductions import reading_order

Args = tuple[Expr, ...]
Data = tuple[Any, ...]


@NORMAL_FORM.rule(Transpose)
def _(args: Args, data: Data) -> Expr:
    """(AB)ᵀ = BᵀAᵀ; of a sum or an elementwise function the transpose stays outside."""
    (a,) = args
    if a.is_scalar or a.shape == (ONE, ONE) or is_symmetric(a):
        return a
    if is_zero(a):
        return zero((a.columns, a.rows))
    match a:
        case Transpose(args=(x,)):
            return x
        case Scale(args=(s, x)):
            return scale(s, transpose(x))
        case MatMul():
            return matmul(*(transpose(f) for f in reversed(a.args)))
        case Broadcast(args=(x,)):
            return broadcast(transpose(x), (a.columns, a.rows))
        case Kron(args=(x, y)):
            return kron(transpose(x), transpose(y))
        case Commutation(data=(m, n)):
            return commutation(n, m)
        case ColSum(args=(Transpose(args=(x,)),)):
            return rowsum(x)
        case RowSum(args=(Transpose(args=(x,)),)):
            return colsum(x)
        case Hadamard() if any(isinstance(f, Broadcast) for f in a.args):
            return hadamard(*map(transpose, a.args))
        case Sum() | Hadamard() if 2 * sum(_flips(f) for f in a.args) >= len(a.args):
            rebuild = add if isinstance(a, Sum) else hadamard
            return rebuild(*map(transpose, a.args))
    return Transpose(a)


@NORMAL_FORM.rule(Inverse)
def _(args: Args, data: Data) -> Expr:
    """Bring transposes and scalars outside; invert what is diagonal, orthogonal, a ⊗."""
    (a,) = args
    match a:
        case Inverse(args=(x,)):
            return x
        case Identity():
            return a
        case Transpose(args=(x,)):
            return transpose(inverse(x))
        case Scale(args=(s, x)):
            return scale(power(s, -1), inverse(x))
        case Diag(args=(v,)):
            return diag(power(v, -1))
        case MatrixPower(args=(x,)):
            return matrix_power(inverse(x), a.power)
        case Commutation(data=(m, n)):
            return commutation(n, m)
        case Kron(args=(x, y)) if x.rows == x.columns and y.rows == y.columns:
            return kron(inverse(x), inverse(y))
        case MatMul() if all(f.rows == f.columns for f in a.args):
            return matmul(*map(inverse, reversed(a.args)))
        case Hadamard() if (scaled := _unscaled(a)) is not None:
            return scaled
    if a.shape == (ONE, ONE):
        return broadcast(power(item(a), -1), a.shape)
    return transpose(a) if is_orthogonal(a) else Inverse(a)


@NORMAL_FORM.rule(Det)
def _(args: Args, data: Data) -> Expr:
    """|Aᵀ| = |A|, |A⁻¹| = 1/|A|."""
    (a,) = args
    match a:
        case Transpose(args=(x,)):
            return det(x)
        case Inverse(args=(x,)):
            return power(det(x), -1)
        case MatrixPower(args=(x,)):
            return power(det(x), a.power)
        case Identity():
            return UNIT
        case Kron(args=(x, y)) if x.rows == x.columns and y.rows == y.columns:
            return hadamard(power(det(x), size(y.rows)), power(det(y), size(x.rows)))
    return item(a) if a.shape == (ONE, ONE) else Det(a)


@NORMAL_FORM.rule(LogDet)
def _(args: Args, data: Data) -> Expr:
    """Of Aᵀ that of A, of A⁻¹ its negative, of A ⊗ B (m×m, n×n) n log|A| + m log|B|."""
    (a,) = args
    match a:
        case Transpose(args=(x,)):
            return logdet(x)
        case Inverse(args=(x,)):
            return neg(logdet(x))
        case Identity():
            return number(0)
        case Kron(args=(x, y)) if x.rows == x.columns and y.rows == y.columns:
            parts = (hadamard(size(y.rows), logdet(x)), hadamard(size(x.rows), logdet(y)))
            return add(*parts)
    return LogDet(a)


@NORMAL_FORM.rule(Trace)
def _(args: Args, data: Data) -> Expr:
    """Turn the cycle of a product to where it reads best; xᵀy where it narrows to one."""
    (a,) = args
    if is_zero(a):
        return number(0)
    match a:
        case Transpose(args=(x,)):
            return trace(x)
        case Scale(args=(s, x)):
            return hadamard(s, trace(x))
        case Identity():
            return size(a.rows)
        case Centering():
            return add(size(a.rows), number(-1))
        case Diag(args=(v,)):
            return total(v)
        case Kron(args=(x, y)) if x.rows == x.columns and y.rows == y.columns:
            return hadamard(trace(x), trace(y))
        case MatMul():
            return _trace_of_product(a)
    return item(a) if a.shape == (ONE, ONE) else Trace(a)


@NORMAL_FORM.rule(Diag)
def _(args: Args, data: Data) -> Expr:
    """diag(s1) = sI; scalars come outside."""
    (v,) = args
    if is_zero(v):
        return zero((v.rows, v.rows))
    if kind_of_broadcast(v) == "scalar":
        return scale(v.args[0], Identity(v.rows))
    if v.rows == ONE:
        return v
    return scale(v.args[0], diag(v.args[1])) if isinstance(v, Scale) else Diag(v)


@NORMAL_FORM.rule(DiagVec)
def _(args: Args, data: Data) -> Expr:
    """Read the diagonal off what is diagonal, an outer product, a transpose."""
    (a,) = args
    if is_zero(a):
        return zero((a.rows, ONE))
    match a:
        case Diag(args=(v,)):
            return v
        case Transpose(args=(x,)):
            return diagvec(x)
        case Scale(args=(s, x)):
            return scale(s, diagvec(x))
        case Identity():
            return broadcast(UNIT, (a.rows, ONE))
        case MatMul(args=(first, *rest)):
            return rowsum(hadamard(first, transpose(matmul(*rest))))
        case Broadcast(args=(x,)):
            column = transpose(x) if kind_of_broadcast(a) == "row" else x
            return broadcast(column, (a.rows, ONE))
        case Hadamard():
            return hadamard(*map(diagvec, a.args))
    return DiagVec(a)


def _unscaled(a: Expr) -> Expr | None:
    """Return the inverse of diag(c) M diag(r), diag(1/r) M⁻¹ diag(1/c), where a is one."""
    for d in a.args:
        if isinstance(d, Broadcast):
            reciprocal = power(d, -1)
        elif isinstance(d, MatMul) and d.args[0].columns == ONE and len(d.args) == 2:
            reciprocal = matmul(*(power(f, -1) for f in d.args))
        else:
            continue
        rest = hadamard(*(f for f in a.args if f is not d))
        return hadamard(transpose(reciprocal), inverse(rest))
    return None


def _flips(node: Expr) -> bool:
    """Whether transposing makes it no larger."""
    if isinstance(node, MatMul):
        return 2 * sum(map(_flips, node.args)) > len(node.args)
    if isinstance(node, Scale):
        return _flips(node.args[1])
    return isinstance(node, Transpose | Broadcast) or is_symmetric(node)


def _trace_of_product(product: Expr) -> Expr:
    factors = list(product.args)
    for i, factor in enumerate(factors):
        if factor.rows == ONE:
            return item(matmul(*factors[i:], *factors[:i]))
    readings: list[tuple[Expr, Expr]] = []
    for cycle in (factors, [transpose(f) for f in reversed(factors)]):
        for i in range(len(cycle)):
            turned = matmul(*cycle[i:], *cycle[:i])
            # A transposed difference may come with a minus, and its transpose with another.
            front, core = turned.args if isinstance(turned, Scale) else (UNIT, turned)
            if not isinstance(core, MatMul) or len(core.args) < len(factors):
                return hadamard(front, trace(core))
            readings.append((front, core))
    front, core = min(readings, key=lambda reading: reading_order(reading[1]))
    return hadamard(front, Trace(core))
