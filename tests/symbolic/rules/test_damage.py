"""Damage any one rule and the check of the rules turns red: once for each rule."""

import pytest

from matbackprop.symbolic.expressions.construct import add, broadcast, number, scale
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Apply
from matbackprop.symbolic.expressions.tables import (
    DIFFERENTIAL,
    JACOBIAN,
    PULLBACK,
    MissingRuleError,
)
from matbackprop.symbolic.rules import elementwise


def scaled(result: Expr) -> Expr:
    return scale(number(1.01), result)


def negated(result: Expr) -> Expr:
    return scale(number(-1), result)


def shifted(result: Expr) -> Expr:
    return add(result, broadcast(number(1), result.shape))


def damaged(table, kind, damage, monkeypatch) -> None:
    right = table[kind]
    monkeypatch.setitem(table._rules, kind, lambda *given: damage(right(*given)))


def check_all(check_rules, nodes) -> None:
    for node in nodes:
        check_rules(node)


@pytest.mark.parametrize("damage", [scaled, negated])
def test_a_damaged_rule_is_noticed(rule_of_operands, damage, monkeypatch, check_rules, cases):
    table, kind = rule_of_operands
    check_all(check_rules, cases[kind])
    damaged(table, kind, damage, monkeypatch)
    with pytest.raises(AssertionError, match="differ"):
        check_all(check_rules, cases[kind])


def test_a_shifted_rule_is_noticed(rule, monkeypatch, check_rules, cases):
    """Also that of a constant: zero scaled would still be zero."""
    table, kind = rule
    damaged(table, kind, shifted, monkeypatch)
    with pytest.raises(AssertionError, match="differ"):
        check_all(check_rules, cases[kind])


@pytest.mark.parametrize("table", [PULLBACK, JACOBIAN], ids=lambda table: table.operation)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_damage_for_one_operand_alone_is_noticed(table, place, monkeypatch, check_rules, cases):
    for kind in table:
        if max(len(node.args) for node in cases[kind]) <= place:
            continue
        right = table[kind]

        def wrong(*given, right=right):
            return scaled(right(*given)) if given[-1] == place else right(*given)

        with monkeypatch.context() as patch:
            patch.setitem(table._rules, kind, wrong)
            with pytest.raises(AssertionError, match="differ"):
                check_all(check_rules, cases[kind])


def test_each_differential_of_an_operand_is_noticed(monkeypatch, check_rules, cases):
    for kind in DIFFERENTIAL:
        for place in range(max(len(node.args) for node in cases[kind])):
            right = DIFFERENTIAL[kind]

            def wrong(node, *dargs, place=place, right=right):
                changed = [d and scaled(d) if i == place else d for i, d in enumerate(dargs)]
                return right(node, *changed)

            with monkeypatch.context() as patch:
                patch.setitem(DIFFERENTIAL._rules, kind, wrong)
                with pytest.raises(AssertionError, match="differ"):
                    check_all(check_rules, cases[kind])


@pytest.mark.parametrize("name", elementwise.SLOPES)
def test_a_damaged_slope_is_noticed(name, monkeypatch, check_rules, cases):
    right = elementwise.SLOPES[name]

    def wrong(f, h):
        slope = right(f, h)
        return h if slope is None else scaled(slope)

    of_this = [node for node in cases[Apply] if node.name == name]
    check_all(check_rules, of_this)
    monkeypatch.setattr(elementwise, "SLOPES", {**elementwise.SLOPES, name: wrong})
    for node in of_this:
        with pytest.raises(AssertionError):
            check_rules(node)


def test_a_rule_taken_away_raises(rule, monkeypatch, check_rules, cases):
    table, kind = rule
    monkeypatch.delitem(table._rules, kind)
    message = f"There is no {table.operation} of a `{kind.__name__}` node"
    with pytest.raises(MissingRuleError, match=message):
        check_all(check_rules, cases[kind])
