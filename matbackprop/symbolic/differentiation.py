"""From an expression to its derivatives, simplified; their proofs are made elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from matbackprop.symbolic.certification.certificate import Kind
from matbackprop.symbolic.expressions.construct import duplication, matmul, transpose, vec
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.nodes import Item
from matbackprop.symbolic.naming import with_names
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.simplification.measure import cost
from matbackprop.symbolic.sweeps import gradients, push_forward, vec_jacobian
from matbackprop.symbolic.tangents import projected


def derived(
    F: Expr, variables: Sequence[Variable], kind: Kind, /, *, direction: Variable | None = None
) -> dict[Variable, Expr]:
    """Return the derivative of F with respect to each variable, without a certificate.

    Parameters
    ----------
    F
        A scalar, or a 1×1 matrix, which is taken as its entry; for "jacobian" any matrix.
    variables
        With respect to what; the gradients share one sweep.
    kind
        "gradient", "vech gradient", "jacobian", "hessian" or "hvp".
    direction
        For "hvp", what the Hessian is multiplied by.

    Examples
    --------
    >>> from matbackprop.symbolic import parse
    >>> L = parse("tr(X'*A*X)", shapes={"X": ("n", "p"), "A": ("n", "n")})
    >>> (X,) = (v for v in L.variables().values() if v.name == "X")
    >>> print(derived(L, [X], "gradient")[X])
    (A+A')*X
    """
    S = simplify(F if F.is_scalar or kind == "jacobian" else Item(F))
    if kind == "jacobian":
        return {X: _smallest_jacobian(S, X, S) for X in variables}
    found = gradients(S, variables)
    return {X: _finished(projected(G, X), X, kind, S, direction) for X, G in found.items()}


def _finished(G: Expr, X: Variable, kind: Kind, S: Expr, V: Variable | None) -> Expr:
    """Return what was asked for, from the gradient."""
    if kind == "vech gradient":
        return _tidy(matmul(transpose(duplication(X.rows)), vec(G)), S)
    G = _tidy(G, S)
    if kind == "hessian":
        return _smallest_jacobian(G, X, S)
    if V is not None:
        return _tidy(projected(push_forward(G, {X: V}), X), S)
    return G


def _smallest_jacobian(F: Expr, X: Variable, S: Expr) -> Expr:
    """Return the Jacobian by the chain rule of F, or of its tidied differential if smaller.

    dF is linear in dX, so its Jacobian with respect to dX is that of F with respect to X; and
    what cancels in dF, a mean of something centred, say, is no longer seen between the ⊗.
    """
    dX = Variable(f"d{X.name}", X.shape)
    while dX.name in F.variables():
        dX = Variable(f"d{dX.name}", X.shape)
    routes = (vec_jacobian(F, X), vec_jacobian(_tidy(push_forward(F, {X: dX}), S), dX))
    return min((_tidy(J, S) for J in routes), key=cost)


def _tidy(derivative: Expr, S: Expr) -> Expr:
    return simplify(with_names(derivative, S))
