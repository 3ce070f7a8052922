"""Simplifying sums, elementwise products and functions keeps the value, whichever rule it takes."""

from fractions import Fraction

import numpy as np
import pytest

from matbackprop.symbolic.expressions import construct
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Hadamard,
    Number,
    Power,
    Scale,
    Size,
    Sum,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    ColSum,
    Det,
    Diag,
    Identity,
    Item,
    Kron,
    MatrixPower,
    Named,
    Ones,
    RowSum,
    Softmax,
    Vec,
    Zeros,
)

POINT = np.random.default_rng(20)
VALUES = {"N": 4}  # a size that no matrix shows


def drawn(name, *shape, flags=(), value=None):
    """Return a variable, having drawn its value; its signs are mixed."""
    VALUES[name] = POINT.normal(size=shape) if value is None else value
    return Variable(name, tuple(construct.Dim.of(n) for n in shape), flags)


A, A2 = drawn("A", 2, 3), drawn("A2", 2, 3)
X, Y = drawn("X", 3, 4), drawn("Y", 3, 4)
B, C = drawn("B", 4, 5), drawn("C", 2, 4)
P, P2, Q, Q2 = drawn("P", 3, 3), drawn("P2", 3, 3), drawn("Q", 2, 2), drawn("Q2", 2, 2)
R = drawn("R", 4, 4)
half = POINT.normal(size=(3, 3))
S = drawn("S", 3, 3, flags=("symmetric",), value=half + half.T)
O = drawn("O", 3, 3, flags=("orthogonal",), value=np.linalg.qr(half)[0])  # noqa: E741
x, y = drawn("x", 3, 1, value=np.array([[-1.3], [0.4], [2.1]])), drawn("y", 3, 1)
z, u, v = drawn("z", 4, 1), drawn("u", 2, 1), drawn("v", 5, 1)
r, q = drawn("r", 1, 4), drawn("q", 1, 3)
w = drawn("w", 1, 1, value=np.array([[-0.7]]))
s, t, p = drawn("s", value=np.array(-1.7)), drawn("t", value=np.array(0.6)), drawn("p")
VALUES["p"] = np.array(0.9)
H, H4 = Centering(3), Centering(4)
HALF = Fraction(1, 2)
I3, I2 = Identity(3), Identity(2)
N = Size("N")


def f(name, arg):
    return Apply(name, arg)


def number(value):
    return Number(value)


def rep(arg, rows, columns):
    return Broadcast(arg, rows, columns)


def root(arg):
    return Power(arg, HALF)


SUMS = [
    X + X - Y,
    X - X,
    X + Scale(s, X) - Scale(number(2), Y),
    -(X - Y) + Y * 3,
    Sum(2 * X, 4 * Y),
    Sum(Scale(number(HALF), X), Scale(number(-HALF), Y)),
    X.T + Y.T,
    Sum(X.T, Y.T, rep(q, 4, 3)),
    Sum((X + Y).T, X.T, rep(z, 4, 3)),
    Sum(Vec(X), Scale(number(-2), Vec(Y))),
    Sum(Vec(A), Vec(A2.T)),
    X + s + t,
    X + s - s,
    Sum(rep(x, 3, 4), rep(y, 3, 4), X),
    Sum(rep(r, 3, 4), Scale(s, rep(z.T, 3, 4)), X),
    Sum(rep(r, 3, 4), rep(x, 3, 4)),
    Sum(rep(x, 3, 3), rep(q, 3, 3), P),
    Sum(I3, Scale(number(Fraction(-1, 3)), Ones(3, 3))),
    Sum(X, Scale(number(Fraction(-1, 3)), rep(ColSum(X), 3, 4))),
    Sum(X, Scale(number(Fraction(-1, 4)), rep(RowSum(X), 3, 4))),
    Sum(2 * X, Scale(number(Fraction(-1, 2)), rep(RowSum(X), 3, 4)), Y),
    Sum(X, Scale(number(Fraction(-1, 4)), rep(ColSum(X), 3, 4))),
    1 - f("sigmoid", -x),
    1 - f("sigmoid", x),
    f("sigmoid", -x) - 1 + y,
    2 - f("sigmoid", -x),
    1 + f("sigmoid", -x),
    1 - f("normal_cdf", -X),
    Number(1) - f("normal_cdf", -s),
    *(1 - f(name, -x) for name in ("tanh", "silu", "softplus", "gelu", "relu", "step")),
    Sum(s, t, Number(3), -s),
    P @ x + P.T @ x,
    P @ x + S @ x - P2 @ x,
    X * Y - X * X,
    Sum(A @ X, A2 @ X),
    Scale(s, Scale(t, X)),
    Scale(s, rep(t, 3, 4)),
    Scale(s, rep(r, 3, 4)),
    Scale(Number(0), X) + Y,
    Scale(s, Zeros(3, 4)) + Y,
    Scale(Number(1), X),
    Size("N*N+2*N+1") * s,
    Size(6) * s,
    X @ B - Scale(s, X @ B),
    Scale(Number(-1), (X - Y) @ B),
    Scale(-s, (X - Y) @ B),
    Hadamard(Number(-1), t, s - t),
    Scale(Number(-3), X - Y),
]

