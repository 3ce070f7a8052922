"""Each elementwise function: its value by an independent formula; a complex step through it."""

import math

import mpmath
import numpy as np
import pytest

from matbackprop.symbolic.expressions.functions import FUNCTIONS

POINTS = np.array([-2.3, -1.2, -0.7, -0.2, 0.3, 0.6, 0.9, 1.4, 5.0])

# Value and derivative, by mpmath or math alone.
SIGMOID = lambda x: 1 / (1 + mpmath.exp(-x))  # noqa: E731
PHI = mpmath.ncdf
REFERENCE = {
    "exp": (mpmath.exp, mpmath.exp),
    "log": (mpmath.log, lambda x: 1 / x),
    "abs": (abs, lambda x: math.copysign(1, x)),
    "sign": (lambda x: math.copysign(1, x), lambda x: 0),
    "step": (lambda x: float(x > 0), lambda x: 0),
    "relu": (lambda x: max(x, 0), lambda x: float(x > 0)),
    "leaky_relu": (lambda x: x if x > 0 else x / 100, lambda x: 1 if x > 0 else 0.01),
    "leaky_step": (lambda x: 1 if x > 0 else 0.01, lambda x: 0),
    "tanh": (mpmath.tanh, lambda x: mpmath.sech(x) ** 2),
    "sigmoid": (SIGMOID, lambda x: SIGMOID(x) * SIGMOID(-x)),
    "softplus": (lambda x: mpmath.log(1 + mpmath.exp(x)), SIGMOID),
    "silu": (
        lambda x: x * SIGMOID(x),
        lambda x: SIGMOID(x) * (1 + x * SIGMOID(-x)),
    ),
    "gelu": (lambda x: x * PHI(x), lambda x: PHI(x) + x * mpmath.npdf(x)),
    "normal_cdf": (PHI, mpmath.npdf),
    "normal_pdf": (mpmath.npdf, lambda x: -x * mpmath.npdf(x)),
    "sin": (mpmath.sin, mpmath.cos),
    "cos": (mpmath.cos, lambda x: -mpmath.sin(x)),
    "tan": (mpmath.tan, lambda x: mpmath.sec(x) ** 2),
    "asin": (mpmath.asin, lambda x: 1 / mpmath.sqrt(1 - x**2)),
    "acos": (mpmath.acos, lambda x: -1 / mpmath.sqrt(1 - x**2)),
    "atan": (mpmath.atan, lambda x: 1 / (1 + x**2)),
    "sinh": (mpmath.sinh, mpmath.cosh),
    "cosh": (mpmath.cosh, mpmath.sinh),
    "lgamma": (lambda x: mpmath.log(abs(mpmath.gamma(x))), mpmath.digamma),
    "digamma": (mpmath.digamma, lambda x: mpmath.psi(1, x)),
    "trigamma": (lambda x: mpmath.psi(1, x), lambda x: mpmath.psi(2, x)),
}
DEFINED = {
    "log": lambda x: x > 0,
    "asin": lambda x: abs(x) < 1,
    "acos": lambda x: abs(x) < 1,
    "trigamma": lambda x: x > 0,  # SciPy has it, like R, for all; mpmath's series is exact here
}


def points(name):
    return POINTS[[DEFINED.get(name, lambda x: True)(x) for x in POINTS]]


def test_every_function_has_a_reference():
    assert REFERENCE.keys() == FUNCTIONS.keys()
    assert all(function.name == name for name, function in FUNCTIONS.items())
    assert all(function.latex.startswith("\\") for function in FUNCTIONS.values())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value(name):
    x = points(name)
    expected = [float(REFERENCE[name][0](float(h))) for h in x]
    np.testing.assert_allclose(FUNCTIONS[name].value(x), expected, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if f.complex_step])
def test_a_complex_step_passes_along_the_whole_real_line(name):
    x = points(name)
    expected = [float(REFERENCE[name][1](float(h))) for h in x]
    for step in (1e-100, 1e-30):
        moved = np.asarray(FUNCTIONS[name].value(x + 1j * step))
        np.testing.assert_allclose(moved.imag / step, expected, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(moved.real, FUNCTIONS[name].value(x), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [n for n, f in FUNCTIONS.items() if f.complex_step])
def test_on_the_real_line_complex_values_are_real(name):
    x = points(name).astype(complex)
    assert not np.imag(FUNCTIONS[name].value(x)).any()


def test_those_without_complex_values_say_so():
    assert [name for name, f in FUNCTIONS.items() if not f.complex_step] == ["trigamma"]
    with pytest.raises(TypeError):
        FUNCTIONS["trigamma"].value(np.array([1.0 + 1j]))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("shape", [(), (1, 1), (2, 3)])
def test_shapes_are_kept(name, shape):
    assert np.shape(FUNCTIONS[name].value(np.full(shape, 0.5))) == shape


@pytest.mark.parametrize(
    ("name", "slope"), [("abs", "sign"), ("relu", "step"), ("leaky_relu", "leaky_step")]
)
def test_at_a_kink_the_complex_step_is_the_slope_by_convention(name, slope):
    zero = np.zeros(1)
    stepped = FUNCTIONS[name].value(zero + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(stepped, FUNCTIONS[slope].value(zero), rtol=1e-15)


def test_outside_its_domain_a_logarithm_is_no_number_and_silent():
    value = FUNCTIONS["log"].value(np.array([-1.0, 0.0]))
    assert np.isnan(value[0])
    assert value[1] == -np.inf
