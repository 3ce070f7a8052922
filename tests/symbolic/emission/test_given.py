"""What emitted functions do with arguments of other shapes, types and sizes."""

import numpy as np
import pytest

from matbackprop.rbridge import connect
from matbackprop.symbolic import derive, parse
from matbackprop.symbolic.emission import to_numpy, to_r
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Number, Variable
from matbackprop.symbolic.expressions.nodes import Apply, LogDet, Softmax, Total

SHAPES = {"X": ("n", "p"), "b": ("p", 1), "y": ("n", 1), "A": ("n", "n"), "C": ("p", "p")}
LEAST_SQUARES = "norm2(X*b-y)^2"


def loaded(text, name="gradient"):
    namespace = {}
    exec(compile(text, "<emitted>", "exec"), namespace)
    return namespace[name]


def derivation(text, of):
    used = {name: shape for name, shape in SHAPES.items() if name in text}
    return derive(parse(text, shapes=used), of)


def variable(name, *shape):
    return Variable(name, tuple(map(Dim.of, shape)))


@pytest.mark.parametrize(
    ("text", "of", "given", "message"),
    [
        ("tr(inv(X'*X)*C)", "X", (0.9, np.eye(1)), r"X needs shape \(n, p\); got \(\)"),
        (
            "tr(X'*A*X)",
            "A",
            {"X": np.ones(4), "A": np.eye(4)},
            r"X needs shape \(n, p\); got \(4,\)",
        ),
        (
            LEAST_SQUARES,
            "b",
            (np.ones((4, 2)), np.ones(2), np.ones(1)),
            r"y needs shape \(4, 1\); got \(1, 1\)",
        ),
        (
            LEAST_SQUARES,
            "b",
            (np.ones((4, 2)), np.ones((2, 2)), np.ones(4)),
            r"b needs shape \(2, 1\); got \(2, 2\)",
        ),
        ("tr(C*C)", "C", (np.ones((2, 3)),), r"C needs shape \(p, p\); got \(2, 3\)"),
        ("tr(C*C)", "C", (np.ones((2, 2, 2)),), r"C needs shape \(p, p\); got \(2, 2, 2\)"),
    ],
)
def test_other_shapes_are_refused(text, of, given, message):
    function = loaded(derivation(text, of).to_numpy())
    with pytest.raises(ValueError, match=message):
        function(**given) if isinstance(given, dict) else function(*given)


def test_products_of_sizes_are_checked_when_the_sizes_are_known():
    M, K, P = variable("M", "k*p", 1), variable("K", "k", 1), variable("P", "p", 1)
    function = loaded(to_numpy({"f": Total(M) + Total(K) + Total(P)}, arguments=[M, K, P]), "f")
    assert function(np.ones(6), np.ones(3), np.ones(2)) == 11.0
    with pytest.raises(ValueError, match=r"M needs shape \(6, 1\); got \(5, 1\)"):
        function(np.ones(5), np.ones(3), np.ones(2))


CALL = """
refused <- function(codes, given) {
  vapply(seq_along(codes), function(i) {
    scope <- new.env(parent = globalenv())
    eval(parse(text = codes[[i]]), scope)
    tryCatch(
      { do.call(scope$gradient, given[[i]]); "accepted" },
      error = conditionMessage
    )
  }, "")
}
"""


@pytest.mark.r
def test_other_shapes_are_refused_in_r(live_engine, tmp_path):
    (tmp_path / "all.R").write_text(CALL, encoding="ascii")
    code = derivation(LEAST_SQUARES, "b").to_r()
    codes = [derivation("tr(inv(X'*X)*C)", "X").to_r(), code, code, code]
    X = np.ones((4, 2))
    given = [[0.9, np.eye(1)], [X, np.ones(2), np.ones(1)], [X, X, np.ones(4)]]
    given.append([X, np.ones(2), np.ones(4)])
    found = connect(live_engine, reference=tmp_path).call("refused", codes=codes, given=given)
    wanted = ["is.matrix(X) is not TRUE", "dim(y) == c(n, 1)", "dim(b) == c(p, 1)", "accepted"]
    for message, part in zip(found, wanted, strict=True):
        assert part in message


