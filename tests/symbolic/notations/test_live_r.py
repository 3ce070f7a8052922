"""What is written in R is run in R, and what R is taught to mean is what R means."""

import json

import numpy as np
import pytest

from matbackprop.bench.cases import CASE_FILE
from matbackprop.rbridge import connect
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.nodes import Assemble, Commutation, Duplication, Rearrange
from matbackprop.symbolic.notations import HELPERS, read, write
from matbackprop.symbolic.simplification import simplify

pytestmark = pytest.mark.r

EVALUATOR = """
evaluate <- function(texts, values) {
  home <- parent.env(environment())
  lapply(seq_along(texts), function(i) {
    scope <- list2env(values[[i]], parent = home)
    as.numeric(eval(parse(text = texts[[i]]), scope))
  })
}
"""
# Idioms that the writer does not use; a vector and a matrix of one column differ here.
IDIOMS = [
    "crossprod(X) + tcrossprod(t(X))",
    "solve(S, b)",
    "scale(X)",
    "scale(X, center = colMeans(X), scale = FALSE)",
    "scale(X, center = FALSE)",
    "sweep(X, 2, colMeans(X))",
    "sweep(X, 1, rowMeans(X), '/')",
    "X - rowMeans(X)",
    "exp(X) / rowSums(exp(X))",
    "X * c(x) - drop(x)",
    "matrix(colMeans(X), nrow(X), ncol(X), byrow = TRUE)",
    "matrix(X, ncol = 1)",
    "matrix(X, p, n, byrow = TRUE)",
    "outer(c(x), c(b))",
    "c(x) %o% c(b)",
    "diag(lam, p) + diag(colMeans(X)) + diag(p)",
    "diag(S) * colSums(X)",
    "rep(1, n) %*% X - colMeans(X) %*% S",
    "c(x) %*% colSums(t(X))",
    "norm(X, 'F') + norm(S, 'F')",
    "mean(X) + length(X) + NROW(X)",
    "determinant(crossprod(S))$modulus",
    "-X^2 + 2^-lam",
    "pmax(X, lam) + pmin(X, 0.1)",
    "(X > 0) * X + (X < 0)",
    "log1p(exp(X)) + expm1(X)",
    "2 * X %*% b / n",
    "X / X %*% S",
    "kronecker(S, t(x))",
    "mu <- colMeans(X)\nC <- sweep(X, 2, mu)\nsum(C^2) / (n - 1)",
]


@pytest.fixture
def in_r(tmp_path, live_engine):
    """Return a function giving R's values of texts, each with values of its variables."""
    helpers = "\n".join(f"{name} <- {code}" for name, code in HELPERS.items())
    (tmp_path / "all.R").write_text(EVALUATOR + helpers)
    backend = connect(live_engine, reference=tmp_path)

    def evaluate(texts, values):
        return backend.call("evaluate", texts=list(texts), values=list(values))

    return evaluate


def check(in_r, pairs):
    """Compare R's value of each text with the one that the expression has here."""
    texts, exprs, values = zip(*pairs, strict=True)
    plain = [{k: np.asarray(v, dtype=float) for k, v in given.items()} for given in values]
    for text, expr, given, found in zip(texts, exprs, values, in_r(texts, plain), strict=True):
        wanted = np.ravel(expr.evaluate(given), order="F")
        np.testing.assert_allclose(found, wanted, rtol=1e-8, atol=1e-10, err_msg=text)


def test_all_cases(in_r, point):
    data = json.loads(CASE_FILE.read_text())
    pairs = []
    for case in data["cases"]:
        given = point(case["vars"], data["dims"], case["domains"], seed=3)
        for text in filter(None, (case["expression"], case["ideal"])):
            expr = read(text, shapes=case["vars"])
            pairs.append((write(expr, "r"), expr, given))
    check(in_r, pairs)


def test_random_expressions(in_r, builder, values):
    pairs = []
    for seed in range(1000, 1060):
        rng = np.random.default_rng(seed)
        made = builder(lambda k, rng=rng: int(rng.integers(k)))
        raw = made.build(made.pick([(), (made.dim(), made.dim()), (made.dim(), Dim.of(1))]), 4)
        for expr in (raw, simplify(raw)):
            pairs.append((write(expr, "r", definitions=True), expr, values(raw)))
    check(in_r, pairs)


def test_idioms(in_r, shapes, point):
    given = point(domains={"S": "well"}, seed=5)
    check(in_r, [(text, read(text, notation="r", shapes=shapes), given) for text in IDIOMS])


def test_helpers(in_r):
    rng = np.random.default_rng(2)
    G, M = Variable("G", (Dim.of(6), Dim.of(20))), Variable("M", (Dim.of(8), Dim.of(15)))
    nodes = [
        Commutation(2, 3),
        Commutation(1, 3),
        Duplication(1),
        Duplication(3),
        Rearrange(G, 2, 4, 3, 5),
        Assemble(M, 2, 4, 3, 5),
    ]
    given = {"G": rng.normal(size=(6, 20)), "M": rng.normal(size=(8, 15))}
    check(in_r, [(write(node, "r"), node, given) for node in nodes])


@pytest.mark.parametrize(
    "text", ["X * x", "(t(x) %*% x) * X", "X * b", "X %*% x", "det(X)", "solve(X)", "X + t(X)"]
)
def test_where_r_stops_the_reader_stops(in_r, shapes, point, text):
    with pytest.raises(Exception, match=r"non-conformable|square"):
        in_r([text], [{k: np.asarray(v, dtype=float) for k, v in point().items()}])
    with pytest.raises(ValueError, match=r"needs equal shapes|as many columns|square"):
        read(text, notation="r", shapes=shapes)
