import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from matbackprop.differences import check_direction, complex_step, directional_derivative
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError

seeds = st.integers(0, 2**32 - 1)


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def square(x):
    return (x**2).sum()


# directional_derivative ------------------------------------------------------------------


@given(seeds)
@settings(max_examples=30)
def test_is_the_jacobian_times_the_direction(seed):
    rng = np.random.default_rng(seed)
    x, v, W = (rng.standard_normal(s) for s in [(3, 2), (3, 2), (2, 4)])

    def F(z):
        return np.tanh(z @ W)

    estimate = directional_derivative(F, x, v)
    expected = (complex_step(F, x) @ v.reshape(-1, order="F")).reshape((3, 4), order="F")
    assert estimate.value.shape == estimate.error.shape == (3, 4)
    assert_allclose(estimate.value, expected, rtol=1e-9, atol=1e-9)
    # An estimate, not a bound: of 36,000 entries one is off by 3.4 times its estimate.
    assert (np.abs(estimate.value - expected) <= 10 * estimate.error).all()


def test_cost_does_not_grow_with_x():
    calls = []

    def f(x):
        calls.append(1)
        return square(x)

    estimate = directional_derivative(f, np.ones(500), np.ones(500))
    assert estimate.evaluations == len(calls) == 31
    assert_allclose(estimate.value, 1000.0, rtol=1e-9)


@pytest.mark.parametrize("length", [1e-200, 1e-6, 1.0, 1e6, 1e200])
def test_is_linear_in_the_length_of_the_direction(length):
    x = np.array([1.0, 2.0])
    estimate = directional_derivative(square, x, length * np.array([1.0, 1.0]))
    assert_allclose(estimate.value, 6.0 * length, rtol=1e-9)


# check_direction -------------------------------------------------------------------------

