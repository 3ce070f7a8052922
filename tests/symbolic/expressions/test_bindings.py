"""What an expression is evaluated at is checked at the door, with messages that help."""

import numpy as np
import pytest

from matbackprop.errors import DtypeError, OptionError, ShapeError
from matbackprop.symbolic.expressions.bindings import bind
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable


def var(name, *shape):
    return Variable(name, tuple(Dim.of(s) for s in shape))


X, b, s, K = var("X", "n", "p"), var("b", "p", 1), var("s"), var("K", "k*p", "n+1")
VARIABLES = {"X": X, "b": b, "s": s}
VALUES = {"X": np.arange(6.0).reshape(3, 2), "b": [[1], [2]], "s": 2}


def test_arrays_and_the_sizes_they_show():
    given = bind(VARIABLES, VALUES)
    assert given.sizes == {"n": 3, "p": 2}
    assert given.arrays["b"].dtype == np.float64
    assert given.arrays["s"].shape == ()
    assert given.size(Dim.of("n*p+1")) == 7


def test_sizes_may_be_given_and_are_needed_where_no_matrix_shows_them():
    given = bind({"K": K, "X": X}, {"K": np.ones((8, 4)), "X": np.ones((3, 2)), "k": 4})
    assert given.sizes == {"n": 3, "p": 2, "k": 4}
    with pytest.raises(OptionError, match=r'needs the size k, which no matrix shows: add "k": …'):
        bind({"K": K, "X": X}, {"K": np.ones((8, 4)), "X": np.ones((3, 2))})


def test_inputs_are_not_changed_and_complex_ones_pass():
    value = np.array([[1 + 1e-30j], [2]])
    given = bind({"b": b}, {"b": value})
    assert given.arrays["b"] is value
    single = np.ones((2, 1), np.float32)
    assert bind({"b": b}, {"b": single}).arrays["b"].dtype == np.float32


def test_more_values_than_needed_do_no_harm():
    assert bind({"b": b}, {**VALUES, "unused": np.ones((9, 9))}).arrays.keys() == {"b"}


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"X": None}, OptionError, "`evaluate(values)` needs a value for X; got b, s."),
        ({"b": [1.0, 2.0]}, ShapeError, "needs b as p×1; got shape (2,). Write a column vector as"),
        ({"b": [[1.0], [2.0], [3.0]]}, ShapeError, "size p; b of shape (3, 1) says 3, X says 2."),
        ({"b": [[1.0, 2.0]]}, ShapeError, "one value of the size p; b of shape (1, 2) says 1"),
        ({"b": np.ones((2, 2))}, ShapeError, "needs b of shape (2, 1); got (2, 2). Write a column"),
        ({"s": [[1.0]]}, ShapeError, "needs s as a scalar; got shape (1, 1)."),
        ({"b": 3.0}, ShapeError, "needs b as p×1; got shape ()."),
        ({"b": [["1"], ["2"]]}, DtypeError, "needs numbers in b; got dtype <U1."),
        ({"n": 4}, ShapeError, "size n; X of shape (3, 2) says 3, the values says 4."),
    ],
)
def test_wrong_values_are_refused(change, error, text):
    values = {name: value for name, value in (VALUES | change).items() if value is not None}
    with pytest.raises(error) as caught:
        bind(VARIABLES, values)
    assert text in str(caught.value)


def test_a_number_for_a_shape_in_numbers():
    with pytest.raises(ShapeError, match=r"needs B of shape \(6, 6\); got \(5, 6\)"):
        bind({"B": var("B", 6, 6)}, {"B": np.ones((5, 6))})
