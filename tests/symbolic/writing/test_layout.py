import inspect

import pytest

from matbackprop.symbolic.expressions import expression, nodes
from matbackprop.symbolic.expressions.expression import Expr, Variable
from matbackprop.symbolic.expressions.tables import MissingRuleError
from matbackprop.symbolic.writing import to_latex, to_unicode
from matbackprop.symbolic.writing.table import LAYOUT

KINDS = [
    kind
    for module in (expression, nodes)
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Expr) and kind is not Expr and not name.startswith("_")
]


def test_unicode(spelling):
    expr, text, _ = spelling
    assert to_unicode(expr) == text


def test_latex(spelling):
    expr, _, latex = spelling
    assert to_latex(expr) == latex


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_a_layout_and_a_line_in_the_table(kind, spellings):
    assert kind in LAYOUT
    assert any(type(node) is kind for expr, _, _ in spellings for node in expr.nodes())


def test_a_kind_without_a_layout_raises():
    class Unheard(Expr):
        shape_of = staticmethod(lambda args, data: ())

    with pytest.raises(MissingRuleError, match="no layout of a `Unheard` node"):
        to_unicode(Unheard.make((Variable("x", ()),)))
