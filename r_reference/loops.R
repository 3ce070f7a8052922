# The specification: the network and its gradients node by node, with nothing but
# loops and sums. Slow, and meant to be checked against a pencil; matrix_forms.R and
# kronecker.R must return the same numbers.
#
# Indices: n, m rows; i inputs; j hidden nodes; k outputs.

#' Loss, fitted values and all gradients, by explicit loops.
#'
#'   z_nj = sum_i X_ni Gamma1_ij          xhat_nj = (z_nj - mu_j) / sigma_j
#'   h_nj = gamma_j xhat_nj + beta_j      v_nj    = a(h_nj)
#'   fitted_nk = sum_j v_nj Gamma2_jk     R       = c0 sum_nk (y_nk - fitted_nk)^2
#'
#' @param X N x p1 matrix.
#' @param y vector of N, or N x q matrix.
#' @param Gamma1 p1 x p2.
#' @param Gamma2 vector of p2, or p2 x q with y a matrix.
#' @param gamma,beta vectors of p2; NULL without batch normalisation.
#' @param activation one of names(activations); slope is that of "leaky_relu".
#' @param batch_norm FALSE: h = z.
#' @param ddof,eps sigma^2 = sum_n (z_n - mu)^2 / (N - ddof) + eps.
#' @param loss "sse": c0 = 1; "mse": c0 = 1/N (mean over rows, sum over outputs).
#' @param mu,sigma given: held constant, and not taken from the batch.
#' @return list(loss, fitted, Gamma1, Gamma2, gamma, beta, X): after the first two, the
#'   gradient of R with respect to each variable, in the shape of the variable.
#' @examples
#' d <- question_data()
#' g <- network_loops(d$X, d$y, d$Gamma1, d$Gamma2, d$gamma, d$beta)
#' stopifnot(all.equal(g$beta, c(0.9952330, 1.1510608, -4.0426069, -0.3169117),
#'   tolerance = 1e-7
#' ))
network_loops <- function(X, y, Gamma1, Gamma2, gamma = NULL, beta = NULL,
                          activation = "relu", batch_norm = TRUE, ddof = 1, eps = 0,
                          loss = "sse", slope = 0.01, mu = NULL, sigma = NULL) {
  net <- checked_network("network_loops", as.list(environment()))
  pass <- forward_loops(net)
  output <- output_loops(net, pass$V)
  S <- hidden_loops(net, output$slope, pass$H)
  normal <- normalisation_loops(net, pass, S)

  network_result(
    net,
    loss = output$loss, fitted = output$fitted,
    Gamma1 = input_weight_loops(net, normal$Z),
    Gamma2 = output_weight_loops(net, output$slope, pass$V),
    gamma = normal$gamma, beta = normal$beta,
    X = input_loops(net, normal$Z)
  )
}

forward_loops <- function(net) {
  Z <- Xhat <- H <- V <- matrix(0, net$N, net$p2)
  mu <- sigma <- numeric(net$p2)
  for (n in seq_len(net$N)) {
    for (j in seq_len(net$p2)) {
      for (i in seq_len(net$p1)) {
        Z[n, j] <- Z[n, j] + net$X[n, i] * net$Gamma1[i, j]
      }
    }
  }
  for (j in seq_len(net$p2)) {
    if (net$moments == "batch") {
      mu[j] <- mean_loop(Z[, j])
      sigma[j] <- spread_loop(Z[, j], mu[j], net$ddof, net$eps)
    } else if (net$moments == "fixed") {
      mu[j] <- net$mu[[j]]
      sigma[j] <- net$sigma[[j]]
    }
  }
  if (net$moments == "batch") {
    check_spread(
      sigma, net$eps, product_magnitude(net$X, net$Gamma1), net$p1, "network_loops",
      colnames(net$Gamma1)
    )
  }
  for (n in seq_len(net$N)) {
    for (j in seq_len(net$p2)) {
      if (net$moments == "none") {
        H[n, j] <- Z[n, j]
      } else {
        Xhat[n, j] <- (Z[n, j] - mu[j]) / sigma[j]
        H[n, j] <- net$gamma[[j]] * Xhat[n, j] + net$beta[[j]]
      }
      V[n, j] <- activation_value(net$activation, H[n, j], net$slope)
    }
  }
  list(Z = Z, mu = mu, sigma = sigma, Xhat = Xhat, H = H, V = V)
}

# A second round removes the rounding of the first, as R's own mean() does: otherwise
# a constant column of many rows would seem to vary.
mean_loop <- function(z) {
  mu <- 0
  for (round in 1:2) {
    rest <- 0
    for (n in seq_along(z)) rest <- rest + (z[n] - mu)
    mu <- mu + rest / length(z)
  }
  mu
}

