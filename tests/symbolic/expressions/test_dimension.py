"""Dimensions are polynomials: equal ones are equal however written."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matbackprop.errors import OptionError
from matbackprop.symbolic.expressions.dimension import Dim, requirements, same

names = st.sampled_from(["n", "p", "k"])
leaves = st.one_of(names.map(Dim.of), st.integers(-3, 3).map(Dim.of))
dims = st.recursive(
    leaves,
    lambda inner: st.tuples(st.sampled_from("+-*"), inner, inner).map(
        lambda t: {"+": t[1] + t[2], "-": t[1] - t[2], "*": t[1] * t[2]}[t[0]]
    ),
    max_leaves=6,
)
SIZES = {"n": 5, "p": 3, "k": 2}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n", 5),
        ("7", 7),
        ("k*p", 6),
        ("n^2", 25),
        ("n**2 - p", 22),
        ("n*(n+1)", 30),
        ("n-n", 0),
        ("n*(n+1)/2", 15),
    ],
)
def test_a_text_denotes_its_polynomial(text, value):
    assert Dim.of(text).evaluate(SIZES) == value


@pytest.mark.parametrize(
    ("a", "b"), [("k*p", "p*k"), ("n+p", "p+n"), ("n*(n+1)", "n^2+n"), ("2*n-n", "n"), ("n*0", "0")]
)
def test_like_terms_are_collected(a, b):
    assert Dim.of(a) == Dim.of(b)
    assert hash(Dim.of(a)) == hash(Dim.of(b))
    assert str(Dim.of(a)) == str(Dim.of(b))


def test_what_differs_is_different():
    assert Dim.of("n") != Dim.of("p")
    assert Dim.of("n") != Dim.of("2*n")
    assert Dim.of("n") != 5
    assert Dim.of(5) == 5
    assert Dim.of("k*p") == "p*k"
    assert Dim.of("n") != ("n",)


@given(dims, dims)
def test_arithmetic_is_that_of_numbers(a, b):
    assert (a + b).evaluate(SIZES) == a.evaluate(SIZES) + b.evaluate(SIZES)
    assert (a - b).evaluate(SIZES) == a.evaluate(SIZES) - b.evaluate(SIZES)
    assert (a * b).evaluate(SIZES) == a.evaluate(SIZES) * b.evaluate(SIZES)


@given(dims)
def test_the_text_reads_back(a):
    assert Dim.of(str(a)) == a


def test_a_half_stays_exact():
    half = Dim.of("n*(n+1)/2")
    assert half + half == Dim.of("n^2+n")
    assert half == Dim.of("n*(n+1)") * Fraction(1, 2)
    assert str(half) == "1/2*n*n+1/2*n"
    assert Dim.of(str(half)) == half


def test_the_longest_terms_come_first():
    assert str(Dim.of("1 + n*p - n")) == "n*p-n+1"
    assert Dim.of("2*n*p").text("·") == "2·n·p"
    assert repr(Dim.of("k*p")) == "Dim('k*p')"


def test_value_and_symbols():
    assert Dim.of(4).value == 4
    assert Dim.of("n-n").value == 0
    assert Dim.of("n").value is None
    assert Dim.of("n+1").value is None
    assert Dim.of("n*p+1").symbols == {"n", "p"}


@pytest.mark.parametrize(
    "value", ["", "n +", "n/p", "n/0", "n(2)", "n^-1", "1.5", 2.0, True, None, "n^p"]
)
def test_anything_else_is_refused(value):
    with pytest.raises(OptionError, match=r"A dimension is a whole number, a name.*; got "):
        Dim.of(value)


def test_a_product_of_sizes_conforms_with_a_number_and_is_noted():
    with requirements() as found:
        assert same(Dim.of("k*p"), Dim.of(6))
        assert same(Dim.of(6), Dim.of("n^2"))
        assert same(Dim.of("n"), Dim.of("n"))
    assert found == {(Dim.of("k*p"), Dim.of(6)), (Dim.of(6), Dim.of("n^2"))}
    with requirements() as later:
        pass
    assert later == set()


@pytest.mark.parametrize(("a", "b"), [("n", 6), ("n", "p"), ("k*p", "n"), (5, 6), ("n+1", 6)])
def test_other_sizes_do_not_conform(a, b):
    with requirements() as found:
        assert not same(Dim.of(a), Dim.of(b))
    assert not found


def test_requirements_nest():
    with requirements() as outer:
        with requirements() as inner:
            same(Dim.of("k*p"), Dim.of(6))
        same(Dim.of("n*p"), Dim.of(12))
    assert inner == {(Dim.of("k*p"), Dim.of(6))}
    assert outer == {(Dim.of("n*p"), Dim.of(12))}
