"""The elementwise functions in R, and the small functions that programs call."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from matbackprop.symbolic.emission.printer import Helper

FUNCTION_TEXT: Mapping[str, str] = MappingProxyType(
    {
        **{name: f"{name}({{}})" for name in ("exp", "log", "abs", "sign", "tanh")},
        **{name: f"{name}({{}})" for name in ("sin", "cos", "tan", "sinh", "cosh")},
        **{name: f"{name}({{}})" for name in ("asin", "acos", "atan")},
        **{name: f"{name}({{}})" for name in ("lgamma", "digamma", "trigamma")},
        "relu": "pmax({}, 0)",
        "sigmoid": "plogis({})",
        "normal_cdf": "pnorm({})",
        "normal_pdf": "dnorm({})",
    }
)
"""The functions that R has, except for step, which is a comparison."""

_TEXTS = [
    Helper(
        "leaky_relu",
        """
leaky_relu <- function(h) {
  # h where it is positive, 0.01 h elsewhere
  pmax(h, 0.01 * h)
}
""",
    ),
    Helper(
        "leaky_step",
        """
leaky_step <- function(h) {
  # 1 where h is positive, 0.01 elsewhere
  0.01 + 0.99 * (h > 0)
}
""",
    ),
    Helper(
        "softplus",
        """
softplus <- function(h) {
  # log(1 + exp(h)), without overflow
  pmax(h, 0) + log1p(exp(-abs(h)))
}
""",
    ),
    Helper(
        "silu",
        """
silu <- function(h) {
  # h / (1 + exp(-h))
  h * plogis(h)
}
""",
    ),
    Helper(
        "gelu",
        """
gelu <- function(h) {
  # h times the standard normal distribution function of h
  h * pnorm(h)
}
""",
    ),
    Helper(
        "logdet",
        """
logdet <- function(A) {
  # log |A|, which is NaN unless |A| > 0
  parts <- determinant(A, logarithm = TRUE)
  if (parts$sign > 0) as.numeric(parts$modulus) else NaN
}
""",
    ),
    Helper(
        "logsumexp",
        """
logsumexp <- function(Z) {
  # the column of log(sum(exp(z))) of the rows z, without overflow
  top <- apply(Z, 1, max)
  as.matrix(top + log(rowSums(exp(Z - top))))
}
""",
    ),
    Helper(
        "softmax",
        """
softmax <- function(Z) {
  # exp(Z) with each row divided by its sum, without overflow
  E <- exp(Z - apply(Z, 1, max))
  E / rowSums(E)
}
""",
    ),
    Helper(
        "commutation_order",
        """
commutation_order <- function(m, n) {
  # the order of rows such that c(A)[order] is c(t(A)), for A of m rows and n columns
  c(t(matrix(seq_len(m * n), m, n)))
}
""",
    ),
    Helper(
        "duplication",
        """
duplication <- function(n) {
  # D with D %*% vech(S) = c(S) for symmetric S of n rows
  index <- matrix(0, n, n)
  index[lower.tri(index, diag = TRUE)] <- seq_len(n * (n + 1) / 2)
  index <- pmax(index, t(index))
  diag(n * (n + 1) / 2)[c(index), , drop = FALSE]
}
""",
    ),
]

R_HELPERS: Mapping[str, Helper] = MappingProxyType({helper.name: helper for helper in _TEXTS})
"""By name."""
