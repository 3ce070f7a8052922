"""A table of rules: what is entered is found, what is not raises; nothing has a default."""

import pytest

from matbackprop.symbolic.expressions.expression import Number, Size, Sum, Variable
from matbackprop.symbolic.expressions.tables import MissingRuleError, RuleTable


@pytest.fixture
def table():
    table = RuleTable("colour")

    @table.rule(Number, Size)
    def _(node):
        return "grey"

    @table.rule(Sum)
    def _(node):
        return "green"

    return table


def test_each_kind_has_the_rule_it_was_given(table):
    assert table[Number](Number(1)) == "grey"
    assert table[Size](Size("n")) == "grey"
    assert table[Sum](None) == "green"


def test_a_missing_rule_names_the_operation_the_kind_and_the_remedy(table):
    with pytest.raises(MissingRuleError) as caught:
        table[Variable]
    assert str(caught.value) == (
        "There is no colour of a `Variable` node. Enter one with `@table.rule(Variable)`."
    )
    assert isinstance(caught.value, NotImplementedError)


def test_a_rule_is_not_inherited(table):
    class Total(Sum):
        __slots__ = ()

    with pytest.raises(MissingRuleError, match="no colour of a `Total` node"):
        table[Total]


def test_membership_and_order(table):
    assert Number in table
    assert Variable not in table
    assert list(table) == [Number, Size, Sum]


def test_a_later_rule_replaces_an_earlier(table):
    @table.rule(Sum)
    def _(node):
        return "blue"

    assert table[Sum](None) == "blue"
    assert list(table) == [Number, Size, Sum]
