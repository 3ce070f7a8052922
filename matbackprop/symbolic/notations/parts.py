"""The parts of a product: its coefficient, and what stands above and below the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    Number,
    Power,
    Scale,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    ColSum,
    Diag,
    Identity,
    Item,
    Ones,
    RowSum,
)


@dataclass
class Fractional:
    """Factors above and below the line."""

    above: list[Expr] = field(default_factory=list)
    below: list[Expr] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.above or self.below)

    def extend(self, other: Fractional, below: bool) -> None:
        """Multiply by another, or divide."""
        self.above.extend(other.below if below else other.above)
        self.below.extend(other.above if below else other.below)


@dataclass
class Parts:
    """A product, taken apart.

    Attributes
    ----------
    coefficient
        Its number.
    scalars
        Its other scalar factors.
    full
        Its factors of full shape.
    columns, rows
        The columns and rows that are repeated to that shape.
    """

    coefficient: Fraction = Fraction(1)
    scalars: Fractional = field(default_factory=Fractional)
    full: Fractional = field(default_factory=Fractional)
    columns: Fractional = field(default_factory=Fractional)
    rows: Fractional = field(default_factory=Fractional)


def parts_of(root: Expr, uses: Mapping[Expr, int], /) -> Parts:
    """Return the parts of a product; a factor that is used elsewhere too stays whole."""
    parts = Parts()

    def gather(expr: Expr, below: bool) -> None:
        opens = not below and (expr is root or uses.get(expr, 0) <= 1)
        match expr:
            case Number() if expr.value:
                parts.coefficient *= 1 / expr.value if below else expr.value
                return
            case Scale() | Hadamard() if opens:
                for factor in expr.args:
                    gather(factor, below)
                return
            case Power(args=(base, Number() as exponent)) if exponent.value < 0:
                gather(raised(base, -exponent.value), not below)
                return
            case Power(args=(Broadcast(args=(arg,)), Number() as exponent)) if root.shape:
                gather(Broadcast(raised(arg, exponent.value), *expr.shape), below)
                return
            case Broadcast(args=(arg,)) if arg.is_scalar:
                gather(arg, below)
                return
            case Broadcast(args=(arg,)) if arg.shape == (ONE, ONE) != expr.shape:
                gather(Item(arg), below)
                return
            case Broadcast(args=(arg,)) if arg.shape == expr.shape:
                gather(arg, below)
                return
            case Broadcast(args=(arg,)):
                repeat(arg, below, parts.columns if arg.rows == expr.rows else parts.rows)
                return
            case Ones() if expr is not root:
                return
        kinds = parts.full if expr.shape else parts.scalars
        (kinds.below if below else kinds.above).append(expr)

    def repeat(arg: Expr, below: bool, kind: Fractional) -> None:
        # A repeated quotient is a quotient of repeated ones, and its scalars go to the front.
        if isinstance(arg, Power) or uses.get(arg, 0) <= 1:
            inner = parts_of(arg, uses)
            if not (inner.columns or inner.rows):
                parts.coefficient *= 1 / inner.coefficient if below else inner.coefficient
                parts.scalars.extend(inner.scalars, below)
                kind.extend(inner.full, below)
                return
        (kind.below if below else kind.above).append(arg)

    gather(root, False)
    return parts


def raised(base: Expr, exponent: Fraction, /) -> Expr:
    """Return base^exponent, and the base itself for 1."""
    return base if exponent == 1 else Power(base, exponent)


def uniform(expr: Expr, /) -> Expr | None:
    """Return the scalar that every entry of a matrix is, where one can see it."""
    match expr:
        case Broadcast(args=(arg,)) if arg.is_scalar:
            return arg
        case Ones():
            return Number(1)
        case Scale(args=(scalar, matrix)):
            value = uniform(matrix)
            if value is None or value is Number(1):
                return None if value is None else scalar
            return Hadamard(scalar, value)
    return None


def flipped(expr: Expr, /, *, sums: bool = False) -> Expr:
    """Return the transpose, written without one where each operand has one to take away.

    With `sums`, as if the transpose of a sum over columns or rows cost nothing.
    """
    match expr:
        case Transpose(args=(arg,)):
            return arg
        case Variable() if "symmetric" in expr.flags:
            return expr
        case Identity() | Centering() | Diag():
            return expr
        case Power() | Apply() | Sum() | Hadamard() | Scale():
            args = tuple(flipped(arg, sums=sums) if arg.shape else arg for arg in expr.args)
            if all(_is_free(arg, sums) for arg in args):
                return expr.with_args(args)
        case Broadcast(args=(arg,)):
            turned = flipped(arg, sums=sums) if arg.shape else arg
            return Broadcast(turned, expr.columns, expr.rows)
        case Ones():
            return Ones(expr.columns, expr.rows)
    return Transpose(expr)


def _is_free(turned: Expr, sums: bool) -> bool:
    match turned:
        case Transpose(args=(ColSum() | RowSum(),)):
            return sums
        case Transpose():
            return False
        case Broadcast(args=(arg,)):
            return _is_free(arg, sums)
    return True
