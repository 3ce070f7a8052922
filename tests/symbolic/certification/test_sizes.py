"""The sizes chosen make every shape conform, and are the usual ones where they can be."""

import pytest

from matbackprop.errors import ShapeError
from matbackprop.symbolic.certification.sizes import size_choices
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Size, Variable
from matbackprop.symbolic.expressions.nodes import Kron, Ones


def var(name, *shape):
    return Variable(name, tuple(Dim.of(s) for s in shape))


def choices(expr):
    return list(size_choices(expr.nodes()))


SQUARE = Kron(var("A", "k", "k"), var("X", "p", "p"))


def test_the_usual_sizes_then_their_reverse():
    expr = var("X", "n", "p") @ var("B", "p", "q")
    assert choices(expr) == [{"n": 6, "p": 3, "q": 4}, {"n": 4, "p": 3, "q": 6}]


def test_no_sizes_where_there_are_no_symbols():
    assert choices(var("s")) == [{}]
    assert choices(var("X", 3, 4)) == [{}]
    assert choices(var("x", "n", 1)) == [{"n": 6}]


def test_other_names_get_sizes_of_their_own():
    (first, _) = choices(var("X", "N", "D") @ var("W", "D", "units"))
    assert first["N"] == 6
    assert len({*first.values()}) == 3
    many = [var(f"x{i}", f"d{i}", 1) for i in range(15)]
    (first, *_) = size_choices(many)
    assert len({*first.values()}) == 15


def test_upper_and_lower_n_differ():
    (first, *_) = choices(var("X", "n", "N"))
    assert first["n"] == 6 != first["N"]


@pytest.mark.parametrize(("number", "product"), [(6, {2, 3}), (35, {5, 7}), (7, {1, 7}), (9, {3})])
def test_a_product_of_sizes_is_the_number_it_meets(number, product):
    for sizes in choices(SQUARE @ var("B", number, number)):
        assert sizes["k"] * sizes["p"] == number
        assert {*sizes.values()} == product


def test_sizes_stay_distinct_and_usual_where_that_is_possible():
    assert choices(SQUARE @ var("B", 6, 6))[0] == {"k": 2, "p": 3}
    assert choices(SQUARE @ var("B", 12, 12))[0] == {"k": 4, "p": 3}


def test_requirements_hold_together():
    expr = Kron(var("A", "a", "b"), var("B", "c", "d")) @ var("Z", 15, 1)
    tall = Kron(var("A", "a", "b"), var("C", "c", 2)).T @ var("Y", 14, 1)
    for sizes in size_choices([*expr.nodes(), *tall.nodes()]):
        assert sizes["b"] * sizes["d"] == 15
        assert sizes["a"] * sizes["c"] == 14


@pytest.mark.parametrize("dim", ["p-n", "n-p", "n-7", "n/2", "m/2", "n*(n-5)/2", "n-p-m"])
def test_every_dimension_is_a_whole_positive_number(dim):
    for sizes in choices(var("x", dim, 1)):
        value = Dim.of(dim).evaluate(sizes)
        assert value >= 1
        assert (Dim.of(dim) * 2).evaluate(sizes) == 2 * value


def test_a_size_as_a_number_need_not_be_positive():
    assert choices(Ones("n", "p") * Size("p-n"))[0] == {"n": 6, "p": 3}


def test_where_no_sizes_conform_the_equalities_are_named():
    with pytest.raises(ShapeError, match=r"only with k·p = 143, which no sizes up to 12 satisfy"):
        choices(SQUARE @ var("B", 143, 143))
    both = SQUARE @ var("B", 6, 6) @ SQUARE.T @ var("C", "k*p", 1)
    contradiction = SQUARE @ var("C", 8, 1)
    with pytest.raises(ShapeError, match=r"only with k·p = \d.* no sizes"):
        list(size_choices([*both.nodes(), *contradiction.nodes()]))