t, Z, S = variable("t", "n", 1), variable("Z", "n", "p"), variable("S", "p", "p")
FAR = np.array([[-800.0], [-40.0], [0.0], [40.0], [800.0]])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("log(1+exp(t))", np.logaddexp(0, FAR)),
        ("log(exp(-t)+1)", np.logaddexp(0, -FAR)),
        ("log(sigmoid(t))", -np.logaddexp(0, -FAR)),
        ("log(1-sigmoid(t))", -np.logaddexp(0, FAR)),
    ],
)
def test_logarithms_do_not_overflow(text, wanted):
    expr = parse(text, shapes={"t": ("n", 1)})
    code = to_numpy({"f": expr}, arguments=[t])
    np.testing.assert_allclose(loaded(code, "f")(FAR), wanted, rtol=1e-14)
    assert "softplus(" in to_r({"f": expr}, arguments=[t])


def test_log_softmax_and_log_det_do_not_overflow():
    given = np.array([[0.0, 900.0], [-900.0, 900.0]])
    code = to_numpy({"f": Apply("log", Softmax(Z))}, arguments=[Z])
    np.testing.assert_allclose(loaded(code, "f")(given), [[-900.0, 0.0], [-1800.0, 0.0]])
    expr = parse("log(det(S))", shapes={"S": ("p", "p")})
    assert to_numpy({"f": expr}, arguments=[S]) == to_numpy({"f": LogDet(S)}, arguments=[S])


@pytest.mark.parametrize(
    "name", ["relu", "step", "leaky_relu", "leaky_step", "sigmoid", "softplus", "silu", "gelu"]
)
def test_functions_keep_single_precision(name):
    function = loaded(to_numpy({"f": Apply(name, Z)}, arguments=[Z]), "f")
    assert function(np.array([[-1, 0, 2]], np.float32)).dtype == np.float32


@pytest.mark.parametrize("name", ["normal_cdf", "normal_pdf"])
def test_normal_functions_keep_single_precision(name):
    test_functions_keep_single_precision(name)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10**300, "1e+300"),
        (-(10**400), "-1e999"),
        (2**60, "1.152921504606847e+18"),
        (1e-300, "1e-300"),
        (0.001, "0.001"),
        (7, "7"),
    ],
)
def test_numbers_beyond_whole_ones_are_floats(number, text):
    code = to_numpy({"f": Z + Number(number)}, arguments=[Z])
    assert text.lstrip("-") in code
    assert not any(len(word) > 40 for word in code.split("return Z")[-1].split())
    found = loaded(code, "f")(np.zeros((1, 1)))
    assert found == (float(number) if abs(number) < 1e308 else -np.inf)


def test_names_with_dots_stay_in_r():
    x = variable("x.y", "n", 1)
    code = to_r({"gradient": {"x.y": 2 * x}}, arguments=[x])
    assert "gradient <- function(x.y) {" in code
    assert "    x.y = 2 * x.y\n" in code
    assert "#' @return A list:\n#' * `x.y`: matrix, n x 1\n" in code


@pytest.mark.r
def test_rows_in_r_may_be_vectors_and_no_larger_matrices(live_engine, tmp_path):
    (tmp_path / "all.R").write_text(CALL, encoding="ascii")
    r = variable("r", 1, "p")
    code = to_r({"gradient": 2 * r}, arguments=[r])
    given = [[np.ones(3)], [np.ones((1, 3))], [np.ones((2, 3))]]
    found = connect(live_engine, reference=tmp_path).call("refused", codes=[code] * 3, given=given)
    assert list(found)[:2] == ["accepted", "accepted"]
    assert "nrow(r) == 1" in found[2]
