import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.differences import complex_step
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError
from matbackprop.linalg import kron, unvec, vec

seeds = st.integers(0, 2**32 - 1)


def log_det(a):
    return np.log(np.linalg.det(a))


def test_a_cubic_by_hand():
    assert_array_equal(complex_step(lambda z: (z**3).sum(), [1.0, 2.0]), [3.0, 12.0])


def test_a_scalar_argument_gives_a_scalar_gradient():
    gradient = complex_step(np.exp, 0.0)
    assert gradient.shape == ()
    assert gradient == 1.0


@given(seeds)
def test_exact_to_rounding(seed):
    x = np.random.default_rng(seed).standard_normal((3, 2))
    gradient = complex_step(lambda z: (np.exp(z) * np.sin(z)).sum(), x)
    assert_allclose(gradient, np.exp(x) * (np.sin(x) + np.cos(x)), rtol=1e-14, atol=1e-14)


@given(seeds)
def test_gradient_of_log_det_is_the_inverse_transposed(seed):
    m = np.random.default_rng(seed).standard_normal((3, 3))
    a = m @ m.T + np.triu(m) / 10 + 3 * np.eye(3)  # not symmetric: aᵀ⁻¹ differs from a⁻¹
    assert_allclose(complex_step(log_det, a), np.linalg.inv(a).T, rtol=1e-12, atol=1e-13)


@given(seeds)
def test_jacobian_orientation(seed):
    # vec(A X B) = (Bᵀ ⊗ A) vec X: neither square nor symmetric, so no transpose can hide.
    rng = np.random.default_rng(seed)
    A, X, B = (rng.standard_normal(s) for s in [(2, 3), (3, 4), (4, 5)])
    jacobian = complex_step(lambda Z: A @ Z @ B, X)
    assert jacobian.shape == (10, 12)
    assert_allclose(jacobian, kron(B.T, A), rtol=1e-13, atol=1e-13)


def test_vec_and_unvec_pass_complex_numbers_through():
    x = np.arange(6.0).reshape(2, 3)
    gradient = complex_step(lambda z: (unvec(vec(z) ** 2, (2, 3))).sum(), x)
    assert_array_equal(gradient, 2 * x)


@pytest.mark.parametrize("scale", [1e-80, 1e-12, 1.0, 1e12, 1e80])
def test_scale_does_not_matter(scale):
    assert_allclose(complex_step(lambda z: (z**3).sum(), [scale]), [3 * scale**2], rtol=1e-15)


def test_f_may_write_into_its_argument_without_touching_x():
    def f(z):
        z *= z
        return z.sum()

    x = np.array([1.0, 2.0])
    assert_array_equal(complex_step(f, x), [2.0, 4.0])
    assert_array_equal(x, [1.0, 2.0])


def constant_shape_broken(z):
    return z if z.imag.any() else z[:1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: complex_step(lambda z: np.abs(z).sum(), [1.0]),
            DtypeError,
            r"returned dtype float64, so the imaginary part.* Use `central_difference\(f, x\)`",
        ),
        (lambda: complex_step(lambda z: "text", [1.0]), DtypeError, "to return numbers"),
        (lambda: complex_step(np.exp, [1.0 + 1j]), DtypeError, "real numbers in x; got dtype co"),
        (lambda: complex_step(np.log, -1.0), DataError, "real for real x; entry 0 of vec"),
        (lambda: complex_step(np.exp, [np.nan]), DataError, "x has NaN at entry 0"),
        (lambda: complex_step(lambda z: z * np.nan, [1.0]), DataError, r"entry \[0\] of f is"),
        (lambda: complex_step(np.exp, np.empty((0, 2))), ShapeError, r"got shape \(0, 2\)"),
        (
            lambda: complex_step(constant_shape_broken, [1.0, 2.0]),
            ShapeError,
            r"\(1,\) at x and \(2,\) at a step of 1e-100 along i·x\[0\]",
        ),
        (lambda: complex_step(np.exp, [1.0], step=0.0), OptionError, r"in \(0, 1e-10\]; got 0"),
        (lambda: complex_step(np.exp, [1.0], step=1e-3), OptionError, r"got 0\.001"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_f_must_be_a_function():
    f: object = 3.0
    with pytest.raises(OptionError, match=r"a function f of one array; got 3\.0"):
        complex_step(f, [1.0])  # type: ignore[arg-type]
