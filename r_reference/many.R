# One call that carries many problems: starting R costs more than a small gradient.

#' Call a function once for each list of arguments.
#'
#' @param function_name name of a function of this folder, such as "network_loops".
#' @param problems list of argument lists.
#' @return list of results, in the order and with the names of `problems`. An error
#'   says which problem it came from.
#' @examples
#' d <- question_data()
#' arguments <- d[c("X", "y", "Gamma1", "Gamma2", "gamma", "beta")]
#' both <- many("network_loops", list(arguments, c(arguments, loss = "mse")))
#' stopifnot(all.equal(both[[1]]$loss, 10 * both[[2]]$loss))
many <- function(function_name, problems) {
  if (!is.character(function_name) || length(function_name) != 1) {
    fail(
      "many", "needs the name of a function as one string; got ", length(function_name),
      " of class \"", class(function_name)[1], "\"."
    )
  }
  if (!exists(function_name, mode = "function")) {
    fail("many", "knows no function \"", function_name, "\". Source its file first.")
  }
  results <- lapply(seq_along(problems), function(i) {
    tryCatch(
      do.call(function_name, problems[[i]]),
      error = function(e) fail("many", "at problem ", i, ": ", conditionMessage(e))
    )
  })
  names(results) <- names(problems)
  results
}