ELEMENTWISE = [
    Hadamard(X, Y, X),
    Hadamard(X, Zeros(3, 4)) + Y,
    Hadamard(Scale(s, X), Scale(t, Y)),
    Hadamard(X, rep(s, 3, 4)),
    Hadamard(X, rep(x, 3, 4), rep(y, 3, 4)),
    Hadamard(X, rep(r, 3, 4), rep(z.T, 3, 4)),
    Hadamard(X, rep(r, 3, 4), rep(x, 3, 4)),
    Hadamard(rep(r, 3, 4), rep(x, 3, 4)),
    Hadamard(rep(x, 3, 4), A.T @ A @ X),
    Hadamard(rep(x, 3, 4), y @ r),
    Hadamard(rep(q, 3, 3), x @ y.T),
    Hadamard(rep(x, 3, 3), S @ y @ q),
    Hadamard(X, Ones(3, 4)),
    Hadamard(Ones(3, 4), Ones(3, 4)),
    Hadamard(P, I3),
    Hadamard(P, Diag(x), P2),
    Hadamard(I3, I3),
    Hadamard(X.T, Y.T),
    Hadamard(X, Hadamard(X, Y) ** 2),
    Hadamard(X, Y) / X,
    X / X,
    Hadamard(s, t, s, Number(3)),
    Hadamard(s, Number(0)),
    Hadamard(s, Item(w)),
    Hadamard(rep(Kron(x, u), 6, 12), Kron(X, A)),
    Hadamard(rep(Kron(q, r), 6, 12), Kron(P, C)),
    # ⊗ of rows whose parts do not fit the parts of the ⊗
    Hadamard(rep(Kron(r, q), 6, 12), Kron(P, C)),
    Hadamard(rep(Kron(u, x), 6, 12), Kron(P, C)),
    Hadamard(rep(Kron(x, u), 6, 6), Kron(Q, P)),
    Hadamard(rep(Kron(q, u.T), 6, 6), Kron(Q, P)),
    # exponentials, logistic functions, steps and signs
    f("exp", x) * f("exp", -x),
    f("exp", x) * f("exp", 2 * x),
    f("exp", x) * f("sigmoid", -x),
    f("exp", -x) * f("sigmoid", x),
    f("exp", 2 * x) * f("sigmoid", -2 * x),
    f("exp", 2 * x) * f("sigmoid", -x),
    f("exp", x) * f("sigmoid", x),
    f("exp", x) * f("sigmoid", -x) ** 2,
    f("sinh", x) / f("cosh", x),
    f("sin", x) / f("cos", x),
    f("sinh", x) / f("cosh", x) * f("tanh", x),
    f("sin", x) / f("cosh", x),
    f("sin", x) / f("cos", y),
    f("cos", x) / f("sin", x),
    f("sin", x) ** 2 / f("cos", x),
    f("sin", x) / f("cos", x) ** 2,
    f("step", x) * f("step", x),
    f("step", x) ** 3 * y,
    f("sign", x) * f("sign", x),
    f("sign", x) * f("sign", x) * f("sign", x),
    f("abs", x) * f("sign", x),
    x * f("sign", x),
    x * x * f("sign", x),
    f("abs", x) * f("sign", x) * x,
    y * f("sign", x),
    f("relu", x) * f("step", x),
    f("relu", x) ** 2 * f("step", x),
    f("relu", y) * f("step", x),
    x * f("step", x),
    # functions
    *(f(name, -x) for name in ("sign", "tanh", "sin", "tan", "sinh", "atan", "abs", "cos")),
    *(f(name, -2 * x) for name in ("cosh", "normal_pdf", "exp", "sigmoid", "normal_cdf")),
    *(f(name, -x) for name in ("relu", "step", "softplus", "silu", "gelu", "leaky_relu")),
    *(f(name, -x / 3) for name in ("asin", "acos", "leaky_step")),
    f("relu", f("relu", x)),
    f("step", f("relu", x)),
    f("relu", f("abs", x)),
    f("tanh", f("relu", x)),
    f("relu", f("leaky_relu", x)),
    f("tanh", rep(x, 3, 4)),
    f("exp", X.T),
    *(f(name, Number(0)) + s for name in ("exp", "tanh", "abs", "sigmoid", "cos", "sin")),
    f("log", Number(1)) + s,
    f("log", f("exp", x)),
    f("exp", f("log", x**2)),
    f("log", Det(Q @ Q)),
    f("log", Det(MatrixPower(P, 2))),
    f("log", f("exp", x) ** 3),
    f("log", f("exp", x) ** s),
    f("log", x**2),
    f("log", x ** (-2)),
    f("log", Power(f("abs", x), Fraction(1, 3))),
    f("log", Softmax(X)),
    f("log", 1 + f("exp", x)),
    f("log", 1 + f("exp", -s)),
    f("log", 2 + f("exp", x)),
    f("abs", f("abs", x)),
    f("abs", f("exp", x)),
    f("abs", f("tanh", x)),
    # powers
    x**0,
    x**1,
    Power(Number(4), HALF) * s,
    Power(Number(Fraction(4, 9)), Fraction(-3, 2)) * s,
    Power(Number(2), HALF) * s,
    Power(Number(2), Number(-3)) * s,
    rep(x, 3, 4) ** 2,
    X.T**3,
    f("exp", x) ** 3,
    Power(f("exp", x), s),
    f("abs", x) ** 2,
    f("abs", x) ** -4,
    f("abs", x) ** 3,
    root(f("abs", x)),
    I3**2,
    I3 ** Number(3) * P,
    Diag(x) ** 2,
    (x**2) ** 3,
    (x**3) ** -1,
    root(x**2),
    Power(x**2, Fraction(3, 2)),
    root(x**4),
    root(root(f("exp", x))),
    root(f("exp", x) ** 2),
    root(x**2) ** 2,
    (X * Y) ** 2,
    (X * Y) ** -1,
    root(X * X * Y * Y),
    root(Hadamard(f("exp", X), Y * Y)),
    Scale(s, X) ** 2,
    Scale(s, X) ** -3,
    root(Scale(s, f("log", f("sigmoid", X)))),  # both are negative
    root(f("log", f("sigmoid", X)) * f("log", f("sigmoid", Y))),
    root(Scale(s, Scale(s, X * X))),
    root(Scale(p * p, X * X)),
    root(Scale(f("exp", s), X * X)),
    (1 + f("exp", x)) ** -1,
    (1 + f("exp", -x)) ** -2,
    root(1 + f("exp", x)),
    (1 + f("exp", x)) ** 2,
    (2 + f("exp", x)) ** -1,
    f("exp", x) / (1 + f("exp", x)),
    # what is positive, and what is not
    root((f("exp", x) - x**2) ** 2),
    root((f("exp", x) + x) ** 2),
    root((f("exp", -x) + x**3) ** 2),
    root((f("exp", x) + x**2) ** 2),
    root((1 + x) ** 2),
    root((x + y) ** 2),
    *(root(f(name, x) ** 2) for name in ("silu", "gelu", "tanh", "sin", "leaky_relu", "relu")),
    *(root(f(name, x) ** 2) for name in ("exp", "sigmoid", "softplus", "normal_cdf", "cosh")),
    root((f("exp", x) * y) ** 2),
    root(Hadamard(s, f("exp", t)) ** 2),
    f("abs", Scale(s, f("exp", X))),
    f("abs", rep(s, 3, 4)),
    f("abs", N),
    f("abs", -N),
    f("abs", Named("V", x - y)),
    f("abs", f("exp", x) + x),
    f("abs", 1 + f("relu", x)),
]

ROWS = [*SUMS, *ELEMENTWISE]
KINDS = [Sum, Scale, Size, Hadamard, Power, Apply]


@pytest.mark.parametrize("expr", ROWS, ids=str)
def test_its_value_stays(expr, its_value_stays):
    its_value_stays(expr, VALUES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_wrong_rule_shows(kind, its_value_stays, damage):
    with pytest.raises(AssertionError):  # noqa: PT012 - any row of the table
        for expr in sorted(ROWS, key=lambda expr: type(expr) is not kind):
            damage(kind)
            its_value_stays(expr, VALUES)
