"""Simplifying products, sums of entries, inverses and ⊗ keeps the value; all sizes differ."""

import numpy as np
import pytest

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
    Variable,
)
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Named,
    Norm1,
    Norm2,
    Ones,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
    Zeros,
)
from matbackprop.symbolic.expressions.tables import NORMAL_FORM

POINT = np.random.default_rng(21)
VALUES = {}


def drawn(name, *shape, flags=(), value=None):
    """Return a variable, having drawn its value; its signs are mixed."""
    VALUES[name] = POINT.normal(size=shape) if value is None else value
    return Variable(name, tuple(map(Dim.of, shape)), flags)


def positive(name, n):
    """Return a square matrix of positive determinant."""
    value = POINT.normal(size=(n, n))
    return drawn(
        name, n, n, value=value * np.array([np.sign(np.linalg.det(value))] + [1] * (n - 1))
    )


A, X, Y = drawn("A", 2, 3), drawn("X", 3, 4), drawn("Y", 3, 4)
B, C = drawn("B", 4, 5), drawn("C", 2, 4)
P, P2, P3 = positive("P", 3), positive("P2", 3), drawn("P3", 3, 3)
Q, Q2, R = positive("Q", 2), drawn("Q2", 2, 2), drawn("R", 4, 4)
half = POINT.normal(size=(3, 3))
S = drawn("S", 3, 3, flags=("symmetric",), value=half + half.T)
S2 = drawn("S2", 3, 3, flags=("symmetric",), value=half @ half.T)
O3 = drawn("O3", 3, 3, flags=("orthogonal",), value=np.linalg.qr(half)[0])
x, y, u, z = drawn("x", 3, 1), drawn("y", 3, 1), drawn("u", 2, 1), drawn("z", 4, 1)
x2, z2, v = drawn("x2", 3, 1), drawn("z2", 4, 1), drawn("v", 5, 1)
r, q = drawn("r", 1, 4), drawn("q", 1, 3)
w, w2 = drawn("w", 1, 1), drawn("w2", 1, 1)
s, t = drawn("s", value=np.array(-1.7)), drawn("t", value=np.array(0.6))
M64, M43 = drawn("M64", 6, 4), drawn("M43", 4, 3)
H, H2, H4, I2, I3, I4 = *map(Centering, (3, 2, 4)), *map(Identity, (2, 3, 4))
K23 = Commutation(2, 3)
V = Named("V", X - Y)
XC = H @ X  # columns add up to 0
XR = X @ H4  # rows add up to 0


def rep(arg, rows, columns):
    return Broadcast(arg, rows, columns)


def inv(arg):
    return Inverse(arg)


