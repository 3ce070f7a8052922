"""Jacobians, Hessians and their products, and ∂L/∂vech: right ones pass, wrong ones are refused."""

from fractions import Fraction

import pytest

from matbackprop.errors import OptionError
from matbackprop.symbolic.certification import comparisons
from matbackprop.symbolic.certification.certificate import certify
from matbackprop.symbolic.certification.comparisons import KINDS, CertificateError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Number, Scale, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    ColSum,
    Commutation,
    Diag,
    DiagVec,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    Ones,
    Reshape,
    Total,
    Trace,
    Vec,
    Zeros,
)


def var(name, *shape, domain="normal", flags=()):
    return Variable(name, tuple(Dim.of(s) for s in shape), flags, domain)


HALF = Number(Fraction(1, 2))
A, B, Q0 = var("A", "q", "q"), var("B", "q", "q"), var("M", "q", "q", domain="well")
X, W = var("X", "n", "p"), var("W", "p", "q")
x, y, s = var("x", "q", 1), var("y", "n", 1, domain="pm1"), var("s", domain="positive")
w = var("w", "p", 1)
S = var("S", "q", "q", flags=("symmetric",), domain="spd")
Q = var("Q", "q", "q", flags=("orthogonal",))
BIG = var("G", 9, 9)

QUADRATIC = Item(x.T @ A @ x)
LOGISTIC = Total(Apply("log", 1 + Apply("exp", -(y * (X @ w)))))
RAW_Q = A @ Q @ B + A.T @ Q @ B.T
TRACE_Q = Trace(Q.T @ A @ Q @ B)

JACOBIANS = {
    "linear": (A @ x, A, A.T, x),
    "scalar": (QUADRATIC, x.T @ (A + A.T), x.T @ A, x),
    "inverse": (
        Inverse(Q0),
        -Kron(Inverse(Q0).T, Inverse(Q0)),
        -Kron(Inverse(Q0), Inverse(Q0)),
        Q0,
    ),
    "gram": (
        W.T @ W,
        (Identity("q*q") + Commutation("q", "q")) @ Kron(Identity("q"), W.T),
        2 * Kron(Identity("q"), W.T),
        W,
    ),
    "transpose": (X.T, Commutation("n", "p"), Commutation("p", "n"), X),
    "column means": (
        ColSum(X),
        Kron(Identity("p"), Ones(1, "n")),
        Kron(Ones(1, "n"), Identity("p")),
        X,
    ),
    "large": (BIG @ BIG, Kron(Identity(9), BIG) + Kron(BIG.T, Identity(9)), Kron(BIG.T, BIG), BIG),
    "of a scalar": (Scale(s**2, A), Vec(2 * s * A), Vec(s * A), s),
    "symmetric, any extension": (B @ S, Kron(Identity("q"), B), Kron(Identity("q"), B.T), S),
    "orthogonal": (Q.T, Commutation("q", "q"), -Commutation("q", "q"), Q),
}


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians(name):
    F, right, wrong, wrt = JACOBIANS[name]
    assert certify(F, right, wrt, kind="jacobian").max_error < 1e-13
    with pytest.raises(CertificateError, match="The jacobian"):
        certify(F, wrong, wrt, kind="jacobian")


def test_of_a_symmetric_variable_any_jacobian_that_moves_tangents_right_will_do():
    other = Kron(Identity("q"), B) @ Commutation("q", "q")
    assert certify(B @ S, other, S, kind="jacobian").ok
    with pytest.raises(CertificateError):
        certify(B @ A, Kron(Identity("q"), B) @ Commutation("q", "q"), A, kind="jacobian")


J_RAW = Kron(B.T, A) + Kron(B, A.T)
J_TANGENT = HALF * (
    J_RAW
    - Kron((RAW_Q.T @ Q).T, Identity("q"))
    - Kron(Q.T, Q) @ Commutation("q", "q") @ J_RAW
    - Kron(Identity("q"), Q @ RAW_Q.T)
)
INV = Inverse(S)
H_LOGDET = HALF * (Kron(INV, INV) + Kron(INV, INV) @ Commutation("q", "q"))
LOGIT = Apply("sigmoid", X @ w)
HESSIANS = {
    "quadratic": (QUADRATIC, A + A.T, 2 * A, x),
    "logistic": (LOGISTIC, X.T @ Diag(LOGIT * (1 - LOGIT)) @ X, X.T @ Diag(LOGIT) @ X, w),
    "scalar": (s**3, 6 * s, 3 * s, s),
    "linear": (Trace(B @ A), Zeros("q*q", "q*q"), Identity("q*q"), A),
    "relu": (
        Total(Apply("relu", X @ w) ** 2),
        2 * X.T @ Diag(Apply("step", X @ w)) @ X,
        2 * X.T @ X,
        w,
    ),
    "lgamma": (Total(Apply("lgamma", w)), Diag(Apply("trigamma", w)), Diag(Apply("digamma", w)), w),
    "matrix": (
        Trace(A @ A @ A),
        3 * Commutation("q", "q") @ (Kron(A.T, Identity("q")) + Kron(Identity("q"), A)),
        3 * (Kron(A.T, Identity("q")) + Kron(Identity("q"), A)),
        A,
    ),
    "symmetric": (-LogDet(S), H_LOGDET, Kron(INV, INV) @ (J_RAW * 0 + Kron(A, A)), S),
    "symmetric, not projected": (-LogDet(S), H_LOGDET, 2 * H_LOGDET, S),
    "orthogonal": (TRACE_Q, J_TANGENT, J_RAW, Q),
}