PROBLEMS = {
    "square": (square, lambda x: 2 * x, 1.0),
    "large entries": (square, lambda x: 2 * x, 1e6),
    "small entries": (square, lambda x: 2 * x, 1e-3),
    "entries of every size": (square, lambda x: 2 * x, 10.0 ** np.arange(-4, 11).reshape(5, 3)),
    "small values": (lambda x: 1e-9 * square(x), lambda x: 2e-9 * x, 1.0),
    "exponential": (lambda x: np.exp(x / 3).sum(), lambda x: np.exp(x / 3) / 3, 1.0),
    "large offset": (lambda x: 1e5 + square(x), lambda x: 2 * x, 1.0),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_accepts_the_gradient_and_rejects_a_factor(name, rng):
    f, gradient, scale = PROBLEMS[name]
    x = scale * rng.standard_normal((5, 3))
    check_direction(f, gradient(x), x, rng=rng).assert_ok()
    check = check_direction(f, 1.002 * gradient(x), x, rng=rng)
    assert not check.ok
    with pytest.raises(AssertionError, match="gradient check failed along direction"):
        check.assert_ok()


@pytest.mark.parametrize("entry", range(6))
def test_rejects_one_wrong_entry(entry, rng):
    x = rng.standard_normal(6)
    gradient = 2 * x
    gradient[entry] += 1e-4
    assert not check_direction(square, gradient, x, rng=rng).ok


def test_rejects_a_transposed_gradient(rng):
    x, A = rng.standard_normal((2, 3, 3))
    check_direction(lambda z: (A * z).sum(), A, x, rng=rng).assert_ok()
    assert not check_direction(lambda z: (A * z).sum(), A.T, x, rng=rng).ok


def test_a_vanishing_gradient(rng):
    x = rng.standard_normal(4)
    check_direction(lambda z: 1.0 + 0 * square(z), np.zeros(4), x, rng=rng).assert_ok()
    check_direction(square, np.zeros(4), np.zeros(4), rng=rng).assert_ok()
    assert not check_direction(square, np.zeros(4), x, rng=rng).ok
    assert not check_direction(lambda z: 1.0 + 0 * square(z), np.full(4, 1e-6), x, rng=rng).ok


def test_a_gradient_that_vanishes_but_for_rounding(rng):
    x, weights = rng.standard_normal((2, 40))

    def constant(z):
        return (weights * np.sin(z) ** 2 + weights * np.cos(z) ** 2).sum() / 7

    check = check_direction(constant, np.zeros(40), x, rng=rng, directions=10)
    assert (check.numeric != 0.0).any()  # else this test would not see the rounding
    check.assert_ok()
    assert not check_direction(constant, np.full(40, 1e-6), x, rng=rng).ok


def test_a_function_that_is_zero_everywhere(rng):
    x = rng.standard_normal(4)
    check_direction(lambda z: 0.0, np.zeros(4), x, rng=rng).assert_ok()
    with pytest.raises(AssertionError, match="gradient check failed"):
        check_direction(lambda z: 0.0, np.ones(4), x, rng=rng).assert_ok()


def test_a_kink_excuses_nothing(rng):
    # At the kink of |x| the numerical derivative is in doubt by 1: that must not let 0.5 pass.
    check = check_direction(lambda z: np.abs(z).sum(), np.full(3, 0.5), np.zeros(3), rng=rng)
    assert not check.ok
    with pytest.raises(AssertionError, match="in doubt: x may lie at a kink"):
        check.assert_ok()


def test_the_message_shows_both_numbers(rng):
    x = np.array([1.0])
    with pytest.raises(AssertionError) as caught:
        check_direction(
            lambda z: 3 * z.sum(), np.array([4.0]), x, rng=rng, directions=1
        ).assert_ok()
    v = np.random.default_rng(11).standard_normal(1)[0]
    assert f"analytic {4 * v:.17g}, numeric " in str(caught.value)
    assert f"they differ by {abs(v):.3g}" in str(caught.value)
    assert "along direction 1 of 1" in str(caught.value)


def test_the_generator_is_the_only_randomness():
    x = np.arange(1.0, 4.0)
    first, second, other = (
        check_direction(square, 2 * x, x, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert (first.analytic == second.analytic).all()
    assert (first.numeric == second.numeric).all()
    assert (first.analytic != other.analytic).all()


def test_the_record(rng):
    check = check_direction(square, np.ones(2), np.ones(2), rng=rng, directions=5)
    fields = (check.analytic, check.numeric, check.error, check.tolerance)
    assert {field.shape for field in fields} == {(5,)}
    assert not any(field.flags.writeable for field in fields)


# Bad input -------------------------------------------------------------------------------

X = np.ones((2, 2))
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: directional_derivative(square, X, np.ones(4)),
            ShapeError,
            r"v in the shape of x; got x \(2, 2\), v \(4,\)",
        ),
        (lambda: directional_derivative(square, X, 0 * X), DataError, "not zero everywhere"),
        (lambda: directional_derivative(square, X, 1j * X), DtypeError, "real numbers in v"),
        (
            lambda: directional_derivative(lambda x: np.nan if x[0, 0] > 1 else 0.0, X, X),
            DataError,
            "f is nan at a step of .* along v",
        ),
        (lambda: check_direction(square, np.ones(4), X, rng=RNG), ShapeError, "shape of its var"),
        (lambda: check_direction(np.exp, X, X, rng=RNG), ShapeError, r"returned shape \(2, 2\)"),
        (lambda: check_direction(square, X, X, rng=RNG, directions=0), OptionError, ">= 1; got 0"),
        (lambda: check_direction(square, X, X, rng=RNG, rtol=1.0), OptionError, r"got 1\.0"),
        (lambda: check_direction(square, X * np.nan, X, rng=RNG), DataError, "gradient has NaN"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_seed_is_no_generator():
    with pytest.raises(OptionError, match=r"got 7\. Pass `np\.random\.default_rng\(seed\)`"):
        check_direction(square, X, X, rng=7)  # type: ignore[arg-type]