spread_loop <- function(z, mu, ddof, eps) {
  squares <- 0
  for (n in seq_along(z)) squares <- squares + (z[n] - mu)^2
  sqrt(squares / (length(z) - ddof) + eps)
}

# fitted, R, and slope_nk = dR/dfitted_nk = -2 c0 (y_nk - fitted_nk)
output_loops <- function(net, V) {
  fitted <- slope <- matrix(0, net$N, net$q)
  loss <- 0
  for (n in seq_len(net$N)) {
    for (k in seq_len(net$q)) {
      for (j in seq_len(net$p2)) {
        fitted[n, k] <- fitted[n, k] + V[n, j] * net$Gamma2[j, k]
      }
      residual <- net$Y[n, k] - fitted[n, k]
      loss <- loss + net$c0 * residual^2
      slope[n, k] <- -2 * net$c0 * residual
    }
  }
  list(fitted = fitted, loss = loss, slope = slope)
}

# dR/dGamma2_jk = sum_n dR/dfitted_nk v_nj
output_weight_loops <- function(net, slope, V) {
  Gamma2 <- matrix(0, net$p2, net$q)
  for (j in seq_len(net$p2)) {
    for (k in seq_len(net$q)) {
      for (n in seq_len(net$N)) {
        Gamma2[j, k] <- Gamma2[j, k] + slope[n, k] * V[n, j]
      }
    }
  }
  Gamma2
}

# S_nj = dR/dh_nj = a'(h_nj) sum_k dR/dfitted_nk Gamma2_jk
hidden_loops <- function(net, slope, H) {
  S <- matrix(0, net$N, net$p2)
  for (n in seq_len(net$N)) {
    for (j in seq_len(net$p2)) {
      for (k in seq_len(net$q)) {
        S[n, j] <- S[n, j] + slope[n, k] * net$Gamma2[j, k]
      }
      S[n, j] <- S[n, j] * activation_derivative(net$activation, H[n, j], net$slope)
    }
  }
  S
}

# dR/dbeta_j  = sum_n S_nj
# dR/dgamma_j = sum_n S_nj xhat_nj
# dR/dz_mj    = sum_n S_nj gamma_j dxhat_nj/dz_mj: every row feels every other row,
#               because mu_j and sigma_j are made of all of them.
normalisation_loops <- function(net, pass, S) {
  if (net$moments == "none") {
    return(list(Z = S, gamma = NULL, beta = NULL))
  }
  Z <- matrix(0, net$N, net$p2)
  gamma <- beta <- numeric(net$p2)
  for (j in seq_len(net$p2)) {
    for (n in seq_len(net$N)) {
      beta[j] <- beta[j] + S[n, j]
      gamma[j] <- gamma[j] + S[n, j] * pass$Xhat[n, j]
    }
    Z[, j] <- normalised_loops(net, j, pass$Z[, j], pass$mu[j], pass$sigma[j], S[, j])
  }
  list(Z = Z, gamma = gamma, beta = beta)
}

# sum_n s_n gamma d xhat_n / d z_m for every m, at node j. By the quotient rule
#   d xhat_n / d z_m = (((n == m) - d mu) sigma - (z_n - mu) d sigma) / sigma^2
# with d mu = 1 / N and d sigma = (z_m - mu) / ((N - ddof) sigma). No term of mu is in
# d sigma, since the deviations from a mean sum to zero. Fixed moments do not move.
normalised_loops <- function(net, j, z, mu, sigma, s) {
  gradient <- numeric(net$N)
  d_mu <- d_sigma <- 0
  for (m in seq_len(net$N)) {
    if (net$moments == "batch") {
      d_mu <- 1 / net$N
      d_sigma <- (z[m] - mu) / ((net$N - net$ddof) * sigma)
    }
    for (n in seq_len(net$N)) {
      d_xhat <- (((n == m) - d_mu) * sigma - (z[n] - mu) * d_sigma) / sigma^2
      gradient[m] <- gradient[m] + s[n] * net$gamma[[j]] * d_xhat
    }
  }
  gradient
}

# dR/dGamma1_ij = sum_n X_ni dR/dz_nj
input_weight_loops <- function(net, dZ) {
  Gamma1 <- matrix(0, net$p1, net$p2)
  for (i in seq_len(net$p1)) {
    for (j in seq_len(net$p2)) {
      for (n in seq_len(net$N)) {
        Gamma1[i, j] <- Gamma1[i, j] + net$X[n, i] * dZ[n, j]
      }
    }
  }
  Gamma1
}

# dR/dX_ni = sum_j dR/dz_nj Gamma1_ij
input_loops <- function(net, dZ) {
  X <- matrix(0, net$N, net$p1)
  for (n in seq_len(net$N)) {
    for (i in seq_len(net$p1)) {
      for (j in seq_len(net$p2)) {
        X[n, i] <- X[n, i] + dZ[n, j] * net$Gamma1[i, j]
      }
    }
  }
  X
}
