"""Numerical derivatives along directions, against derivatives known by hand."""

import numpy as np
import pytest

from matbackprop.symbolic.certification.sampling import Sample
from matbackprop.symbolic.certification.slopes import Slopes, moved_by
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.nodes import Apply, Inverse, Total, Trace


def var(name, *shape, domain="normal"):
    return Variable(name, tuple(Dim.of(s) for s in shape), (), domain)


X, A, s = var("X", "p", "p", domain="well"), var("A", "p", "p"), var("s", domain="positive")


def at(*roots):
    return Sample(roots, seed=3).points(1, lambda point: point)[0][0]


@pytest.fixture
def directions(rng):
    return rng.standard_normal((5, 3, 3))


def test_the_first_derivative_of_a_matrix(directions):
    slopes = Slopes((Inverse(X) @ A,), X)
    point = at(Inverse(X) @ A)
    value, doubt = slopes.first(point, directions)
    inv, a = np.linalg.inv(point.array(X)), point.array(A)
    expected = [(-inv @ d @ inv @ a).reshape(-1, order="F") for d in directions]
    np.testing.assert_allclose(value, np.stack(expected, axis=1), rtol=1e-12, atol=1e-13)
    assert value.shape == (9, 5)
    assert not doubt.any()
    assert slopes.method == "complex step"


def test_several_roots_are_stacked(directions):
    L = Trace(X @ X @ X)
    point = at(A @ X, L)
    value, _ = Slopes((A @ X, L, A), X).first(point, directions)
    x, a = point.array(X), point.array(A)
    for j, d in enumerate(directions):
        expected = [*(a @ d).reshape(-1, order="F"), 3 * np.trace(x @ x @ d), *np.zeros(9)]
        np.testing.assert_allclose(value[:, j], expected, rtol=1e-12, atol=1e-13)


def test_the_second_derivative_of_a_scalar(directions):
    L = Trace(X @ X @ X)
    point = at(L)
    U, V = directions[:2], directions[2:]
    value, doubt = Slopes((L,), X).second(point, U, V)
    x = point.array(X)
    expected = [[3 * np.trace(x @ u @ v + x @ v @ u) for v in V] for u in U]
    np.testing.assert_allclose(value, expected, rtol=1e-9)
    assert (abs(value - expected) <= 3 * doubt).all()
    assert doubt.max() < 1e-8


def test_without_complex_values_central_differences_say_how_good_they_are():
    L = Apply("trigamma", s)
    slopes, point = Slopes((L,), s), at(L)
    value, doubt = slopes.first(point, np.ones(1))
    closer = (
        L.evaluate({"s": point.array(s) + 1e-5}) - L.evaluate({"s": point.array(s) - 1e-5})
    ) / 2e-5
    assert value[0, 0] == pytest.approx(closer, rel=1e-7)
    assert 0 < doubt[0, 0] < 1e-8
    assert slopes.method == "central differences"


def test_what_does_not_depend_on_the_variable_may_lack_complex_values():
    L = Apply("trigamma", s) * Total(X)
    assert Slopes((L,), X).method == "complex step"
    assert Slopes((L,), s).method == "central differences"


def test_the_source_is_differentiated_also_where_it_lost_the_variable():
    point = Sample((s * 1,), (), (X,)).points(1, lambda point: point)[0][0]
    value, _ = Slopes((s * 1,), X).first(point, np.ones((2, 3, 3)))
    assert (value == np.zeros((1, 2))).all()


def test_moved_nodes_come_after_their_operands():
    root = Total(A @ X) * s + Total(A)
    moved = moved_by((root,), X)
    assert moved == (X, A @ X, Total(A @ X), Total(A @ X) * s, root)