PRODUCTS = [
    A @ (X @ B),
    A @ Zeros(3, 4),
    Scale(s, A) @ Scale(t, X),
    I2 @ A,
    A @ I3,
    MatMul(I3, I3),
    # what is repeated
    rep(r, 2, 4) @ B,
    rep(u, 2, 3) @ X,
    rep(s, 2, 3) @ X,
    A @ rep(x, 3, 4),
    A @ rep(r, 3, 4),
    A @ rep(s, 3, 4),
    rep(u, 2, 3) @ rep(x, 3, 4),
    rep(q, 2, 3) @ rep(r, 3, 4),
    rep(s, 2, 3) @ rep(x, 3, 4),
    # centring
    H @ H @ X,
    H @ (H @ X + H @ Y),
    H @ (H @ X + Y),
    H @ Hadamard(X, rep(r, 3, 4)),
    H @ Hadamard(X, rep(x, 3, 4)),
    H @ Hadamard(XC, rep(r, 3, 4)),
    H @ Hadamard(XC, rep(x, 3, 4)),
    H @ Hadamard(XC, Y),
    H @ rep(r, 3, 4),
    H @ rep(x, 3, 4),
    H @ rep(H @ x, 3, 4),
    H @ rep(q @ H, 3, 3),
    H @ rep(H4 @ z, 4, 3).T,
    H @ (X @ H4),
    H @ XR,
    H @ P @ H,
    H @ P.T @ H,
    H @ (P @ H),
    (H @ P) @ H,
    P @ H @ H,
    H @ (H @ P).T,
    H @ (P @ H).T,
    Hadamard(P @ H, rep(x, 3, 3)) @ H,
    Hadamard(P @ H, rep(q, 3, 3)) @ H,
    (P @ H + P2 @ H) @ H,
    (P @ H + P2) @ H,
    Scale(s, P @ H) @ H,
    Named("W", P @ H) @ H,
    Named("W2", H @ P) @ H,
    H @ Named("W3", H @ P),
    H @ Named("W4", P @ H),
    H @ Softmax(X),
    # orthogonal
    O3.T @ O3 @ x,
    O3 @ O3.T @ X,
    O3 @ O3 @ x,
    inv(O3) @ x,
    O3 @ P @ O3.T,
    O3.T @ O3 + P,
    # diagonal
    Diag(x) @ X,
    X @ Diag(z),
    Diag(x) @ Diag(y),
    Diag(x) @ P @ Diag(y),
    Hadamard(X, rep(r, 3, 4)) @ B,
    Hadamard(X, rep(x, 3, 4)) @ B,
    A @ Hadamard(X, rep(r, 3, 4)),
    A @ Hadamard(X, rep(x, 3, 4)),
    Hadamard(X, x @ r) @ z,
    Hadamard(X, P @ x @ r @ R) @ z,
    Hadamard(X, x @ r) @ B,
    # powers, inverses
    P @ P,
    P @ P @ inv(P),
    inv(P) @ inv(P),
    inv(P) @ P,
    inv(P) @ MatrixPower(P, 3),
    MatrixPower(inv(P), 2) @ P,
    P.T @ P.T @ X,
    P.T @ P,
    inv(P).T @ P.T,
    inv(P).T @ P,
    P @ P2 @ inv(P @ P2),
    inv(A @ X @ C.T) @ (A @ X @ C.T),
    A @ X @ C.T @ inv(A @ X @ C.T) @ C,
    inv(A.T @ A + P) @ X,
    inv(Named("W5", A @ A.T)) @ A @ A.T @ C,
    inv(A @ A.T) @ A @ X,
    MatrixPower(I3, 3),
    MatrixPower(H, 3) @ X,
    MatrixPower(Zeros(3, 3), 2) + P,
    MatrixPower(MatrixPower(P, 2), 3),
    MatrixPower(Diag(x), 3),
    MatrixPower(Scale(s, P), 3),
    MatrixPower(Kron(P, Q), 2),
    MatrixPower(Kron(A, A.T), 2),
    MatrixPower(P.T, 2),
    MatrixPower(S, 2),
    x @ (y.T @ x2) @ r,
    x @ (q @ X @ z) @ r,
    x @ (q @ x) @ (r @ z) @ r,
    (X @ z).T @ x,
]

