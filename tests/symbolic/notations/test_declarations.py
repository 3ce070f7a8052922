import pytest

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.notations import declared


@pytest.mark.parametrize(
    ("given", "shape"),
    [
        (("n", "p"), ("n", "p")),
        (["n", 1], ("n", "1")),
        (("n",), ("n", "1")),
        ("n", ("n", "1")),
        (6, ("6", "1")),
        ("n,p", ("n", "p")),
        (" n , 2*p ", ("n", "2*p")),
        (("k*p", 6), ("k*p", "6")),
        ((), ()),
        ([], ()),
        ("", ()),
    ],
)
def test_shapes(given, shape):
    assert declared({"X": given}, {}, {})["X"].shape == tuple(map(Dim.of, shape))


@pytest.mark.parametrize(
    ("assumed", "flags", "domain"),
    [
        ((), (), "normal"),
        ("spd", ("spd", "symmetric"), "spd"),
        (("symmetric", "spd"), ("spd", "symmetric"), "spd"),
        ("diagonal", ("diagonal", "symmetric"), "diagonal"),
        ("symmetric", ("symmetric",), "symmetric"),
        (["orthogonal"], ("orthogonal",), "orthogonal"),
    ],
)
def test_flags_are_completed_and_choose_the_domain(assumed, flags, domain):
    S = declared({"S": ("p", "p")}, {"S": assumed}, {})["S"]
    assert (S.flags, S.domain) == (flags, domain)


def test_a_stated_domain_wins():
    assert declared({"S": ("p", "p")}, {"S": "symmetric"}, {"S": "well"})["S"].domain == "well"


def test_a_positive_scalar_may_be_called_spd():
    assert declared({"s": ()}, {}, {"s": "spd"})["s"].domain == "spd"


@pytest.mark.parametrize(
    ("shapes", "assume", "domains", "error", "message"),
    [
        ({"S": ("n", "p")}, {"S": "spd"}, {}, ShapeError, "S is spd, .* its shape is n×p"),
        ({"S": ()}, {"S": "symmetric"}, {}, ShapeError, "its shape is a scalar"),
        ({"S": ("p", "p")}, {"S": "psd"}, {}, OptionError, "no assumption 'psd', given for S"),
        ({"x": "n"}, {}, {"x": "negative"}, OptionError, "no domain 'negative', given for x"),
        ({"x": "n"}, {"y": "spd"}, {}, OptionError, "assume for y, which has no shape"),
        ({"x": "n"}, {}, {"y": "spd"}, OptionError, "domains for y, which has no shape"),
        ({"x": ("n", "p", "q")}, {}, {}, OptionError, "x was given 3 dimensions"),
        ({"x": (0, 1)}, {}, {}, OptionError, "at least 1; x has"),
        ({"x": 3.5}, {}, {}, OptionError, "needs a shape of x; got 3.5"),
        ({"x y": "n"}, {}, {}, OptionError, "needs a name that begins with a letter .* got 'x y'"),
        ({"x": "n", "n": ()}, {}, {}, OptionError, "got n both as a variable and as a size of x"),
        ({"n": "n"}, {}, {}, OptionError, "got n both as a variable and as a size of n"),
        ({"x": ("n p",)}, {}, {}, OptionError, "A dimension is a whole number"),
    ],
)
def test_errors(shapes, assume, domains, error, message):
    with pytest.raises(error, match=message):
        declared(shapes, assume, domains)
