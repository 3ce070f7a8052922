# Checks at the door, shared by the loops and the matrix forms. Past these, functions
# see finite numbers of conforming shapes. Every message names the call, what came,
# what was wanted and the remedy.

# Stop in the name of `call`. R's own mention of the call is left out: through do.call
# it would print every number of the arguments.
fail <- function(call, ...) stop("`", call, "` ", ..., call. = FALSE)

#' Check all arguments of a network at once and bring them to one form.
#'
#' @param call name of the function that asks, for messages.
#' @param given its arguments by name, as `as.list(environment())` on its first line
#'   gives them; y and loss may be absent (a prediction needs neither).
#' @return list: the arguments, with Y and Gamma2 as matrices (N x q, p2 x q), the
#'   sizes N, p1, p2, q, the factor c0 of the loss (1/N for "mse", 1 for "sse"),
#'   `moments` ("none", "batch" or "fixed"), and `shape`: variables as they came.
checked_network <- function(call, given) {
  check_present(call, given)
  check_option(given$activation, names(activations), call, "activation")
  check_flag(given$batch_norm, call, "batch_norm")
  check_number(given$slope, call, "slope")
  check_ddof(given$ddof, call)
  check_number(given$eps, call, "eps", at_least = 0)

  X <- real_matrix(given$X, call, "X")
  Gamma1 <- real_matrix(given$Gamma1, call, "Gamma1")
  if (ncol(X) != nrow(Gamma1)) {
    fail(
      call, "needs ncol(X) = nrow(Gamma1); got X ", shape_text(X), " and Gamma1 ",
      shape_text(Gamma1), ". Gamma1 has one row per input, one column per hidden node."
    )
  }
  Gamma2 <- real_vector_or_matrix(given$Gamma2, call, "Gamma2")
  if (NROW(Gamma2) != ncol(Gamma1)) {
    fail(
      call, "needs one row of Gamma2 per hidden node, ", ncol(Gamma1), "; got Gamma2 ",
      shape_text(Gamma2), "."
    )
  }

  net <- given
  net$X <- X
  net$Gamma1 <- Gamma1
  net$Gamma2 <- as.matrix(Gamma2)
  net$N <- nrow(X)
  net$p1 <- ncol(X)
  net$p2 <- ncol(Gamma1)
  net$q <- NCOL(Gamma2)
  net <- checked_normalisation(net, call)
  net$shape <- list(
    X = X, Gamma1 = Gamma1, Gamma2 = Gamma2, gamma = net$gamma, beta = net$beta
  )
  if ("y" %in% names(given)) checked_response(net, call) else net
}

checked_response <- function(net, call) {
  check_option(net$loss, c("mse", "sse"), call, "loss")
  y <- real_vector_or_matrix(net$y, call, "y")
  Gamma2 <- net$shape$Gamma2
  if (NROW(y) != net$N) {
    fail(
      call, "needs one row of y per row of X, ", net$N, "; got y ", shape_text(y), "."
    )
  }
  if (is_matrix(y) != is_matrix(Gamma2)) {
    fail(
      call, "needs y and Gamma2 to be both vectors or both matrices; got y ",
      shape_text(y), " and Gamma2 ", shape_text(Gamma2), ". Write as.vector() around ",
      "the one, or matrix(, ncol = 1) around the other."
    )
  }
  if (NCOL(y) != net$q) {
    fail(
      call, "needs one column of Gamma2 per column of y; got y ", shape_text(y),
      " and Gamma2 ", shape_text(Gamma2), "."
    )
  }
  net$Y <- as.matrix(y)
  net$c0 <- if (net$loss == "mse") 1 / net$N else 1
  net$shape$y <- y
  net
}

checked_normalisation <- function(net, call) {
  parts <- c("gamma", "beta", "mu", "sigma")
  given <- parts[!vapply(net[parts], is.null, NA)]
  if (!net$batch_norm) {
    if (length(given) > 0) {
      fail(
        call, "uses no ", paste(given, collapse = ", "), " with batch_norm = FALSE. ",
        "Leave them out, or set batch_norm = TRUE."
      )
    }
    net$moments <- "none"
    return(net)
  }
  if (!all(c("gamma", "beta") %in% given)) {
    fail(
      call, "needs gamma and beta with batch_norm = TRUE. Pass both, or set ",
      "batch_norm = FALSE."
    )
  }
  if (("mu" %in% given) != ("sigma" %in% given)) {
    fail(
      call, "needs mu and sigma together; only ", intersect(c("mu", "sigma"), given),
      " came. Pass both to fix the moments, or neither to take them from the batch."
    )
  }
  for (part in given) {
    net[[part]] <- real_vector(net[[part]], call, part, net$p2)
  }
  net$moments <- if ("mu" %in% given) "fixed" else "batch"
  if (net$moments == "fixed") check_positive(net$sigma, call)
  if (net$moments == "batch") check_rows(net$N, net$ddof, call)
  net
}

#' Stop when a column to be normalised is constant and eps = 0.
#'
#' A column counts as constant when its spread is within the rounding error of the
#' sums that made it: dividing by such a sigma would return noise.
#' @param magnitude per column, the size of the terms that were added up.
#' @param terms how many they were.
check_spread <- function(sigma, eps, magnitude, terms, call, names = NULL) {
  if (eps > 0) {
    return(invisible())
  }
  constant <- which(sigma <= (terms + 2) * .Machine$double.eps * magnitude)
  if (length(constant) > 0) {
    j <- constant[1]
    fail(
      call, "cannot normalise column ", j, name_text(names, j), " of Z = X Gamma1: it ",
      "is constant, and eps = 0. Drop that node, or take eps > 0."
    )
  }
}

