"""From an expression to its form: each kind of node by its rule; a kind without one raises."""

from __future__ import annotations

from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.writing import (  # noqa: F401 - importing enters the rules
    arithmetic,
    leaves,
    operations,
)
from matbackprop.symbolic.writing.columns import upright
from matbackprop.symbolic.writing.forms import Form
from matbackprop.symbolic.writing.names import Symbols
from matbackprop.symbolic.writing.table import Forms


def symbols_of(*exprs: Expr) -> Symbols:
    """Return how the names in expressions are written, no two alike."""
    return Symbols(
        node.name for expr in exprs for node in expr.nodes() if isinstance(node, Variable | Named)
    )


def form_of(expr: Expr, /, symbols: Symbols | None = None) -> Form:
    """Return the form of an expression: what every vocabulary spells in its own way.

    Where it is one of several, `symbols` are those of the names in all of them.

    Raises
    ------
    MissingRuleError
        If a kind of node has no layout.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> form_of(Variable("x", ()))
    Symbol(stem='x', accent='', below=(), face='plain')
    """
    forms = Forms(symbols_of(expr) if symbols is None else symbols)
    expr = upright(expr)
    for node in expr.nodes():
        forms.add(node)
    return forms[expr]
