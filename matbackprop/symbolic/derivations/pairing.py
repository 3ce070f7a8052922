"""tr(GᵀdX), as one writes it: gᵀdx for a column, g·ds for a scalar."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import scale, transpose
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    Diag,
    Identity,
    Inverse,
    Item,
    MatrixPower,
    Ones,
    Total,
    Trace,
)


def paired(G: Expr, D: Expr, /) -> Expr:
    """Return tr(GᵀD) with D last, written plainly: no rule reorders it afterwards.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.writing import to_unicode
    >>> g, x = (Variable(name, (ONE * 3, ONE)) for name in "gx")
    >>> print(to_unicode(paired(2 * g, x)))
    2gᵀx
    """
    if G.shape == (ONE, ONE):
        return paired(_entry(G), Item(D))
    scalars: list[Expr] = []
    while isinstance(G, Scale):
        s, G = G.args
        if s is Number(-1) and isinstance(G, Sum):  # −(A − B) is B − A
            G = Sum(*(scale(s, term) for term in G.args))
        else:
            scalars.append(s)
    while isinstance(D, Scale):
        scalars.append(D.args[0])
        D = D.args[1]
    if G.is_scalar:
        parts = [D] if G is Number(1) else [G, D]
    elif isinstance(G, Broadcast) and G.args[0].is_scalar:
        parts = [G.args[0], Total(D)]
    elif isinstance(G, Ones):
        parts = [Total(D)]
    elif isinstance(G, Identity):
        parts = [Trace(D)]
    elif G.columns == ONE:
        parts = [Item(MatMul(turned(G), D))]
    elif G.rows == ONE:
        parts = [Item(MatMul(G, turned(D)))]
    else:
        parts = [Trace(MatMul(turned(G), D))]
    factors = [*scalars, *parts]
    return factors[0] if len(factors) == 1 else Hadamard(*factors)


def turned(M: Expr, /) -> Expr:
    """Return Mᵀ, factor by factor: BᵀAᵀ, but (A − B)ᵀ unless a term is shorter transposed."""
    match M:
        case MatMul(args=args):
            return MatMul(*(turned(factor) for factor in reversed(args)))
        case Scale(args=(s, A)):
            return Scale(s, turned(A))
        case Transpose(args=(A,)):
            return A
        case Diag() | Identity() | Centering():
            return M
        case Inverse() | MatrixPower():
            return transpose(M)
        case Sum() if transpose(M) is M:
            return M
    return Transpose(M) if M.args else transpose(M)


def _entry(G: Expr) -> Expr:
    """Return the entry of a 1×1 matrix."""
    if isinstance(G, Broadcast) and G.args[0].is_scalar:
        return G.args[0]
    return Number(1) if isinstance(G, Ones) else Item(G)