#' The size of the terms in each column of X Gamma1: sum_i max_n |X_ni| |Gamma1_ij|.
product_magnitude <- function(X, Gamma1) {
  colSums(apply(abs(X), 2, max) * abs(Gamma1))
}

check_positive <- function(sigma, call) {
  if (any(sigma <= 0)) {
    j <- which(sigma <= 0)[1]
    fail(
      call, "needs sigma > 0; entry ", j, " is ", format(sigma[[j]]),
      ". sigma = sqrt(variance + eps), as network_moments() returns it."
    )
  }
}

check_rows <- function(N, ddof, call) {
  if (N <= ddof) {
    fail(
      call, "needs more rows than ddof; got N = ", N, ", ddof = ", format(ddof),
      ". Add rows, or pass mu and sigma of the training data."
    )
  }
}

check_present <- function(call, given) {
  # An argument that was left out and has no default is the empty symbol.
  absent <- vapply(
    names(given), function(name) identical(given[[name]], quote(expr = )), NA
  )
  if (any(absent)) {
    fail(call, "needs ", paste(sort(names(given)[absent]), collapse = ", "), ".")
  }
}

check_option <- function(value, allowed, call, name) {
  if (!is.character(value) || length(value) != 1 || !value %in% allowed) {
    known <- paste0('"', allowed, '"', collapse = ", ")
    fail(call, "knows ", name, " = ", known, "; got ", deparse(value)[1], ".")
  }
}

check_flag <- function(value, call, name) {
  if (!isTRUE(value) && !isFALSE(value)) {
    fail(call, "needs ", name, " = TRUE or FALSE; got ", deparse(value)[1], ".")
  }
}

check_number <- function(value, call, name, at_least = -Inf) {
  # Inf is excluded too: it would turn the gradient into NaN much later.
  if (
    !is.numeric(value) || length(value) != 1 || !is.finite(value) || value < at_least
  ) {
    wanted <- if (is.finite(at_least)) paste(" >=", at_least) else ""
    fail(
      call, "needs one finite number ", name, wanted, "; got ", deparse(value)[1], "."
    )
  }
}

check_ddof <- function(ddof, call) {
  check_number(ddof, call, "ddof", at_least = 0)
  if (ddof != round(ddof)) {
    fail(call, "needs a whole number ddof; got ", format(ddof), ". R's sd() means 1.")
  }
}

#' A double matrix with finite entries, at least one row and one column.
real_matrix <- function(value, call, name) {
  if (is.data.frame(value)) value <- frame_matrix(value, call, name)
  if (!is_matrix(value)) {
    fail(
      call, "needs ", name, " as a matrix; got ", shape_text(value), ". One row is ",
      "matrix(x, nrow = 1), one column matrix(x, ncol = 1)."
    )
  }
  real_numbers(value, call, name)
}

real_vector_or_matrix <- function(value, call, name) {
  if (is.data.frame(value)) value <- frame_matrix(value, call, name)
  if (length(dim(value)) > 2) {
    fail(call, "needs ", name, " as a vector or a matrix; got ", shape_text(value), ".")
  }
  real_numbers(value, call, name)
}

real_vector <- function(value, call, name, size) {
  if (length(dim(value)) > 1 || length(value) != size) {
    fail(
      call, "needs ", name, " as a vector of length ", size, ", one entry per hidden ",
      "node; got ", shape_text(value), "."
    )
  }
  real_numbers(value, call, name)
}

real_numbers <- function(value, call, name) {
  if (!is.numeric(value) && !is.logical(value)) {
    fail(
      call, "needs real numbers in ", name, "; got ", class(value)[1], " of type ",
      typeof(value), ". Encode text, dates or categories as numbers first."
    )
  }
  if (length(value) == 0) {
    fail(
      call, "needs ", name, " with at least one row and one column; got ",
      shape_text(value), ". An empty batch has no gradient."
    )
  }
  bad <- !is.finite(value)
  if (any(bad)) {
    fail(
      call, "needs finite numbers; ", name, " has ", bad_text(value, bad), ", ",
      sum(bad), " such in all. Drop or impute these rows first."
    )
  }
  # Integers would overflow in sums; names and dimensions stay.
  storage.mode(value) <- "double"
  value
}

frame_matrix <- function(frame, call, name) {
  usable <- vapply(frame, function(column) is.numeric(column) || is.logical(column), NA)
  if (!all(usable)) {
    j <- which(!usable)[1]
    fail(
      call, "needs real numbers in ", name, "; column ", j,
      name_text(names(frame), j), " is ", class(frame[[j]])[1],
      ". Encode text, dates or categories as numbers first."
    )
  }
  as.matrix(frame)
}

# Where the first entry that is not finite stands, in reading order.
bad_text <- function(value, bad) {
  if (!is_matrix(value)) {
    return(paste(format(value[[which(bad)[1]]]), "at entry", which(bad)[1]))
  }
  first <- which(t(bad))[1] - 1
  row <- first %/% ncol(value) + 1
  column <- first %% ncol(value) + 1
  paste0(
    format(value[[row, column]]), " at row ", row, ", column ", column,
    name_text(colnames(value), column)
  )
}

name_text <- function(names, j) {
  if (is.null(names)) "" else paste0(' ("', names[j], '")')
}

shape_text <- function(value) {
  if (is.null(value)) {
    "NULL"
  } else if (is.null(dim(value))) {
    paste("a vector of length", length(value))
  } else {
    paste(dim(value), collapse = " x ")
  }
}

is_matrix <- function(value) length(dim(value)) == 2
