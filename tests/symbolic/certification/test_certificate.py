"""Right derivatives pass, to rounding; wrong ones of every kind are refused, with the numbers."""

import json
from fractions import Fraction

import numpy as np
import pytest

from matbackprop.errors import MatBackpropError, OptionError
from matbackprop.symbolic.certification.certificate import (
    Certificate,
    CertificateError,
    DomainError,
    certify,
    linear_form_error,
)
from matbackprop.symbolic.door import parse
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Number, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Det,
    Diag,
    DiagVec,
    Differential,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    MatrixPower,
    Norm1,
    Norm2,
    Ones,
    Softmax,
    Total,
    Trace,
    Zeros,
)


def var(name, *shape, domain="normal", flags=()):
    return Variable(name, tuple(Dim.of(s) for s in shape), flags, domain)


HALF = Number(Fraction(1, 2))
A, B, Q0 = var("A", "q", "q"), var("B", "q", "q"), var("M", "q", "q", domain="well")
X, Y, W = var("X", "n", "p"), var("Y", "n", "p"), var("W", "p", "q")
x, y, s = var("x", "q", 1), var("y", "n", 1, domain="pm1"), var("s", domain="positive")
w = var("w", "p", 1)
S = var("S", "q", "q", flags=("symmetric",), domain="spd")
D = var("D", "q", "q", flags=("diagonal",))
Q = var("Q", "q", "q", flags=("orthogonal",))
BIG = var("G", 9, 9)

QUADRATIC = Item(x.T @ A @ x)
LOGISTIC = Total(Apply("log", 1 + Apply("exp", -(y * (X @ w)))))
SIGMOID = Apply("sigmoid", -(y * (X @ w)))
RAW_Q = A @ Q @ B + A.T @ Q @ B.T
TRACE_Q = Trace(Q.T @ A @ Q @ B)
TANGENT_Q = HALF * (RAW_Q - Q @ RAW_Q.T @ Q)

