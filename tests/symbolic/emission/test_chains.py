"""What is never formed, and in which order products are taken: seen in the text."""

import re
from fractions import Fraction

import pytest

from matbackprop.symbolic.emission import to_numpy, to_r
from matbackprop.symbolic.emission.program import Program
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Hadamard,
    MatMul,
    Number,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    ColSum,
    Commutation,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    MatrixPower,
    Named,
    Ones,
    RowSum,
    Total,
    Trace,
    Vec,
)


def variable(name, *shape, flags=()):
    return Variable(name, tuple(map(Dim.of, shape)), flags)


X, Y, W = variable("X", "n", "p"), variable("Y", "n", "p"), variable("W", "p", "q")
A, B, S = (
    variable("A", "p", "p"),
    variable("B", "p", "p"),
    variable("S", "p", "p", flags=("symmetric",)),
)
u, v, b = variable("u", "n", 1), variable("v", "p", 1), variable("b", "p", 1)
r, s = variable("r", 1, "p"), Variable("s", ())
E, F, x = variable("E", "k", "p"), variable("F", "q", "k"), variable("x", "p*p", 1)
columns, rows = Broadcast(u, "n", "p"), Broadcast(r, "n", "p")


def body(emit, expr):
    """Return what a function does after its documentation, coercions and sizes."""
    text = emit({"f": expr}, arguments=expr.variables().values())
    if emit is to_numpy:
        _, _, after = text[text.index("def f(") :].rpartition('"""\n')
    else:
        after = text[text.index("f <- function") :].partition("\n")[2].rpartition("}")[0]
    after = re.sub(r"  stopifnot\((\n(    .*\n)*  \)|.*\))\n", "", after)
    lines = [line.strip() for line in after.splitlines()]
    start = re.compile(
        r"\w+ = as_matrix\(|\w+ <- as\.matrix\(\w+\)$|\w+ <- rbind\("
        r"|.*\.shape(\[.\])?$|\w+ <- n(row|col)\("
    )
    return "\n".join(line for line in lines if not start.match(line)).removeprefix("return ")


