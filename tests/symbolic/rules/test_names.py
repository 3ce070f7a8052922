"""Every rule has a name that a derivation can print."""

import pytest

from matbackprop.symbolic.expressions.expression import Number, Power, Variable
from matbackprop.symbolic.expressions.nodes import Apply, Differential
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, PULLBACK
from matbackprop.symbolic.rules import MOVE_NAMES, RULE_NAMES, move_name, rule_name

x = Variable("x", ())


def test_every_rule_and_every_move_has_a_name():
    assert set(RULE_NAMES) == set(DIFFERENTIAL)
    assert set(MOVE_NAMES) == set(PULLBACK)
    assert all([*RULE_NAMES.values(), *MOVE_NAMES.values()])


def test_the_name_of_every_case_is_words(node):
    assert rule_name(node).strip()
    assert not node.args or move_name(node).strip()


@pytest.mark.parametrize(
    ("node", "name"),
    [
        (Apply("gelu", x), "the derivative of gelu"),
        (Power(x, -1), "the reciprocal"),
        (Power(x, Number(0.5)), "the square root"),
        (Power(x, 2), "the power rule"),
        (Power(x, x), "the power rule"),
        (x * x, "the product rule"),
        (x, "the variable"),
    ],
)
def test_names_depend_on_the_function_and_the_exponent(node, name):
    assert rule_name(node) == name


@pytest.mark.parametrize("name_of", [rule_name, move_name])
def test_what_has_no_rule_has_no_name(name_of):
    with pytest.raises(KeyError):
        name_of(Differential(x))
