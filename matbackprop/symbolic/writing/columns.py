"""Columns as one writes them: (rᵀ ⊙ 1ᵀM)ᵀ is r ⊙ Mᵀ1.

The engine has rows where it sums columns, and turns them as a whole; a reader expects columns.
"""

from __future__ import annotations

from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import ColSum, Ones

_PLAIN = 1
"""The signs ᵀ that a transposed row has as a whole; turned part by part it may have no more."""


def upright(root: Expr, /) -> Expr:
    """Return the expression with transposed rows turned part by part where that is no longer.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.writing import to_unicode
    >>> M = Variable("M", (ONE * 3, ONE * 2))
    >>> print(to_unicode(Transpose(ColSum(M))))
    Mᵀ1₃
    """
    done: dict[Expr, Expr] = {}
    for node in root.nodes():
        new = node.with_args(tuple(done[arg] for arg in node.args))
        if isinstance(new, Transpose) and not new.is_scalar and new.columns == ONE != new.rows:
            column, signs = _turned(new.args[0])
            new = column if signs <= _PLAIN else new
        done[node] = new
    return done[root]


def _turned(row: Expr) -> tuple[Expr, int]:
    """Return rᵀ for a row r, and how many signs ᵀ it has more than r."""
    match row:
        case Transpose(args=(column,)):
            return column, -1
        case ColSum(args=(M,)):
            down = M.args[0] if isinstance(M, Transpose) else Transpose(M)
            return MatMul(down, Ones(M.rows, ONE)), 0
        case Scale(args=(s, r)):
            column, signs = _turned(r)
            return Scale(s, column), signs
        case Power(args=(r, Number() as exponent)):
            column, signs = _turned(r)
            return Power(column, exponent), signs
        case Hadamard(args=args) | Sum(args=args):
            columns, counts = zip(*map(_turned, args), strict=True)
            return type(row)(*columns), sum(counts)
        case Broadcast(args=(s,)) if s.is_scalar:
            return Broadcast(s, row.columns, ONE), 0
        case Ones():
            return Ones(row.columns, ONE), 0
    return Transpose(row), 1
