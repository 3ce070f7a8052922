"""Functions as a user pastes them: arguments, names, results, documentation, errors."""

import ast
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import matbackprop as mb
from matbackprop.errors import OptionError
from matbackprop.rbridge import connect
from matbackprop.symbolic import derive, parse
from matbackprop.symbolic.emission import to_numpy, to_r
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, MatMul, Size, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    DiagVec,
    Identity,
    LogDet,
    Named,
    Softmax,
    Total,
    Vec,
)


def variable(name, *shape):
    return Variable(name, tuple(map(Dim.of, shape)))


X, b, y = variable("X", "n", "p"), variable("b", "p", 1), variable("y", "n", 1)
A, r, s = variable("A", "p", "p"), variable("r", 1, "p"), Variable("s", ())
E = X @ b - y
L = Total(E * E) / Size("n")
G = 2 * (X.T @ E) / Size("n")


def run(text):
    namespace = {}
    exec(compile(text, "<emitted>", "exec"), namespace)
    return namespace


def heads(text):
    return [line for line in text.splitlines() if re.match(r"def |\w+ <- function", line)]


def test_numpy_text():
    text = to_numpy({"value": L, "gradient": G}, arguments=[X, b, y], title="norm2(X*b-y)^2/n")
    assert text.startswith("import numpy as np\n\n\ndef as_matrix(name, A, rows, columns):\n")
    assert heads(text)[1:] == ["def value(X, b, y):", "def gradient(X, b, y):"]
    assert (
        '''
def gradient(X, b, y):
    """Return the gradient of norm2(X*b-y)^2/n.

    Parameters
    ----------
    X : float array, n x p
    b : float array, p x 1 (or a vector)
    y : float array, n x 1 (or a vector)

    Returns
    -------
    float array, p x 1

    Notes
    -----
    Written by matbackprop: each common subexpression is computed once.
    """
    X = as_matrix("X", X, "n", "p")
    n, p = X.shape
    b = as_matrix("b", b, p, 1)
    y = as_matrix("y", y, n, 1)
    return 2 / n * (X.T @ (X @ b - y))
'''
        in text
    )


def test_r_text():
    text = to_r({"value": L, "gradient": G}, arguments=[X, b, y], title="sum((X%*%b-y)^2)/n")
    assert (
        """
#' Return the gradient of `sum((X%*%b-y)^2)/n`.
#'
#' Written by matbackprop: each common subexpression is computed once.
#'
#' @md
#' @param X matrix, n x p
#' @param b matrix, p x 1 (or a vector)
#' @param y matrix, n x 1 (or a vector)
#' @return matrix, p x 1
gradient <- function(X, b, y) {
  b <- as.matrix(b)
  y <- as.matrix(y)
  n <- nrow(X)
  p <- ncol(X)
  stopifnot(is.matrix(X), dim(b) == c(p, 1), dim(y) == c(n, 1))
  2 / n * crossprod(X, X %*% b - y)
}
"""
        in text
    )


def test_several_results_share_a_program():
    together = {"value": L, "gradient": {"b": G, "y": -2 * E / Size("n")}}
    text = to_numpy({"both": together}, arguments=[X, b, y])
    assert text.count("X @ b") == 1
    given = [np.arange(6.0).reshape(3, 2), np.array([1.0, -1.0]), np.array([1.0, 0.0, 2.0])]
    result = run(text)["both"](*given)
    assert list(result) == ["value", "gradient"]
    assert list(result["gradient"]) == ["b", "y"]
    values = dict(zip("Xby", (given[0], given[1][:, None], given[2][:, None]), strict=True))
    np.testing.assert_allclose(result["value"], L.evaluate(values))
    np.testing.assert_allclose(result["gradient"]["b"], G.evaluate(values))
    assert to_r({"both": together}, arguments=[X, b, y]).count("X %*% b") == 1


