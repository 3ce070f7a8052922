# The activation functions a(h) and their derivatives a'(h), element by element.
# Dimensions are kept. Each entry is written so that no digits are lost in the tails:
# plogis(-h) where a textbook has 1 - plogis(h).

activations <- list(
  # a'(0) = 0: the subgradient that makes a dead node stay dead.
  relu = list(
    value = function(h, slope) pmax(h, 0),
    derivative = function(h, slope) 1 * (h > 0)
  ),
  leaky_relu = list(
    value = function(h, slope) h * ((h > 0) + slope * (h <= 0)),
    derivative = function(h, slope) (h > 0) + slope * (h <= 0)
  ),
  identity = list(
    value = function(h, slope) h,
    derivative = function(h, slope) 1 + 0 * h
  ),
  # a' = 1 - tanh(h)^2 = 1 / cosh(h)^2 = 4 s(2h) s(-2h), with s the logistic function
  tanh = list(
    value = function(h, slope) tanh(h),
    derivative = function(h, slope) 4 * plogis(2 * h) * plogis(-2 * h)
  ),
  sigmoid = list(
    value = function(h, slope) plogis(h),
    derivative = function(h, slope) plogis(h) * plogis(-h)
  ),
  # log(1 + exp(h)), without overflow for large h
  softplus = list(
    value = function(h, slope) pmax(h, 0) + log1p(exp(-abs(h))),
    derivative = function(h, slope) plogis(h)
  ),
  silu = list(
    value = function(h, slope) h * plogis(h),
    derivative = function(h, slope) plogis(h) * (1 + h * plogis(-h))
  ),
  # h Phi(h) with the normal distribution function itself, not its tanh approximation
  gelu = list(
    value = function(h, slope) h * pnorm(h),
    derivative = function(h, slope) pnorm(h) + h * dnorm(h)
  )
)

#' The activation a(h).
#'
#' @param name one of names(activations).
#' @param h numbers of any shape.
#' @param slope the slope of leaky_relu for negative h; other activations ignore it.
#' @examples
#' stopifnot(identical(activation_value("relu", c(-1, 2)), c(0, 2)))
activation_value <- function(name, h, slope = 0.01) {
  check_option(name, names(activations), "activation_value", "name")
  activations[[name]]$value(h, slope)
}

#' The derivative a'(h); at the kink of relu it is 0, of leaky_relu the slope.
#'
#' @inheritParams activation_value
#' @examples
#' stopifnot(identical(activation_derivative("relu", c(-1, 0, 2)), c(0, 0, 1)))
activation_derivative <- function(name, h, slope = 0.01) {
  check_option(name, names(activations), "activation_derivative", "name")
  activations[[name]]$derivative(h, slope)
}
