"""The elementwise functions: their values, and what each notation calls them.

Each value also takes complex numbers, continuing from the real line, so that a complex step goes
through it; `complex_step` is False where SciPy has no complex version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import scipy

from matbackprop._typing import Array
from matbackprop.network.activations import ACTIVATIONS


@dataclass(frozen=True, slots=True)
class Function:
    """An elementwise function: its value, its LaTeX, and the real line it is defined on."""

    name: str
    value: Callable[[Array], Array]
    latex: str
    complex_step: bool = True


def _step(h: Array) -> Array:
    return np.where(h.real > 0, 1.0, 0.0)


def _sign(h: Array) -> Array:
    return np.sign(h.real)


def _abs(h: Array) -> Array:
    return np.sign(h.real) * h  # at 0 without slope, as sign(0) = 0 has it


def _leaky_step(h: Array) -> Array:
    return np.where(h.real > 0, 1.0, 0.01)


def _log(h: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(h)


def _normal_cdf(h: Array) -> Array:
    return scipy.special.erfc(-h * np.sqrt(0.5)) / 2


def _normal_pdf(h: Array) -> Array:
    return np.exp(-(h**2) / 2) * np.sqrt(0.5 / np.pi)


def _lgamma(h: Array) -> Array:
    if not np.iscomplexobj(h):
        return scipy.special.gammaln(h)
    # loggamma has its cut along the negative line, where log|Γ| is smooth: reflect at 1/2.
    left = h.real < 0
    right = scipy.special.loggamma(np.where(left, 1 - h, h))
    sine = np.where(left, np.sin(np.pi * h), 1)
    return np.where(left, np.log(np.pi) - np.log(sine * np.sign(sine.real)) - right, right)


def _trigamma(h: Array) -> Array:
    return scipy.special.polygamma(1, h)


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        function.name: function
        for function in (
            Function("exp", np.exp, r"\exp"),
            Function("log", _log, r"\log"),
            Function("abs", _abs, r"\operatorname{abs}"),
            Function("sign", _sign, r"\operatorname{sign}"),
            Function("step", _step, r"\operatorname{step}"),
            Function("relu", ACTIVATIONS["relu"].value, r"\operatorname{relu}"),
            Function("leaky_relu", ACTIVATIONS["leaky_relu"].value, r"\operatorname{lrelu}"),
            Function("leaky_step", _leaky_step, r"\operatorname{lrelu}'"),
            Function("tanh", np.tanh, r"\tanh"),
            Function("sigmoid", ACTIVATIONS["sigmoid"].value, r"\sigma"),
            Function("softplus", ACTIVATIONS["softplus"].value, r"\operatorname{softplus}"),
            Function("silu", ACTIVATIONS["silu"].value, r"\operatorname{silu}"),
            Function("gelu", ACTIVATIONS["gelu"].value, r"\operatorname{gelu}"),
            Function("normal_cdf", _normal_cdf, r"\Phi"),
            Function("normal_pdf", _normal_pdf, r"\phi"),
            Function("sin", np.sin, r"\sin"),
            Function("cos", np.cos, r"\cos"),
            Function("tan", np.tan, r"\tan"),
            Function("asin", np.arcsin, r"\arcsin"),
            Function("acos", np.arccos, r"\arccos"),
            Function("atan", np.arctan, r"\arctan"),
            Function("sinh", np.sinh, r"\sinh"),
            Function("cosh", np.cosh, r"\cosh"),
            Function("lgamma", _lgamma, r"\log\Gamma"),
            Function("digamma", lambda h: scipy.special.digamma(h), r"\psi"),
            Function("trigamma", _trigamma, r"\psi'", complex_step=False),
        )
    }
)