ENTRIES = [
    Ones(3, 4) @ z,
    rep(X, 3, 4),
    rep(Zeros(1, 4), 3, 4) + X,
    rep(rep(s, 1, 4), 3, 4),
    rep(Scale(s, r), 3, 4),
    rep(w, 3, 4),
    *(
        kind(m)
        for kind in (ColSum, RowSum, Total)
        for m in (
            *(X, Scale(s, X), X.T, A @ X, x, q, w, S, I3, Diag(x), Kron(A, X), Kron(x, u)),
            *(rep(x, 3, 4), rep(r, 3, 4), rep(s, 3, 4), Zeros(3, 4), XC, XR, XC.T, XR.T),
            *(H @ P @ H, H, Softmax(X), Softmax(X).T, X + rep(r, 3, 4), X + rep(x, 3, 4)),
            *(X + XC, X + XR, XC + XC * s, X + Y, Vec(X), Reshape(X, 2, 6), DiagVec(P)),
            *(RowSum(X), ColSum(X), x @ r, P @ x @ r, Hadamard(X, Y), Hadamard(x, y)),
            *(Hadamard(q, x.T), Hadamard(X, rep(x, 3, 4)), Hadamard(X, rep(r, 3, 4))),
            *(Hadamard(XC, rep(x, 3, 4)), Hadamard(XC, rep(r, 3, 4)), Hadamard(XC, Y)),
            *(Hadamard(XR, rep(x, 3, 4)), Hadamard(XR, rep(r, 3, 4)), Hadamard(XR, XC)),
            *(Hadamard(XC, H @ Y), Hadamard(X, H @ Y), Hadamard(XR, H @ Y)),
            *(Hadamard(P, inv(P).T), Hadamard(P, inv(P)), Hadamard(P.T, inv(P))),
            *(Hadamard(P, inv(P2).T), Hadamard(P, inv(P).T, P2), Hadamard(S, inv(S))),
            *(rep(q @ H, 2, 3), rep(H @ x, 3, 4), rep(H @ x, 3, 4) + X, rep(r @ H4, 3, 4)),
            *(Hadamard(P, S), Hadamard(S, S2), Hadamard(S, S2, P), V, Named("W6", XC)),
            *(Named("W7", XR), Named("W8", S + P), Apply("exp", X), (A.T @ A) @ P, Kron(S, Q)),
            *(S @ S2, S @ P @ S, P + P.T, P.T @ P, P.T @ P2, Scale(s, S), Power(S, 2)),
        )
    ),
    *(
        Item(m)
        for m in (
            *(Zeros(1, 1), rep(s, 1, 1), rep(w, 1, 1), Scale(s, w), w.T, w + w2, w * w2),
            *(w**3, Apply("exp", w), inv(w), RowSum(q), ColSum(x), q @ x, x.T @ y),
            *(q @ P.T @ x, (P @ x).T @ y, w @ w2, w, Kron(w, w2)),
        )
    ),
    Item(Zeros(1, 1)) + s,
    *(
        norm(m)
        for norm in (Norm1, Norm2)
        for m in (
            *(X, X.T, Vec(X), Reshape(X, 2, 6), Kron(A, X), Scale(Number(-3), X), Scale(s, X)),
            *(Zeros(3, 4), s, -s, rep(s, 3, 4), -rep(s * s, 3, 4), Kron(Scale(s, A), X.T)),
            *(X - Y, rep(Number(-2), 3, 4)),
        )
    ),
    LogSumExp(X) + x,
]

SQUARE = [
    *(
        m.T
        for m in (
            *(X, X.T, Scale(s, X), A @ X, rep(x, 3, 4), rep(r, 3, 4), Kron(A, X), K23),
            *(ColSum(X.T), RowSum(X.T), Hadamard(X, rep(x, 3, 4)), X.T + Y.T, X + Y, w),
            *(Hadamard(X.T, Y.T), S, S + P, S + S2, Zeros(3, 4), S @ P, S @ S2, S @ S2 @ S),
            *(Hadamard(S, P), Hadamard(S, S2), Hadamard(P, S, P2), Kron(S, P), Kron(S, S2)),
            *(Kron(P, S), P + P.T, P - P.T, P + P2.T, P.T @ P, P.T @ P2, P @ S @ P.T),
            *(P @ S @ P, rep(s, 3, 4), rep(s, 3, 3), Diag(x), H, Power(S, 3), Power(P, 3)),
            *(inv(S), inv(P), MatrixPower(S, 3), MatrixPower(P, 3), Apply("exp", S)),
            *(Apply("exp", P), Named("S3", S + S2), Named("P4", S + P), Scale(s, S), s, Vec(X)),
            *(Commutation(2, 2), Commutation(3, 4), P.T + P2 + S, P.T * P2 * S),
        )
    ),
    *(
        inv(m)
        for m in (
            *(inv(P), I3, P.T, Scale(s, P), Diag(x), MatrixPower(P, 3), K23, Kron(P, Q)),
            *(Kron(A, A.T) + Identity(6), P @ P2, P @ Diag(x) @ P2, Hadamard(P, rep(x, 3, 3))),
            *(
                Hadamard(P, rep(q, 3, 3)),
                Hadamard(P, x @ q),
                Hadamard(P, rep(x, 3, 3), rep(q, 3, 3)),
            ),
            *(Diag(x) @ P @ Diag(y), Hadamard(P, P2), w, O3, S, MatrixPower(P.T, 2), O3 @ P),
            *(Hadamard(P, S @ x @ q), A @ A.T, Scale(s, P.T), Commutation(3, 4)),
        )
    ),
    *(
        kind(m)
        for kind in (Det, LogDet, Trace, DiagVec)
        for m in (
            *(P, P.T, inv(P), I3, Kron(P, Q), Kron(Q, P), MatrixPower(P, 3), MatrixPower(Q, 2)),
            *(P @ P2, Kron(P, Q).T, Power(w, 2), inv(Kron(Q, P)), Scale(Number(2), P)),
        )
    ),
    *(
        kind(m)
        for kind in (Trace, DiagVec)
        for m in (
            *(Zeros(3, 3), Scale(s, P), H, H4, Diag(x), x @ y.T, x @ q, P @ X @ Y.T, w),
            *(P2 @ P, P.T @ P2.T, A.T @ A, H @ P @ H, O3 @ P @ O3.T, P @ inv(P), S @ P @ S2),
            *(rep(x, 3, 3), rep(q, 3, 3), rep(s, 3, 3), Hadamard(P, P2), P + P2, Hadamard(P, S)),
            *(X @ C.T @ A, Kron(X, X.T), x @ r @ R @ z @ y.T, Hadamard(P, rep(x, 3, 3))),
        )
    ),
    Trace(Zeros(3, 3)) + s,
    LogDet(I3) + s,
    Diag(Zeros(3, 1)) + P,
    Diag(rep(s, 3, 1)),
    Diag(w),
    Diag(Scale(s, x)),
    Diag(x + y),
    Diag(P @ x),
]

