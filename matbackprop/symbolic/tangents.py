"""Where a variable may move: the tangent space of what it is assumed to be."""

from __future__ import annotations

from fractions import Fraction

from matbackprop.symbolic.expressions.construct import (
    add,
    diag,
    diagvec,
    matmul,
    neg,
    number,
    scale,
    transpose,
)
from matbackprop.symbolic.expressions.expression import Expr, Variable


def projected(G: Expr, X: Variable, /) -> Expr:
    """Return the gradient that lies in the tangent space of X, the only one dL determines.

    dL = tr(GᵀdX) for all dX that X may make leaves G open but for this: symmetric X has
    (G + Gᵀ)/2, diagonal X diag(diag G), orthogonal X, whose dX = XΩ with Ωᵀ = −Ω,
    (G − XGᵀX)/2. G itself where nothing is assumed.

    References
    ----------
    Edelman, Arias and Smith (1998), *The geometry of algorithms with orthogonality constraints*,
    SIAM Journal on Matrix Analysis and Applications 20, 303-353.
    """
    half = number(Fraction(1, 2))
    if "diagonal" in X.flags:
        return diag(diagvec(G))
    if "symmetric" in X.flags:
        G = scale(half, add(G, transpose(G)))
    if "orthogonal" in X.flags:
        G = scale(half, add(G, neg(matmul(X, transpose(G), X))))
    return G