def test_sizes_that_no_matrix_shows_are_arguments():
    expr = Total(X) / Size("m") + Size("k") * Size("n")
    for emit in (to_numpy, to_r):
        head = heads(emit({"f": expr}, arguments=[X]))[-1]
        assert "(X, k, m)" in head


def test_a_size_beside_a_variable_of_its_name():
    n = variable("n", "n", 1)
    text = to_numpy({"f": Total(n) / Size("n")}, arguments=[n])
    assert run(text)["f"]([1.0, 2.0, 6.0]) == 3.0


def test_a_dimension_that_only_a_product_shows():
    M = variable("M", "k*p", "n")
    text = to_numpy({"f": M + Broadcast(s, "k*p", "n")}, arguments=[M, s])
    assert "def f(M, s):" in text
    whole = to_numpy({"f": MatMul(Identity("k*p"), Broadcast(s, "k*p", "n"))}, arguments=[M, s])
    assert "np.full((M.shape[0], n), s" in whole
    assert "matrix(s, nrow(M), n)" in to_r({"f": Broadcast(s, "k*p", "n")}, arguments=[M, s])


def test_r_does_not_overflow_where_sizes_are_multiplied():
    text = to_r({"f": Total(X) / (Size("n") * Size("n"))}, arguments=[X])
    assert "n^2" in text  # a power is a double in R
    text = to_r({"f": Total(X) / (Size("n") * Size("p"))}, arguments=[X])
    assert "n <- as.numeric(nrow(X))" in text
    text = to_r({"f": Total(X) / Size("n*p")}, arguments=[X])
    assert "p <- as.numeric(ncol(X))" in text
    assert "n <- nrow(X)" in to_r({"f": Total(X) / Size("n")}, arguments=[X])


ADVERSARIAL = [
    ["lambda", "c", "t", "T", "if", "np"],
    ["t1", "t2", "n", "n_", "special", "x.1"],
    ["sum", "sigmoid", "F", "Γ", "γ1", "_x"],
    ["f", "rep", "matrix", "lambda_", "lambda", "1a"],
    ["function", "None", "TRUE", "R", "str", "λ"],
]


def adversarial(names):
    shapes = [("n", 1) if i % 2 else ("n", "p") for i in range(len(names))]
    variables = [variable(name, *shape) for name, shape in zip(names, shapes, strict=True)]
    first, second, *others = variables
    total = Total(Apply("sigmoid", first @ first.T @ second))
    for other in others:
        total = total + Total(Named("t1", other * other)) * Size("n")
    return {"value": total, "parts": {v.name: v * Size("p") for v in variables}}, variables


@pytest.mark.parametrize("names", ADVERSARIAL, ids=" ".join)
def test_any_names_in_python(names, rng):
    functions, variables = adversarial(names)
    title = 'a """ \\ b` %*% \n x'
    text = to_numpy(functions, arguments=variables, title=title)
    namespace = run(text)
    given = {v.name: rng.standard_normal((4, 1 if i % 2 else 3)) for i, v in enumerate(variables)}
    expected = functions["value"].evaluate({**given, "n": 4, "p": 3} if "n" not in given else given)
    np.testing.assert_allclose(namespace["value"](*given.values()), expected, rtol=1e-12)
    assert list(namespace["parts"](*given.values())) == names


@pytest.mark.r
@pytest.mark.parametrize("names", ADVERSARIAL, ids=" ".join)
def test_any_names_in_r(names, rng, live_engine, tmp_path):
    functions, variables = adversarial(names)
    text = to_r({"run_it": functions["value"]}, arguments=variables, title='a """ \\ b` %*% \n x')
    parts = to_r({"parts": functions["parts"]}, arguments=variables)
    runner = "call_it <- function(given) do.call(run_it, given)\n"
    listed = "name_it <- function(given) names(do.call(parts, given))\n"
    (tmp_path / "all.R").write_text(text + parts + runner + listed, encoding="utf-8")
    given = {v.name: rng.standard_normal((4, 1 if i % 2 else 3)) for i, v in enumerate(variables)}
    r_engine = connect(live_engine, reference=tmp_path)
    result = r_engine.call("call_it", given=list(given.values()))
    expected = functions["value"].evaluate({**given, "n": 4, "p": 3} if "n" not in given else given)
    np.testing.assert_allclose(result, [expected], rtol=1e-12)
    assert len(r_engine.call("name_it", given=list(given.values()))) == len(names)


