# From inputs to fitted values: Z = X Gamma1, H = b(Z), V = a(H), fitted = V Gamma2.

#' Mean and spread of every hidden node over a batch, to be used on other rows.
#'
#'   Z = X Gamma1,   mu = 1'Z / N,   sigma^2 = 1'(Z - 1 mu')^2 / (N - ddof) + eps
#'
#' @param X N x p1 inputs.
#' @param Gamma1 p1 x p2 weights.
#' @param ddof 1 divides by N - 1 as R's sd() does, 0 by N as deep learning does.
#' @param eps added to the variance.
#' @return list(mu, sigma), vectors of length p2.
#' @examples
#' moments <- network_moments(matrix(c(1, 2, 3, 5, 1, 4), 3), diag(2))
#' stopifnot(all.equal(moments$mu, c(2, 10 / 3)), all.equal(moments$sigma[1], 1))
network_moments <- function(X, Gamma1, ddof = 1, eps = 0) {
  call <- "network_moments"
  X <- real_matrix(X, call, "X")
  Gamma1 <- real_matrix(Gamma1, call, "Gamma1")
  if (ncol(X) != nrow(Gamma1)) {
    fail(
      call, "needs ncol(X) = nrow(Gamma1); got X ", shape_text(X), " and Gamma1 ",
      shape_text(Gamma1), "."
    )
  }
  check_ddof(ddof, call)
  check_number(eps, call, "eps", at_least = 0)
  check_rows(nrow(X), ddof, call)
  moments <- column_moments(X %*% Gamma1, ddof, eps)
  check_spread(
    moments$sigma, eps, product_magnitude(X, Gamma1), ncol(X), call, colnames(Gamma1)
  )
  moments
}

#' Fitted values of the network.
#'
#' @param X N x p1 inputs.
#' @param Gamma1,Gamma2,gamma,beta p1 x p2, p2 (or p2 x q), p2, p2.
#' @param mu,sigma moments of the training batch, from network_moments(). With them a
#'   single new row can be predicted; without them the rows of X are the batch.
#' @return vector of length N, or N x q if Gamma2 is a matrix.
#' @examples
#' d <- question_data()
#' m <- network_moments(d$X, d$Gamma1)
#' all_rows <- network_predict(d$X, d$Gamma1, d$Gamma2, d$gamma, d$beta)
#' one_row <- network_predict(
#'   d$X[3, , drop = FALSE], d$Gamma1, d$Gamma2, d$gamma, d$beta,
#'   mu = m$mu, sigma = m$sigma
#' )
#' stopifnot(all.equal(one_row, all_rows[3]), all.equal(all_rows + d$noise, d$y))
network_predict <- function(X, Gamma1, Gamma2, gamma = NULL, beta = NULL,
                            activation = "relu", batch_norm = TRUE, ddof = 1, eps = 0,
                            slope = 0.01, mu = NULL, sigma = NULL) {
  net <- checked_network("network_predict", as.list(environment()))
  fitted <- network_forward(net, "network_predict")$fitted
  if (is_matrix(net$shape$Gamma2)) fitted else as.vector(fitted)
}

# The forward pass of a checked network: list(Z, mu, sigma, Xhat, H, V, fitted).
network_forward <- function(net, call) {
  Z <- net$X %*% net$Gamma1
  normal <- switch(net$moments,
    none = list(H = Z),
    fixed = batch_norm_forward(Z, net$gamma, net$beta, net$mu, net$sigma),
    batch = {
      moments <- column_moments(Z, net$ddof, net$eps)
      check_spread(
        moments$sigma, net$eps, product_magnitude(net$X, net$Gamma1), net$p1, call,
        colnames(net$Gamma1)
      )
      batch_norm_forward(Z, net$gamma, net$beta, moments$mu, moments$sigma)
    }
  )
  V <- activation_value(net$activation, normal$H, net$slope)
  c(list(Z = Z, V = V, fitted = V %*% net$Gamma2), normal)
}

#' Batch normalisation of the columns of Z.
#'
#'   Xhat = (Z - 1 mu') diag(1 / sigma),   H = Xhat diag(gamma) + 1 beta'
#'
#' @param Z N x p.
#' @param gamma,beta vectors of length p.
#' @param mu,sigma vectors of length p; by default the moments of Z itself, with
#'   divisor N - 1. For others see network_moments().
#' @return list(mu, sigma, Xhat, H).
#' @examples
#' Z <- matrix(c(1, 2, 6, 4, 1, 1), 3)
#' normal <- batch_norm_forward(Z, gamma = c(1, 1), beta = c(0, 0))
#' stopifnot(all.equal(normal$H, scale(Z), check.attributes = FALSE))
batch_norm_forward <- function(Z, gamma, beta, mu = colMeans(Z),
                               sigma = column_moments(Z)$sigma) {
  call <- "batch_norm_forward"
  Z <- real_matrix(Z, call, "Z")
  gamma <- real_vector(gamma, call, "gamma", ncol(Z))
  beta <- real_vector(beta, call, "beta", ncol(Z))
  mu <- real_vector(mu, call, "mu", ncol(Z))
  sigma <- real_vector(sigma, call, "sigma", ncol(Z))
  check_positive(sigma, call)
  Xhat <- sweep(sweep(Z, 2, mu), 2, sigma, "/")
  H <- sweep(sweep(Xhat, 2, gamma, "*"), 2, beta, "+")
  list(mu = mu, sigma = sigma, Xhat = Xhat, H = H)
}

# mu and sigma of each column. Centring first keeps the digits that sums of squares
# would lose when a mean is large against its spread.
column_moments <- function(Z, ddof = 1, eps = 0) {
  mu <- colMeans(Z)
  squares <- colSums(sweep(Z, 2, mu)^2)
  list(mu = mu, sigma = sqrt(squares / (nrow(Z) - ddof) + eps))
}

# The gradients of one formulation, each in the shape, and with the names, of its
# variable; gamma and beta stay NULL without batch normalisation.
network_result <- function(net, loss, fitted, Gamma1, Gamma2, gamma, beta, X) {
  shape <- net$shape
  list(
    loss = loss,
    fitted = shaped_like(fitted, shape$y),
    Gamma1 = shaped_like(Gamma1, shape$Gamma1),
    Gamma2 = shaped_like(Gamma2, shape$Gamma2),
    gamma = shaped_like(gamma, shape$gamma),
    beta = shaped_like(beta, shape$beta),
    X = shaped_like(X, shape$X)
  )
}

shaped_like <- function(value, variable) {
  if (!is.null(variable)) variable[] <- value
  variable
}
