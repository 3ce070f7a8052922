"""Each rule of each kind of node agrees with a complex step, and the three with each other."""

import inspect

import pytest

from matbackprop.symbolic.expressions import expression, nodes
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK

KINDS = {
    kind
    for module in (expression, nodes)
    for name, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, expression.Expr) and not name.startswith("_")
} - {expression.Expr, nodes.Differential}  # a differential is there to be read, not derived


@pytest.mark.usefixtures("forms")
def test_the_rules_hold(node, check_rules):
    check_rules(node)


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda kind: kind.__name__))
def test_every_kind_of_node_has_its_rules_and_cases(kind, cases):
    assert kind in DIFFERENTIAL
    assert cases[kind], f"no case for {kind.__name__}"
    has_operands = any(node.args for node in cases[kind])
    assert (kind in PULLBACK) == has_operands
    assert (kind in JACOBIAN) == has_operands


def test_no_rule_is_without_a_case(cases):
    for table in (DIFFERENTIAL, PULLBACK, JACOBIAN):
        assert set(table) <= KINDS == set(cases)


def test_a_case_is_over_variables_alone(node):
    """Else the check would see only some of the operands."""
    assert all(operand.is_variable or not operand.variables() for operand in node.args)
