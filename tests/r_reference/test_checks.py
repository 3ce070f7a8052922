"""What R says to bad input, word by word."""

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.r

SETUP = """
X <- matrix(c(1, 2, 4, 3, 0, 1, 5, 2), 4)
G1 <- matrix(c(1, 2, 0, 1, 1, 1), 2)
y <- c(1, 0, 2, 1); G2 <- c(1, -1, 2); g <- c(1, 2, 3); b <- c(0, 1, 0)
# Rows that sum to 0.3: on paper; 0.1 + 0.2 is one bit more.
even <- rbind(c(0.1, 0.2), c(0.3, 0), c(0.2, 0.1), c(0, 0.3))
broken <- X; broken[2, 2] <- NaN; broken[3, 1] <- Inf
named <- broken; colnames(named) <- c("age", "dose")
flat <- G1; flat[, 2] <- 0; colnames(flat) <- c("a", "idle", "c")
call <- function(...) {
  given <- list(X = X, y = y, Gamma1 = G1, Gamma2 = G2, gamma = g, beta = b)
  do.call(FUNCTION, modifyList(given, list(...)))
}
words <- function(expression) {
  tryCatch({eval(expression); "no error"}, error = conditionMessage)
}
"""
# Cases that all three formulations share; the name of the call stands before each text.
SHARED = {
    "call(Gamma1 = t(G1))": "needs ncol(X) = nrow(Gamma1); got X 4 x 2 and Gamma1 3 x 2. "
    "Gamma1 has one row per input, one column per hidden node.",
    "call(Gamma2 = G2[-1])": "needs one row of Gamma2 per hidden node, 3; "
    "got Gamma2 a vector of length 2.",
    "call(y = y[-1])": "needs one row of y per row of X, 4; got y a vector of length 3.",
    "call(y = matrix(y))": "needs y and Gamma2 to be both vectors or both matrices; got y 4 x 1 "
    "and Gamma2 a vector of length 3. Write as.vector() around the one, or matrix(, ncol = 1) "
    "around the other.",
    "call(y = cbind(y, y), Gamma2 = matrix(G2))": "needs one column of Gamma2 per column of y; "
    "got y 4 x 2 and Gamma2 3 x 1.",
    "call(X = X[1, ])": "needs X as a matrix; got a vector of length 2. One row is "
    "matrix(x, nrow = 1), one column matrix(x, ncol = 1).",
    "call(y = array(0, c(4, 1, 1)))": "needs y as a vector or a matrix; got 4 x 1 x 1.",
    "call(gamma = 1)": "needs gamma as a vector of length 3, one entry per hidden node; "
    "got a vector of length 1.",
    "call(beta = t(b))": "needs beta as a vector of length 3, one entry per hidden node; "
    "got 1 x 3.",
    "call(X = broken)": "needs finite numbers; X has NaN at row 2, column 2, 2 such in all. "
    "Drop or impute these rows first.",
    "call(X = named)": 'needs finite numbers; X has NaN at row 2, column 2 ("dose"), 2 such in '
    "all. Drop or impute these rows first.",
    "call(y = c(1, NA, 2, -Inf))": "needs finite numbers; y has NA at entry 2, 2 such in all. "
    "Drop or impute these rows first.",
    "call(Gamma1 = -1 / (G1 * 0))": "needs finite numbers; Gamma1 has -Inf at row 1, column 1, "
    "6 such in all. Drop or impute these rows first.",
    "call(X = X + 1i)": "needs real numbers in X; got matrix of type complex. "
    "Encode text, dates or categories as numbers first.",
    "call(y = letters[1:4])": "needs real numbers in y; got character of type character. "
    "Encode text, dates or categories as numbers first.",
    "call(X = data.frame(age = 1:4, sex = factor(1:4)))": "needs real numbers in X; column 2 "
    '("sex") is factor. Encode text, dates or categories as numbers first.',
    "call(X = X[0, ], y = numeric(0))": "needs X with at least one row and one column; got "
    "0 x 2. An empty batch has no gradient.",
    "call(Gamma2 = numeric(0), Gamma1 = G1[, 0])": "needs Gamma1 with at least one row and one "
    "column; got 2 x 0. An empty batch has no gradient.",
    "call(X = X[1, , drop = FALSE], y = 1)": "needs more rows than ddof; got N = 1, ddof = 1. "
    "Add rows, or pass mu and sigma of the training data.",
    "call(ddof = 4)": "needs more rows than ddof; got N = 4, ddof = 4. "
    "Add rows, or pass mu and sigma of the training data.",
    "call(Gamma1 = flat)": 'cannot normalise column 2 ("idle") of Z = X Gamma1: it is constant, '
    "and eps = 0. Drop that node, or take eps > 0.",
    "call(X = even, Gamma1 = cbind(1:2, 1, 2:1))": "cannot normalise column 2 of Z = X Gamma1: "
    "it is constant, and eps = 0. Drop that node, or take eps > 0.",
    "call(X = matrix(0.1, 4, 2))": "cannot normalise column 1 of Z = X Gamma1: it is constant, "
    "and eps = 0. Drop that node, or take eps > 0.",
    'call(activation = "swish")': 'knows activation = "relu", "leaky_relu", "identity", "tanh", '
    '"sigmoid", "softplus", "silu", "gelu"; got "swish".',
    'call(loss = "rmse")': 'knows loss = "mse", "sse"; got "rmse".',
    'call(loss = c("mse", "sse"))': 'knows loss = "mse", "sse"; got c("mse", "sse").',
    "call(batch_norm = NA)": "needs batch_norm = TRUE or FALSE; got NA.",
    "call(ddof = -1)": "needs one finite number ddof >= 0; got -1.",
    'call(eps = "small")': 'needs one finite number eps >= 0; got "small".',
    "call(eps = Inf)": "needs one finite number eps >= 0; got Inf.",
    "call(slope = NA_real_)": "needs one finite number slope; got NA_real_.",
    "call(gamma = NULL)": "needs gamma and beta with batch_norm = TRUE. Pass both, or set "
    "batch_norm = FALSE.",
    "call(batch_norm = FALSE)": "uses no gamma, beta with batch_norm = FALSE. Leave them out, "
    "or set batch_norm = TRUE.",
    "call(mu = b)": "needs mu and sigma together; only mu came. Pass both to fix the moments, "
    "or neither to take them from the batch.",
    "call(mu = b, sigma = c(1, 0, 2))": "needs sigma > 0; entry 2 is 0. sigma = "
    "sqrt(variance + eps), as network_moments() returns it.",
    "FUNCTION(X, y)": "needs Gamma1, Gamma2.",
}
ROUTES = ("network_loops", "network_gradient", "kronecker_gradient")
OTHERS = {
    "network_moments(X, t(G1))": "`network_moments` needs ncol(X) = nrow(Gamma1); got X 4 x 2 "
    "and Gamma1 3 x 2.",
    "network_moments(X, flat)": '`network_moments` cannot normalise column 2 ("idle") of '
    "Z = X Gamma1: it is constant, and eps = 0. Drop that node, or take eps > 0.",
    "network_moments(X[1, , drop = FALSE], G1)": "`network_moments` needs more rows than ddof; "
    "got N = 1, ddof = 1. Add rows, or pass mu and sigma of the training data.",
    "network_moments(X, G1, eps = -1)": "`network_moments` needs one finite number eps >= 0; "
    "got -1.",
    "network_predict(X[1, , drop = FALSE], G1, G2, g, b)": "`network_predict` needs more rows "
    "than ddof; got N = 1, ddof = 1. Add rows, or pass mu and sigma of the training data.",
    "network_predict(X, G1)": "`network_predict` needs Gamma2.",
    "network_predict(X, flat, G2, g, b)": '`network_predict` cannot normalise column 2 ("idle") '
    "of Z = X Gamma1: it is constant, and eps = 0. Drop that node, or take eps > 0.",
    "batch_norm_forward(X, 1, c(0, 0))": "`batch_norm_forward` needs gamma as a vector of "
    "length 2, one entry per hidden node; got a vector of length 1.",
    "batch_norm_forward(X * 0, 1:2, 1:2)": "`batch_norm_forward` needs sigma > 0; entry 1 is 0. "
    "sigma = sqrt(variance + eps), as network_moments() returns it.",
    "batch_norm_pullback(X, t(X), 1:2, 1:2)": "`batch_norm_pullback` needs S and Xhat of one "
    "shape; got S 4 x 2 and Xhat 2 x 4. S is the gradient for b(Z), entry by entry.",
    "batch_norm_jacobian(X, 1:3, 1:2)": "`batch_norm_jacobian` needs gamma as a vector of "
    "length 2, one entry per hidden node; got a vector of length 3.",
    'activation_value("swish", 1)': '`activation_value` knows name = "relu", "leaky_relu", '
    '"identity", "tanh", "sigmoid", "softplus", "silu", "gelu"; got "swish".',
    "activation_derivative(1, 1)": '`activation_derivative` knows name = "relu", "leaky_relu", '
    '"identity", "tanh", "sigmoid", "softplus", "silu", "gelu"; got 1.',
    'many("network_lops", list())': '`many` knows no function "network_lops". '
    "Source its file first.",
    "many(network_loops, list())": "`many` needs the name of a function as one string; got 1 of "
    'class "function".',
    'many("network_moments", list(list(X, G1), list(X, flat)))': "`many` at problem 2: "
    '`network_moments` cannot normalise column 2 ("idle") of Z = X Gamma1: it is constant, '
    "and eps = 0. Drop that node, or take eps > 0.",
    "to_json(sum)": "`to_json` carries vectors, arrays, factors, data frames and lists; got an "
    'object of class "function" and type "builtin". Convert it first, with unclass(), '
    "as.character() or as.list().",
    'to_json(list(as.Date("2020-01-01")))': "`to_json` carries vectors, arrays, factors, data "
    'frames and lists; got an object of class "Date" and type "double". Convert it first, with '
    "unclass(), as.character() or as.list().",
    "to_json(1i)": "`to_json` carries vectors, arrays, factors, data frames and lists; got an "
    'object of class "complex" and type "complex". Convert it first, with unclass(), '
    "as.character() or as.list().",
    "to_json(globalenv())": "`to_json` carries vectors, arrays, factors, data frames and lists; "
    'got an object of class "environment" and type "environment". Convert it first, with '
    "unclass(), as.character() or as.list().",
    "to_json(matrix(list(1, 2), 1))": "`to_json` carries lists without dimensions; got a list of "
    "1 x 2. Take its dim off, or make it a data frame.",
    'to_json("\\xff")': "`to_json` needs text that is valid UTF-8 or of a declared encoding; got "
    "bytes ff. Convert it first, with iconv().",
}


