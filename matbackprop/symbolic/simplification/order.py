"""The order in which operands stand, and the parts of a term: number, scalar, matrix."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from matbackprop.symbolic.expressions.construct import hadamard, scale
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    Number,
    Scale,
    Size,
)
from matbackprop.symbolic.expressions.nodes import Zeros

UNIT = Number(1)


def key(node: Expr, /) -> tuple[Any, ...]:
    """Return what operands are sorted by: numbers, sizes, then simple before involved."""
    rank = 0 if isinstance(node, Number) else 1 if isinstance(node, Size) else 2
    label = "" if node.args else str(node.data[0])
    return (rank, node.height, label, node.digest)


def is_zero(node: Expr, /) -> bool:
    """Whether it is the number or matrix 0."""
    return isinstance(node, Zeros) or (isinstance(node, Number) and node.value == 0)


def split(term: Expr, /) -> tuple[Fraction, Expr]:
    """Return the numeric coefficient of a term, and the term without it."""
    if isinstance(term, Number):
        return term.value, UNIT
    if isinstance(term, Hadamard) and isinstance(term.args[0], Number):
        rest = term.args[1:]
        return term.args[0].value, rest[0] if len(rest) == 1 else Hadamard(*rest)
    if isinstance(term, Scale):
        coefficient, scalar = split(term.args[0])
        return coefficient, scale(scalar, term.args[1])
    if isinstance(term, Broadcast) and term.args[0].is_scalar:
        coefficient, scalar = split(term.args[0])
        return coefficient, Broadcast(scalar, *term.shape)
    return Fraction(1), term


def factors_of(node: Expr, /) -> tuple[Expr, ...]:
    """Return the factors of an elementwise product, of anything else itself."""
    return node.args if isinstance(node, Hadamard) else (node,)


def kind_of_broadcast(node: Expr, /) -> str:
    """Return "row", "column" or "scalar" for what a Broadcast repeats, "" for another node."""
    if not isinstance(node, Broadcast):
        return ""
    (arg,) = node.args
    if arg.is_scalar:
        return "scalar"
    return "row" if arg.rows != node.rows else "column"


def without(product: Expr, factor: Expr, /) -> Expr:
    """Return an elementwise product less one of its factors."""
    return hadamard(*(f for f in product.args if f is not factor))
