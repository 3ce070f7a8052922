# Timing in R, by R's own clock: what it takes to bring the data to R is not counted.

#' Keep data, and the functions of a folder, for `timed`.
#'
#' They are kept as an option, since nothing else of a call through the bridge outlives it.
#' @param key what to call them.
#' @param folder the folder of R code.
#' @param X,y as for its functions.
keep <- function(key, folder, X, y) {
  code <- new.env(parent = asNamespace("stats"))
  sys.source(file.path(folder, "all.R"), envir = code, chdir = TRUE, keep.source = FALSE)
  set_kept(key, list(code = code, X = X, y = y))
}

#' Release what was kept.
forget <- function(key) set_kept(key, NULL)

#' Run one of the functions on the data.
#'
#' @param key what they are called.
#' @param name "network_gradient" or "network_loops".
#' @param ... its other arguments.
#' @return list(loss, Gamma1, Gamma2, gamma, beta, seconds).
timed <- function(key, name, ...) {
  # The bridge asks for the product that is the same on every machine; a user of R has its BLAS.
  usual <- options(matprod = "default")
  on.exit({
    options(usual)
    gc() # not in the next one's time
  })
  kept <- getOption("matbackprop.bench")[[key]]
  gradient <- kept$code[[name]]
  start <- Sys.time()
  result <- gradient(kept$X, kept$y, ...)
  seconds <- as.numeric(Sys.time() - start, units = "secs")
  c(result[c("loss", "Gamma1", "Gamma2", "gamma", "beta")], seconds = seconds)
}

set_kept <- function(key, value) {
  kept <- getOption("matbackprop.bench", list())
  kept[[key]] <- value
  options(matbackprop.bench = kept)
  gc()
  NULL
}
