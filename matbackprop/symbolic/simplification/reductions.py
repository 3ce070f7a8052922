"""Normal form of what is repeated and of what is summed: 1r, c1ᵀ; M1, 1ᵀM, 1ᵀM1; norms."""

from __future__ import annotations

from typing import Any

from matbackprop.symbolic.expressions.construct import (
    add,
    apply,
    broadcast,
    colsum,
    divide,
    hadamard,
    inverse,
    item,
    matmul,
    norm1,
    norm2,
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
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Power,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    ColSum,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Item,
    Kron,
    Norm1,
    Norm2,
    Ones,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Vec,
)
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.facts import is_centred, is_symmetric, kills_ones
from matbackprop.symbolic.simplification.order import (
    UNIT,
    is_zero,
    key,
    kind_of_broadcast,
    split,
    without,
)

Args = tuple[Expr, ...]
Data = tuple[Any, ...]


@NORMAL_FORM.rule(Ones)
def _(args: Args, data: Data) -> Expr:
    """Ones are the number 1, repeated."""
    return broadcast(UNIT, data)


@NORMAL_FORM.rule(Broadcast)
def _(args: Args, data: Data) -> Expr:
    """Bring scalars outside; what has the shape already is left as it is."""
    (arg,) = args
    if arg.shape == data:
        return arg
    if is_zero(arg):
        return zero(data)
    if isinstance(arg, Broadcast):
        return broadcast(arg.args[0], data)
    if isinstance(arg, Scale):
        return scale(arg.args[0], broadcast(arg.args[1], data))
    if arg.shape == (ONE, ONE):
        return broadcast(item(arg), data)
    return Broadcast(arg, *data)


@NORMAL_FORM.rule(ColSum)
def _(args: Args, data: Data) -> Expr:
    """1ᵀM: through products and repeated parts; 0 where M is centred."""
    (m,) = args
    shape = (ONE, m.columns)
    if is_centred(m):
        return zero(shape)
    if m.rows == ONE:
        return m
    if m.columns == ONE:
        return broadcast(total(m), shape)
    if is_symmetric(m):
        return transpose(rowsum(m))
    match m:
        case Scale(args=(s, x)):
            return scale(s, colsum(x))
        case Transpose(args=(x,)):
            return transpose(rowsum(x))
        case MatMul(args=(first, *rest)):
            return matmul(colsum(first), *rest)
        case Identity():
            return broadcast(UNIT, shape)
        case Diag(args=(v,)):
            return transpose(v)
        case Kron(args=(a, b)):
            return NORMAL_FORM[Kron]((colsum(a), colsum(b)), ())
        case Broadcast(args=(x,)):
            kind = kind_of_broadcast(m)
            if kind == "column":
                return broadcast(total(x), shape)
            return scale(size(m.rows), broadcast(x, shape))
        case Hadamard():
            return _colsum_of_product(m)
        case Sum() if any(is_centred(t) or kind_of_broadcast(t) for t in m.args):
            return add(*map(colsum, m.args))
    return ColSum(m)


@NORMAL_FORM.rule(RowSum)
def _(args: Args, data: Data) -> Expr:
    """M1: through products and repeated parts; 0 where M1 = 0."""
    (m,) = args
    shape = (m.rows, ONE)
    if kills_ones(m):
        return zero(shape)
    if m.columns == ONE:
        return m
    if m.rows == ONE:
        return broadcast(total(m), shape)
    match m:
        case Scale(args=(s, x)):
            return scale(s, rowsum(x))
        case Transpose(args=(x,)):
            return transpose(colsum(x))
        case MatMul(args=(*rest, last)):
            return matmul(*rest, rowsum(last))
        case Identity() | Softmax():
            return broadcast(UNIT, shape)
        case Diag(args=(v,)):
            return v
        case Kron(args=(a, b)):
            return NORMAL_FORM[Kron]((rowsum(a), rowsum(b)), ())
        case Broadcast(args=(x,)):
            if kind_of_broadcast(m) == "row":
                return broadcast(total(x), shape)
            return scale(size(m.columns), broadcast(x, shape))
        case Hadamard(args=(x, y)) if _undo_each_other(x, y):
            return broadcast(UNIT, shape)  # the diagonal of A⁻¹A
        case Hadamard():
            for f in m.args:
                kind = kind_of_broadcast(f)
                if kind == "column":
                    return hadamard(f.args[0], rowsum(without(m, f)))
                if kind == "row":
                    return matmul(without(m, f), transpose(f.args[0]))
        case Sum() if any(kills_ones(t) or kind_of_broadcast(t) for t in m.args):
            return add(*map(rowsum, m.args))
    return RowSum(m)


