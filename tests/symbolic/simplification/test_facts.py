"""What is said of an expression without evaluating it is true of its value."""

import numpy as np
import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Hadamard,
    Number,
    Power,
    Scale,
    Size,
    Variable,
)
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    Diag,
    Identity,
    Inverse,
    Kron,
    MatrixPower,
    Named,
    Zeros,
)
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.simplification.facts import (
    is_centred,
    is_nonnegative,
    is_orthogonal,
    is_positive,
    is_symmetric,
    kills_ones,
)

POINT = np.random.default_rng(22)
VALUES = {}


def drawn(name, *shape, flags=(), value=None):
    VALUES[name] = POINT.normal(size=shape) if value is None else value
    return Variable(name, tuple(map(Dim.of, shape)), flags)


half = POINT.normal(size=(3, 3))
S = drawn("S", 3, 3, flags=("symmetric",), value=half + half.T)
O3 = drawn("O3", 3, 3, flags=("orthogonal",), value=np.linalg.qr(half)[0])
S2 = drawn("S2", 3, 3, flags=("symmetric",), value=half @ half.T)
P, P2, X, Y = drawn("P", 3, 3), drawn("P2", 3, 3), drawn("X", 3, 4), drawn("Y", 3, 4)
x = drawn("x", 3, 1, value=np.array([[-0.9], [0.4], [0.7]]))
y, q, r = drawn("y", 3, 1), drawn("q", 1, 3), drawn("r", 1, 4)
s = drawn("s", value=np.array(-1.7))
H, H4, E = Centering(3), Centering(4), Apply("exp", x)
XC, XR, PH, HP = H @ X, X @ H4, P @ H, H @ P


def rep(arg, rows, columns):
    return Broadcast(arg, rows, columns)


def named(arg):
    return Named("V", arg)


FACTS = {
    is_symmetric: lambda v: v.ndim == 2 and v.shape[0] == v.shape[1] and np.allclose(v, v.T),
    is_orthogonal: lambda v: np.allclose(v.T @ v, np.eye(len(v))),
    is_positive: lambda v: (v > 0).all(),
    is_nonnegative: lambda v: (v >= 0).all(),
    is_centred: lambda v: v.ndim == 2 and np.allclose(v.sum(axis=0), 0),
    kills_ones: lambda v: v.ndim == 2 and np.allclose(v.sum(axis=1), 0),
}

KNOWN = {
    is_symmetric: [
        *(S, Identity(3), H, Diag(x), Zeros(3, 3), rep(s, 3, 3), Scale(s, S), named(S + S2)),
        *(Inverse(S), MatrixPower(S, 3), Apply("exp", S), Power(S, 3), Hadamard(S, S2)),
        *(Kron(S, S2), S + S2, P + P.T, S + P + P.T, P.T @ P, P.T @ S @ P, named(P.T @ P)),
        *(x @ x.T, named(named(S) + named(S2))),
    ],
    is_orthogonal: [O3],
    is_positive: [
        *(Number(2), Size("n"), E, E + x**2, E * E, Scale(Number(2), E), rep(E, 3, 4)),
        *(named(E), E.T, E**-1, Power(E, s), E + Apply("relu", x), Power(E, Number(-3))),
        *(Apply(f, x) for f in ("sigmoid", "softplus", "normal_cdf", "normal_pdf", "cosh")),
    ],
    is_nonnegative: [
        *(Number(0), Number(2), x**2, x**-4, E**3, Apply("relu", x) ** 3, x**2 + y**2),
        *(x**2 * y**2, (x**2).T, rep(x**2, 3, 4), named(x**2), Scale(Number(3), x**2)),
        *(Apply(f, x) for f in ("abs", "relu", "step")),
    ],
    is_centred: [
        *(H, Zeros(3, 4), XC, Scale(s, XC), XC + H @ Y, Hadamard(XC, rep(r, 3, 4)), HP @ X),
        *(rep(H @ x, 3, 4), PH.T, named(XC), named(named(X) + X - 2 * X), XR.T),
    ],
    kills_ones: [
        *(H, Zeros(3, 4), XR, Scale(s, XR), XR + Y @ H4, Hadamard(XR, rep(x, 3, 4)), P @ PH),
        *(named(XR), HP.T, XC.T),
    ],
}

MORE = [
    *(x, X, P, s, Number(-2), P + P2, P + S, Hadamard(P, S), Kron(P, S), P @ S, P @ S @ P),
    *(S @ S2, P - P.T, Inverse(P), MatrixPower(P, 3), named(P), named(S @ S2), named(HP)),
    *(named(PH), named(P + P2.T), x**3, x**-1, x**1, x**5, x**-3, E - x, E + x, E + x**3),
    *(x**2 - E, E * x, E * x**2, Scale(s, E), Scale(Number(-1), E), rep(s, 3, 4), named(x)),
    *(rep(r, 3, 4), rep(x, 3, 4), rep(q, 3, 3), rep(r @ H4, 3, 4), rep(q @ H, 3, 3)),
    *(rep((H @ x).T, 2, 3), Hadamard(XC, rep(x, 3, 4)), Hadamard(XR, rep(r, 3, 4))),
    *(Hadamard(XC, Y), Hadamard(XR, Y), Hadamard(XC, H @ Y), Hadamard(XC, rep(x, 3, 4), Y)),
    *(Hadamard(rep(r, 3, 4), rep(x, 3, 4)), XC + Y, XR + Y, X @ Y.T @ H, HP.T @ X),
    *(PH @ X, P @ HP, Apply("exp", XC), Power(XC, 3), Zeros(3, 4), rep(s, 2, 3), Inverse(O3)),
    *(Apply(f, x) for f in FUNCTIONS if f not in {"log", "lgamma", "digamma", "trigamma"}),
    *(Apply(f, E) for f in ("log", "lgamma", "digamma", "trigamma")),
]


@pytest.mark.parametrize(
    ("fact", "expr"),
    [(fact, expr) for fact, known in KNOWN.items() for expr in known],
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_it_is_known(fact, expr):
    assert fact(expr) or fact(simplify(expr))


@pytest.mark.parametrize("expr", [*MORE, *(e for known in KNOWN.values() for e in known)], ids=str)
def test_what_is_said_holds(expr):
    value = np.asarray(expr.evaluate({**VALUES, "n": 3}))
    said = [fact for fact in FACTS if fact(expr)]
    assert [fact.__name__ for fact in said if not FACTS[fact](value)] == []