RIGHT = {
    "quadratic": (QUADRATIC, A @ x + A.T @ x, x),
    "matrix": (Trace(X.T @ X), 2 * X, X),
    "logistic": (LOGISTIC, -(X.T @ (y * SIGMOID)), w),
    "scalar variable": (s**3 + Apply("log", s), 3 * s**2 + 1 / s, s),
    "1×1 source": (x.T @ A @ x, A @ x + A.T @ x, x),
    "relu": (Total(Apply("relu", X @ W)), Apply("step", X @ W) @ W.T, X),
    "abs": (Norm1(X - Y), Apply("sign", X - Y), X),
    "norm": (Norm2(X), X / Norm2(X), X),
    "det": (Det(A), Det(A) * Inverse(A).T, A),
    "logdet": (LogDet(Q0), Inverse(Q0).T, Q0),
    "log det": (Apply("log", Det(Q0)), Inverse(Q0).T, Q0),
    "zero": (Total(Softmax(X)), Zeros("n", "p"), X),
    "lgamma": (Total(Apply("lgamma", X)), Apply("digamma", X), X),
    "trigamma elsewhere": (
        Apply("trigamma", s) * Trace(A),
        Apply("trigamma", s) * Identity("q"),
        A,
    ),
    "symmetric": (Trace(B @ S), HALF * (B + B.T), S),
    "symmetric quadratic": (Item(x.T @ S @ x), x @ x.T, S),
    "spd": (LogDet(S), Inverse(S), S),
    "diagonal": (Trace(B @ D), Diag(DiagVec(B)), D),
    "orthogonal": (TRACE_Q, TANGENT_Q, Q),
    "large": (Trace(MatrixPower(BIG, 3)), 3 * MatrixPower(BIG, 2).T, BIG),
    "independent": (Total(X), Zeros("q", "q"), A),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass_to_rounding(name):
    certificate = certify(*RIGHT[name], kind="gradient")
    assert certificate.ok
    # Of a derivative that is zero, 100 times the rounding counts as the tolerance.
    assert certificate.max_error < (1e-9 if name == "zero" else 1e-13)
    assert certificate.method == "complex step"


WRONG = {
    "factor": (QUADRATIC, 2 * (A @ x + A.T @ x), x),
    "slight factor": (QUADRATIC, Number(1.0000001) * (A @ x + A.T @ x), x),
    "sign": (QUADRATIC, -(A @ x) - A.T @ x, x),
    "missing term": (QUADRATIC, A @ x, x),
    "one term twice": (QUADRATIC, A @ x + A @ x, x),
    "zero": (QUADRATIC, Zeros("q", 1), x),
    "constant": (QUADRATIC, Ones("q", 1), x),
    "transpose": (Det(A), Det(A) * Inverse(A), A),
    "another's derivative": (Trace(X.T @ Y), X, X),
    "no derivative of the activation": (Total(Apply("relu", X @ W)), Ones("n", "q") @ W.T, X),
    "missing row sum": (Total(Softmax(X) * Y), Softmax(X) * Y, X),
    "half of an off-diagonal": (Item(x.T @ S @ x), x @ x.T - HALF * Diag(x * x), S),
    "twice the off-diagonals": (LogDet(S), 2 * Inverse(S) - Diag(DiagVec(Inverse(S))), S),
    "not symmetric": (Trace(B @ S), B.T, S),
    "not diagonal": (Trace(B @ D), B.T, D),
    "not tangent": (TRACE_Q, RAW_Q, Q),
    "canonical, not Euclidean": (TRACE_Q, 2 * TANGENT_Q, Q),
    "one entry of many": (
        Total(BIG * BIG),
        2 * BIG + Number(1e-5) * Diag(Ones(9, 1)) @ BIG @ Diag(Ones(9, 1)),
        BIG,
    ),
    "not nothing": (Total(Softmax(X)), Number(1e-10) * Ones("n", "p"), X),
    "scalar": (s**3, 2 * s**2, s),
    "independent": (Total(X), Ones("q", "q"), A),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_gradients_are_refused(name):
    source, result, wrt = WRONG[name]
    with pytest.raises(CertificateError, match=f"The gradient with respect to {wrt.name} is refut"):
        certify(source, result, wrt, kind="gradient")


POS = var("u", "q", 1, domain="positive")
BITS = var("x", "q", 1, domain="binary")
HIDDEN = {
    "log det": ("log(det(100*S))", Zeros("q", "q"), S),
    "log det, times a factor": ("log(det(1000*S))", -7 * S, S),
    "log sum exp": ("log(sum(exp(60*X*w)))", Zeros("p", 1), w),
    "a large constant": ("x'*x + 1e13", 5 * x, x),
    "underflow": ("sum(exp(-1e4*u.^2))", 7 * Apply("exp", -(POS * POS)) ** 10000, POS),
    "almost underflow": ("sum(exp(-1e3*u.^2))", 7 * Apply("exp", -(POS * POS)) ** 1000, POS),
    "false zero where all underflows": ("sum(exp(-1e4*u.^2))", Zeros("q", 1), POS),
}


def read(text, *variables):
    return parse(
        text,
        shapes={v.name: v.shape for v in variables},
        assume={v.name: v.flags for v in variables if v.flags},
        domains={v.name: v.domain for v in variables if v.domain != "normal"},
    )


@pytest.mark.parametrize("name", HIDDEN)
def test_large_and_vanishing_intermediates_hide_nothing(name):
    text, result, wrt = HIDDEN[name]
    with pytest.raises(CertificateError, match="relative error"):
        certify(read(text, S, X, w, x, POS), result, wrt, kind="gradient")


SIGMOID_20 = Apply("sigmoid", 20 * x)
ROUNDED = {
    "cancellation in the source": ("sum(log(1-sigmoid(20*x)))", -20 * SIGMOID_20, x),
    "steps of imaginary size": ("sum(x.^2.5)", Number(2.5) * BITS ** Fraction(3, 2), BITS),
    "undefined at one point": ("norm2(x)", BITS / Norm2(BITS), BITS),
    "truly zero": ("sum(relu(-x.^2))", -2 * x * Apply("step", -x * x), x),
    "zero of an orthogonal variable": ("tr(Q'*Q)", Zeros("q", "q"), Q),
    "quotient": ("tr(inv(M)*M)", Zeros("q", "q"), Q0),
}


@pytest.mark.parametrize("name", ROUNDED)
def test_right_gradients_pass_where_the_source_rounds(name):
    text, result, wrt = ROUNDED[name]
    certificate = certify(read(text, wrt), result, wrt, kind="gradient")
    assert certificate.max_error <= certificate.tolerance == 1e-8
    if name not in ("truly zero", "zero of an orthogonal variable", "quotient"):
        with pytest.raises(CertificateError):
            certify(read(text, wrt), Number(1.001) * result + 1e-3, wrt, kind="gradient")


def test_on_a_kink_what_fails_is_not_taken_for_rounding():
    c, d = var("c", 20, 1, domain="pm1"), var("d", 20, 1, domain="pm1")
    sign = Apply("sign", c - d)
    with pytest.raises((CertificateError, DomainError)):
        certify(Norm1(c - d), sign + HALF * (1 - sign * sign), c, kind="gradient")


def test_the_message_says_where_and_what():
    with pytest.raises(CertificateError) as caught:
        certify(QUADRATIC, 2 * (A @ x), x, kind="gradient")
    text, point = str(caught.value), caught.value.point
    entry = int(text.split("entry [")[1].split(",")[0])
    a, v = point["A"], point["x"]
    claimed, true = (2 * a @ v)[entry, 0], ((a + a.T) @ v)[entry, 0]
    assert f"entry [{entry}, 0] is {claimed:.10g}, but by complex step {true:.10g}" in text
    assert "allowed 1e-8), at a point drawn with seed 0 and q=4.\n" in text
    assert "\n  source: x'*A*x\n  result: 2*A*x\n" in text
    assert text.endswith("one of its rules is at fault: please report it.")
    assert isinstance(caught.value, MatBackpropError | ArithmeticError)


def test_along_random_directions_the_message_says_so():
    with pytest.raises(CertificateError, match=r"its product \[\d\] with random directions is"):
        certify(Trace(BIG @ BIG), BIG, BIG, kind="gradient")


@pytest.mark.parametrize(
    ("result", "text"),
    [
        (x.T, r"it has shape \(1, 4\), not \(4, 1\)"),
        (QUADRATIC, r"it has shape \(\), not \(4, 1\)"),
        (A, r"it has shape \(4, 4\), not \(4, 1\)"),
        (Apply("log", -x * x), "it is not finite, though the source is"),
        (x / (x - x), "it is not finite, though the source is"),
    ],
)
def test_wrong_shapes_and_what_is_not_finite_are_refused(result, text):
    with pytest.raises(CertificateError, match=text):
        certify(QUADRATIC, result, x, kind="gradient")


def test_a_result_need_not_be_built_of_the_same_variables():
    extra = var("extra", "q", 1)
    with pytest.raises(CertificateError):
        certify(QUADRATIC, A @ x + A.T @ x + extra, x, kind="gradient")
    assert certify(QUADRATIC, A @ x + A.T @ x + extra - extra, x, kind="gradient").ok


def test_without_complex_values_differences_serve():
    right = certify(0 * Apply("trigamma", s) + s**2, 2 * s, s, kind="gradient")
    assert right.method == "central differences"
    assert right.max_error <= right.tolerance < 1e-7
    with pytest.raises(CertificateError, match="but by central differences"):
        certify(Apply("trigamma", s) * s, Apply("trigamma", s), s, kind="gradient")


def test_differences_are_trusted_as_far_as_they_say():
    source = 0 * Apply("trigamma", s) + s**2
    grew = False
    for seed in range(5):
        allowed = [
            certify(
                source, 2 * s, s, kind="gradient", tolerance=1e-16, points=k, seed=seed
            ).tolerance
            for k in (1, 4)
        ]
        assert 1e-16 < allowed[0] <= allowed[1] < 1e-8
        grew |= allowed[0] < allowed[1]
    assert grew


def test_the_largest_error_of_all_points_is_kept():
    for seed in range(5):
        errors = [
            certify(s**2, 2 * s + 1e-3, s, kind="gradient", tolerance=1, points=k, seed=seed)
            for k in (1, 2, 5)
        ]
        found = [certificate.max_error for certificate in errors]
        assert found == sorted(found)
    assert found[0] < found[-1]


def test_on_a_kink_the_convention_of_the_rules_holds():
    c, d = var("c", "n", 1, domain="pm1"), var("d", "n", 1, domain="pm1")
    assert certify(Norm1(c - d), Apply("sign", c - d), c, kind="gradient").ok
    assert certify(Total(Apply("relu", c - d)), Apply("step", c - d), c, kind="gradient").ok


def test_points_outside_the_domain_are_drawn_again():
    v = var("v", 2, 1)
    assert certify(Total(Apply("log", v)), 1 / v, v, kind="gradient").ok
    assert certify(LogDet(A), Inverse(A).T, A, kind="gradient").ok


def test_where_no_point_can_be_drawn_the_variable_is_named():
    with pytest.raises(DomainError, match=r"X needs a domain, e\.g\. domains={'X': 'positive'} or"):
        certify(Total(Apply("log", X)), 1 / X, X, kind="gradient")


def test_where_the_derivative_does_not_exist_the_variable_is_named():
    y = var("y", "n", 1, domain="onehot")
    with pytest.raises(DomainError, match=r"has no finite derivative .*: y needs a domain"):
        certify(Total(y**0.5), 0.5 * y**-0.5, y, kind="gradient")


def test_products_of_sizes_are_the_numbers_they_meet():
    C, E, M = var("C", "k", "k"), var("E", "p", "p"), var("M", 6, 6)
    certificate = certify(Trace(Kron(C, E) @ M), Kron(C, E).T, M, kind="gradient")
    assert certificate.sizes == {"k": 2, "p": 3}


def test_the_record():
    certificate = certify(QUADRATIC, A @ x + A.T @ x, x, kind="gradient", points=2, seed=4)
    assert (certificate.kind, certificate.wrt, certificate.points) == ("gradient", "x", 2)
    assert (certificate.seed, certificate.tolerance, certificate.directions) == (4, 1e-8, None)
    assert certificate == certify(QUADRATIC, A @ x + A.T @ x, x, kind="gradient", points=2, seed=4)
    assert json.loads(json.dumps(certificate.to_dict())) == {
        "kind": "gradient",
        "wrt": "x",
        "method": "complex step",
        "points": 2,
        "directions": None,
        "max_error": certificate.max_error,
        "tolerance": 1e-8,
        "sizes": {"q": 4},
        "seed": 4,
        "ok": True,
    }
    with pytest.raises(AttributeError):
        certificate.seed = 5
    with pytest.raises(TypeError):
        certificate.sizes["q"] = 5


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {},
            "checked at 3 random points (n=6, p=3) against a complex step: largest error 3e-15 "
            "(allowed 1e-8)",
        ),
        (
            {"points": 1, "sizes": {}, "directions": 8, "max_error": 0.0},
            "checked at 1 random point, along 8 random directions, against a complex step: "
            "largest error 0 (allowed 1e-8)",
        ),
        (
            {"method": "central differences", "tolerance": 2.4e-7},
            "checked at 3 random points (n=6, p=3) against central differences: largest error "
            "3e-15 (allowed 2e-7)",
        ),
    ],
)
def test_the_line(options, text):
    usual = {"kind": "gradient", "wrt": "X", "method": "complex step", "points": 3, "seed": 0}
    usual |= {"directions": None, "max_error": 3e-15, "tolerance": 1e-8}
    assert str(Certificate(**{**usual, "sizes": {"n": 6, "p": 3}, **options})) == text


