# Random networks for the tests, as argument lists for network_loops() and its twins.

problem <- function(seed, N = 6, p1 = 3, p2 = 3, q = 0, normalised = TRUE,
                    fixed = FALSE, ...) {
  set.seed(seed)
  outputs <- max(q, 1)
  # q = 0 stands for the question's layout: y and Gamma2 as plain vectors.
  shape <- function(x) if (q == 0) as.vector(x) else x
  given <- list(
    X = matrix(rnorm(N * p1, mean = 1), N, p1),
    y = shape(matrix(rnorm(N * outputs), N)),
    Gamma1 = matrix(rnorm(p1 * p2), p1, p2),
    Gamma2 = shape(matrix(rnorm(p2 * outputs), p2)),
    batch_norm = normalised
  )
  if (normalised) given <- c(given, list(gamma = rnorm(p2), beta = rnorm(p2)))
  if (fixed) given <- c(given, list(mu = rnorm(p2), sigma = runif(p2, 0.5, 2)))
  c(given, list(...))
}

# The gradient of the loss with respect to one argument, by Richardson extrapolation.
# The steps are absolute (zero.tol = Inf): numDeriv's own are proportional to the
# variable, and for an entry near zero too short for any digits.
numeric_gradient <- function(arguments, name) {
  loss <- function(v) {
    arguments[[name]][] <- v
    do.call(network_loops, arguments)$loss
  }
  result <- arguments[[name]]
  result[] <- numDeriv::grad(
    loss, as.vector(result),
    method.args = list(eps = 1e-3, zero.tol = Inf)
  )
  result
}
