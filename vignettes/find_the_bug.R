# y = a(b(X Gamma1)) Gamma2: a is tanh, b is batch normalisation as scale() does it.

loss <- function(Gamma1, Gamma2, gamma, beta, X, y) {
  Xhat <- scale(X %*% Gamma1)
  H <- sweep(sweep(Xhat, 2, gamma, "*"), 2, beta, "+")
  mean((y - tanh(H) %*% Gamma2)^2)
}

tanh_slope <- function(h) 1 - tanh(h)^2

gradient <- function(Gamma1, Gamma2, gamma, beta, X, y) {
  N <- nrow(X)

  # forwards
  Z <- X %*% Gamma1
  centred <- sweep(Z, 2, colMeans(Z))
  sigma <- sqrt(colMeans(centred^2))
  Xhat <- sweep(centred, 2, sigma, "/")
  H <- sweep(sweep(Xhat, 2, gamma, "*"), 2, beta, "+")
  V <- tanh(H)
  residuals <- as.vector(y - V %*% Gamma2)

  # backwards
  S <- tanh_slope(V) * outer(-2 * residuals / N, Gamma2)
  dbeta <- colSums(S)
  dgamma <- colSums(Xhat * S) * gamma
  dGamma2 <- -2 * colSums(V * residuals)
  dXhat <- S - rep(dbeta / N, each = N)
  dZ <- sweep(dXhat, 2, gamma / sigma, "*")
  dGamma1 <- t(X) %*% dZ

  list(Gamma1 = dGamma1, Gamma2 = dGamma2, gamma = dgamma, beta = dbeta)
}