@pytest.mark.parametrize("name", ["value", "gradient"])
def test_vectors_serve_as_columns(name, rng):
    namespace = run(to_numpy({"value": L, "gradient": G}, arguments=[X, b, y]))
    given = [rng.standard_normal(shape) for shape in [(5, 2), (2, 1), (5, 1)]]
    flat = [given[0], given[1][:, 0], given[2][:, 0]]
    np.testing.assert_array_equal(namespace[name](*flat), namespace[name](*given))


@pytest.mark.parametrize("result", [X, X.T, Vec(X), Vec(X.T), DiagVec(A), Broadcast(r, 4, "p")])
def test_a_result_is_an_array_of_its_own(result, rng):
    (argument,) = result.variables().values()
    function = run(to_numpy({"f": result}, arguments=[argument]))["f"]
    given = rng.standard_normal([dim.evaluate({"n": 3, "p": 2}) for dim in argument.shape])
    before = given.copy()
    function(given)[...] = 7.0
    np.testing.assert_array_equal(given, before)


def test_helpers_come_only_where_they_are_called():
    plain = to_numpy({"f": L}, arguments=[X, b, y])
    assert heads(plain) == ["def as_matrix(name, A, rows, columns):", "def f(X, b, y):"]
    assert heads(to_numpy({"f": s * s}, arguments=[s])) == ["def f(s):"]
    assert "scipy" not in plain
    silu = to_numpy({"f": Total(Apply("silu", X)), "g": Total(Apply("silu", -X))}, arguments=[X])
    assert heads(silu)[1:] == ["def sigmoid(h):", "def silu(h):", "def f(X):", "def g(X):"]
    gelu = to_numpy({"f": Total(Apply("gelu", X))}, arguments=[X])
    assert gelu.startswith("import numpy as np\nfrom scipy import special\n")
    assert heads(to_r({"f": Softmax(X)}, arguments=[X])) == [
        "softmax <- function(Z) {",
        "f <- function(X) {",
    ]


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "bool"])
def test_whole_numbers_are_promoted(dtype):
    numbers = {"X": [[100, 3], [7, 120]], "b": [[2], [1]], "y": [[5], [9]]}
    given = {name: np.array(value).astype(dtype) for name, value in numbers.items()}
    function = run(to_numpy({"f": L}, arguments=[X, b, y]))["f"]
    np.testing.assert_allclose(function(*given.values()), L.evaluate(given), rtol=1e-14)


def test_single_precision_stays():
    function = run(to_numpy({"f": G}, arguments=[X, b, y]))["f"]
    given = [np.ones(shape, np.float32) for shape in [(5, 2), (2, 1), (5, 1)]]
    assert function(*given).dtype == np.float32


def test_functions_are_stable_at_the_ends():
    extreme = np.array([[-800.0, -40.0, 0.0, 40.0, 800.0]])
    Z = variable("Z", 1, "p")
    for name in ("sigmoid", "softplus", "silu"):
        function = run(to_numpy({"f": Apply(name, Z)}, arguments=[Z]))["f"]
        np.testing.assert_allclose(
            function(extreme), Apply(name, Z).evaluate({"Z": extreme}), rtol=1e-13
        )
    assert np.isfinite(run(to_numpy({"f": Softmax(Z)}, arguments=[Z]))["f"](extreme)).all()