def test_a_record_that_does_not_hold_says_so():
    usual = {"kind": "gradient", "wrt": "X", "method": "complex step", "points": 3, "seed": 0}
    usual |= {"directions": None, "tolerance": 1e-8, "sizes": {}}
    assert not Certificate(**usual, max_error=2e-8).ok
    assert not Certificate(**usual, max_error=float("nan")).ok


def test_the_tolerance_decides():
    nearly = Number(1.0001) * (A @ x + A.T @ x)
    assert certify(QUADRATIC, nearly, x, kind="gradient", tolerance=1e-3).max_error > 5e-5
    with pytest.raises(CertificateError, match="allowed 1e-5"):
        certify(QUADRATIC, nearly, x, kind="gradient", tolerance=1e-5)


def test_options_are_checked():
    with pytest.raises(OptionError, match=r'knows kind = "gradient", .*; got .grad.'):
        certify(QUADRATIC, A @ x, x, kind="grad")
    with pytest.raises(OptionError, match="needs an integer points >= 1; got 0"):
        certify(QUADRATIC, A @ x, x, kind="gradient", points=0)
    with pytest.raises(OptionError, match="needs an integer seed >= 0; got -1"):
        certify(QUADRATIC, A @ x, x, kind="gradient", seed=-1)


@pytest.mark.parametrize("tolerance", [float("nan"), float("inf"), 0, -1e-8, True, "1e-8", None])
def test_a_tolerance_is_a_positive_number(tolerance):
    with pytest.raises(OptionError, match=r"needs a finite tolerance > 0; got .*Leave it out"):
        certify(QUADRATIC, A @ x, x, kind="gradient", tolerance=tolerance)


