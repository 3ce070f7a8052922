# R values as JSON, so that another language can read them without losing a bit or a
# type. Base R has no JSON writer; this one covers vectors, matrices, arrays, factors,
# data frames and lists of these.
#
#   {"type": "double", "dim": [2, 2], "values": [1, 2, 3, 0.10000000000000001]}
#   {"type": "list", "names": ["a"], "values": [...]}
#
# Values are in R's order, column by column. Numbers have 17 significant digits, which
# determine a double; NA, NaN, Inf and -Inf, which JSON lacks, are strings.

#' One R value as one JSON string.
#'
#' @param value NULL, a logical, integer, double or character vector or array, a
#'   factor, a data frame, or a list of such. Of the attributes, names, dim and
#'   dimnames are carried. Values of other classes (dates, tables) stop: their numbers
#'   alone would not say what they are.
#' @param pretty TRUE: a line for each element of a list. FALSE: one line in all.
#' @return one string, in ASCII: other characters are escaped, so that no locale can
#'   spoil them.
#' @examples
#' stopifnot(to_json(c(a = 1L)) == '{"type": "integer", "names": ["a"], "values": [1]}')
to_json <- function(value, pretty = FALSE) json_node(value, if (pretty) 0 else NULL)

# `depth` counts the lists around a value in pretty form; NULL means one line.
json_node <- function(value, depth) {
  if (is.null(value)) {
    "null"
  } else if (is.factor(value)) {
    json_factor(value)
  } else if (is.data.frame(value)) {
    json_frame(value, depth)
  } else if (is.object(value) || !typeof(value) %in% c(names(json_values), "list")) {
    fail(
      "to_json", "carries vectors, arrays, factors, data frames and lists; got ",
      "an object of class \"", class(value)[1], "\" and type \"", typeof(value),
      "\". Convert it first, with unclass(), as.character() or as.list()."
    )
  } else if (is.list(value)) {
    json_list(value, depth)
  } else {
    json_atomic(value)
  }
}

json_atomic <- function(value) {
  # attributes() and not names(): names() of a one-dimensional array are its dimnames.
  carried <- attributes(value)
  json_object(
    type = json_strings(typeof(value)),
    dim = if (!is.null(carried$dim)) json_array(carried$dim),
    names = json_names(carried$names),
    dimnames = if (!is.null(carried$dimnames)) {
      json_array(vapply(carried$dimnames, json_names_or_null, ""))
    },
    values = json_array(json_values[[typeof(value)]](as.vector(value)))
  )
}

json_factor <- function(value) {
  json_object(
    type = json_strings("factor"),
    ordered = if (is.ordered(value)) "true",
    levels = json_array(json_strings(levels(value))),
    values = json_array(json_values$integer(as.integer(value)))
  )
}

json_frame <- function(value, depth) {
  # Row names that R numbered itself are counted as negative.
  automatic <- .row_names_info(value) <= 0
  json_object(
    type = json_strings("data.frame"),
    names = json_array(json_strings(names(value))),
    row_names = if (automatic) "null" else json_array(json_strings(row.names(value))),
    columns = json_nodes(unclass(value), depth)
  )
}

json_list <- function(value, depth) {
  if (!is.null(dim(value))) {
    fail(
      "to_json", "carries lists without dimensions; got a list of ",
      shape_text(value), ". Take its dim off, or make it a data frame."
    )
  }
  json_object(
    type = json_strings("list"),
    names = json_names(names(value)),
    values = json_nodes(value, depth)
  )
}

json_nodes <- function(values, depth) {
  inner <- if (!is.null(depth)) depth + 1
  nodes <- vapply(seq_along(values), function(i) json_node(values[[i]], inner), "")
  if (is.null(depth) || length(nodes) == 0) {
    return(json_array(nodes))
  }
  indent <- strrep("  ", depth)
  lines <- paste0("\n  ", indent, nodes, collapse = ",")
  paste0("[", lines, "\n", indent, "]")
}

# How the entries of each type of vector are written.
json_values <- list(
  double = function(x) {
    text <- sprintf("%.17g", x)
    text[x == 0 & 1 / x < 0] <- "-0.0" # "-0" would be read as the integer 0
    text[is.infinite(x)] <- ifelse(x[is.infinite(x)] > 0, '"Inf"', '"-Inf"')
    text[is.na(x)] <- ifelse(is.nan(x[is.na(x)]), '"NaN"', '"NA"')
    text
  },
  integer = function(x) ifelse(is.na(x), '"NA"', sprintf("%d", x)),
  logical = function(x) ifelse(is.na(x), '"NA"', ifelse(x, "true", "false")),
  character = function(x) json_strings(x)
)

json_strings <- function(x) {
  x <- as_utf8(as.vector(x))
  # Everything outside printable ASCII, and the two characters that JSON reserves.
  special <- !is.na(x) & grepl('[^ !#-\\[\\]-~]', x, perl = TRUE, useBytes = TRUE)
  x[special] <- vapply(x[special], json_escaped, "")
  ifelse(is.na(x), "null", paste0('"', x, '"'))
}

# Text without a declared encoding is in that of the session. In a UTF-8 or C locale it
# is declared UTF-8 here, because enc2utf8() would write "<ff>" for what does not fit.
as_utf8 <- function(x) {
  session <- l10n_info()
  if (session$`UTF-8` || !(session$MBCS || session$`Latin-1`)) {
    undeclared <- Encoding(x) == "unknown"
    if (any(undeclared)) Encoding(x)[undeclared] <- "UTF-8"
  }
  enc2utf8(x)
}

json_escaped <- function(string) {
  code <- utf8ToInt(string)
  if (anyNA(code)) {
    fail(
      "to_json", "needs text that is valid UTF-8 or of a declared encoding; got bytes ",
      paste(charToRaw(string), collapse = " "), ". Convert it first, with iconv()."
    )
  }
  plain <- code >= 32 & code <= 126
  text <- character(length(code))
  text[plain] <- vapply(code[plain], intToUtf8, "")
  text[code %in% utf8ToInt('"\\')] <- paste0("\\", text[code %in% utf8ToInt('"\\')])
  # JSON counts in units of 16 bits: characters beyond take a pair of surrogates.
  short <- !plain & code <= 65535
  text[short] <- sprintf("\\u%04x", code[short])
  beyond <- code[code > 65535] - 65536
  text[code > 65535] <- sprintf(
    "\\u%04x\\u%04x", 55296 + beyond %/% 1024, 56320 + beyond %% 1024
  )
  paste(text, collapse = "")
}

json_names <- function(names) if (!is.null(names)) json_array(json_strings(names))

# A dimension without names among others that have them.
json_names_or_null <- function(names) if (is.null(names)) "null" else json_names(names)

json_array <- function(items) paste0("[", paste(items, collapse = ", "), "]")

# Members that are NULL are left out.
json_object <- function(...) {
  members <- Filter(Negate(is.null), list(...))
  paste0("{", paste0('"', names(members), '": ', members, collapse = ", "), "}")
}
