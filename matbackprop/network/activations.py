"""Activation functions a, each with a′ and a″, exact in both tails.

The formulas avoid the differences that lose digits: tanh′ is 4s(2h)s(−2h), not 1 − tanh², and
sigmoid′ is s(h)s(−h), not s(1 − s), where s is the sigmoid.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from numbers import Real
from types import MappingProxyType

import numpy as np
import scipy

from matbackprop._typing import Array
from matbackprop._validation import check_option
from matbackprop.errors import OptionError


@dataclass(frozen=True, slots=True)
class Activation:
    """An elementwise function with its first two derivatives; all keep shape and dtype.

    `analytic` tells whether `value` also accepts complex numbers and is analytic near the real
    line, so that a complex step through it is exact.

    Examples
    --------
    >>> cube = Activation("cube", lambda h: h**3, lambda h: 3 * h**2, lambda h: 6 * h)
    >>> cube.derivative(np.array([2.0]))
    array([12.])
    """

    name: str
    value: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    second_derivative: Callable[[Array], Array]
    analytic: bool = True

    def __repr__(self) -> str:
        return f"Activation({self.name!r})"


def check_elementwise(activation: Activation, /) -> None:
    """Raise unless all three functions map an array entry by entry to one of its shape.

    Raises
    ------
    OptionError
        If one is no function, or mixes entries, or changes the shape.
    """
    call = "Activation(name, value, derivative, second_derivative)"
    probe = np.array([-1.5, -0.25, 0.5])
    for role in ("value", "derivative", "second_derivative"):
        function = getattr(activation, role)
        if not callable(function):
            raise OptionError(f"`{call}` needs {role} to be a function; got {function!r}.")
        with np.errstate(all="ignore"):
            together, alone = function(probe), [function(h) for h in probe.reshape(3, 1)]
        if np.shape(together) != (3,) or not np.array_equal(
            together, np.ravel(alone), equal_nan=True
        ):
            raise OptionError(
                f"`{call}` needs {role} to map an array entry by entry to one of its shape; of "
                f"{probe} {activation.name!r} makes {together}. For a constant c return "
                "`np.full_like(h, c)`."
            )


def sigmoid(h: Array, /) -> Array:
    """s(h) = 1/(1 + exp(−h)), computed from exp(−|h|) so that it neither overflows nor rounds.

    Examples
    --------
    >>> sigmoid(np.array([0.0, -800.0]))
    array([0.5, 0. ])
    """
    right = h.real >= 0
    e = np.exp(np.where(right, -h, h))
    return np.where(right, 1, e) / (1 + e)


def _sigmoid_derivative(h: Array) -> Array:
    return sigmoid(h) * sigmoid(-h)


def _sigmoid_second(h: Array) -> Array:
    return -_sigmoid_derivative(h) * np.tanh(h / 2)


def _tanh_derivative(h: Array) -> Array:
    return 4 * _sigmoid_derivative(2 * h)


def _tanh_second(h: Array) -> Array:
    return -2 * np.tanh(h) * _tanh_derivative(h)


def _softplus(h: Array) -> Array:
    right = h.real >= 0
    return np.where(right, h, 0) + np.log1p(np.exp(np.where(right, -h, h)))


def _silu(h: Array) -> Array:
    return h * sigmoid(h)


def _silu_derivative(h: Array) -> Array:
    return sigmoid(h) + h * _sigmoid_derivative(h)


def _silu_second(h: Array) -> Array:
    s, t = sigmoid(h), sigmoid(-h)
    return s * t * (2 + h * (t - s))


def _gelu(h: Array) -> Array:
    return h * _normal_cdf(h)


def _gelu_derivative(h: Array) -> Array:
    return _normal_cdf(h) + h * _normal_pdf(h)


def _gelu_second(h: Array) -> Array:
    h = _within_reach(h)
    return _normal_pdf(h) * (2 - h**2)


def _normal_cdf(h: Array) -> Array:
    return scipy.special.erfc(-h * np.sqrt(0.5).astype(h.dtype)) / 2


def _normal_pdf(h: Array) -> Array:
    return np.exp(-(_within_reach(h) ** 2) / 2) * np.sqrt(0.5 / np.pi).astype(h.dtype)


def _within_reach(h: Array) -> Array:
    # exp(−h²/2) is 0 beyond, where h² itself would overflow.
    return np.clip(h, -40, 40)


def _one(h: Array) -> Array:
    return np.ones_like(h)


def _zero(h: Array) -> Array:
    return np.zeros_like(h)


def _identity(h: Array) -> Array:
    return h


def _relu(h: Array) -> Array:
    return np.where(h.real > 0, h, np.zeros_like(h))


def _relu_derivative(h: Array) -> Array:
    return (h > 0).astype(h.dtype)


def _leaky_relu(h: Array, slope: float) -> Array:
    return np.where(h.real > 0, h, slope * h)


def _leaky_relu_derivative(h: Array, slope: float) -> Array:
    return np.where(h > 0, 1, slope).astype(h.dtype)


def leaky_relu(slope: float = 0.01) -> Activation:
    """Return a(h) = h for h > 0 and slope·h elsewhere; a′(0) = slope, the left derivative.

    Raises
    ------
    OptionError
        If the slope is not a finite number.

    Examples
    --------
    >>> leaky_relu(0.25).value(np.array([-4.0, 4.0]))
    array([-1.,  4.])
    """
    if isinstance(slope, bool) or not isinstance(slope, Real) or not np.isfinite(float(slope)):
        raise OptionError(f"`leaky_relu(slope)` needs a finite number; got {slope!r}.")
    return _leaky(float(slope))


@cache  # so that equal slopes make equal activations, and equal networks
def _leaky(slope: float) -> Activation:
    return Activation(
        "leaky_relu" if slope == 0.01 else f"leaky_relu({slope!r})",
        partial(_leaky_relu, slope=slope),
        partial(_leaky_relu_derivative, slope=slope),
        _zero,
        analytic=False,
    )


def left_slope(activation: Activation, /) -> float | None:
    """Return the slope left of 0 of an activation that is linear on both sides, 1 on the right.

    None for all others, and for those of a user's own making.

    Examples
    --------
    >>> left_slope(leaky_relu(0.25)), left_slope(ACTIVATIONS["tanh"])
    (0.25, None)
    """
    if isinstance(activation.value, partial) and activation.value.func is _leaky_relu:
        return float(activation.value.keywords["slope"])
    slopes: dict[Callable[[Array], Array], float] = {_relu: 0.0, _identity: 1.0}
    return slopes.get(activation.value)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        activation.name: activation
        for activation in (
            # a′(0) = 0. The question's R code meant 1 there (and got 1 everywhere): with
            # continuous data the point 0 has probability 0, and either is a subgradient.
            Activation("relu", _relu, _relu_derivative, _zero, analytic=False),
            leaky_relu(),
            Activation("identity", _identity, _one, _zero),
            Activation("tanh", np.tanh, _tanh_derivative, _tanh_second),
            Activation("sigmoid", sigmoid, _sigmoid_derivative, _sigmoid_second),
            Activation("softplus", _softplus, sigmoid, _sigmoid_derivative),
            Activation("silu", _silu, _silu_derivative, _silu_second),
            Activation("gelu", _gelu, _gelu_derivative, _gelu_second),
        )
    }
)
"""The activations a `Network` knows by name: relu, leaky_relu (slope 0.01), identity, tanh,
sigmoid, softplus, silu, gelu (exact, h·Φ(h))."""


def activation_named(name: str | Activation, /, *, call: str) -> Activation:
    """Return the activation of that name; an `Activation` passes through.

    Raises
    ------
    OptionError
        If no activation has that name.
    """
    if isinstance(name, Activation):
        return name
    check_option(name, ACTIVATIONS, call=call, name="activation")
    return ACTIVATIONS[name]