@pytest.fixture(scope="module")
def spoken(r_value: Callable[..., Any]) -> Any:
    def quoted(expressions: dict[str, str]) -> str:
        return ", ".join(f"{json.dumps(e)} = quote({e})" for e in expressions)

    routes = ", ".join(
        f"{route} = {{FUNCTION <- {route}; lapply(shared, words)}}" for route in ROUTES
    )
    return r_value(
        f"list({routes}, others = lapply(list({quoted(OTHERS)}), words))",
        setup=f"{SETUP}\nshared <- list({quoted(SHARED)})",
    )


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("expression", SHARED)
def test_formulations_say(expression: str, route: str, spoken: dict[str, Any]) -> None:
    assert spoken[route][expression] == [f"`{route}` {SHARED[expression]}"]


@pytest.mark.parametrize("expression", OTHERS)
def test_others_say(expression: str, spoken: dict[str, Any]) -> None:
    assert spoken["others"][expression] == [OTHERS[expression]]


GOOD = {
    "data frames": "all.equal(call(X = as.data.frame(X))$Gamma1, call()$Gamma1)",
    "integers near overflow": "all.equal(call(X = X * 1e9)$loss, "
    "call(X = matrix(as.integer(X * 4e8), 4))$loss)",
    "logical": "identical(call(X = X > 1, eps = 1), call(X = 1 * (X > 1), eps = 1))",
    "a narrow spread is not constant": "is.list(call(X = X * 1e-12 + 1))",
    "columns of unlike size": "is.list(call(X = X %*% diag(c(1e12, 1)), "
    "Gamma1 = G1 * c(1e-12, 1)))",
    "constant with eps": "all(is.finite(call(Gamma1 = flat, eps = 1e-5)$Gamma1))",
    "names stay": 'identical(names(call(gamma = c(a = 1, b = 2, c = 3))$gamma), c("a", "b", "c"))',
    "one-dimensional arrays": "identical(dim(call(y = array(y))$fitted), 4L)",
}


@pytest.mark.parametrize("name", GOOD)
def test_unusual_input_that_is_good(name: str, r_value: Callable[..., Any]) -> None:
    checks = ", ".join(f"{route} = {{FUNCTION <- {route}; {GOOD[name]}}}" for route in ROUTES)
    assert {key: bool(v.all()) for key, v in r_value(f"list({checks})", setup=SETUP).items()} == (
        dict.fromkeys(ROUTES, True)
    )
