"""Constructors that simplify: each returns the normal form of a node over simplified operands.

The rules of differentiation are written with these, so that what they build is tidy at once.
`simplify` rebuilds an expression with them, from the leaves up.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from matbackprop.symbolic.expressions.dimension import Dim, DimLike
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
)
from matbackprop.symbolic.expressions.graph import ONE, Shape
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
from matbackprop.symbolic.expressions.tables import NORMAL_FORM


def make(kind: type[Expr], args: tuple[Expr, ...], data: tuple[Any, ...] = ()) -> Expr:
    """Return the normal form of a node of this kind."""
    if kind in NORMAL_FORM:
        return _normal_form(NORMAL_FORM[kind], args, data)
    return kind.make(args, data)


# The same few hundred nodes are asked for again and again while a derivative takes shape.
@lru_cache(maxsize=2**14)
def _normal_form(rule: Callable[..., Expr], args: tuple[Expr, ...], data: tuple[Any, ...]) -> Expr:
    return rule(args, data)


def forget() -> None:
    """Drop the remembered normal forms, as before the first derivation."""
    _normal_form.cache_clear()


def number(value: int | Fraction, /) -> Expr:
    """Return an exact number."""
    return Number(value)


def size(dim: DimLike, /) -> Expr:
    """Return a dimension as a scalar; a plain number where it is one."""
    return make(Size, (), (Dim.of(dim),))


def zero(shape: Shape, /) -> Expr:
    """Return 0 of that shape."""
    return Zeros(*shape) if shape else Number(0)


def ones(rows: DimLike, columns: DimLike = 1, /) -> Expr:
    """Return the matrix of ones."""
    return make(Ones, (), (Dim.of(rows), Dim.of(columns)))


def identity(n: DimLike, /) -> Expr:
    """Return I."""
    return make(Identity, (), (Dim.of(n),))


def centering(n: DimLike, /) -> Expr:
    """Return I − 11ᵀ/n."""
    return make(Centering, (), (Dim.of(n),))


def commutation(m: DimLike, n: DimLike, /) -> Expr:
    """Return K(m, n)."""
    return make(Commutation, (), (Dim.of(m), Dim.of(n)))


def duplication(n: Dim, /) -> Expr:
    """Return D(n)."""
    return make(Duplication, (), (n,))


def add(*terms: Expr) -> Expr:
    """Return the sum of one or more terms of equal shape."""
    return make(Sum, terms)


def neg(a: Expr, /) -> Expr:
    """Return −a."""
    return scale(Number(-1), a)


def sub(a: Expr, b: Expr, /) -> Expr:
    """Return a − b."""
    return add(a, neg(b))


def scale(s: Expr, a: Expr, /) -> Expr:
    """Return s·a for a scalar s and a of any kind."""
    return hadamard(s, a) if a.is_scalar else make(Scale, (s, a))


def matmul(*factors: Expr) -> Expr:
    """Return the matrix product of one or more factors."""
    return make(MatMul, factors)


def hadamard(*factors: Expr) -> Expr:
    """Return the product entry by entry; of scalars, their product."""
    return make(Hadamard, factors)


def power(a: Expr, exponent: Expr | int | Fraction, /) -> Expr:
    """Return a^exponent, entry by entry."""
    return make(Power, (a, exponent if isinstance(exponent, Expr) else Number(exponent)))


def divide(a: Expr, b: Expr, /) -> Expr:
    """Return a/b, entry by entry or by a scalar."""
    reciprocal = power(b, -1)
    return scale(reciprocal, a) if b.is_scalar else hadamard(a, reciprocal)


def transpose(a: Expr, /) -> Expr:
    """Return aᵀ."""
    return make(Transpose, (a,))


def broadcast(a: Expr, shape: Shape, /) -> Expr:
    """Return a scalar, row or column repeated to that shape; a itself if it has it."""
    return make(Broadcast, (a,), shape) if shape else a


def apply(name: str, a: Expr, /) -> Expr:
    """Return f(a), entry by entry."""
    return make(Apply, (a,), (name,))


def item(a: Expr, /) -> Expr:
    """Return the entry of a 1×1 matrix."""
    return make(Item, (a,))


def column(s: Expr, /) -> Expr:
    """Return a scalar as a 1×1 matrix; a matrix as it is."""
    return broadcast(s, (ONE, ONE)) if s.is_scalar else s


def inverse(a: Expr, /) -> Expr:
    """Return a⁻¹."""
    return make(Inverse, (a,))


def matrix_power(a: Expr, k: int, /) -> Expr:
    """Return aᵏ for k ≥ 0."""
    if k == 0:
        return identity(a.rows)
    return a if k == 1 else make(MatrixPower, (a,), (k,))


def det(a: Expr, /) -> Expr:
    """Return |a|."""
    return make(Det, (a,))


def logdet(a: Expr, /) -> Expr:
    """Return log |a|."""
    return make(LogDet, (a,))


def trace(a: Expr, /) -> Expr:
    """Return tr a."""
    return make(Trace, (a,))


def total(a: Expr, /) -> Expr:
    """Return the sum of all entries; a scalar is its own."""
    return a if a.is_scalar else make(Total, (a,))


def inner(a: Expr, b: Expr, /) -> Expr:
    """Return ⟨a, b⟩ = tr(aᵀb), the sum of products of entries."""
    return total(hadamard(a, b))


def rowsum(a: Expr, /) -> Expr:
    """Return a1."""
    return make(RowSum, (a,))


def colsum(a: Expr, /) -> Expr:
    """Return 1ᵀa."""
    return make(ColSum, (a,))


def norm2(a: Expr, /) -> Expr:
    """Return the root of the sum of squares."""
    return make(Norm2, (a,))


def norm1(a: Expr, /) -> Expr:
    """Return the sum of absolute values."""
    return make(Norm1, (a,))


def diag(v: Expr, /) -> Expr:
    """Return the diagonal matrix of a column."""
    return make(Diag, (v,))


def diagvec(a: Expr, /) -> Expr:
    """Return the diagonal of a square matrix."""
    return make(DiagVec, (a,))


def kron(a: Expr, b: Expr, /) -> Expr:
    """Return a ⊗ b."""
    return make(Kron, (a, b))


def vec(a: Expr, /) -> Expr:
    """Return the columns of a, stacked; of a scalar the 1×1 matrix."""
    return column(a) if a.is_scalar else make(Vec, (a,))


def reshape(a: Expr, shape: Shape, /) -> Expr:
    """Return the entries of a, column by column, in another shape."""
    return make(Reshape, (a,), shape) if shape else item(a)


def rearrange(a: Expr, data: tuple[Dim, ...], /) -> Expr:
    """Return Van Loan's rearrangement."""
    return make(Rearrange, (a,), data)


def assemble(a: Expr, data: tuple[Dim, ...], /) -> Expr:
    """Return the inverse of Van Loan's rearrangement."""
    return make(Assemble, (a,), data)


def softmax(a: Expr, /) -> Expr:
    """Return exp(a) with each row divided by its sum."""
    return make(Softmax, (a,))


def logsumexp(a: Expr, /) -> Expr:
    """Return the column of log-sums of exponentials of the rows."""
    return make(LogSumExp, (a,))