@pytest.mark.parametrize("name", HESSIANS)
def test_hessians(name):
    L, right, wrong, wrt = HESSIANS[name]
    certificate = certify(L, right, wrt, kind="hessian")
    assert certificate.max_error <= certificate.tolerance < 1e-6
    assert certificate.method == "central differences of a complex step"
    with pytest.raises(CertificateError, match=r"The hessian .* central differences of a complex"):
        certify(L, wrong, wrt, kind="hessian")


@pytest.mark.parametrize("c", [1, 500])
def test_the_hessian_of_what_is_steep_or_constant(c):
    E = Apply("exp", c * x)
    P = E / Total(E)
    right = c**2 * (Diag(P) - P @ P.T)
    assert certify(Apply("log", Total(E)), right, x, kind="hessian").ok
    assert certify(c * Total(x), Zeros("q", "q"), x, kind="hessian").max_error == 0
    with pytest.raises(CertificateError):
        certify(Apply("log", Total(E)), c**2 * Diag(P), x, kind="hessian")


def test_the_hessian_of_a_symmetric_variable_keeps_tangents_tangent():
    askew = H_LOGDET + Kron(A, B) - Commutation("q", "q") @ Kron(A, B)
    with pytest.raises(CertificateError):
        certify(-LogDet(S), askew, S, kind="hessian")


PRODUCTS = {
    "quadratic": (QUADRATIC, x, lambda v: (A + A.T) @ v, lambda v: A @ v),
    "matrix": (Trace(X.T @ X), X, lambda v: 2 * v, lambda v: v),
    "scalar": (s**3, s, lambda v: 6 * s * v, lambda v: 6 * s),
    "symmetric": (-LogDet(S), S, lambda v: INV @ v @ INV, lambda v: INV @ v),
    "orthogonal": (
        TRACE_Q,
        Q,
        lambda v: Reshape(J_TANGENT @ Vec(v), "q", "q"),
        lambda v: Reshape(J_RAW @ Vec(v), "q", "q"),
    ),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_hessian_vector_products(name):
    L, wrt, right, wrong = PRODUCTS[name]
    v = Variable("v", wrt.shape, wrt.flags)
    assert certify(L, right(v), wrt, kind="hvp", direction=v).ok
    with pytest.raises(CertificateError, match="The hvp"):
        certify(L, wrong(v), wrt, kind="hvp", direction=v)


def test_a_hessian_vector_product_needs_its_direction():
    with pytest.raises(OptionError, match="needs the variable that stands for the direction"):
        certify(QUADRATIC, A @ x, x, kind="hvp")


def test_the_gradient_with_respect_to_vech():
    G = HALF * (B + B.T)
    D_T = Duplication("q").T
    assert certify(Trace(B @ S), D_T @ Vec(G), S, kind="vech gradient").max_error < 1e-14
    assert certify(Trace(B @ S), D_T @ Vec(B), S, kind="vech gradient").ok
    halved = D_T @ Vec(HALF * (G + Diag(DiagVec(G))))
    for wrong in (halved, 2 * (D_T @ Vec(G)), Vec(G)):
        with pytest.raises(CertificateError, match="The vech gradient"):
            certify(Trace(B @ S), wrong, S, kind="vech gradient")


def test_of_large_variables_random_directions_are_compared():
    assert certify(Trace(BIG), Identity(9), BIG, kind="gradient").directions == 8
    assert certify(Trace(BIG), Zeros(81, 81), BIG, kind="hessian").directions == 4
    assert certify(Trace(A), Identity("q"), A, kind="gradient").directions is None


def test_random_directions_are_not_like_the_point(monkeypatch):
    """Along X itself many wrong derivatives of homogeneous functions are right."""
    monkeypatch.setattr(comparisons, "FIRST", (0, 1))
    other = A - Total(A * B) / Total(B * B) * B
    assert certify(Total(B * B), 2 * B, B, kind="gradient", points=1).ok
    with pytest.raises(CertificateError):
        certify(Total(B * B), 2 * B + other, B, kind="gradient", points=1)


def test_points_at_a_kink_are_drawn_again():
    sign = var("c", domain="pm1")
    ramp = Apply("relu", sign - 1)
    certificate = certify(ramp**2, 2 * Apply("step", sign - 1), sign, kind="hessian", points=5)
    assert certificate.tolerance == 1e-8


def test_every_kind_is_tested_here_or_with_the_certificate():
    assert {*KINDS} == {"gradient", "vech gradient", "jacobian", "hessian", "hvp"}
