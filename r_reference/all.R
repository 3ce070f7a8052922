# Everything in this folder, in one line and without any package:
#
#   source("r_reference/all.R", chdir = TRUE)
#
# `chdir = TRUE` lets R find the other files. Only the functions listed below arrive in
# your workspace (with `local = some_environment`, there); what they need stays in an
# environment of its own, where nothing of yours can stand in for it.

(function(target) {
  home <- new.env(parent = asNamespace("stats"))
  for (file in c(
    "checks.R", "question.R", "posted.R", "activations.R", "forward.R", "loops.R",
    "matrix_forms.R", "kronecker.R", "question_results.R", "exchange.R", "many.R"
  )) {
    if (!file.exists(file)) {
      stop("cannot find ", file, ": use source(\"<folder>/all.R\", chdir = TRUE)")
    }
    sys.source(file, envir = home)
  }
  for (name in c(
    "question_data", "posted_figures", "posted_printed", "posted_derivative",
    "question_loops", "question_matrix_forms", "question_kronecker",
    "activations", "activation_value", "activation_derivative",
    "network_loops", "network_gradient", "kronecker_gradient",
    "network_moments", "network_predict",
    "batch_norm_forward", "batch_norm_pullback", "batch_norm_jacobian",
    "vec", "unvec", "diagonal_selection", "to_json", "many"
  )) {
    assign(name, get(name, envir = home), envir = target)
  }
})(environment())
