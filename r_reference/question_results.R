# The right gradients of the question's network: sum-of-squares loss, ReLU, and R's
# own standard deviation (ddof = 1, eps = 0), which is what its code sets out to
# differentiate. To be held against posted.R.

#' By node-by-node loops.
#' @examples
#' right <- question_loops()
#' posted <- posted_figures()
#' stopifnot(!isTRUE(all.equal(right$beta, posted$beta_loop)))
question_loops <- function() on_question(network_loops)

#' By the compact matrix forms.
#' @examples
#' stopifnot(all.equal(question_matrix_forms(), question_loops(), tolerance = 1e-12))
question_matrix_forms <- function() on_question(network_gradient)

#' By the Jacobians of vec, multiplied out.
#' @examples
#' stopifnot(all.equal(question_kronecker(), question_loops(), tolerance = 1e-12))
question_kronecker <- function() on_question(kronecker_gradient)

on_question <- function(gradient) {
  data <- question_data()
  gradient(
    data$X, data$y, data$Gamma1, data$Gamma2, data$gamma, data$beta,
    activation = "relu", ddof = 1, eps = 0, loss = "sse"
  )
}
