"""Patterns with a rule of their own, which is shorter, and holds where a part has no derivative."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop.symbolic.expressions.construct import apply, number, scale
from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Number, Power, Scale, Sum
from matbackprop.symbolic.expressions.nodes import Apply, Norm2, Ones


@dataclass(frozen=True, slots=True)
class Shortcut:
    """The differential of a pattern: du = slope ⊙ d(part), or tr(slopeᵀ d(part)) of a scalar u."""

    rule: str
    part: Expr
    slope: Expr


def shortcut(u: Expr, /) -> Shortcut | None:
    """Return the rule of what is a pattern: ‖E‖², also where E = 0; log(1 + eᶻ).

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> x = Variable("x", (Dim.of("n"), Dim.of(1)))
    >>> shortcut(Norm2(x) ** 2).rule
    'the square of a norm, d‖E‖² = 2 tr(Eᵀ dE)'
    """
    match u:
        case Power(args=(Norm2(args=(E,)), Number() as exponent)) if exponent.value == 2:
            return Shortcut("the square of a norm, d‖E‖² = 2 tr(Eᵀ dE)", E, scale(number(2), E))
        case Apply(name="log", args=(Sum(args=(a, b)),)):
            one, power = (b, a) if _is_one(b) else (a, b)
            if _is_one(one) and isinstance(power, Apply) and power.name == "exp":
                (z,) = power.args
                return Shortcut("softplus, d log(1 + eᶻ) = σ(z) ⊙ dz", z, apply("sigmoid", z))
    return None


def _is_one(expr: Expr) -> bool:
    while isinstance(expr, Broadcast | Scale):
        if isinstance(expr, Scale) and not _is_one(expr.args[0]):
            return False
        expr = expr.args[-1]
    return expr is Number(1) or isinstance(expr, Ones)