TEXTS = [
    ("solve", MatMul(Inverse(A), b), "np.linalg.solve(A, b)", "solve(A, b)"),
    ("solve right", MatMul(X, Inverse(A)), "np.linalg.solve(A.T, X.T).T", "t(solve(t(A), t(X)))"),
    ("solve symmetric", MatMul(X, Inverse(S)), "np.linalg.solve(S, X.T).T", "t(solve(S, t(X)))"),
    ("named inverse", MatMul(Named("P", Inverse(A)), b), "np.linalg.solve(A, b)", "solve(A, b)"),
    (
        "trace of solve",
        Trace(MatMul(Inverse(A), B)),
        "np.trace(np.linalg.solve(A, B))",
        "sum(diag(solve(A, B)))",
    ),
    ("inverse", Inverse(A), "np.linalg.inv(A)", "solve(A)"),
    ("logdet", LogDet(A), "logdet(A)", "logdet(A)"),
    ("gram", MatMul(X.T, X), "X.T @ X", "crossprod(X)"),
    ("crossprod", MatMul(X.T, Y), "X.T @ Y", "crossprod(X, Y)"),
    ("tcrossprod", MatMul(X, Y.T), "X @ Y.T", "tcrossprod(X, Y)"),
    ("least squares", MatMul(X.T, X, b), "X.T @ (X @ b)", "crossprod(X, X %*% b)"),
    ("powers", MatMul(MatrixPower(A, 2), b), "A @ (A @ b)", "A %*% (A %*% b)"),
    ("inner", Item(MatMul(v.T, b)), "np.vdot(v, b)", "sum(v * b)"),
    ("quadratic form", Item(MatMul(v.T, A, v)), "np.vdot(v, A @ v)", "sum(v * (A %*% v))"),
    ("trace", Trace(MatMul(A.T, B)), "np.vdot(A, B)", "sum(A * B)"),
    ("sum of squares", Total(X**2), "np.vdot(X, X)", "sum(X^2)"),
    (
        "diagonal",
        DiagVec(MatMul(X, Y.T)),
        "np.sum(X * Y, axis=1, keepdims=True)",
        "as.matrix(rowSums(X * Y))",
    ),
    ("diag left", MatMul(Diag(u), X), "u * X", "c(u) * X"),
    ("diag right", MatMul(X, Diag(v)), "X * v.T", "X * rep(v, each = n)"),
    ("diag alone", Diag(v), "np.diagflat(v)", "diag(c(v), nrow = p)"),
    ("column", columns * X, "u * X", "c(u) * X"),
    ("row", X / rows, "X / r", "X / rep(r, each = n)"),
    ("scalar beside a row", s * (rows * X), "s * r * X", "rep(s * r, each = n) * X"),
    ("outer sum", columns + rows, "u + r", 'outer(c(u), c(r), "+")'),
    (
        "centred",
        MatMul(Centering("n"), X),
        "X - np.mean(X, axis=0, keepdims=True)",
        "X - rep(colMeans(X), each = n)",
    ),
    (
        "centred rows",
        MatMul(X, Centering("p")),
        "X - np.mean(X, axis=1, keepdims=True)",
        "X - rowMeans(X)",
    ),
    ("centred column", MatMul(Centering("n"), u), "u - np.mean(u)", "u - mean(u)"),
    (
        "row sums",
        RowSum(MatMul(X, W)),
        "X @ np.sum(W, axis=1, keepdims=True)",
        "X %*% as.matrix(rowSums(W))",
    ),
    ("column sums", ColSum(columns * X), "u.T @ X", "crossprod(u, X)"),
    (
        "commuted",
        MatMul(Commutation("p", "q"), Vec(W)),
        'W.T.reshape((-1, 1), order="F").copy()',
        "matrix(t(W), ncol = 1)",
    ),
    (
        "kron",
        MatMul(Kron(F, A), Vec(E.T)),
        '(A @ E.T @ F.T).reshape((-1, 1), order="F")',
        "matrix(tcrossprod(tcrossprod(A, E), F_), ncol = 1)",
    ),
    ("outer", 2 * MatMul(u, v.T), "u @ (2 * v.T)", "u %*% (2 * t(v))"),
    ("square", X * X, "X**2", "X^2"),
    ("root", X ** Number(0.5), "np.sqrt(X)", "sqrt(X)"),
    ("inverse root", X / Y ** Number(0.5), "X / np.sqrt(Y)", "X / sqrt(Y)"),
    ("half", X / 2, "0.5 * X", "0.5 * X"),
    ("third", X / 3, "X / 3", "X / 3"),
    ("minus", -(X - Y), "Y - X", "Y - X"),
    ("less a sum", X - (Y + 2 * X), "X - (Y + 2 * X)", "X - (Y + 2 * X)"),
    ("less a row", X - rows - 2, "X - (r + 2)", "X - rep(r + 2, each = n)"),
    ("cube root", X ** Number(Fraction(1, 3)), "X ** (1 / 3)", "X^(1 / 3)"),
    ("both turned", MatMul(A.T, (B * S).T), "A.T @ (B * S).T", "t((B * S) %*% A)"),
    ("trace of two", Trace(MatMul(A, B)), "np.vdot(A.T, B)", "sum(t(A) * B)"),
    (
        "solve with the vector first",
        MatMul(v.T, Inverse(A), X.T),
        "np.linalg.solve(A.T, v).T @ X.T",
        "t(X %*% solve(t(A), v))",
    ),
    (
        "diagonal split at the thinnest place",
        DiagVec(MatMul(X.T, u, u.T, X)),
        "np.sum((X.T @ u) * (X.T @ u), axis=1, keepdims=True)",
        "as.matrix(rowSums(crossprod(X, u) * crossprod(X, u)))",
    ),
    ("step", Apply("step", X), "np.heaviside(X, 0.0)", "1 * (X > 0)"),
    (
        "turned twice",
        Transpose(MatMul(A.T, Transpose(MatMul(X.T, Y)))),
        "X.T @ Y @ A",
        "crossprod(crossprod(Y, X), A)",
    ),
    (
        "diag of a vec",
        Diag(Vec(W)),
        'np.diagflat(W.reshape((-1, 1), order="F"))',
        "diag(c(W), nrow = p * q)",
    ),
    ("relu", Apply("relu", X), "np.maximum(X, 0.0)", "pmax(X, 0)"),
]


@pytest.mark.parametrize(
    ("expr", "numpy", "r_text"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS]
)
def test_text(expr, numpy, r_text):
    assert body(to_numpy, expr) == numpy
    assert body(to_r, expr) == r_text


