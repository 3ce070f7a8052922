"""Moments and predictions in R: of a batch, and of one new row."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.r

SETUP = """
set.seed(5)
X <- matrix(rnorm(24, mean = 3), 8); G1 <- matrix(rnorm(6), 3); G2 <- matrix(rnorm(4), 2)
g <- c(2, -1); b <- c(0.5, 1)
predict <- function(X, ...) network_predict(X, G1, G2, g, b, activation = "tanh", ...)
"""


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("eps", [0, 0.25])
def test_moments_against_numpy(ddof: int, eps: float, r_value: Callable[..., Any]) -> None:
    X, G1, moments = r_value(
        f"list(X, G1, network_moments(X, G1, ddof = {ddof}, eps = {eps}))", setup=SETUP
    )
    Z = X @ G1
    np.testing.assert_allclose(moments["mu"], Z.mean(axis=0), rtol=1e-14)
    sigma = np.sqrt(Z.var(axis=0, ddof=ddof) + eps)
    np.testing.assert_allclose(moments["sigma"], sigma, rtol=1e-14)


def test_moments_far_from_zero_keep_their_digits(r_value: Callable[..., Any]) -> None:
    """A sum of raw squares would leave none of sigma here."""
    sigma = r_value("network_moments(1e8 + matrix(c(-1, 0, 1)), diag(1))$sigma")
    assert sigma.item() == 1.0


def test_one_row_with_the_moments_of_its_batch(r_value: Callable[..., Any]) -> None:
    batch, rows = r_value(
        """list(predict(X), t(sapply(1:8, function(n)
          predict(X[n, , drop = FALSE], mu = m$mu, sigma = m$sigma))))""",
        setup=SETUP + "m <- network_moments(X, G1)",
    )
    assert batch.shape == (8, 2)
    np.testing.assert_allclose(rows, batch, rtol=1e-13)


def test_prediction_is_the_fitted_value(r_value: Callable[..., Any]) -> None:
    predicted, fitted = r_value(
        """list(network_predict(X, G1, G2[, 1], batch_norm = FALSE, activation = "gelu"),
          network_loops(X, numeric(8), G1, G2[, 1], batch_norm = FALSE,
            activation = "gelu")$fitted)""",
        setup=SETUP,
    )
    assert predicted.shape == (8,)
    np.testing.assert_allclose(predicted, fitted, rtol=1e-13)


def test_jacobian_projects_off_the_mean_and_the_scale(r_value: Callable[..., Any]) -> None:
    """Eigenvalues per block: 0 twice, and gamma/sigma N - 2 times; with eps one is eps-sized."""
    plain, smoothed, sigma, smoothed_sigma = r_value(
        "list(spectrum(0), spectrum(0.5), moments(0), moments(0.5))",
        setup=SETUP
        + """
        moments <- function(eps) network_moments(X, G1, eps = eps)$sigma
        spectrum <- function(eps) {
          m <- network_moments(X, G1, eps = eps)
          Xhat <- batch_norm_forward(X %*% G1, g, b, m$mu, m$sigma)$Xhat
          J_b <- batch_norm_jacobian(Xhat, g, m$sigma)
          sort(eigen(J_b[1:8, 1:8], symmetric = TRUE)$values)
        }""",
    )
    np.testing.assert_allclose(plain[:2], 0, atol=1e-14)
    np.testing.assert_allclose(plain[2:], 2 / sigma[0], rtol=1e-13)
    scale = 2 / smoothed_sigma[0]
    expected = [0, scale * 0.5 / smoothed_sigma[0] ** 2, *[scale] * 6]
    np.testing.assert_allclose(smoothed, expected, rtol=1e-13, atol=1e-14)
