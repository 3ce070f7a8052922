"""Nodes without operands. A constant does not change; the change of a variable is its symbol.

They have no operand to pull a gradient back to: the other two tables do not hold them.
"""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import zero
from matbackprop.symbolic.expressions.expression import Expr, Number, Size, Variable
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    Commutation,
    Differential,
    Duplication,
    Identity,
    Ones,
    Zeros,
)
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL


@DIFFERENTIAL.rule(Number, Size, Zeros, Ones, Identity, Centering, Commutation, Duplication)
def _(node: Expr) -> Expr:
    """DC = 0."""
    return zero(node.shape)


@DIFFERENTIAL.rule(Variable)
def _(node: Variable) -> Expr:
    """dX, its own symbol."""
    return Differential(node)