KRONECKER = [
    Kron(Zeros(2, 3), X) + Kron(A, Y),
    Kron(A, Zeros(3, 4)) + Kron(A, Y),
    Kron(Scale(s, A), X),
    Kron(A, Scale(s, X)),
    Kron(w, X),
    Kron(X, w),
    Kron(I3, I2),
    Kron(I3, H2) @ Kron(I3, Q),
    Kron(x, r),
    Kron(r, x),
    Kron(x, u),
    Kron(q, r),
    Kron(rep(s, 2, 3), rep(t, 3, 4)),
    Kron(rep(s, 2, 3), rep(x, 3, 4)),
    Kron(A, X) @ Kron(P, B),
    Kron(A, X) @ Kron(M43, X),
    Kron(P, Q) @ Kron(P, Q),
    Kron(C, M64.T) @ Kron(R, drawn("M62", 6, 2)),
    Kron(A, C) @ Kron(R, P),
    Kron(A, X) @ Vec(M43),
    Kron(A, X) @ Vec(drawn("M26", 2, 6)),
    Kron(A, X) @ Vec(X),
    Vec(X),
    Vec(x) + y,
    Vec(q),
    Vec(Zeros(3, 4)) + Vec(X),
    Vec(Scale(s, X)),
    Vec(rep(s, 3, 4)),
    Vec(rep(r, 3, 4)),
    Vec(rep(x, 3, 4)),
    Vec(Reshape(X, 2, 6)),
    Vec(X).T @ Vec(Y),
    Vec(X).T @ Vec(Y.T),
    Vec(P).T @ Vec(inv(P).T),
    Vec(X - Y).T @ Vec(X),
    Reshape(X, 3, 4),
    Reshape(Zeros(3, 4), 2, 6) + Reshape(X, 2, 6),
    Reshape(Vec(X), 3, 4),
    Reshape(Vec(X), 4, 3),
    Reshape(Reshape(X, 2, 6), 4, 3),
    Reshape(Scale(s, X), 2, 6),
    Reshape(rep(s, 3, 4), 2, 6),
    Reshape(Vec(X) - Scale(s, Vec(Y)), 3, 4),
    Reshape(Vec(X) + Reshape(A @ A.T @ drawn("M6", 2, 6), 12, 1), 2, 6),
    Reshape(X, 12, 1),
    Reshape(X, 1, 12),
    Reshape(drawn("c6", 6, 1), 1, 6),
    Reshape(drawn("r6", 1, 6), 2, 3),
    Commutation(1, 4) @ R,
    Commutation(4, 1) @ R,
    K23 @ Vec(A),
    K23 @ Vec(A.T),
    Commutation(3, 4) @ Vec(X),
    Commutation(4, 3) @ Vec(X),
    Commutation(3, 4) @ Vec(Reshape(X, 2, 6)),
    K23 @ Commutation(3, 2) @ M64,
    K23 @ K23 @ M64,
    K23.T @ M64,
    K23 @ K23.T,
    K23.T @ K23.T @ M64,
    inv(K23) @ M64,
    Kron(P, Q) @ Commutation(3, 2),
    Kron(P, Q) @ Commutation(2, 3),
    Kron(A, X) @ Commutation(3, 4),
    Kron(A, X) @ Commutation(4, 3),
    Kron(A, X) @ Commutation(2, 6),
    Kron(A, M64) @ Commutation(2, 6),
    Kron(A, M64) @ Commutation(3, 4),
    Kron(X, A) @ Commutation(4, 3),
    Identity(1) @ q,
    Centering(1) + w,
    Centering(1) @ r,
    Rearrange(Kron(A, X), 2, 3, 3, 4),
    Rearrange(Kron(A, X), 3, 4, 2, 3),
    Rearrange(Kron(A, X), 1, 2, 6, 6),
    Rearrange(M64, 2, 1, 3, 4),
    Rearrange(M64, 2, 4, 3, 1),
    Rearrange(M64, 1, 2, 6, 2),
    Rearrange(M64, 6, 2, 1, 2),
    Rearrange(drawn("c12", 12, 1), 3, 1, 4, 1),
    Rearrange(drawn("r12", 1, 12), 1, 3, 1, 4),
    Rearrange(Kron(x, u) + drawn("d6", 6, 1), 2, 1, 3, 1),
    Rearrange(Zeros(6, 12), 2, 3, 3, 4) + Rearrange(Kron(A, X), 2, 3, 3, 4),
    Rearrange(Scale(s, drawn("F", 6, 12)), 2, 3, 3, 4),
    Rearrange(rep(s, 6, 12), 2, 3, 3, 4),
    Rearrange(rep(drawn("c6b", 6, 1), 6, 12), 2, 3, 3, 4),
    Assemble(Rearrange(Kron(A, X) + Kron(A, Y), 2, 3, 3, 4), 2, 3, 3, 4),
    Assemble(Rearrange(drawn("F2", 6, 12), 2, 3, 3, 4), 3, 2, 4, 3),
    Rearrange(Assemble(drawn("F3", 6, 12), 2, 3, 3, 4), 2, 3, 3, 4),
    Rearrange(Assemble(drawn("F4", 6, 12), 2, 3, 3, 4) + Kron(A, X), 2, 3, 3, 4),
    Assemble(Scale(s, drawn("F5", 6, 12)), 2, 3, 3, 4),
    Assemble(rep(s, 6, 12), 2, 3, 3, 4),
    Assemble(Vec(A) @ Vec(X).T, 2, 3, 3, 4),
    Rearrange(Vec(A) @ Vec(X).T, 3, 2, 2, 6) @ Vec(drawn("F6", 2, 6)),
    Rearrange(drawn("c6c", 6, 1) @ drawn("r12c", 1, 12), 3, 2, 2, 6) @ Vec(drawn("F7", 2, 6)),
    Rearrange(drawn("c6d", 6, 1) @ drawn("r12d", 1, 12), 2, 3, 3, 4).T @ Vec(drawn("F8", 2, 3)),
    Rearrange(P @ x @ r, 1, 2, 3, 2) @ Vec(drawn("F9", 3, 2)),
]

ROWS = [*PRODUCTS, *ENTRIES, *SQUARE, *KRONECKER]
ELSEWHERE = {Sum, Scale, Size, Hadamard, Power, Apply}  # test_soundness.py


@pytest.mark.parametrize("expr", ROWS, ids=str)
def test_its_value_stays(expr, its_value_stays):
    its_value_stays(expr, VALUES)


@pytest.mark.parametrize(
    "kind", [kind for kind in NORMAL_FORM if kind not in ELSEWHERE], ids=lambda kind: kind.__name__
)
def test_a_wrong_rule_shows(kind, its_value_stays, damage):
    with pytest.raises(AssertionError):  # noqa: PT012 - any row of the table
        for expr in sorted(ROWS, key=lambda expr: type(expr) is not kind):
            damage(kind)
            its_value_stays(expr, VALUES)
