"""What an expression is: a node of a shared graph, and its arithmetic.

Python's operators write down what they are given, as the text notations do; `simplify` tidies.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import islice, pairwise
from numbers import Rational, Real
from typing import Any, ClassVar, Self, TypeAlias

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim, same
from matbackprop.symbolic.expressions.graph import ONE, Node, Shape
from matbackprop.symbolic.expressions.tables import TEXT

ExprLike: TypeAlias = "Expr | int | float | Fraction"

_FEW = 30
"""Nodes up to which an expression is shown as text, and not by its kind alone."""


class Expr(Node):
    """A matrix or scalar expression.

    Operators: ``A @ B`` is the matrix product, ``A * B`` elementwise or by a scalar, likewise
    ``A / B``; ``A ** 2`` is elementwise; ``A.T`` transposes. A scalar or number added to a
    matrix is added to every entry.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return TEXT["matlab"](self) if TEXT else repr(self)

    def __repr__(self) -> str:
        short = len(list(islice(self.nodes(), _FEW + 1))) <= _FEW
        if TEXT and short:
            return f"<{TEXT['matlab'](self)}, {shape_text(self.shape)}>"
        return f"<{type(self).__name__}, {shape_text(self.shape)}>"

    @property
    def T(self) -> Expr:
        """The transpose."""
        return Transpose(self)

    def __matmul__(self, other: Expr) -> Expr:
        return MatMul(self, other)

    def __add__(self, other: ExprLike) -> Expr:
        return Sum(*conformed(self, other))

    def __radd__(self, other: ExprLike) -> Expr:
        return Sum(*conformed(other, self))

    def __neg__(self) -> Expr:
        return times(Number(-1), self)

    def __sub__(self, other: ExprLike) -> Expr:
        a, b = conformed(self, other)
        return Sum(a, -b)

    def __rsub__(self, other: ExprLike) -> Expr:
        a, b = conformed(other, self)
        return Sum(a, -b)

    def __mul__(self, other: ExprLike) -> Expr:
        return times(self, as_expression(other))

    def __rmul__(self, other: ExprLike) -> Expr:
        return times(as_expression(other), self)

    def __truediv__(self, other: ExprLike) -> Expr:
        return times(self, Power(as_expression(other), Number(-1)))

    def __rtruediv__(self, other: ExprLike) -> Expr:
        return times(as_expression(other), Power(self, Number(-1)))

    def __pow__(self, exponent: ExprLike) -> Expr:
        return Power(self, as_expression(exponent))


class Variable(Expr):
    """A named matrix, or scalar, with what is known of it and where to draw its check points."""

    __slots__ = ()

    is_variable: ClassVar[bool] = True

    def __new__(
        cls, name: str, shape: Shape, flags: tuple[str, ...] = (), domain: str = "normal"
    ) -> Self:
        return cls.make((), (name, shape, flags, domain))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        shape: Shape = data[1]
        return shape

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.data[0])

    @property
    def flags(self) -> tuple[str, ...]:
        """What it is assumed to be: symmetric, diagonal, orthogonal, spd."""
        return tuple(self.data[2])

    @property
    def domain(self) -> str:
        """Where its check points are drawn."""
        return str(self.data[3])


class Number(Expr):
    """An exact rational number. A float becomes the decimal that Python prints for it."""

    __slots__ = ()

    def __new__(cls, value: int | float | Fraction) -> Self:
        if isinstance(value, Rational):
            exact = Fraction(value)
        else:
            try:
                exact = Fraction(repr(float(value)))
            except ValueError:
                raise OptionError(f"A number in an expression is finite; got {value!r}.") from None
        return cls.make((), (exact,))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return ()

    @property
    def value(self) -> Fraction:
        """The number."""
        value: Fraction = self.data[0]
        return value


class Size(Expr):
    """A dimension, used as a scalar: the n of 1/n."""

    __slots__ = ()

    def __new__(cls, dim: Dim | int | str) -> Self:
        return cls.make((), (Dim.of(dim),))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return ()

    @property
    def dim(self) -> Dim:
        """The dimension."""
        dim: Dim = self.data[0]
        return dim


class Sum(Expr):
    """A + B + … of equal shapes."""

    __slots__ = ()

    def __new__(cls, *terms: Expr) -> Self:
        return cls.make(terms)

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return equal_shape("A + B", args)


class Scale(Expr):
    """s·M, a scalar times a matrix."""

    __slots__ = ()

    def __new__(cls, scalar: Expr, matrix: Expr) -> Self:
        return cls.make((scalar, matrix))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        scalar, matrix = args
        if scalar.shape or not matrix.shape:
            raise ShapeError(
                f"`s * M` scales a matrix by a scalar; got {shapes(args)}. "
                "Use `@` for a matrix product."
            )
        return matrix.shape


