"""From the normal form to the text an author would write."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import hadamard, make, neg, number, transpose
from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    MatMul,
    Scale,
    Sum,
    Transpose,
    check_expression,
)
from matbackprop.symbolic.simplification.factoring import smaller
from matbackprop.symbolic.simplification.measure import cost
from matbackprop.symbolic.simplification.order import UNIT, split

MOST_ROUNDS = 20


def simplify(expr: Expr, /) -> Expr:
    """Return an equal expression, in normal form and as small as a few rewritings make it.

    Examples
    --------
    >>> from matbackprop.symbolic import parse
    >>> print(simplify(parse("A*x + A'*x", shapes={"A": ("n", "n"), "x": ("n", 1)})))
    (A+A')*x
    """
    check_expression(expr, call="simplify(expr)")
    seen: list[Expr] = []
    node = expr
    while len(seen) < MOST_ROUNDS:
        following = _round(node)
        if following is node:
            return node
        if following in seen:  # a cycle: its smallest member stands for all
            cycle = seen[seen.index(following) :]
            return min(cycle, key=lambda e: (cost(e), e.digest))
        seen.append(following)
        node = following
    return min(seen, key=lambda e: (cost(e), e.digest))


def normal(expr: Expr, /) -> Expr:
    """Return the normal form alone."""
    done: dict[Expr, Expr] = {}
    for node in expr.nodes():
        done[node] = make(type(node), tuple(done[arg] for arg in node.args), node.data)
    return done[expr]


def _round(expr: Expr) -> Expr:
    root = normal(expr)
    done: dict[Expr, Expr] = {}
    for node in root.nodes():
        rebuilt = make(type(node), tuple(done[arg] for arg in node.args), node.data)
        done[node] = smaller(rebuilt)
    return _turned(done[root])


def _turned(expr: Expr) -> Expr:
    """Write BᵀAᵀ as (AB)ᵀ, and −A(B − C) as A(C − B), where that is shorter, or no longer."""
    # Of a term of a sum the minus is the sum's own sign, and free.
    terms = {term for node in expr.nodes() if isinstance(node, Sum) for term in node.args}
    done: dict[Expr, Expr] = {}
    for node in expr.nodes():
        args = tuple(done[arg] for arg in node.args)
        done[node] = type(node).make(args, node.data)
        if isinstance(node, MatMul):
            turned = transpose(node)
            if isinstance(turned, MatMul):
                other = Transpose(type(node).make(tuple(_turned(f) for f in turned.args)))
                if cost(other) < cost(done[node]):
                    done[node] = other
        elif isinstance(node, Scale | Hadamard) and node not in terms:
            done[node] = _without_minus(done[node])
    return done[expr]


def _without_minus(term: Expr) -> Expr:
    """Hand the minus in front of a product to a difference in it."""
    coefficient, core = split(term)
    if coefficient >= 0:
        return term
    front: Expr = UNIT
    if isinstance(core, Scale):
        front, core = core.args
    factors = core.args if isinstance(core, MatMul | Hadamard) else (core,)
    for i, factor in enumerate(factors):
        if isinstance(factor, Sum) and any(split(part)[0] < 0 for part in factor.args):
            flipped = Sum(*(neg(part) for part in factor.args))
            changed = (*factors[:i], flipped, *factors[i + 1 :])
            inner = flipped if len(changed) == 1 else type(core).make(changed)
            scalar = hadamard(number(-coefficient), front)
            other: Expr
            if core.is_scalar:
                parts = (scalar, *changed) if scalar is not UNIT else changed
                other = Hadamard(*parts) if len(parts) > 1 else flipped
            else:
                other = inner if scalar is UNIT else Scale(scalar, inner)
            return other if cost(other) <= cost(term) else term
    return term