def test_a_product_that_is_known_is_not_computed_again():
    XB = MatMul(X, W)
    text = body(to_numpy, MatMul(XB.T, Apply("exp", XB)))
    assert text == "t1 = X @ W\nreturn t1.T @ np.exp(t1)"
    # X W is the dearer way to bracket W'(X'X W), but it is there already.
    text = body(to_numpy, Apply("exp", XB) + MatMul(Y, A, W) + Apply("tanh", MatMul(Y, A)) @ W)
    assert text.count("Y @ A") == 1


def test_a_known_product_wins_over_a_cheaper_bracket():
    XW = MatMul(X, W)
    f = variable("f", "q", 1)
    text = body(to_numpy, MatMul(Apply("exp", XW), f) + MatMul(X, W, f))
    assert "t1 @ f" in text
    assert text.count("X @ W") == 1
    turned = body(to_numpy, RowSum(Apply("exp", XW)) + MatMul(f.T, Transpose(XW)).T)
    assert turned.count("X @ W") == 1
    assert "W @" not in turned
    twice = 2 * XW
    turned = body(to_numpy, RowSum(Apply("exp", twice)) + MatMul(f.T, Transpose(twice)).T)
    assert len(re.findall(r"\bW\b", turned)) == 1


def test_a_result_that_serves_another_is_not_computed_again():
    Z = MatMul(X, W)
    f = variable("f", "q", 1)
    text = to_numpy({"f": {"Z": Z, "fitted": MatMul(Z, f)}}, arguments=[X, W, f])
    assert text.count("X @ W") == 1
    assert "W @ f" not in text


def test_a_row_in_common_stays_a_row():
    text = body(to_numpy, 2 * Hadamard(X, rows, Y) + Apply("exp", Hadamard(X, rows, Y + 1)))
    assert "2 * r * (X * Y)" in text


def test_what_has_a_name_is_computed_under_it():
    Z = MatMul(X, W)
    text = body(to_numpy, Apply("exp", Named("Z", Z)) + Apply("tanh", Z))
    assert text == "Z = X @ W\nreturn np.exp(Z) + np.tanh(Z)"


def test_an_inverse_that_stands_alone_serves_in_products_too():
    text = body(to_numpy, Inverse(A) + MatMul(Inverse(A), B))
    assert text == "t1 = np.linalg.inv(A)\nreturn t1 + t1 @ B"


def test_a_common_pair_in_products_is_multiplied_once():
    P = Apply("exp", X)
    Q = Apply("tanh", X)
    expr = Total(Hadamard(X, P, Q)) * RowSum(Hadamard(Y, P, Q)) + RowSum(Hadamard(P, Q))
    text = body(to_numpy, expr)
    assert len(re.findall(r"np\.(exp|tanh)", text)) == 2
    # exp * tanh, * Y, and the scalar; the other product is the inner one with X.
    assert text.count(" * ") == 3


@pytest.mark.parametrize(
    ("expr", "most"),
    [
        (MatMul(X.T, Apply("exp", X @ v) * u), 1),
        (Apply("exp", X) * 2 + Apply("exp", X) / 3, 2),
        (Kron(A, A) + Kron(A, A), 2),
    ],
)
def test_statements_are_few(expr, most):
    assert len(Program([expr]).statements) + 1 <= most


def test_a_transpose_is_no_statement_but_what_it_turns_is():
    P = Apply("exp", A)
    assert body(to_numpy, P.T * B + P.T) == "t1 = np.exp(A)\nreturn t1.T * B + t1.T"


def test_identities_vanish():
    assert body(to_numpy, MatMul(Identity("n"), X, Identity("p"))) == "X.copy()"
    assert body(to_r, Transpose(MatMul(Identity("n"), X))) == "t(X)"


def test_ones_become_sums():
    text = body(to_numpy, MatMul(Ones(1, "n"), X, W, Ones("q", 1)))
    assert "np.ones" not in text
    assert text.count("np.sum") == 2


def test_x_without_a_use_of_ones_is_broadcast_only_at_the_end():
    assert body(to_numpy, Broadcast(s, "n", "p")) == "np.full((n, p), s, dtype=float)"
    assert body(to_r, Broadcast(r, "n", "p")) == "matrix(r, n, p, byrow = TRUE)"
    assert "broadcast_to" not in body(to_numpy, X * columns + rows)