class MatMul(Expr):
    """A B …, the matrix product."""

    __slots__ = ()

    def __new__(cls, *factors: Expr) -> Self:
        return cls.make(factors)

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        for left, right in pairwise(args):
            if not left.shape or not right.shape:
                raise ShapeError(
                    f"`A @ B` multiplies matrices; got {shapes((left, right))}. "
                    "Use `*` with a scalar."
                )
            if not same(left.columns, right.rows):
                raise ShapeError(
                    f"`A @ B` needs as many columns of A as rows of B; "
                    f"got {shapes((left, right))}.{_transposing_helps(left, right)}"
                )
        return (args[0].rows, args[-1].columns)


class Hadamard(Expr):
    """A ⊙ B ⊙ … of equal shapes, entry by entry; of scalars, their product."""

    __slots__ = ()

    def __new__(cls, *factors: Expr) -> Self:
        return cls.make(factors)

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return equal_shape("A * B", args)


class Power(Expr):
    """x^a entry by entry, with a scalar a. 1/x is x⁻¹, a quotient A ⊙ B⁻¹, a root x^½."""

    __slots__ = ()

    def __new__(cls, base: Expr, exponent: Expr | int | Fraction) -> Self:
        return cls.make((base, as_expression(exponent)))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        if args[1].shape:
            raise ShapeError(f"`x ** a` needs a scalar exponent; got {shapes(args)}.")
        return args[0].shape


class Transpose(Expr):
    """Aᵀ."""

    __slots__ = ()

    def __new__(cls, arg: Expr) -> Self:
        return cls.make((arg,))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        (a,) = args
        return (a.columns, a.rows) if a.shape else ()


class Broadcast(Expr):
    """A scalar, row or column repeated to m×n: s·11ᵀ, 1r, c1ᵀ."""

    __slots__ = ()

    def __new__(cls, arg: Expr, rows: Dim | int | str, columns: Dim | int | str) -> Self:
        return cls.make((arg,), (Dim.of(rows), Dim.of(columns)))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        (a,), (m, n) = args, data
        fits = not a.shape or (
            (a.rows == ONE or same(a.rows, m)) and (a.columns == ONE or same(a.columns, n))
        )
        if not fits:
            raise ShapeError(
                f"Only a scalar, a row or a column can be repeated to {shape_text(data)}; "
                f"got {shapes(args)}."
            )
        return (m, n)


def as_expression(value: ExprLike, /) -> Expr:
    """Return a number as an expression; an expression passes through."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, Real):
        return Number(value)
    raise OptionError(
        f"An expression is built from expressions and numbers; got {type(value).__name__}. "
        "Name an array with `variable(name, shape)` and give its values to `evaluate`."
    )


def check_expression(value: object, /, *, call: str) -> None:
    """Raise `OptionError` unless the value is an expression."""
    if not isinstance(value, Expr):
        raise OptionError(
            f"`{call}` needs an expression; got {type(value).__name__}. Make one of a text by "
            "`parse(text, shapes=…)`, or of variables by `variable(name, shape)`."
        )


def conformed(a: ExprLike, b: ExprLike, /) -> tuple[Expr, Expr]:
    """Return both as expressions, a scalar repeated to the shape of the other."""
    a, b = as_expression(a), as_expression(b)
    if a.is_scalar and not b.is_scalar:
        a = Broadcast(a, b.rows, b.columns)
    elif b.is_scalar and not a.is_scalar:
        b = Broadcast(b, a.rows, a.columns)
    return a, b


def times(a: Expr, b: Expr, /) -> Expr:
    """Return a·b by a scalar, or entry by entry."""
    if a.is_scalar != b.is_scalar:
        return Scale(a, b) if a.is_scalar else Scale(b, a)
    return Hadamard(a, b)


def equal_shape(call: str, args: tuple[Expr, ...], /) -> Shape:
    """Return the shape that all have, or raise ShapeError."""
    first = args[0]
    for other in args[1:]:
        if len(first.shape) != len(other.shape) or not all(
            same(i, j) for i, j in zip(first.shape, other.shape, strict=True)
        ):
            hint = _transposing_helps(first, other, elementwise=True)
            raise ShapeError(f"`{call}` needs equal shapes; got {shapes((first, other))}.{hint}")
    return first.shape


def shape_text(shape: tuple[Any, ...], /) -> str:
    """Write a shape as n×p."""
    return "×".join(dim.text("·") for dim in shape) if shape else "a scalar"


def shapes(args: tuple[Expr, ...], /) -> str:
    """Write the shapes of operands for an error message."""
    return " and ".join(shape_text(arg.shape) for arg in args)


def _transposing_helps(a: Expr, b: Expr, /, *, elementwise: bool = False) -> str:
    if not a.shape or not b.shape:
        return ""
    fits = a.shape == b.shape[::-1] if elementwise else a.columns == b.columns
    return " Transposing one of them would fit." if fits else ""


def rebuilt(root: Expr, change: Mapping[Expr, Expr], /) -> Expr:
    """Return the expression with some nodes replaced by others of the same shape."""
    done: dict[Expr, Expr] = dict(change)
    for node in root.nodes():
        if node not in done:
            done[node] = node.with_args(tuple(done[arg] for arg in node.args))
    return done[root]
