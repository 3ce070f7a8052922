"""Named intermediates in a derivative: where what they stand for appears, the name is written."""

from __future__ import annotations

from fractions import Fraction

from matbackprop.symbolic.expressions.construct import make, power
from matbackprop.symbolic.expressions.expression import Expr, Number, Power
from matbackprop.symbolic.expressions.nodes import Named


def with_names(expr: Expr, source: Expr, /) -> Expr:
    """Return the expression with the names of the source for what they stand for there.

    The derivative of V = tanh(H) is 1 − tanh(H)², from the rule; the author writes 1 − V². Of a
    root σ = √v the other odd powers are powers of σ too.

    Examples
    --------
    >>> from matbackprop.symbolic import parse
    >>> from matbackprop.symbolic.expressions.construct import apply
    >>> L = parse("V = tanh(x); sum(V)", shapes={"x": ("n", 1)})
    >>> print(with_names(apply("tanh", L.variables()["x"]), L))
    V
    """
    names = {node.args[0]: node for node in source.nodes() if isinstance(node, Named)}
    roots = {
        body.args[0]: (body.args[1].value, name)
        for body, name in names.items()
        if isinstance(body, Power)
        and isinstance(body.args[1], Number)
        and body.args[1].value.denominator > 1
    }
    done: dict[Expr, Expr] = {}
    for node in expr.nodes():
        if isinstance(node, Named):
            done[node] = node
        elif node in names:
            done[node] = names[node]
        else:
            rebuilt = make(type(node), tuple(done[arg] for arg in node.args), node.data)
            done[node] = _power_of_root(rebuilt, roots)
    return done[expr]


def _power_of_root(node: Expr, roots: dict[Expr, tuple[Fraction, Named]]) -> Expr:
    """Return v^(k/2) as σᵏ where σ = v^½ has a name; another node as it is."""
    if not (isinstance(node, Power) and isinstance(node.args[1], Number)):
        return node
    base, exponent = node.args[0], node.args[1].value
    if base not in roots or exponent.denominator != roots[base][0].denominator:
        return node
    root, name = roots[base]
    return power(name, exponent / root)
