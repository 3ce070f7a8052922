from fractions import Fraction

import numpy as np
import pytest

from matbackprop.errors import OptionError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Size,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Diag,
    Differential,
    Duplication,
    Identity,
    Item,
    Kron,
    LogDet,
    Named,
    Norm2,
    Ones,
    Rearrange,
    RowSum,
    Softmax,
    Total,
    Zeros,
)
from matbackprop.symbolic.notations import count_nodes, read, spelled, tree_of, write
from matbackprop.symbolic.simplification import simplify

n, p, ONE = Dim.of("n"), Dim.of("p"), Dim.of(1)
X, Y, S = Variable("X", (n, p)), Variable("Y", (n, p)), Variable("S", (p, p))
C, Z = Variable("C", (p, p), ("symmetric",)), Variable("Z", (p, p))
x, b, s = Variable("x", (n, ONE)), Variable("b", (p, ONE)), Variable("s", ())


def down(v):
    return Broadcast(v, n, p)


WRITTEN = {
    # A number, exactly
    "1/3": (Number(Fraction(1, 3)), "1 / 3"),
    "0.5": (Number(0.5), "0.5"),
    "-0.00001": (Number(-1e-5), "-0.00001"),
    "1e-12": (Number(1e-12), "1e-12"),
    "1e20": (Number(10**20), "1e20"),
    "1.25e300*s": (Number(125 * 10**298) * s, "1.25e300 * s"),
    "1.234567890123456e15*s": (Number(1234567890123456) * s, "1.234567890123456e15 * s"),
    "123456789012345*s": (Number(123456789012345) * s, "123456789012345 * s"),
    "1e16*s/7": (Number(Fraction(10**16, 7)) * s, "1e16 * s / 7"),
    "pi": (Number(np.pi), "pi"),
    "x/(2*pi)": (Scale(1 / (Number(2) * Number(np.pi)), x), "x / (2 * pi)"),
    # Coefficients
    "-X": (-X, "-X"),
    "X/2": (X * Fraction(1, 2), "X / 2"),
    "s/4*X": (Scale(s * Power(Number(4), -1), X), "s / 4 * X"),
    "1.5*X": (X * Fraction(3, 2), "1.5 * X"),
    "-0.1*X": (X * -0.1, "-0.1 * X"),
    "2/3*X": (X * Fraction(2, 3), "2 / 3 * X"),
    "2*s/(3*n)*X": (X * (s * Fraction(2, 3) / Size("n")), "2 * s / (3 * n) * X"),
    "X/s^2": (X * s**-2, "X / s^2"),
    "1/sqrt(s)": (s ** Fraction(-1, 2), "1 / sqrt(s)"),
    "s^1.5": (s ** Fraction(3, 2), "s^1.5"),
    "s^(1/3)": (s ** Fraction(1, 3), "s^(1 / 3)"),
    "s^(-x'*x)": (s ** -Item(x.T @ x), "s^(-drop(t(x) %*% x))"),
    # Sums
    "X - Y": (-Y + X, "X - Y"),
    "X - Y - 2*X": (Sum(-Y, X, X * -2), "X - Y - 2 * X"),
    "-X - Y": (Sum(-X, -Y), "-X - Y"),
    "Y - X": (-(X - Y), "Y - X"),
    "(Y-X)/s": (-(X - Y) / s, "(Y - X) / s"),
    "-(X+Y)": (-(X + Y), "-(X + Y)"),
    "1 - X": (1 - X, "1 - X"),
    "1 + x": (Ones(n, 1) + x, "1 + x"),
    "X + 2*s": (X + down(s) * 2, "X + 2 * s"),
    "(s-1)*ones(n, p)": (down(s) - 1, "matrix(s - 1, n, p)"),
    "X + ones(n)*b'": (X + down(b.T), 'sweep(X, 2, b, "+")'),
    "X - ones(n)*b'": (X - down(b.T), 'sweep(X, 2, b, "-")'),
    "X - 2*x*ones(p)'": (X - down(x) * 2, "X - 2 * c(x)"),
    "x*ones(p)' + ones(n)*b'": (
        down(x) + down(b.T),
        "matrix(x, n, p) + matrix(b, n, p, byrow = TRUE)",
    ),
    # Products entry by entry, and quotients
    "X.*Y.*X": (Hadamard(X, Y, X), "X * Y * X"),
    "2*(X.*Y)": (2 * (X * Y), "2 * (X * Y)"),
    "X./Y.^2": (X / Y**2, "X / Y^2"),
    "1./X": (1 / X, "1 / X"),
    "s./X": (s / X, "s / X"),
    "X./(Y.*X)": (Hadamard(X, Power(Y, -1), Power(X, -1)), "X / (Y * X)"),
    "sqrt(X)": (X ** Fraction(1, 2), "sqrt(X)"),
    # Repeated rows and columns
    "x*b'": (Hadamard(down(x), down(b.T)), "x %*% t(b)"),
    "x*ones(p)'": (down(x), "matrix(x, n, p)"),
    "ones(n)*b'": (down(b.T), "matrix(b, n, p, byrow = TRUE)"),
    "diag(x)*X": (down(x) * X, "c(x) * X"),
    "X*diag(b)": (X * down(b.T), 'sweep(X, 2, b, "*")'),
    "X*diag(1./b)": (X / down(b.T), 'sweep(X, 2, b, "/")'),
    "s*diag(x)*X*Y'*X": (s * (down(x) * (X @ Y.T @ X)), "s * (c(x) * X %*% t(Y) %*% X)"),
    # Matrix products
    "X'*(X*b-x)": (X.T @ (X @ b - x), "t(X) %*% (X %*% b - x)"),
    "2*X'*Y*b": (2 * MatMul(X.T, Y, b), "2 * t(X) %*% Y %*% b"),
    "(X*S)'*Y": (MatMul(S.T, X.T, Y), "t(S) %*% t(X) %*% Y"),
    "(X*b)'*X*b": (Item(MatMul(b.T, X.T, X, b)), "drop(t(b) %*% t(X) %*% X %*% b)"),
    "(X*C*Z)'": (MatMul(Z.T, C, X.T), "t(Z) %*% C %*% t(X)"),
    "X*b*(X*b)'": (MatMul(X, b, Transpose(X @ b)), "X %*% b %*% t(X %*% b)"),
    # Sums over rows and columns, centring
    "X*ones(p)": (RowSum(X), "rowSums(X)"),
    "ones(n)'*X": (ColSum(X), "t(colSums(X))"),
    "X'*ones(n)": (Transpose(ColSum(X)), "colSums(X)"),
    "ones(n)'*x": (Item(ColSum(x)), "sum(x)"),
    "ones(n)'*X*S": (ColSum(X @ S), "t(colSums(X %*% S))"),
    "eye(n) - ones(n)*ones(n)'/n": (Centering(n), "diag(n) - 1 / n"),
    "(eye(n)-ones(n)*ones(n)'/n)*X": (Centering(n) @ X, "scale(X, scale = FALSE)"),
    # Functions and special matrices
    "sum(X)": (Total(X), "sum(X)"),
    "norm2(X)^2": (Norm2(X) ** 2, "sum(X^2)"),
    "logdet(S)": (LogDet(S), "c(determinant(S)$modulus)"),
    "diag(b)": (Diag(b), "diag(c(b), p)"),
    "diag(S*ones(p))": (Diag(RowSum(S)), "diag(rowSums(S), p)"),
    "kron(S, eye(p))": (Kron(S, Identity(p)), "S %x% diag(p)"),
    "softmax(X)": (Softmax(X), "exp(X) / rowSums(exp(X))"),
    "relu(X)": (Apply("relu", X), "pmax(X, 0)"),
    "step(X).*Y": (Apply("step", X) * Y, "(X > 0) * Y"),
    "gelu(X)": (Apply("gelu", X), "X * pnorm(X)"),
    "normal_cdf(X)": (Apply("normal_cdf", X), "pnorm(X)"),
    "ones(p)'": (Ones(1, p), "matrix(1, 1, p)"),
    "zeros(n, p)": (Zeros(n, p), "matrix(0, n, p)"),
    "zeros(n)": (Zeros(n, 1), "matrix(0, n, 1)"),
    "D(p)": (Duplication(p), "duplication(p)"),
    "eye(2*n-1)": (Identity(Dim.of("2*n-1")), "diag(2 * n - 1)"),
    "rearrange(S, 1, p, p, 1)": (Rearrange(S, 1, p, p, 1), "rearrange(S, 1, p, p, 1)"),
    "assemble(S, 1, p, p, 1)": (Assemble(S, 1, p, p, 1), "assemble(S, 1, p, p, 1)"),
    "dX*b": (Differential(X) @ b, "dX %*% b"),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_written(text):
    expr, in_r = WRITTEN[text]
    assert write(expr) == text
    assert write(expr, "r") == in_r


@pytest.mark.parametrize("value", [Fraction(3, 7), 1e-7, 0.1 + 0.2, 12345.678, 1e22, -2.5, np.pi])
@pytest.mark.parametrize("notation", ["matlab", "r"])
def test_numbers_come_back_exactly(value, notation):
    number = Number(value)
    assert read(write(number, notation), notation=notation, shapes={}) is number


def test_the_form_depends_on_what_is_shared():
    # Alone a diagonal matrix is shorter; beside ones(n)*b' the same again is.
    row = down(b.T)
    assert write(X * row) == "X*diag(b)"
    assert write(Apply("exp", row) + X * row) == "exp(ones(n)*b') + X.*(ones(n)*b')"


def test_each_repeated_factor_has_its_own_form():
    row = ColSum(X * Y) + 1
    assert write(X * down(b.T) + Y / down(row)) == "X*diag(b) + Y./(ones(n)*(ones(n)'*(X.*Y)+1))"


def test_a_product_that_is_used_elsewhere_stays_together():
    z = X @ b
    assert write(Total(Apply("exp", z)) * MatMul(S, X.T, X, b)) == "sum(exp(X*b))*S*X'*(X*b)"


def test_what_is_factored_is_not_written_out():
    shared = X * Y
    expr = Apply("exp", shared) * (shared * 2)
    assert count_nodes(spelled(expr)) == 7


def test_definitions():
    S1 = Named("S1", X.T @ X)
    T = Named("T", S1 + S)
    L = Total(T) + Total(S1)
    assert write(L) == "sum(T) + sum(S1)"
    assert write(L, definitions=True) == "S1 = X'*X; T = S1 + S; sum(T) + sum(S1)"
    assert write(L, "r", definitions=True) == ("S1 <- t(X) %*% X\nT <- S1 + S\nsum(T) + sum(S1)")
    assert write(T, definitions=True) == "S1 = X'*X; T = S1 + S"
    shapes = {"X": ("n", "p"), "S": ("p", "p")}
    assert read(write(L, definitions=True), shapes=shapes) is L
    assert read(write(L, "r", definitions=True), notation="r", shapes=shapes) is L


def test_a_definition_alone():
    f = Named("f", Total(X))
    assert write(f, definitions=True) == "f = sum(X)"
    assert write(f, "r", definitions=True) == "f <- sum(X)"
    assert read("f = sum(X)", shapes={"X": ("n", "p")}) is f


def test_two_definitions_of_one_name():
    with pytest.raises(OptionError, match="two definitions of u"):
        write(Named("u", X) + Named("u", Y), definitions=True)


def test_str_and_repr():
    assert str(2 * X @ b) == "2*X*b"
    assert f"{X @ b}" == "X*b"
    assert repr(X @ b) == "<X*b, n×1>"


def test_a_1x1_variable_keeps_its_kind():
    one = Variable("one", (ONE, ONE))
    for expr in (one, Item(one), Item(one) * 2):
        again = read(write(expr), shapes={"one": (1, 1)})
        assert again.shape == expr.shape


def test_an_unknown_notation():
    with pytest.raises(OptionError, match='"matlab", "r"; got \'latex\''):
        write(X, "latex")


def test_a_long_sum():
    total = X
    for _ in range(2000):
        total = total + Y
    text = write(total)
    assert text.startswith("X + Y + Y")
    assert read(text, shapes={"X": ("n", "p"), "Y": ("n", "p")}).shape == X.shape


@pytest.mark.parametrize("seed", range(60))
def test_random_expressions_come_back(builder, values, seed):
    rng = np.random.default_rng(seed)
    made = builder(lambda k: int(rng.integers(k)))
    shape = made.pick([(), (made.dim(), made.dim()), (made.dim(), ONE), (ONE, made.dim())])
    raw = made.build(shape, 4)
    given = values(raw)
    shapes = {name: v.shape for name, v in raw.variables().items()} | {"_": "n,p", "__": "k"}
    for expr in (raw, simplify(raw)):
        for notation in ("matlab", "r"):
            text = write(expr, notation, definitions=True)
            again = read(text, notation=notation, shapes=shapes).evaluate(given)
            np.testing.assert_allclose(
                np.squeeze(again), np.squeeze(expr.evaluate(given)), rtol=1e-8, atol=1e-10
            )
            last = tree_of(text, notation)
            assert (last.args[-1] if last.text == ";" else last) == spelled(expr, notation)
