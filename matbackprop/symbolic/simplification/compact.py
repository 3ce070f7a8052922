"""From the normal form to the text an author would write."""

from __future__ import annotations

from matbackprop.symbolic.construct import make, transpose
from matbackprop.symbolic.expression import Expr, MatMul, Transpose
from matbackprop.symbolic.simplification.factoring import smaller
from matbackprop.symbolic.simplification.measure import cost

MOST_ROUNDS = 20


def simplify(expr: Expr, /) -> Expr:
    """Return an equal expression, in normal form and as small as a few rewritings make it.

    Examples
    --------
    >>> from matbackprop.symbolic import parse
    >>> print(simplify(parse("A*x + A'*x", shapes={"A": ("n", "n"), "x": ("n", 1)})))
    (A+A')*x
    """
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
    done: dict[Expr, Expr] = {}
    for node in normal(expr).nodes():
        rebuilt = make(type(node), tuple(done[arg] for arg in node.args), node.data)
        done[node] = smaller(rebuilt)
    return _turned(done[normal(expr)])


def _turned(expr: Expr) -> Expr:
    """Write BᵀAᵀ as (AB)ᵀ where that takes fewer transposes."""
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
    return done[expr]
