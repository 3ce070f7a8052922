# A user's own file of functions: load it, call one of them at many points, read an .rds file.
# What R says on the way, errors and warnings, comes back as data, with R's own call.

# Where a user's file is run. It sees the workspace and the packages it attaches, as with
# source(); what it defines stays here. quit() would take Python with it, so it stops instead.
room_for <- function(file) {
  shield <- new.env(parent = globalenv())
  home <- new.env(parent = shield)
  shield$quit <- shield$q <- function(...) {
    stop("the file calls quit(), which would end R before its functions are called", call. = FALSE)
  }
  shield$source <- function(file, local = FALSE, ...) {
    where <- if (is.environment(local)) local else if (isTRUE(local)) parent.frame() else home
    base::source(file, local = where, ...)
  }
  for (expression in parse(file, keep.source = FALSE, encoding = "UTF-8")) {
    eval(expression, home)
  }
  home
}

# The functions that a file has defined, each with the names of its arguments.
functions_in <- function(home) {
  Filter(Negate(is.null), sapply(ls(home), function(name) {
    if (is.function(home[[name]])) as.character(names(formals(args(home[[name]]))))
  }, simplify = FALSE))
}

# Call `name` once for each list of arguments in `points`, those in `fixed` added to each. One
# call for all of them: the file is loaded once, and random numbers go on from point to point.
evaluate <- function(file, name, points, fixed) {
  said <- listening(in_folder_of(file, {
    home <- room_for(file)
    found <- functions_in(home)
    values <- if (name %in% names(found)) {
      lapply(points, function(point) plain(called(home, name, c(point, fixed))))
    }
    list(functions = found, values = values)
  }))
  said
}

# Arguments go by name, so that R's own messages show `f(beta = beta)`, not the numbers.
called <- function(home, name, arguments) {
  labels <- names(arguments)
  if (is.null(labels)) {
    # One argument without a name: it is shown by the name that the function has for it.
    first <- names(formals(args(home[[name]])))[1L]
    known <- if (is.na(first) || first == "...") "x" else first
    scope <- list2env(structure(arguments, names = known), parent = home)
    return(eval(as.call(list(as.name(name), as.name(known))), scope))
  }
  symbols <- structure(lapply(labels, as.name), names = labels)
  eval(as.call(c(list(as.name(name)), symbols)), list2env(arguments, parent = home))
}

# Numbers without names, integers as doubles; the names of a list stay.
plain <- function(value) {
  if (isS4(value) || is.data.frame(value)) value <- as.matrix(value)
  if (is.list(value)) return(structure(lapply(value, plain), names = names(value)))
  if (is.numeric(value) || is.logical(value)) {
    shape <- if (length(dim(value)) > 1L) dim(value)
    value <- as.double(value)
    dim(value) <- shape
    return(value)
  }
  if (is.null(value) || is.character(value)) return(as.vector(value))
  stop("it returned a value of type ", typeof(value), ", which is no number", call. = FALSE)
}

# The object in an .rds file. A vector or a matrix of numbers loses its names; a list keeps them.
read_rds <- function(file) {
  listening({
    value <- readRDS(file)
    data <- function(part) if (is.numeric(part) && !is.object(part)) plain(part) else part
    if (is.list(value)) structure(lapply(value, data), names = names(value)) else data(value)
  })
}

# Evaluate where the file lies, because it may read others beside it; with no window or file for
# the plots that it draws.
in_folder_of <- function(file, work) {
  usual <- setwd(dirname(file))
  drawing <- grDevices::dev.list()
  device <- options(device = function(...) grDevices::pdf(NULL))
  on.exit({
    setwd(usual)
    options(device)
    for (opened in setdiff(grDevices::dev.list(), drawing)) grDevices::dev.off(opened)
  })
  work
}

# The value of `work`, or the error that stopped it, and each distinct warning once.
listening <- function(work) {
  warnings <- character()
  error <- NULL
  value <- tryCatch(
    withCallingHandlers(
      work,
      warning = function(w) {
        warnings <<- c(warnings, paste0(place("In", w), conditionMessage(w)))
        invokeRestart("muffleWarning")
      }
    ),
    error = function(e) {
      error <<- paste0(place("Error in", e, "Error: "), conditionMessage(e))
      NULL
    }
  )
  list(value = value, error = error, warnings = unique(warnings))
}

place <- function(word, condition, otherwise = "") {
  call <- conditionCall(condition)
  # What this file called itself tells a user nothing.
  ours <- c("parse", "file", "gzfile", "setwd", "plain", "readRDS")
  if (
    is.null(call) || identical(call, quote(eval(expression, home))) ||
      (is.name(call[[1L]]) && as.character(call[[1L]]) %in% ours)
  ) {
    return(otherwise)
  }
  paste0(word, " ", deparse(call, nlines = 1L)[1L], " : ")
}
