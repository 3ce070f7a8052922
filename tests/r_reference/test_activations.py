"""R's activations against scipy, and their derivatives in the tails."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special as sp

pytestmark = pytest.mark.r

H = np.array([-40.0, -20.0, -3.0, -0.5, -1e-9, 0.0, 1e-9, 0.5, 3.0, 20.0, 40.0])
PHI = np.exp(-(H**2) / 2) / np.sqrt(2 * np.pi)
# Value and derivative, by formulas other than those in R where there are others.
EXPECTED: dict[str, tuple[Any, Any]] = {
    "relu": (np.maximum(H, 0), np.heaviside(H, 0)),
    "leaky_relu": (np.where(H > 0, H, 0.01 * H), np.where(H > 0, 1, 0.01)),
    "identity": (H, np.ones_like(H)),
    "tanh": (np.tanh(H), 1 / np.cosh(H) ** 2),
    "sigmoid": (sp.expit(H), 1 / (2 + 2 * np.cosh(H))),
    "softplus": (np.logaddexp(0, H), sp.expit(H)),
    "silu": (H * sp.expit(H), sp.expit(H) + H / (2 + 2 * np.cosh(H))),
    "gelu": (H * sp.ndtr(H), sp.ndtr(H) + H * PHI),
}


@pytest.fixture(scope="module")
def table(r_value: Callable[..., Any]) -> Any:
    numbers = ", ".join(f"{h:.17g}" for h in H)
    return r_value(
        "sapply(names(activations), function(name) list(value = activation_value(name, h), "
        "derivative = activation_derivative(name, h)), simplify = FALSE)",
        setup=f"h <- c({numbers})",
    )


def test_all_are_here(table: dict[str, Any]) -> None:
    assert list(table) == list(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("part", ["value", "derivative"])
def test_against_scipy(name: str, part: str, table: dict[str, Any]) -> None:
    expected = EXPECTED[name][part == "derivative"]
    np.testing.assert_allclose(table[name][part], expected, rtol=1e-13, atol=0)


def test_slope_is_used_and_shape_kept(r_value: Callable[..., Any]) -> None:
    both = r_value(
        """list(activation_value("leaky_relu", h, 0.2), activation_derivative("leaky_relu", h, 0.2),
          all(vapply(names(activations), function(name) identical(dim(h),
            dim(activation_value(name, h))) && identical(dim(h),
            dim(activation_derivative(name, h))), NA)))""",
        setup="h <- matrix(c(-1, 0, 1, 2, -5, 3), 2)",
    )
    np.testing.assert_allclose(both[0], np.array([[-0.2, 1, -1], [0, 2, 3]]))
    np.testing.assert_allclose(both[1], np.array([[0.2, 1, 0.2], [0.2, 1, 1]]))
    assert both[2].all()
