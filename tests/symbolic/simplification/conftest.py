"""What the tables of soundness share: the comparison, and a rule that is wrong by one percent."""

from fractions import Fraction

import numpy as np
import pytest

from matbackprop.symbolic import simplify
from matbackprop.symbolic.expressions import construct
from matbackprop.symbolic.expressions.expression import Hadamard, Number, Scale
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.order import is_zero


def compare(expr, values):
    """Assert that an expression and its simplified form are equal at a point."""
    raw = np.asarray(expr.evaluate(values))
    tidy = np.asarray(simplify(expr).evaluate(values))
    assert np.isfinite(raw).all()
    assert tidy.shape == raw.shape
    np.testing.assert_allclose(tidy, raw, rtol=1e-10, atol=1e-10)


@pytest.fixture
def its_value_stays():
    return compare


@pytest.fixture
def damage(monkeypatch):
    """Make one call of a kind's rule wrong, the first whose result is not 0.

    Were every call wrong, rules that call each other would never settle. No normal form is
    remembered into, or out of, the test.
    """
    sound = {kind: NORMAL_FORM[kind] for kind in NORMAL_FORM}

    def damage(kind):
        spent = False

        def wrong(args, data):
            nonlocal spent
            result = sound[kind](args, data)
            if spent or is_zero(result):
                return result
            spent = True
            times = Hadamard if result.is_scalar else Scale
            return times(Number(Fraction(101, 100)), result)

        monkeypatch.setitem(NORMAL_FORM._rules, kind, wrong)
        construct.forget()

    yield damage
    construct.forget()
