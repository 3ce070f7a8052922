# The answer to the question: every gradient of the batch-normalised network as one
# short matrix expression, without Kronecker products and without loops.

#' Loss, fitted values and all gradients, in closed matrix form.
#'
#' Forward, with A * B the elementwise product and 1 a column of N ones:
#'
#'   Z = X Gamma1                           N x p2
#'   Xhat = (Z - 1 mu') diag(1 / sigma)     N x p2
#'   V = a(Xhat diag(gamma) + 1 beta')      N x p2
#'   E = y - V Gamma2,   R = c0 sum(E^2)    N x q
#'
#' Backward, with S = a'(H) * (-2 c0 E Gamma2'), N x p2:
#'
#'   dR/dGamma2 = -2 c0 V'E                                              p2 x q
#'   dR/dbeta   = 1'S                                                    p2
#'   dR/dgamma  = diag(Xhat'S)                                           p2
#'   dR/dZ      = (S - 1 mean(S) - Xhat diag(dR/dgamma) / (N - ddof))
#'                diag(gamma / sigma)                                    N x p2
#'   dR/dGamma1 = X' dR/dZ                                               p1 x p2
#'   dR/dX      = dR/dZ Gamma1'                                          N x p1
#'
#' In dR/dZ the second term is what mu contributes and the third what sigma does. With
#' fixed moments both are absent; without batch normalisation dR/dZ = S. Written out
#' with xbar = X'1/N and C = X'(I - 11'/N)X, the gradient for Gamma1 needs no Z:
#'
#'   dR/dGamma1 = (X'S - xbar dR/dbeta - C Gamma1 diag(dR/dgamma / sigma) / (N - ddof))
#'                diag(gamma / sigma)
#'
#' @inheritParams network_loops
#' @return list(loss, fitted, Gamma1, Gamma2, gamma, beta, X), as network_loops().
#' @examples
#' d <- question_data()
#' g <- network_gradient(d$X, d$y, d$Gamma1, d$Gamma2, d$gamma, d$beta)
#' # Batch normalisation ignores the scale of a column of Gamma1, so with eps = 0 each
#' # column of the gradient is orthogonal to the column of Gamma1 itself:
#' stopifnot(abs(colSums(g$Gamma1 * d$Gamma1)) < 1e-10)
network_gradient <- function(X, y, Gamma1, Gamma2, gamma = NULL, beta = NULL,
                             activation = "relu", batch_norm = TRUE, ddof = 1, eps = 0,
                             loss = "sse", slope = 0.01, mu = NULL, sigma = NULL) {
  net <- checked_network("network_gradient", as.list(environment()))
  pass <- network_forward(net, "network_gradient")
  E <- net$Y - pass$fitted
  S <- activation_derivative(net$activation, pass$H, net$slope) *
    (-2 * net$c0 * tcrossprod(E, net$Gamma2))

  d_beta <- if (net$batch_norm) colSums(S)
  d_gamma <- if (net$batch_norm) colSums(pass$Xhat * S)
  dZ <- switch(net$moments,
    none = S,
    fixed = sweep(S, 2, net$gamma / pass$sigma, "*"),
    batch = batch_norm_pullback(S, pass$Xhat, net$gamma, pass$sigma, net$ddof)
  )

  network_result(
    net,
    loss = net$c0 * sum(E^2), fitted = pass$fitted,
    Gamma1 = crossprod(net$X, dZ), Gamma2 = -2 * net$c0 * crossprod(pass$V, E),
    gamma = d_gamma, beta = d_beta,
    X = tcrossprod(dZ, net$Gamma1)
  )
}

#' The gradient for Z, given S, the gradient for H = b(Z).
#'
#'   dR/dZ = (S - 1 mean(S) - Xhat diag(Xhat'S) / (N - ddof)) diag(gamma / sigma)
#'
#' @param S,Xhat N x p.
#' @param gamma,sigma vectors of length p.
#' @param ddof as in the moments that made Xhat.
#' @return N x p; its columns sum to zero.
#' @examples
#' Z <- matrix(c(1, 2, 6, 4, 1, 1), 3)
#' normal <- batch_norm_forward(Z, gamma = c(2, 3), beta = c(0, 0))
#' dZ <- batch_norm_pullback(Z^2, normal$Xhat, c(2, 3), normal$sigma)
#' stopifnot(abs(colSums(dZ)) < 1e-12)
batch_norm_pullback <- function(S, Xhat, gamma, sigma, ddof = 1) {
  call <- "batch_norm_pullback"
  S <- real_matrix(S, call, "S")
  Xhat <- real_matrix(Xhat, call, "Xhat")
  if (!identical(dim(S), dim(Xhat))) {
    fail(
      call, "needs S and Xhat of one shape; got S ", shape_text(S), " and Xhat ",
      shape_text(Xhat), ". S is the gradient for b(Z), entry by entry."
    )
  }
  gamma <- real_vector(gamma, call, "gamma", ncol(S))
  sigma <- real_vector(sigma, call, "sigma", ncol(S))
  check_positive(sigma, call)
  check_rows(nrow(S), ddof, call)
  centred <- sweep(S, 2, colMeans(S))
  along <- sweep(Xhat, 2, colSums(Xhat * S) / (nrow(S) - ddof), "*")
  sweep(centred - along, 2, gamma / sigma, "*")
}