@NORMAL_FORM.rule(Total)
def _(args: Args, data: Data) -> Expr:
    """Add all entries up; of a product of two vectors that is xᵀy."""
    (m,) = args
    if is_centred(m) or kills_ones(m) or is_zero(m):
        return number(0)
    if m.shape == (ONE, ONE):
        return item(m)
    match m:
        case Scale(args=(s, x)):
            return hadamard(s, total(x))
        case RowSum(args=(x,)) | ColSum(args=(x,)):
            return total(x)
        case Transpose(args=(x,)) | Diag(args=(x,)) | Vec(args=(x,)) | Reshape(args=(x,)):
            return total(x)
        case DiagVec(args=(x,)):
            return trace(x)
        case Kron(args=(x, y)):
            return hadamard(total(x), total(y))
        case Identity():
            return size(m.rows)
        case Broadcast(args=(x,)):
            kind = kind_of_broadcast(m)
            count: dict[str, tuple[Dim, ...]] = {
                "row": (m.rows,),
                "column": (m.columns,),
                "scalar": m.shape,
            }
            return hadamard(total(x), *map(size, count[kind]))
        case MatMul(args=(c, r)) if c.columns == ONE:
            return hadamard(total(c), total(r))
        case Hadamard(args=(x, y)):
            if _undo_each_other(x, y):
                return size(m.rows)  # tr(A⁻¹A)
            if m.columns == ONE:
                return item(matmul(transpose(x), y))
            if m.rows == ONE:
                return item(matmul(x, transpose(y)))
        case Sum() if any(is_centred(t) or kills_ones(t) or kind_of_broadcast(t) for t in m.args):
            return add(*map(total, m.args))
    return Total(m)


@NORMAL_FORM.rule(Item)
def _(args: Args, data: Data) -> Expr:
    """Work the entry of a 1×1 matrix out on scalars where that can be."""
    (m,) = args
    if is_zero(m):
        return number(0)
    match m:
        case Broadcast(args=(x,)):
            return item(x) if x.shape else x
        case Scale(args=(s, x)):
            return hadamard(s, item(x))
        case Transpose(args=(x,)):
            return item(x)
        case Sum():
            return add(*map(item, m.args))
        case Hadamard():
            return hadamard(*map(item, m.args))
        case Power(args=(x, e)):
            return power(item(x), e)
        case Apply(args=(x,)):
            return apply(m.name, item(x))
        case Inverse(args=(x,)):
            return divide(UNIT, item(x))
        case RowSum(args=(x,)) | ColSum(args=(x,)):
            return total(x)
        case MatMul():
            mirrored = transpose(m)
            chains = [chain for chain in (m, mirrored) if isinstance(chain, MatMul)]
            return Item(min(chains, key=reading_order))
    return Item(m)


@NORMAL_FORM.rule(Norm2)
def _(args: Args, data: Data) -> Expr:
    """‖sM‖ = |s|‖M‖, ‖Mᵀ‖ = ‖M‖."""
    return _norm(args[0], norm2, Norm2)


@NORMAL_FORM.rule(Norm1)
def _(args: Args, data: Data) -> Expr:
    """Bring numbers outside: ‖sM‖₁ = |s|‖M‖₁."""
    return _norm(args[0], norm1, Norm1)


def _norm(m: Expr, norm: Any, kind: type[Expr]) -> Expr:
    if m.is_scalar:
        return apply("abs", m)
    coefficient, core = split(m)
    if is_zero(m):
        return number(0)
    if coefficient != 1:
        return hadamard(number(abs(coefficient)), norm(core))
    if isinstance(m, Kron):
        return hadamard(*map(norm, m.args))
    return norm(m.args[0]) if isinstance(m, Transpose | Vec | Reshape) else kind.make((m,))


def _undo_each_other(x: Expr, y: Expr) -> bool:
    """Whether y = x⁻ᵀ, so that x ⊙ y has the diagonal of I as its row sums."""
    return x.rows == x.columns and (transpose(y) is inverse(x) or transpose(x) is inverse(y))


def reading_order(chain: Expr, /) -> tuple[Any, ...]:
    """Return what equal readings of a product are chosen by: few transposes, then the order."""
    transposes = sum(isinstance(f, Transpose) for f in chain.args)
    return (transposes, [key(f) for f in chain.args])


def _colsum_of_product(m: Expr) -> Expr:
    """1ᵀ(diag(c)M) = cᵀM, 1ᵀ(M diag(r)) = (1ᵀM)diag(r), 1ᵀ(P ⊙ HQ) = 1ᵀ(P ⊙ Q) if HP = P."""
    for f in m.args:
        kind = kind_of_broadcast(f)
        if kind == "column":
            return matmul(transpose(f.args[0]), without(m, f))
        if kind == "row":
            return hadamard(f.args[0], colsum(without(m, f)))
    if len(m.args) == 2:
        for p, q in (m.args, m.args[::-1]):
            if isinstance(q, MatMul) and isinstance(q.args[0], Centering) and is_centred(p):
                return colsum(hadamard(p, matmul(*q.args[1:])))
    return ColSum(m)
