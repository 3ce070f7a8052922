# The data of the StackExchange question: a network with one hidden layer of four
# nodes, batch normalised, on ten rows of seven inputs.
#
#   y = a(b(X Gamma1)) Gamma2 + noise,   a = ReLU,
#   b(Z) = (Z - 1 mu') diag(gamma / sigma) + 1 beta',   sigma = sd of each column

#' The question's data, from the question's own random draws.
#'
#' The draws come in the question's order (Gamma1, Gamma2, noise, X), so every figure
#' printed there can be reproduced. The caller's random numbers are not disturbed.
#'
#' @return list(X = 10 x 7, y = 10, Gamma1 = 7 x 4, Gamma2 = 4, gamma = 4, beta = 4,
#'   noise = 10); y and noise are plain vectors.
#' @examples
#' data <- question_data()
#' stopifnot(identical(dim(data$X), c(10L, 7L)), identical(data$gamma, c(2, 3, 4, 5)))
question_data <- function() {
  with_question_seed({
    N <- 10
    p1 <- 7
    p2 <- 4
    Gamma1 <- matrix(rnorm(p1 * p2), p1, p2)
    Gamma2 <- rnorm(p2)
    gamma <- seq_len(p2) + 1
    beta <- -gamma
    noise <- rnorm(N)
    X <- matrix(round(runif(N * p1, -5, 5)), N, p1)

    Z <- X %*% Gamma1
    Xhat <- sweep(sweep(Z, 2, colMeans(Z)), 2, apply(Z, 2, sd), "/")
    H <- sweep(sweep(Xhat, 2, gamma, "*"), 2, beta, "+")
    y <- as.vector(pmax(H, 0) %*% Gamma2) + noise

    list(
      X = X, y = y, Gamma1 = Gamma1, Gamma2 = Gamma2, gamma = gamma, beta = beta,
      noise = noise
    )
  })
}

# Evaluate `draws` after set.seed(1), then put the caller's generator back: its kind,
# its state, or the absence of a state.
with_question_seed <- function(draws) {
  home <- globalenv()
  seed <- get0(".Random.seed", envir = home, inherits = FALSE)
  # The kinds are named because a session may have chosen others.
  kind <- RNGkind("Mersenne-Twister", "Inversion", "Rejection")
  on.exit({
    # sample.kind = "Rounding" warns even when it is only being restored.
    suppressWarnings(RNGkind(kind[1], kind[2], kind[3]))
    if (is.null(seed)) {
      rm(".Random.seed", envir = home)
    } else {
      assign(".Random.seed", seed, envir = home)
    }
  })
  set.seed(1)
  draws # forced only here, after the seed is set
}
