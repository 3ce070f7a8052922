import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.differences import central_difference, complex_step
from matbackprop.errors import OptionError
from matbackprop.network import ACTIVATIONS, Activation, Network, leaky_relu

# Not symmetric and without 0, so that no formula is right by accident.
POINTS = np.array([-30.0, -7.3, -2.1, -0.6, -1e-3, 1e-3, 0.4, 1.7, 6.6, 25.0])
every = pytest.mark.parametrize("a", [*ACTIVATIONS.values(), leaky_relu(0.3)], ids=str)

HAND = {  # at h = 1
    "relu": 1.0,
    "leaky_relu": 1.0,
    "identity": 1.0,
    "tanh": 0.7615941559557649,
    "sigmoid": 0.7310585786300049,
    "softplus": 1.3132616875182228,
    "silu": 0.7310585786300049,
    "gelu": 0.8413447460685429,
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_hand_value(name):
    assert_allclose(ACTIVATIONS[name].value(np.array([1.0])), HAND[name], rtol=1e-15)


def test_every_activation_has_a_hand_value():
    assert set(HAND) == set(ACTIVATIONS)


def test_negative_side_of_the_rectifiers():
    h = np.array([-2.0, 0.0, 3.0])
    assert_array_equal(ACTIVATIONS["relu"].value(h), [0, 0, 3])
    assert_array_equal(ACTIVATIONS["relu"].derivative(h), [0, 0, 1])
    assert_array_equal(ACTIVATIONS["leaky_relu"].value(h), [-0.02, 0, 3])
    assert_array_equal(ACTIVATIONS["leaky_relu"].derivative(h), [0.01, 0.01, 1])


@every
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_agree_with_central_differences(a, order):
    below, above = (a.value, a.derivative) if order == 1 else (a.derivative, a.second_derivative)
    for h in POINTS:
        numeric = central_difference(lambda x: below(x)[0], np.array([h]))
        exact = above(np.array([h]))
        allowed = 10 * numeric.error + 1e-11 * np.abs(exact) + 1e-13
        assert np.all(np.abs(numeric.value - exact) <= allowed), (h, numeric, exact)


@pytest.mark.parametrize("a", [a for a in ACTIVATIONS.values() if a.analytic], ids=str)
def test_derivatives_agree_with_the_complex_step(a):
    for h in POINTS:
        numeric = complex_step(lambda x: a.value(x)[0], np.array([h]))
        assert_allclose(numeric, a.derivative(np.array([h])), rtol=1e-12, atol=1e-300)


def test_only_the_rectifiers_are_not_analytic():
    assert {a.name for a in ACTIVATIONS.values() if not a.analytic} == {"relu", "leaky_relu"}


@every
def test_tails_neither_overflow_nor_round_to_nothing(a):
    far = np.array([-700.0, 700.0])
    for function in (a.value, a.derivative, a.second_derivative):
        assert np.isfinite(function(far)).all()
    if a.name in {"sigmoid", "softplus", "silu"}:
        assert a.derivative(far)[0] != 0.0


@every
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_and_shape_are_kept(a, dtype):
    h = np.linspace(-2, 2, 6, dtype=dtype).reshape(2, 3)
    for function in (a.value, a.derivative, a.second_derivative):
        assert function(h).dtype == dtype
        assert function(h).shape == (2, 3)


@pytest.mark.parametrize("slope", ["x", None, True, float("nan"), float("inf"), 1j])
def test_leaky_slope_is_a_finite_number(slope):
    with pytest.raises(OptionError, match=r"`leaky_relu\(slope\)` needs a finite number; got"):
        leaky_relu(slope)


def test_leaky_relus_of_one_slope_are_equal():
    assert leaky_relu(0.2) == leaky_relu(np.float64(0.2))
    assert leaky_relu(0.2) != leaky_relu(0.3)
    assert leaky_relu(0.2).name == "leaky_relu(0.2)"
    assert leaky_relu() is ACTIVATIONS["leaky_relu"]
    again = pickle.loads(pickle.dumps(leaky_relu(0.2)))
    assert again.value(np.array([-1.0])) == -0.2


@pytest.mark.parametrize("far", [50.0, 1e20, 1e155, 1.7e308])
def test_gelu_far_out(far):
    gelu = ACTIVATIONS["gelu"]
    h = np.array([-far, far])
    assert_array_equal(gelu.value(h), [0, far])
    assert_array_equal(gelu.derivative(h), [0, 1])
    assert_array_equal(gelu.second_derivative(h), [0, 0])


def test_second_derivative_of_the_sigmoid_near_its_zero():
    h = np.array([8.1e-17])
    assert_allclose(ACTIVATIONS["sigmoid"].second_derivative(h), -h / 8, rtol=1e-15)


class TestAnActivationOfOnesOwn:
    def test_is_taken(self):
        cube = Activation("cube", lambda h: h**3, lambda h: 3 * h**2, lambda h: 6 * h)
        assert Network(cube).a is cube

    @pytest.mark.parametrize(
        ("derivative", "text"),
        [
            (1.0, "needs derivative to be a function; got 1.0"),
            (lambda h: 1.0, "entry by entry to one of its shape.*`np.full_like"),
            (lambda h: np.exp(h) / np.exp(h).sum(), "entry by entry"),
        ],
    )
    def test_must_work_entry_by_entry(self, derivative, text):
        with pytest.raises(OptionError, match=text):
            Network(Activation("own", lambda h: h, derivative, np.zeros_like))
