# What both live backends run inside R. Nothing here touches the global environment.

# The functions of a reference folder, in an environment of their own. Its parent is the
# namespace of stats, so that a variable of the user cannot stand in for `sd` or `rnorm`.
load_reference <- function(folder) {
  reference <- new.env(parent = asNamespace("stats"))
  sys.source(file.path(folder, "all.R"), envir = reference, chdir = TRUE, keep.source = FALSE)
  reference
}

# Run one function; tell its value, its error and its warnings as data. Printed output and
# messages are swallowed; options and the random number generator are left as they were found.
answer <- function(folder, name, arguments) {
  warnings <- character()
  value <- NULL
  error <- NULL
  interrupted <- FALSE
  seed <- get0(".Random.seed", globalenv(), inherits = FALSE)
  # As generate.R does: the last digit must not depend on the BLAS that R is linked to.
  usual <- options(matprod = "internal")
  silence <- file(nullfile(), "w")
  sink(silence)
  on.exit({
    sink()
    close(silence)
    options(usual)
    if (!is.null(seed)) {
      assign(".Random.seed", seed, globalenv())
    } else if (exists(".Random.seed", globalenv(), inherits = FALSE)) {
      rm(".Random.seed", envir = globalenv())
    }
  })
  tryCatch(
    withCallingHandlers(
      {
        reference <- load_reference(folder)
        if (!exists(name, reference, mode = "function", inherits = FALSE)) {
          known <- Filter(function(n) is.function(reference[[n]]), ls(reference))
          nearest <- utils::head(known[order(utils::adist(name, known))], 5L)
          stop("the reference folder has no function ", name, "(); the nearest names are ",
               paste0(nearest, "()", collapse = ", "), call. = FALSE)
        }
        # Arguments go by name, so that R's own messages show `f(X = X)`, not the numbers.
        scope <- list2env(arguments, parent = reference)
        symbols <- lapply(names(arguments), as.name)
        names(symbols) <- names(arguments)
        # Assigning NULL would delete the element, hence the list.
        value <- list(eval(as.call(c(list(as.name(name)), symbols)), scope))
      },
      warning = function(w) {
        warnings <<- c(warnings, conditionMessage(w))
        invokeRestart("muffleWarning")
      },
      message = function(m) invokeRestart("muffleMessage")
    ),
    # While it sleeps, R takes Ctrl-C for itself: Python hears of it only from here.
    interrupt = function(e) interrupted <<- TRUE,
    error = function(e) {
      call <- conditionCall(e)
      error <<- c(conditionMessage(e), if (!is.null(call)) deparse(call, nlines = 1L)[1L])
    }
  )
  list(value = value, error = error, warnings = warnings, interrupted = interrupted)
}

# The same for a process of its own: the answer goes to a file as JSON, written by the
# `to_json` of the folder `exchange`, so that any reference folder will do.
serve <- function(folder, name, arguments, exchange, result) {
  told <- answer(folder, name, arguments)
  to_json <- load_reference(exchange)$to_json
  text <- tryCatch(to_json(told), error = function(e) {
    told$value <- list(NULL)
    told$error <- conditionMessage(e)
    to_json(told)
  })
  out <- file(result, "wb")
  on.exit(close(out))
  writeLines(text, out, useBytes = TRUE)
}
