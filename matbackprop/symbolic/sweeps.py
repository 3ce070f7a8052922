"""Derivatives of whole expressions: one sweep over the graph, each node once.

Backwards for gradients, forwards for a direction and for Jacobians. Only nodes between the
result and a wanted variable are touched; where two paths meet, what they carry is added.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from matbackprop.errors import ShapeError
from matbackprop.symbolic import rules  # noqa: F401 - importing enters the rules
from matbackprop.symbolic.expressions.construct import add, identity, item, matmul, number, zero
from matbackprop.symbolic.expressions.dimension import same
from matbackprop.symbolic.expressions.expression import Expr, Variable, shape_text
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK

E = TypeVar("E", bound=Expr)


def dependents(root: Expr, variables: Collection[Expr], /) -> set[Expr]:
    """Return the nodes of an expression that change with one of the variables, these included.

    Examples
    --------
    >>> x, y = Variable("x", ()), Variable("y", ())
    >>> dependents(x + y * y, [x]) == {x, x + y * y}
    True
    """
    found: set[Expr] = set()
    for node in root.nodes():
        if node in variables or not found.isdisjoint(node.args):
            found.add(node)
    return found


def gradients(L: Expr, variables: Collection[E], /) -> dict[E, Expr]:
    """Return ∂L/∂X for each variable X, in its shape: dL = Σ tr((∂L/∂X)ᵀdX).

    One sweep from L backwards serves all variables, so that they share subexpressions. The
    gradient for a variable that L does not contain is zero.

    Parameters
    ----------
    L
        A scalar; a 1×1 matrix is taken as its entry.
    variables
        The variables, or other nodes of L: a named intermediate has a gradient too.

    Raises
    ------
    ShapeError
        If L is a larger matrix.
    MissingRuleError
        If a kind of node on the way has no pullback.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.nodes import Total
    >>> X = Variable("X", (ONE * 2, ONE * 2))
    >>> gradients(Total(X * X), [X])[X].evaluate({"X": [[1.0, 2.0], [3.0, 4.0]]})
    array([[2., 4.],
           [6., 8.]])
    """
    if L.shape not in ((), (ONE, ONE)):
        raise ShapeError(
            f"`gradients(L, variables)` needs a scalar L; got {shape_text(L.shape)}. Take "
            "`total(L)` for the sum of its entries, or `vec_jacobian(L, X)` for the Jacobian."
        )
    root = L if L.is_scalar else item(L)
    wanted = dependents(root, variables)
    found: dict[Expr, list[Expr]] = {root: [number(1)]}
    for node in reversed([node for node in root.nodes() if node in wanted]):
        if node.args:
            G = _sum(found[node])
            for i, operand in enumerate(node.args):
                if operand in wanted:
                    found.setdefault(operand, []).append(PULLBACK[type(node)](node, G, i))
    return {x: _sum(found[x]) if x in found else zero(x.shape) for x in variables}


def push_forward(F: Expr, directions: Mapping[Variable, Expr], /) -> Expr:
    """Return the derivative of F along a direction: dF with dX replaced by it.

    Of a gradient this is the product of the Hessian and the direction. Variables without a
    direction are held constant; F that depends on none of the others has the derivative zero.

    Raises
    ------
    ShapeError
        If a direction has not the shape of its variable.
    MissingRuleError
        If a kind of node on the way has no differential.

    Examples
    --------
    >>> x, u = Variable("x", ()), Variable("u", ())
    >>> float(push_forward(x * x, {x: u}).evaluate({"x": 3.0, "u": 2.0}))
    12.0
    """
    d: dict[Expr, Expr] = {}
    for X, direction in directions.items():
        if not _conform(X, direction):
            raise ShapeError(
                f"`push_forward(F, directions)` needs a direction for {X.name} of its shape, "
                f"{shape_text(X.shape)}; got {shape_text(direction.shape)}."
            )
        d[X] = direction
    changing = dependents(F, directions)
    for node in F.nodes():
        if node in changing and node not in d:
            d[node] = DIFFERENTIAL[type(node)](node, *(d.get(operand) for operand in node.args))
    return d[F] if F in changing else zero(F.shape)


def vec_jacobian(F: Expr, X: Expr, /) -> Expr:
    """Return ∂vec(F)/∂vec(X)ᵀ, with a row for each entry of F, a column for each of X.

    The Jacobian of each node is built once, from those of its operands by the chain rule. A
    scalar counts as 1×1. Of a gradient this is the Hessian.

    Raises
    ------
    MissingRuleError
        If a kind of node on the way has no Jacobian.

    Examples
    --------
    >>> x = Variable("x", (ONE * 2, ONE))
    >>> vec_jacobian(x * x, x).evaluate({"x": [[1.0], [3.0]]})
    array([[2., 0.],
           [0., 6.]])
    """
    changing = dependents(F, (X,))
    J: dict[Expr, Expr] = {X: identity(X.rows * X.columns)}
    for node in F.nodes():
        if node in changing and node is not X:
            J[node] = _sum(
                [
                    matmul(JACOBIAN[type(node)](node, i), J[operand])
                    for i, operand in enumerate(node.args)
                    if operand in changing
                ]
            )
    return J[F] if F in changing else zero((F.rows * F.columns, X.rows * X.columns))


def _sum(terms: list[Expr]) -> Expr:
    return terms[0] if len(terms) == 1 else add(*terms)


def _conform(a: Expr, b: Expr) -> bool:
    return len(a.shape) == len(b.shape) and all(map(same, a.shape, b.shape))
