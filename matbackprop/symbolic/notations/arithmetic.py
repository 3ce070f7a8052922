"""What both notations mean by numbers, sizes and the elementwise signs."""

from __future__ import annotations

import math
from fractions import Fraction

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    Number,
    Power,
    Scale,
    Size,
    Sum,
    conformed,
    shapes,
    times,
)
from matbackprop.symbolic.expressions.nodes import Apply, Identity, Inverse, MatrixPower
from matbackprop.symbolic.macros import EPS, batch_norm

HALF = Fraction(1, 2)
MOST_DIGITS = 1000


def pi() -> Number:
    """Return π, to the digits of a double."""
    return Number(math.pi)


def exact(text: str, /) -> Fraction:
    """Return the number that digits denote, to the last.

    Raises
    ------
    OptionError
        If it is beyond what a double can hold.
    """
    size = float(text)
    digits = text.lower().partition("e")[0]
    if math.isinf(size) or (not size and digits.strip("0.")):
        raise OptionError("numbers go to 1.8e308, and from 2.2e-308")
    if len(digits) > MOST_DIGITS:
        raise OptionError(f"a number has at most {MOST_DIGITS} digits")
    return Fraction(text) if size else Fraction(0)  # for 0e-999999999 it would take an hour


def constant(expr: Expr, /) -> Fraction | None:
    """Return the value of an expression in plain numbers, where it is rational."""
    if isinstance(expr, Number):
        return expr.value
    if not isinstance(expr, Sum | Hadamard | Power) or expr.shape:
        return None
    values = [constant(arg) for arg in expr.args]
    if any(value is None for value in values):
        return None
    known = [value for value in values if value is not None]
    if isinstance(expr, Sum):
        return sum(known, Fraction(0))
    if isinstance(expr, Hadamard):
        return math.prod(known, start=Fraction(1))
    base, exponent = known
    if exponent.denominator != 1 or (not base and exponent < 0) or abs(exponent) > 64:
        return None
    return base**exponent.numerator


def dimension_of(expr: Expr, /) -> Dim | None:
    """Return an expression in sizes and whole numbers as a dimension."""
    if isinstance(expr, Size):
        return expr.dim
    value = constant(expr)
    if value is not None:
        return Dim.of(value)
    if not isinstance(expr, Sum | Hadamard | Power) or expr.shape:
        return None
    if isinstance(expr, Power):
        base, exponent = dimension_of(expr.args[0]), constant(expr.args[1])
        if base is None or exponent is None or exponent.denominator != 1 or not 0 < exponent < 9:
            return None
        return math.prod([base] * exponent.numerator, start=Dim.of(1))
    dims = [dimension_of(arg) for arg in expr.args]
    found = [dim for dim in dims if dim is not None]
    if len(found) < len(dims):
        return None
    if isinstance(expr, Sum):
        return sum(found, Dim.of(0))
    return math.prod(found, start=Dim.of(1))


def plus(a: Expr, b: Expr, /) -> Expr:
    """Return a + b, a scalar added to every entry."""
    return Sum(*conformed(a, b))


def minus(a: Expr, b: Expr, /) -> Expr:
    """Return a − b, a scalar taken from every entry."""
    a, b = conformed(a, b)
    return Sum(a, negative(b))


def negative(a: Expr, /) -> Expr:
    """Return −a; of a number, the negative number."""
    return Number(-a.value) if isinstance(a, Number) else -a


def quotient(a: Expr, b: Expr, /) -> Expr:
    """Return a/b, entry by entry or by a scalar; of two numbers, the rational number."""
    if isinstance(a, Number) and isinstance(b, Number) and b.value:
        return Number(a.value / b.value)
    return times(a, Power(b, Number(-1)))


def raised(a: Expr, b: Expr, /) -> Expr:
    """Return a^b, entry by entry; for a matrix of exponents exp(b log a)."""
    if b.is_scalar:
        value = constant(b)
        return Power(a, b if value is None else Number(value))
    logarithm = Apply("log", a)
    return Apply("exp", times(b, logarithm))


def matrix_power(a: Expr, b: Expr, /) -> Expr:
    """Return the matrix product of a with itself b times; of a⁻¹ where b is negative."""
    power = constant(b)
    if power is None or power.denominator != 1:
        raise ShapeError(
            f"`A ^ k` of a matrix needs a whole number k; got {shapes((a, b))}. "
            "Entry by entry it is `A .^ k`."
        )
    k = power.numerator
    if k < 0:
        a = Inverse(a)
    if k == 0:
        return Identity(_square_rows(a))
    _square_rows(a)
    return a if abs(k) == 1 else MatrixPower(a, abs(k))


def _square_rows(a: Expr) -> Dim:
    if a.rows != a.columns:
        raise ShapeError(
            f"`A ^ k` needs a square matrix; got {shapes((a,))}. Entry by entry it is `A .^ k`."
        )
    return a.rows


def root(a: Expr, /) -> Expr:
    """Return √a, entry by entry."""
    return Power(a, HALF)


def scaled_identity(s: Expr, n: Dim, /) -> Expr:
    """Return sI."""
    return Identity(n) if constant(s) == 1 else Scale(s, Identity(n))


def batch_norm_of(
    X: Expr, gamma: Expr | None, beta: Expr | None, eps: Expr | None, ddof: Expr | None, /
) -> Expr:
    """Return the layer; eps is 1e-5 and ddof 0 where they are left out."""
    less = constant(ddof) if ddof is not None else Fraction(0)
    if less is None or less.denominator != 1:
        raise OptionError("`batchnorm(X, gamma, beta, eps, ddof)` needs the number 0 or 1 as ddof.")
    return batch_norm(X, gamma, beta, EPS if eps is None else eps, less.numerator)
