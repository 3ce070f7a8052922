"""What programs do beyond the nodes of expressions: arithmetic with broadcasting, solves, means.

These are nodes too, so that a common subexpression of a program also exists once. Unlike those
of expressions, their elementwise operands may be a scalar, a row or a column beside a matrix.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Number, Transpose
from matbackprop.symbolic.expressions.graph import ONE, Shape
from matbackprop.symbolic.expressions.nodes import Item


class _Elementwise(Expr):
    """An operation entry by entry on two operands, each repeated to the shape of both."""

    __slots__ = ()

    def __new__(cls, a: Expr, b: Expr) -> Self:
        return cls.make((a, b))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        a, b = args
        if not a.shape or not b.shape:
            return a.shape or b.shape
        return (
            b.rows if a.rows == ONE else a.rows,
            b.columns if a.columns == ONE else a.columns,
        )


class Plus(_Elementwise):
    """a + b."""

    __slots__ = ()


class Minus(_Elementwise):
    """a − b."""

    __slots__ = ()


class Times(_Elementwise):
    """a b, entry by entry."""

    __slots__ = ()


class Over(_Elementwise):
    """a / b, entry by entry."""

    __slots__ = ()


class _LikeTheFirst(Expr):
    """An operation with a value of the shape of its first operand."""

    __slots__ = ()

    def __new__(cls, *args: Expr) -> Self:
        return cls.make(args)

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return args[0].shape


class Negative(_LikeTheFirst):
    """−a."""

    __slots__ = ()


class Raised(_LikeTheFirst):
    """a^s for a scalar s; s = 1/2 is the square root."""

    __slots__ = ()


class _Product(Expr):
    """The matrix product; `data` tells which operands are transposed in it."""

    __slots__ = ()

    def __new__(cls, a: Expr, b: Expr) -> Self:
        marks = isinstance(a, Transpose), isinstance(b, Transpose)
        return cls.make((transposed(a) if marks[0] else a, transposed(b) if marks[1] else b), marks)

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        a, b = args
        return (a.columns if data[0] else a.rows, b.rows if data[1] else b.columns)


class Product(_Product):
    """A B, or with the operands that `data` marks transposed: AᵀB, ABᵀ, AᵀBᵀ."""

    __slots__ = ()


class _Solve(Expr):
    """A solution, of the shape of the right-hand side."""

    __slots__ = ()

    def __new__(cls, a: Expr, b: Expr) -> Self:
        return cls.make((a, b))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return args[1].shape


class Solve(_Solve):
    """A⁻¹B."""

    __slots__ = ()


class _Scalar(Expr):
    """An operation on matrices with a scalar value."""

    __slots__ = ()

    def __new__(cls, *args: Expr) -> Self:
        return cls.make(args)

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return ()


class Inner(_Scalar):
    """⟨A, B⟩, the sum of products of entries."""

    __slots__ = ()


class Mean(_Scalar):
    """The mean of all entries."""

    __slots__ = ()


class _ByColumns(_LikeTheFirst):
    """A row: one entry for each column."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (ONE, args[0].columns)


class ColMean(_ByColumns):
    """The row of column means."""

    __slots__ = ()


class _ByRows(_LikeTheFirst):
    """A column: one entry for each row."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (args[0].rows, ONE)


class RowMean(_ByRows):
    """The column of row means."""

    __slots__ = ()


class _Permuted(Expr):
    """A matrix with rows or columns in the order of a commutation matrix; `data` is (m, n)."""

    __slots__ = ()

    def __new__(cls, arg: Expr, m: Dim, n: Dim) -> Self:
        return cls.make((arg,), (m, n))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return args[0].shape


class PermutedRows(_Permuted):
    """K(m, n) M."""

    __slots__ = ()


class PermutedColumns(_Permuted):
    """M K(n, m), the columns in the order in which K(m, n) M has the rows."""

    __slots__ = ()


UNIT = Number(1)
LARGEST_WHOLE = 2**53
"""From here on, whole numbers are written as floats."""


def transposed(a: Expr, /) -> Expr:
    """Return aᵀ, without a node where there is one already or a is a scalar."""
    if a.is_scalar:
        return a
    return a.args[0] if isinstance(a, Transpose) else Transpose(a)


def inner(a: Expr, b: Expr, /) -> Expr:
    """Return ⟨a, b⟩."""
    both = isinstance(a, Transpose) and isinstance(b, Transpose)
    return Inner(transposed(a), transposed(b)) if both else Inner(a, b)


def negated(a: Expr, /) -> Expr:
    """Return −a, with the sign in a leading number or difference where there is one."""
    match a:
        case Number():
            return Number(-a.value)
        case Negative():
            return a.args[0]
        case Minus(args=(first, second)):
            return Minus(second, first)
        case Times(args=(first, second)) | Over(args=(first, second)) if _takes_a_sign(first):
            return type(a)(negated(first), second)
    return Negative(a)


def _takes_a_sign(a: Expr) -> bool:
    while isinstance(a, Times | Over):
        (a, _) = a.args
    return isinstance(a, Number | Minus)


def times(a: Expr, b: Expr, /) -> Expr:
    """Return a b entry by entry, as a quotient where one of them is a reciprocal."""
    if a is UNIT:
        return b
    if b is UNIT:
        return a
    if isinstance(a, Over) and a.args[0] is UNIT:
        return Over(b, a.args[1])
    if isinstance(b, Over) and b.args[0] is UNIT:
        return Over(a, b.args[1])
    return raised(a, Fraction(2)) if a is b else Times(a, b)


def over(a: Expr, b: Expr, /) -> Expr:
    """Return a / b entry by entry."""
    return a if b is UNIT else Over(a, b)


def raised(a: Expr, power: Fraction, /) -> Expr:
    """Return a^power: squares, roots and reciprocals, which are quick, where they will do."""
    if power == 1:
        return a
    if power < 0:
        return Over(UNIT, raised(a, -power))
    quick = power in (2, Fraction(1, 2)) or a.is_scalar or power > 16 or power.denominator > 2
    if quick or power == 0:
        return Raised(a, Number(power))
    if power.denominator == 2:
        return Times(raised(a, power - Fraction(1, 2)), raised(a, Fraction(1, 2)))
    if power % 2:
        return Times(a, raised(a, power - 1))
    return raised(raised(a, power / 2), Fraction(2))


def full(a: Expr, shape: Shape, /) -> Expr:
    """Return a repeated to that shape; a itself if it has it."""
    if not shape:
        return a
    short = not a.shape or any(
        have == ONE != want for have, want in zip(a.shape, shape, strict=True)
    )
    return Broadcast.make((entry(a, shape),), shape) if short else a


def entry(a: Expr, shape: Shape, /) -> Expr:
    """Return a 1×1 matrix as a scalar where it meets a larger shape; anything else as it is."""
    lone = a.shape == (ONE, ONE) != shape
    return Item(a) if lone and shape else a
