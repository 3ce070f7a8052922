"""The slopes of the elementwise functions: complete, compact, and an error where there is none."""

import pytest

from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import Apply
from matbackprop.symbolic.expressions.tables import (
    DIFFERENTIAL,
    JACOBIAN,
    PULLBACK,
    MissingRuleError,
)
from matbackprop.symbolic.rules.elementwise import SLOPES

h = Variable("h", ())


def test_every_function_but_the_last_of_its_line_has_a_slope():
    assert set(FUNCTIONS) - set(SLOPES) == {"trigamma"}
    assert set(SLOPES) <= set(FUNCTIONS)


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid", "silu", "tan", "normal_pdf"])
def test_a_slope_uses_the_value_that_is_there(name):
    f = Apply(name, h)
    assert f in set(SLOPES[name](f, h).nodes())


@pytest.mark.parametrize(
    "rule",
    [
        lambda node: DIFFERENTIAL[Apply](node, h),
        lambda node: PULLBACK[Apply](node, h, 0),
        lambda node: JACOBIAN[Apply](node, 0),
    ],
    ids=["differential", "pullback", "jacobian"],
)
def test_a_function_without_a_derivative_says_so(rule):
    with pytest.raises(
        MissingRuleError, match=r"`trigamma\(x\)` has no derivative here.*Differentiate once less"
    ):
        rule(Apply("trigamma", h))
