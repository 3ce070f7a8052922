# The textbook route that the question could not finish: vec, Jacobians and Kronecker
# products, written out. A Jacobian here is d vec(Y) / d vec(X)', and all of them are
# dense: (N p2)^2 numbers for batch normalisation alone, so for small problems only.

#' vec(A): the columns of A stacked, as a matrix with one column.
#' @examples
#' stopifnot(identical(vec(matrix(1:4, 2)), matrix(1:4, 4)))
vec <- function(A) matrix(A, ncol = 1, dimnames = NULL)

#' The inverse of vec: a matrix with `rows` rows.
#' @examples
#' A <- matrix(1:6, 2)
#' stopifnot(identical(unvec(vec(A), rows = 2), A))
unvec <- function(v, rows) matrix(v, nrow = rows)

#' K with vec(diag(g)) = K g: p^2 x p, with p ones.
#' @examples
#' g <- c(2, 3, 5)
#' stopifnot(diagonal_selection(3) %*% g == vec(diag(g)))
diagonal_selection <- function(p) {
  K <- matrix(0, p^2, p)
  K[cbind((seq_len(p) - 1) * p + seq_len(p), seq_len(p))] <- 1
  K
}

#' The Jacobian of batch normalisation, d vec(H) / d vec(Z)'.
#'
#'   J_b = blockdiag_j (gamma_j / sigma_j) (I - 11'/N - xhat_j xhat_j' / (N - ddof))
#'
#' With eps = 0 each block is gamma/sigma times the projection off 1 and xhat_j. With
#' fixed moments it is gamma/sigma times I.
#' @param Xhat N x p.
#' @param gamma,sigma vectors of length p.
#' @param fixed TRUE: mu and sigma do not depend on Z.
#' @return N p x N p matrix.
#' @examples
#' normal <- batch_norm_forward(matrix(c(1, 2, 6, 4, 1, 1), 3), c(2, 3), c(0, 0))
#' J_b <- batch_norm_jacobian(normal$Xhat, c(2, 3), normal$sigma)
#' stopifnot(abs(J_b %*% vec(normal$Xhat)) < 1e-12)
batch_norm_jacobian <- function(Xhat, gamma, sigma, ddof = 1, fixed = FALSE) {
  call <- "batch_norm_jacobian"
  Xhat <- real_matrix(Xhat, call, "Xhat")
  gamma <- real_vector(gamma, call, "gamma", ncol(Xhat))
  sigma <- real_vector(sigma, call, "sigma", ncol(Xhat))
  check_positive(sigma, call)
  if (!fixed) check_rows(nrow(Xhat), ddof, call)
  N <- nrow(Xhat)
  p <- ncol(Xhat)
  J_b <- matrix(0, N * p, N * p)
  for (j in seq_len(p)) {
    block <- diag(N)
    if (!fixed) {
      block <- block - matrix(1 / N, N, N) - tcrossprod(Xhat[, j]) / (N - ddof)
    }
    here <- (j - 1) * N + seq_len(N)
    J_b[here, here] <- (gamma[[j]] / sigma[[j]]) * block
  }
  J_b
}

#' Loss, fitted values and all gradients, by the chain rule for vec.
#'
#' Every gradient is a row vector times Jacobians, from d R / d vec(fitted)' on:
#'
#'   vec(-2 c0 E)'                                   1 x N q
#'   vec(S)'          = vec(-2 c0 E)' (Gamma2' (x) I_N) diag(vec a'(H))
#'   vec(dGamma2)'    = vec(-2 c0 E)' (I_q (x) V)
#'   dbeta'           = vec(S)' (I_p2 (x) 1_N)
#'   dgamma'          = vec(S)' (I_p2 (x) Xhat) K    K g = vec(diag g), p2^2 x p2
#'   vec(dZ)'         = vec(S)' J_b
#'   vec(dGamma1)'    = vec(dZ)' (I_p2 (x) X)
#'   vec(dX)'         = vec(dZ)' (Gamma1' (x) I_N)
#'
#' @inheritParams network_loops
#' @return list(loss, fitted, Gamma1, Gamma2, gamma, beta, X), as network_loops().
#' @examples
#' d <- question_data()
#' short <- network_gradient(d$X, d$y, d$Gamma1, d$Gamma2, d$gamma, d$beta)
#' long <- kronecker_gradient(d$X, d$y, d$Gamma1, d$Gamma2, d$gamma, d$beta)
#' stopifnot(all.equal(short, long, tolerance = 1e-12))
kronecker_gradient <- function(X, y, Gamma1, Gamma2, gamma = NULL, beta = NULL,
                               activation = "relu", batch_norm = TRUE, ddof = 1,
                               eps = 0, loss = "sse", slope = 0.01, mu = NULL,
                               sigma = NULL) {
  net <- checked_network("kronecker_gradient", as.list(environment()))
  pass <- network_forward(net, "kronecker_gradient")
  E <- net$Y - pass$fitted
  I_N <- diag(net$N)
  I_p2 <- diag(net$p2)
  derivative <- vec(activation_derivative(net$activation, pass$H, net$slope))

  d_fitted <- t(vec(-2 * net$c0 * E))
  # diag() of a single number would be an identity matrix of that size: nrow says no.
  J_a <- diag(as.vector(derivative), nrow = length(derivative))
  S <- d_fitted %*% (t(net$Gamma2) %x% I_N) %*% J_a
  d_Gamma2 <- d_fitted %*% (diag(net$q) %x% pass$V)

  if (net$batch_norm) {
    J_b <- batch_norm_jacobian(
      pass$Xhat, net$gamma, pass$sigma, net$ddof,
      fixed = net$moments == "fixed"
    )
    dZ <- S %*% J_b
    d_beta <- S %*% (I_p2 %x% matrix(1, net$N, 1))
    d_gamma <- S %*% (I_p2 %x% pass$Xhat) %*% diagonal_selection(net$p2)
  } else {
    dZ <- S
    d_beta <- d_gamma <- NULL
  }

  network_result(
    net,
    loss = net$c0 * sum(vec(E)^2), fitted = pass$fitted,
    Gamma1 = dZ %*% (I_p2 %x% net$X), Gamma2 = d_Gamma2,
    gamma = d_gamma, beta = d_beta,
    X = dZ %*% (t(net$Gamma1) %x% I_N)
  )
}