dx, dA, dQ, dS = (Differential(v) for v in (x, A, Q, S))
U = A @ x
FORMS = {
    "scalar": (QUADRATIC, Item(dx.T @ A @ x) + Item(x.T @ A @ dx), Item(x.T @ A @ dx), x),
    "with du": (Item(U.T @ U), 2 * Item(U.T @ Differential(U)), Item(U.T @ Differential(U)), x),
    "du of what is constant": (
        QUADRATIC,
        Item(x.T @ (A + A.T) @ dx) + Item(x.T @ dA @ x),
        Item(dx.T @ dx),
        x,
    ),
    "matrix": (Inverse(A), -Inverse(A) @ dA @ Inverse(A), Inverse(A) @ dA @ Inverse(A), A),
    "orthogonal": (TRACE_Q, Trace(TANGENT_Q.T @ dQ), Trace(TANGENT_Q @ dQ), Q),
    "orthogonal, not tangent": (TRACE_Q, Trace(RAW_Q.T @ dQ), -Trace(RAW_Q.T @ dQ), Q),
    "orthogonal, dQ' = -Q'dQQ'": (Q.T @ A, -Q.T @ dQ @ Q.T @ A, Q.T @ dQ @ Q.T @ A, Q),
    "symmetric": (Trace(B @ S), Trace(B.T @ dS), Trace(B.T @ B @ dS), S),
    "homogeneous": (
        QUADRATIC / Item(x.T @ x),
        2 * Item(x.T @ (HALF * (A + A.T)) @ dx) / Item(x.T @ x)
        - 2 * QUADRATIC * Item(x.T @ dx) / Item(x.T @ x) ** 2,
        Number(0) * Item(x.T @ dx),
        x,
    ),
    "scalar variable": (s**2, 2 * s * Differential(s), 2 * s, s),
    "vanishing": (Total(Softmax(X)), 0 * Total(Differential(X)), Total(Differential(X)), X),
}


@pytest.mark.parametrize("name", FORMS)
def test_linear_forms(name):
    source, right, wrong, wrt = FORMS[name]
    for seed in range(3):
        assert linear_form_error(source, right, wrt, seed=seed) < 1e-10
        assert linear_form_error(source, wrong, wrt, seed=seed) > 1e-3


def test_a_form_of_another_shape_or_not_finite_is_infinitely_wrong():
    assert linear_form_error(QUADRATIC, dx, x) == np.inf
    assert linear_form_error(QUADRATIC, Item(dx.T @ dx) / 0, x) == np.inf
    assert linear_form_error(QUADRATIC, Total(Broadcast(s, "q", 1) * dx) / (s - s), x) == np.inf


def test_forms_outside_the_domain_raise():
    with pytest.raises(DomainError, match="X needs a domain"):
        linear_form_error(Total(Apply("log", X)), Total(Differential(X) / X), X)
