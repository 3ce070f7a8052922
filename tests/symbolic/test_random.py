"""Random expressions, five operations deep: every derivative against a complex step."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.sweeps import gradients, vec_jacobian

DIMS = [Dim.of(name) for name in ("n", "p", "k")]
TOLERANCE = 1e-8
DEPTH = 5


def agree(found, wanted):
    assert np.all(np.isfinite(wanted))
    scale = 1 + np.max(np.abs(wanted))
    np.testing.assert_allclose(found / scale, wanted / scale, rtol=0, atol=TOLERANCE)


def drawn(builder, random, shape):
    """Return an expression with a variable free of assumptions, and that variable.

    Of an assumed one only the tangent part is determined: see `test_certificate.py`.
    """
    expr = builder(random.randrange).build(shape, DEPTH)
    note(str(expr))
    free = [v for v in expr.variables().values() if not v.flags]
    assume(free)
    return expr, random.choice(free)


# `values` and `slope` hold no state that an example could change for the next.
thorough = settings(
    max_examples=1000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@thorough
@given(random=st.randoms(use_true_random=False))
def test_gradients(random, builder, values, slope):
    L, X = drawn(builder, random, ())
    given = values(L)
    wanted = slope(L, X, given)
    raw = gradients(L, [X])[X]
    for G in (raw, simplify(raw), simplify(gradients(simplify(L), [X])[X])):
        agree(np.reshape(G.evaluate(given), (1, -1), order="F"), wanted)


@thorough
@given(random=st.randoms(use_true_random=False))
def test_jacobians(random, builder, values, slope):
    shape = (random.choice(DIMS), random.choice(DIMS))
    F, X = drawn(builder, random, shape)
    given = values(F)
    wanted = slope(F, X, given)
    raw = vec_jacobian(F, X)
    for J in (raw, simplify(raw), simplify(vec_jacobian(simplify(F), X))):
        agree(J.evaluate(given), wanted)


@settings(thorough, max_examples=300)
@given(random=st.randoms(use_true_random=False))
def test_simplification_is_sound_and_idempotent(random, builder, values):
    shape = random.choice([(), (random.choice(DIMS), random.choice(DIMS))])
    F = builder(random.randrange).build(shape, DEPTH)
    tidy = simplify(F)
    given = values(F)
    agree(np.asarray(tidy.evaluate(given)), np.asarray(F.evaluate(given)))
    assert simplify(tidy) is tidy


def test_a_wrong_gradient_is_noticed(builder, values, slope):
    rng = np.random.default_rng(1)
    L = builder(lambda k: int(rng.integers(k))).build((), DEPTH)
    X = next(v for v in L.variables().values() if not v.flags)
    given = values(L)
    G = gradients(L, [X])[X].evaluate(given)
    wanted = slope(L, X, given)
    assert np.max(np.abs(wanted)) > 1e-3
    with pytest.raises(AssertionError):
        agree(1.001 * np.reshape(G, (1, -1), order="F"), wanted)
