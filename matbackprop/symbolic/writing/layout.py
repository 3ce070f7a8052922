"""From an expression to its form: each kind of node by its rule; a kind without one raises."""

from __future__ import annotations

from matbackprop.symbolic.expression import Expr
from matbackprop.symbolic.writing import (  # noqa: F401 - importing enters the rules
    arithmetic,
    leaves,
    operations,
)
from matbackprop.symbolic.writing.columns import upright
from matbackprop.symbolic.writing.forms import Form
from matbackprop.symbolic.writing.table import Forms


def form_of(expr: Expr, /) -> Form:
    """Return the form of an expression: what every vocabulary spells in its own way.

    Raises
    ------
    MissingRuleError
        If a kind of node has no layout.

    Examples
    --------
    >>> from matbackprop.symbolic.expression import Variable
    >>> form_of(Variable("x", ()))
    Symbol(stem='x', accent='', below=(), face='plain')
    """
    forms = Forms()
    expr = upright(expr)
    for node in expr.nodes():
        forms.add(node)
    return forms[expr]
