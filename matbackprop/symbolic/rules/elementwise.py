"""Functions applied entry by entry, f(x): one slope f′ for each, from which the rules follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import TypeAlias

from matbackprop.symbolic.expressions.construct import (
    add,
    apply,
    broadcast,
    hadamard,
    neg,
    number,
    power,
    sub,
    zero,
)
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Apply
from matbackprop.symbolic.expressions.tables import (
    DIFFERENTIAL,
    JACOBIAN,
    PULLBACK,
    MissingRuleError,
)
from matbackprop.symbolic.rules.entries import along_the_diagonal

Slope: TypeAlias = Callable[[Expr, Expr], Expr | None]
"""f′(h), given the node f(h) itself and h; None where f is constant between its jumps."""


def _one(h: Expr) -> Expr:
    return broadcast(number(1), h.shape)


def _one_minus(h: Expr) -> Expr:
    return sub(_one(h), h)


def _silu_slope(f: Expr, h: Expr) -> Expr:
    s = apply("sigmoid", h)
    return add(s, hadamard(f, _one_minus(s)))


def _gelu_slope(f: Expr, h: Expr) -> Expr:
    return add(apply("normal_cdf", h), hadamard(h, apply("normal_pdf", h)))


def _arc_slope(h: Expr) -> Expr:
    return power(_one_minus(power(h, 2)), Fraction(-1, 2))


SLOPES: Mapping[str, Slope] = MappingProxyType(
    {
        "exp": lambda f, h: f,
        "log": lambda f, h: power(h, -1),
        "abs": lambda f, h: apply("sign", h),
        "sign": lambda f, h: None,
        "step": lambda f, h: None,
        "relu": lambda f, h: apply("step", h),
        "leaky_relu": lambda f, h: apply("leaky_step", h),
        "leaky_step": lambda f, h: None,
        "tanh": lambda f, h: _one_minus(power(f, 2)),
        "sigmoid": lambda f, h: hadamard(f, _one_minus(f)),
        "softplus": lambda f, h: apply("sigmoid", h),
        "silu": _silu_slope,
        "gelu": _gelu_slope,
        "normal_cdf": lambda f, h: apply("normal_pdf", h),
        "normal_pdf": lambda f, h: neg(hadamard(h, f)),
        "sin": lambda f, h: apply("cos", h),
        "cos": lambda f, h: neg(apply("sin", h)),
        "tan": lambda f, h: add(_one(h), power(f, 2)),
        "asin": lambda f, h: _arc_slope(h),
        "acos": lambda f, h: neg(_arc_slope(h)),
        "atan": lambda f, h: power(add(_one(h), power(h, 2)), -1),
        "sinh": lambda f, h: apply("cosh", h),
        "cosh": lambda f, h: apply("sinh", h),
        "lgamma": lambda f, h: apply("digamma", h),
        "digamma": lambda f, h: apply("trigamma", h),
    }
)
"""The slope of each function, chosen to use again what is there: exp′ is the node itself."""


@DIFFERENTIAL.rule(Apply)
def _(node: Apply, dx: Expr) -> Expr:
    """D f(x) = f′(x) ⊙ dx."""
    slope = _slope(node)
    return zero(node.shape) if slope is None else hadamard(slope, dx)


@PULLBACK.rule(Apply)
def _(node: Apply, G: Expr, i: int) -> Expr:
    """∂L/∂x = f′(x) ⊙ G."""
    slope = _slope(node)
    return zero(node.shape) if slope is None else hadamard(slope, G)


@JACOBIAN.rule(Apply)
def _(node: Apply, i: int) -> Expr:
    """∂vec f(x)/∂vec(x)ᵀ = diag(vec f′(x))."""
    slope = _slope(node)
    if slope is None:
        entries = node.rows * node.columns
        return zero((entries, entries))
    return along_the_diagonal(slope)


def _slope(node: Apply) -> Expr | None:
    if node.name not in SLOPES:
        raise MissingRuleError(
            f"`{node.name}(x)` has no derivative here; there are those of {', '.join(SLOPES)}. "
            "Differentiate once less, or hold x constant."
        )
    return SLOPES[node.name](node, node.args[0])
