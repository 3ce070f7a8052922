# Everything in this folder, in one line and without any package:
#
#   source("r_reference/all.R", chdir = TRUE)
#
# `chdir = TRUE` lets R find the other files. With `local = some_environment` the
# functions are defined there instead of in the global environment.

invisible(lapply(
  c(
    "checks.R", "question.R", "posted.R", "activations.R", "forward.R", "loops.R",
    "matrix_forms.R", "kronecker.R", "question_results.R", "exchange.R", "many.R"
  ),
  source,
  local = environment()
))
