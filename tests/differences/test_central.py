import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.differences import central_difference, complex_step
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError
from matbackprop.linalg import kron

seeds = st.integers(0, 2**32 - 1)

# The error estimate is one: the true error may exceed it, by no more than this.
COVER = 3.0


def assert_covered(estimate, truth):
    __tracebackhide__ = True
    excess = np.abs(estimate.value - truth) - COVER * estimate.error
    assert (excess <= 0).all(), f"true error exceeds {COVER} estimates by {excess.max():.2g}"


# name: f, f′, scale of x, bound on the estimate: a useless estimate would cover anything
TABLE: dict[str, tuple[Any, Any, float, float]] = {
    "exp": (np.exp, np.exp, 1.0, 1e-10),
    "sin": (np.sin, np.cos, 1.0, 1e-11),
    "cubic": (lambda x: x**3, lambda x: 3 * x**2, 1.0, 1e-10),
    "far from zero": (lambda x: x**2, lambda x: 2 * x, 1e6, 1e-6),
    "large values": (lambda x: 1e12 * np.tanh(x), lambda x: 1e12 / np.cosh(x) ** 2, 1.0, 5.0),
    "small values": (lambda x: 1e-12 * np.tanh(x), lambda x: 1e-12 / np.cosh(x) ** 2, 1.0, 1e-23),
    "large offset": (lambda x: 1e6 + np.sin(x), np.cos, 1.0, 1e-6),
    "steep": (lambda x: np.tanh(1e3 * x), lambda x: 1e3 / np.cosh(1e3 * x) ** 2, 3e-3, 1e-8),
    "nearly a kink": (
        lambda x: np.sqrt(x**2 + 1e-6),
        lambda x: x / np.sqrt(x**2 + 1e-6),
        1e-2,
        1e-11,
    ),
    "float32 inside": (lambda x: np.float32(np.sin(x)), np.cos, 1.0, 1e-4),
    "constant": (lambda x: 3.0 + 0.0 * x, lambda x: 0.0 * x, 1.0, 1e-12),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_estimate_covers_the_error_and_is_small(name):
    f, derivative, scale, bound = TABLE[name]
    for x in scale * np.random.default_rng(5).standard_normal(100):
        estimate = central_difference(f, x)
        assert_covered(estimate, derivative(x))
        assert estimate.error <= bound


def test_steps_larger_than_a_period_do_not_deceive():
    # At h = 1e-2 the slopes of sin(1e4 x) mean nothing; only the small steps tell the truth.
    for x in np.random.default_rng(7).standard_normal(100):
        estimate = central_difference(lambda t: np.sin(1e4 * t), x)
        assert abs(estimate.value - 1e4 * np.cos(1e4 * x)) <= 10 * estimate.error
        assert estimate.error <= 2e-5


def test_noise_of_cancellation_is_seen():
    # Rounding a thousand times coarser than eps·|f|, which the size of f does not betray.
    for x in np.random.default_rng(6).standard_normal(50) + 5.0:
        estimate = central_difference(lambda t: (1e3 + np.exp(t / 9)) - 1e3, x)
        assert_covered(estimate, np.exp(x / 9) / 9)
        assert estimate.error > 1e-12


@given(seeds)
@settings(max_examples=30)
def test_agrees_with_the_complex_step(seed):
    rng = np.random.default_rng(seed)
    x, W = rng.standard_normal((3, 2)), rng.standard_normal((2, 4))

    def f(z):
        return (np.tanh(z @ W) ** 2).sum()

    estimate = central_difference(f, x)
    assert estimate.value.shape == estimate.error.shape == (3, 2)
    assert_covered(estimate, complex_step(f, x))
    assert_allclose(estimate.value, complex_step(f, x), rtol=1e-9, atol=1e-9)


@given(seeds)
@settings(max_examples=20)
def test_gradient_of_log_det(seed):
    m = np.random.default_rng(seed).standard_normal((3, 3))
    a = m @ m.T + np.triu(m) / 10 + 3 * np.eye(3)
    estimate = central_difference(lambda z: np.linalg.slogdet(z)[1], a)
    assert_covered(estimate, np.linalg.inv(a).T)
    assert_allclose(estimate.value, np.linalg.inv(a).T, rtol=1e-8, atol=1e-9)


def test_gradient_of_a_norm():
    x = np.array([3.0, -4.0, 12.0])
    estimate = central_difference(np.linalg.norm, x)
    assert_covered(estimate, x / 13)
    assert_allclose(estimate.value, x / 13, rtol=1e-10)


def test_jacobian_orientation():
    rng = np.random.default_rng(3)
    A, X, B = (rng.standard_normal(s) for s in [(2, 3), (3, 4), (4, 5)])
    estimate = central_difference(lambda Z: A @ Z @ B, X)
    assert estimate.value.shape == estimate.error.shape == (10, 12)
    assert_allclose(estimate.value, kron(B.T, A), rtol=0, atol=1e-10)


def test_errors_differ_between_entries():
    # One entry smooth, one at a kink: only the second may be in doubt.
    estimate = central_difference(lambda x: np.sin(x[0]) + abs(x[1]), [1.0, 0.0])
    assert estimate.error[0] < 1e-10
    assert estimate.error[1] > 0.5


# Kinks -----------------------------------------------------------------------------------


def relu_beside_a_smooth_term(distance):
    return lambda x: np.maximum(x + distance, 0.0) + np.sin(3 * x + 1)


SLOPE = 1 + 3 * np.cos(1)


@pytest.mark.parametrize(
    ("distance", "bound"),
    [(1e-1, 1e-11), (1e-2, 1e-11), (1e-3, 1e-10), (1e-4, 1e-9), (1e-5, 1e-8), (1e-6, 1e-7)],
)
def test_a_kink_at_a_distance_does_little_harm(distance, bound):
    estimate = central_difference(relu_beside_a_smooth_term(distance), 0.0)
    assert_covered(estimate, SLOPE)
    assert estimate.error < bound


@pytest.mark.parametrize("distance", [5e-7, 3e-7, 2e-7, 1.4e-7, 1e-7, 5e-8, 1e-8, 0.0])
def test_a_kink_too_near_is_confessed(distance):
    # Here the larger steps agree to many digits, on a wrong slope.
    estimate = central_difference(relu_beside_a_smooth_term(distance), 0.0)
    assert_covered(estimate, SLOPE)
    assert estimate.error > 1e-3


# The record and the cost -----------------------------------------------------------------


def test_evaluations_are_counted():
    calls = []

    def f(x):
        calls.append(1)
        return x.sum()

    estimate = central_difference(f, np.ones((2, 3)))
    assert estimate.evaluations == len(calls) == 13 + 2 * 9 * 6
    assert central_difference(np.sum, np.ones(2), levels=3).evaluations == 13 + 2 * 3 * 2


def test_the_record_is_frozen():
    estimate = central_difference(np.sum, np.ones(2))
    with pytest.raises(dataclasses.FrozenInstanceError):
        estimate.value = np.zeros(2)  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        estimate.value[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        estimate.error[0] = 0.0


def test_x_is_never_mutated():
    def f(z):
        z *= 2
        return z.sum()

    x = np.array([1.0, 2.0])
    assert_allclose(central_difference(f, x).value, 2.0, rtol=1e-10)
    assert_array_equal(x, [1.0, 2.0])


def test_a_smaller_step_serves_a_narrow_domain():
    with np.errstate(invalid="ignore"), pytest.raises(DataError, match="pass a smaller `step`"):
        central_difference(np.log, 1e-3)
    assert_covered(central_difference(np.log, 1e-3, step=2e-4), 1e3)


# Bad input -------------------------------------------------------------------------------


def nan_off(index, beyond):
    """A sum that is NaN once the entry at `index` has moved `beyond` its place at 1."""
    return lambda x: np.nan if abs(x[index] - 1.0) > beyond else x.sum()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: central_difference(nan_off((1, 0), 1e-3), np.ones((2, 2))),
            DataError,
            r"f is nan at a step of 0\.01 along x\[1, 0\]\. .*smaller `step`",
        ),
        (
            lambda: central_difference(lambda x: np.array([1.0, np.inf]), [1.0]),
            DataError,
            r"entry \[1\] of f is inf at x\. Move x",
        ),
        (lambda: central_difference(np.sum, [1.0, np.inf]), DataError, "infinite value at entry 1"),
        (lambda: central_difference(np.sum, [1j]), DtypeError, "real numbers in x; got dtype comp"),
        (lambda: central_difference(lambda x: x * 1j, [1.0]), DtypeError, "Return the real part"),
        (lambda: central_difference(lambda x: None, [1.0]), DtypeError, "returned dtype object"),
        (
            lambda: central_difference(lambda x: x[x > 0.999], [1.0, 1.0]),
            ShapeError,
            r"one shape everywhere; it returned \(2,\) at x and \(1,\) at a step of -0\.01 along",
        ),
        (lambda: central_difference(np.sum, []), ShapeError, "at least one entry in x"),
        (lambda: central_difference(np.sum, [1.0], step=-1.0), OptionError, "positive, finite"),
        (lambda: central_difference(np.sum, [1.0], step=np.inf), OptionError, "got inf"),
        (lambda: central_difference(np.sum, [1.0], levels=2), OptionError, "levels >= 3; got 2"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
