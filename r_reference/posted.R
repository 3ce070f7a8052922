# What the question computed, faults included. These functions exist so that every
# figure printed there can be traced to the slip that made it; for the right
# gradients see loops.R and matrix_forms.R.

#' The seven results the question prints, computed with the question's faults.
#'
#' @return list of beta_matrix (1 x 4), beta_loop (4), kronecker_rule (40 x 4),
#'   Gamma1_matrix (7 x 4), Gamma1_loop (7 x 4), gamma_matrix (4 x 4), gamma_loop (4).
#' @examples
#' posted <- posted_figures()
#' stopifnot(all.equal(as.vector(posted$beta_matrix), posted$beta_loop))
posted_figures <- function() {
  data <- question_data()
  Z <- data$X %*% data$Gamma1
  Xhat <- posted_normalised(Z)
  ones <- matrix(1, nrow(Z), 1)
  gamma_rows <- ones %*% t(data$gamma)
  beta_rows <- ones %*% t(data$beta)

  # Fault: the derivative of the activation is 1 everywhere (posted_derivative), so
  # this is -2 e Gamma2' where S = a'(H) * (-2 e Gamma2') is meant.
  stub <- posted_derivative(gamma_rows * Xhat + beta_rows) *
    (-2 * data$noise %*% t(data$Gamma2))

  # Fault: mu and sigma are taken as constants, and the formula gamma / sigma is
  # computed as gamma * sigma.
  weight <- gamma_rows * (ones %*% t(apply(Z, 2, sd)))

  list(
    beta_matrix = t(ones) %*% stub,
    beta_loop = posted_beta_loop(data),
    kronecker_rule = posted_kronecker_rule(data),
    Gamma1_matrix = t(data$X) %*% (stub * weight),
    Gamma1_loop = posted_Gamma1_loop(data$X, weight, stub),
    # Fault: the factor gamma does not belong in d/dgamma, since b is linear in gamma.
    # Only the diagonal of this 4 x 4 matrix means anything.
    gamma_matrix = t(Xhat) %*% (stub * gamma_rows),
    gamma_loop = posted_gamma_loop(Xhat, stub, data$gamma)
  )
}

#' What R prints for each of the posted figures.
#'
#' @return list of character vectors, one string a line, named as posted_figures().
#' @examples
#' writeLines(posted_printed()$beta_loop)
posted_printed <- function() {
  usual <- options(digits = 7, width = 80, scipen = 0)
  on.exit(options(usual))
  lapply(posted_figures(), function(figure) capture.output(print(figure)))
}

posted_normalised <- function(Z) {
  sweep(sweep(Z, 2, colMeans(Z)), 2, apply(Z, 2, sd), "/")
}

# Fault: negative entries are first set to 0, and then everything >= 0 is set to 1.
# After the first step nothing is negative any more, so the result is always 1, where
# the derivative of ReLU is 0 for negative entries.
posted_derivative <- function(h) {
  clipped <- pmax(h, 0)
  1 * (clipped >= 0)
}

# Fault: node i is fed column i of X with row i of Gamma1; the pre-activation of node
# i is all of X times *column* i of Gamma1. It agrees with the matrix line only
# because posted_derivative forgets its argument.
posted_beta_loop <- function(data) {
  vapply(seq_along(data$beta), function(i) {
    wrong <- posted_normalised(outer(data$X[, i], data$Gamma1[i, ]))
    h <- data$gamma[i] * wrong[, i] + data$beta[i]
    sum(-2 * data$noise * posted_derivative(h) * data$Gamma2[i])
  }, numeric(1))
}

# No fault in the numbers: this is I (x) 1_N = d vec(1 beta') / d beta', a Jacobian of
# vec, 40 x 4. The question thought it useless because it multiplied nothing; it takes
# a vec on its left, vec(S)'(I (x) 1_N) = 1'S. (Its commutation matrix is I_N, not the
# scalar 1 that the question takes it for, which changes nothing here.)
posted_kronecker_rule <- function(data) {
  row <- t(data$beta)
  column <- matrix(1, length(data$noise), 1)
  outer_factor <- diag(ncol(row) * ncol(column))
  (outer_factor %*% diag(ncol(row))) %x% column %x% diag(nrow(row))
}

# The same faults as the matrix line, one entry at a time: agreement of the two proves
# that they compute the same thing, not that it is the gradient.
posted_Gamma1_loop <- function(X, weight, stub) {
  result <- matrix(NA_real_, ncol(X), ncol(stub))
  for (i in seq_len(ncol(X))) {
    for (j in seq_len(ncol(stub))) {
      result[i, j] <- sum(X[, i] * weight[, j] * stub[, j])
    }
  }
  result
}

# Fault: the spurious factor gamma again.
posted_gamma_loop <- function(Xhat, stub, gamma) {
  vapply(
    seq_along(gamma),
    function(j) sum(Xhat[, j] * stub[, j] * gamma[j]),
    numeric(1)
  )
}
