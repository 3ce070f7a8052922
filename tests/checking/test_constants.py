"""A factor is called by the name a reader would give it, and by none where it has none."""

from math import inf, nan, sqrt

import pytest

from matbackprop.checking.constants import close, constant

N10 = {"N": 10.0}
LAMBDA = {"lambda": 0.1}
ALPHA = {"alpha": 2.5}


@pytest.mark.parametrize(
    ("value", "sizes", "name"),
    [
        # plain numbers come first, whatever else they are
        (-1.0, N10, "−1"), (2.0, N10, "2"), (0.5, N10, "½"), (-2.0, {}, "−2"), (-0.5, {}, "−½"),
        (0.0, N10, "0"), (-0.0, {}, "0"), (4.0, {}, "4"), (0.25, {}, "¼"), (3.0, {}, "3"),
        (1 / 3, {}, "⅓"), (-4.0, {}, "−4"), (-0.25, {}, "−¼"), (sqrt(2), {}, "√2"),
        (1 / sqrt(2), {}, "1/√2"),
        # the number of rows
        (10.0, N10, "N"), (0.1, N10, "1/N"), (-10.0, N10, "−N"), (-0.1, N10, "−1/N"),
        (20.0, N10, "2N"), (0.2, N10, "2/N"), (5.0, N10, "N/2"), (0.05, N10, "1/(2N)"),
        (-20.0, N10, "−2N"), (-0.2, N10, "−2/N"), (-5.0, N10, "−N/2"), (-0.05, N10, "−1/(2N)"),
        (10 / 9, N10, "N/(N − 1)"), (0.9, N10, "(N − 1)/N"), (9.0, N10, "N − 1"),
        (1 / 9, N10, "1/(N − 1)"), (2 / 9, N10, "2/(N − 1)"), (4.5, N10, "½(N − 1)"),
        (-10 / 9, N10, "−N/(N − 1)"), (-0.9, N10, "−(N − 1)/N"),
        (sqrt(10 / 9), N10, "√(N/(N − 1))"), (sqrt(0.9), N10, "√((N − 1)/N)"),
        (100.0, N10, "N²"), (0.01, N10, "1/N²"),
        # a known number between 0 and 1, and one above
        (0.1, LAMBDA, "lambda"), (10.0, LAMBDA, "1/lambda"), (-0.1, LAMBDA, "−lambda"),
        (0.2, LAMBDA, "2lambda"), (0.05, LAMBDA, "lambda/2"), (0.01, LAMBDA, "lambda²"),
        (100.0, LAMBDA, "1/lambda²"), (sqrt(0.1), LAMBDA, "√lambda"), (0.025, LAMBDA, "lambda/4"),
        (2.5, ALPHA, "alpha"), (0.4, ALPHA, "1/alpha"), (6.25, ALPHA, "alpha²"),
        (1.6, ALPHA, "4/alpha"),
        # a known negative number has no root, and it may be a plain number's negative
        (-3.5, {"a": -3.5}, "a"), (3.5, {"a": -3.5}, "−a"), (12.25, {"a": -3.5}, "a²"),
        # nothing known: fractions of whole numbers, where one may be the number of rows
        (50.0, {}, "50"), (1 / 50, {}, "1/50"), (-50.0, {}, "−50"), (-1 / 50, {}, "−1/50"),
        (50 / 49, {}, "50/49"), (49 / 50, {}, "49/50"), (-50 / 49, {}, "−50/49"),
        # no name
        (1.0, {}, ""), (1.7321, {}, ""), (0.7, N10, ""), (1e8, {}, ""), (1 + 1e-5, {}, ""),
        (7 / 6, N10, ""), (nan, {}, ""), (nan, N10, ""),
    ],
    ids=lambda x: ",".join(f"{k}={v:g}" for k, v in x.items()) if isinstance(x, dict)
    else f"{x:.6g}" if isinstance(x, float) else x or "no name",
)  # fmt: skip
def test_names(value, sizes, name):
    found = constant(value, sizes)
    assert found.name == name
    assert found.value is value


@pytest.mark.parametrize(
    ("value", "N", "name", "also"),
    [
        pytest.param(0.5, 2.0, "½", ("1/N", "(N − 1)/N"), id="half of two rows"),
        pytest.param(2.0, 2.0, "2", ("N", "N/(N − 1)"), id="two rows"),
        pytest.param(3.0, 3.0, "N", ("3",), id="three rows"),
        pytest.param(1.5, 3.0, "N/2", ("N/(N − 1)",), id="N/2 or N/(N − 1)"),
        pytest.param(10.0, 10.0, "N", (), id="ten rows"),
    ],
)
def test_what_it_may_be_too(value, N, name, also):
    found = constant(value, {"N": N})
    assert (found.name, found.also) == (name, also)


@pytest.mark.parametrize(
    ("N", "value", "ddof"),
    [(10.0, 10 / 9, True), (10.0, 0.9, True), (2.0, 2.0, False), (10.0, 10.0, False),
     (10.0, 9.0, False), (10.0, sqrt(0.9), True)],
)  # fmt: skip
def test_n_mixed_up_with_n_less_one(N, value, ddof):
    assert constant(value, {"N": N}).is_ddof is ddof


@pytest.mark.parametrize("known", [0.0, 1.0, -1.0, nan, inf, -inf], ids=str)
@pytest.mark.parametrize("value", [2.0, -1.0, 0.7, 1.7321, 0.0], ids=str)
def test_a_known_number_that_tells_nothing_names_nothing(known, value):
    assert constant(value, {"a": known}) == constant(value, {})


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.7321, "1.7321"), (1 / 3, "⅓"), (0.123456789, "0.123457"), (-1.0, "−1")],
)
def test_text_is_the_name_or_the_digits(value, text):
    assert constant(value, {}).text == text


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1.0, 1 + 1e-7, True), (1.0, 1 + 1e-5, False), (0.0, 0.0, True), (0.0, 1e-9, False),
     (1e-9, -1e-9, False), (1e9, 1e9 + 1, True), (nan, nan, False)],
)  # fmt: skip
def test_close_is_relative(one, other, same):
    assert close(one, other) is close(other, one) is same


@pytest.mark.parametrize(
    ("value", "sizes"),
    [
        pytest.param(inf, {}, id="an infinite factor is −1"),
        pytest.param(1.7321, {"a": 1e200}, id="a known number whose square overflows is anything"),
        pytest.param(1e-320, {}, id="a factor whose reciprocal overflows raises"),
        pytest.param(1.7321, {"a": 1e-320}, id="a known number whose square is 0 raises"),
    ],
)
def test_extreme_numbers_have_no_name(value, sizes):
    assert constant(value, sizes).name == ""