def test_lines_are_short():
    long = X
    for i in range(12):
        long = Apply("tanh", long * X + i) / (X * X + 1) - Broadcast(r, "n", "p")
    for emit in (to_numpy, to_r):
        text = emit({"f": long, "g": {"all": long, "half": long / 2}}, arguments=[X, r])
        assert max(map(len, text.splitlines())) <= 100
        assert "\N{NO-BREAK SPACE}" not in text


def test_text_is_the_same_in_another_process():
    code = (
        "from matbackprop.symbolic import derive, parse\n"
        "L = parse('sum(sigmoid(X*W).*tanh(X*W).*exp(X*W))+logdet(W*W\\'+eye(p))',"
        " shapes={'X': ('n', 'p'), 'W': ('p', 'p')})\n"
        "print(derive(L, 'W').to_numpy() + derive(L, 'W').to_r())"
    )
    run_it = [
        subprocess.check_output(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    assert run_it[0] == run_it[1]


NETWORK = "Z = X*G1; B = batchnorm(Z, g, b); norm2(relu(B)*G2-y)^2/n"


def test_the_network_has_the_gradients_of_the_closed_form(rng):
    shapes = {"X": ("n", "p"), "G1": ("p", "k"), "g": ("k", 1), "b": ("k", 1)}
    shapes |= {"G2": ("k", 1), "y": ("n", 1)}
    loss = parse(NETWORK, shapes=shapes)
    names = ("G1", "G2", "g", "b")
    found = derive(loss, names)
    text = to_numpy(
        {"gradient": {name: found[name].result for name in names}},
        arguments=loss.variables().values(),
    )
    (function,) = (node for node in ast.parse(text).body if getattr(node, "name", "") == "gradient")
    checks = len(loss.variables())
    assert sum(isinstance(node, ast.Assign) for node in ast.walk(function)) - checks <= 14
    assert not re.search(r"np\.kron|inv\(|np\.diag|np\.eye|broadcast_to", text)
    given = {
        name: rng.standard_normal([{"n": 20, "p": 4, "k": 5}.get(d, d) for d in shape])
        for name, shape in shapes.items()
    }
    gradient = run(text)["gradient"](*(given[name] for name in loss.variables()))
    parameters = mb.Parameters(
        Gamma1=given["G1"], Gamma2=given["G2"], gamma=given["g"][:, 0], beta=given["b"][:, 0]
    )
    expected = mb.gradient(
        mb.Network(batch_norm=mb.BatchNorm()), parameters, given["X"], given["y"]
    )
    wanted = (expected.Gamma1, expected.Gamma2, expected.gamma, expected.beta)
    for name, one in zip(names, wanted, strict=True):
        np.testing.assert_allclose(gradient[name].reshape(one.shape), one, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("emit", [to_numpy, to_r])
@pytest.mark.parametrize(
    ("functions", "arguments", "message"),
    [
        ({}, [X], "needs at least one function"),
        ({"f": {}}, [X], "needs at least one function"),
        ({"1f": X}, [X], "needs names for new functions; got '1f'"),
        ({"_f": X}, [X], "needs names for new functions; got '_f'"),
        ({"softmax": X}, [X], "no name that the code itself uses"),
        ({"f": L}, [X, b], "got X, b, without y"),
        ({"f": X}, [X, X], "each variable once"),
        ({"f": X}, [], "got none, without X"),
    ],
)
def test_errors(emit, functions, arguments, message):
    with pytest.raises(OptionError, match=message):
        emit(functions, arguments=arguments)


def test_a_word_of_the_language_is_no_name_of_a_function():
    with pytest.raises(OptionError, match="got 'lambda'"):
        to_numpy({"lambda": X}, arguments=[X])
    with pytest.raises(OptionError, match="got 'function'"):
        to_r({"function": X}, arguments=[X])
    assert "lambda <- function(X)" in to_r({"lambda": X}, arguments=[X])


def test_logdet_reads_well():
    S = variable("S", "p", "p")
    assert "    return logdet(S)\n" in to_numpy({"f": LogDet(S)}, arguments=[S])
