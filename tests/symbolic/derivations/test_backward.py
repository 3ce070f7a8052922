import numpy as np
import pytest

from matbackprop.symbolic import derive, parse
from matbackprop.symbolic.certification.certificate import DomainError, linear_form_error
from matbackprop.symbolic.derivations.backward import gradient, gradient_steps, vech_gradient_steps
from matbackprop.symbolic.derivations.board import StepError
from matbackprop.symbolic.derivations.pairing import paired
from matbackprop.symbolic.expressions.expression import Hadamard, MatMul, Variable
from matbackprop.symbolic.expressions.nodes import Apply, Differential, Inverse, Named, Norm2
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, PULLBACK
from matbackprop.symbolic.writing import to_unicode
from matbackprop.symbolic.writing.definitions import by_name

SHAPES = {
    "A": ("n", "n"),
    "C": ("n", "n"),
    "S": ("n", "n"),
    "X": ("n", "p"),
    "Gamma1": ("p", "k"),
    "Gamma2": ("k", 1),
    "b": ("p", 1),
    "x": ("n", 1),
    "y": ("n", 1),
    "c": (),
}


def expression(text, **options):
    return parse(text, shapes=SHAPES, **options)


def steps_of(text, name, **options):
    L = expression(text, **options)
    X = L.variables()[name]
    return gradient_steps(L, X, gradient(L, X))


def lines(steps):
    return [(str(step), step.rule) for step in steps]


def test_a_trace():
    assert lines(steps_of("tr(X'*A*X)", "X")) == [
        ("L = tr(XᵀAX)", "what is given"),
        ("dL = tr(d(XᵀAX))", "the trace is linear"),
        ("dL = tr((dX)ᵀAX + XᵀA dX)", "the product rule"),
        (
            "dL = tr((AX + AᵀX)ᵀ dX)",
            "cyclic property of the trace; transposing under the trace",
        ),
        ("∂L/∂X = AX + AᵀX", "dL = tr(Gᵀ dX), hence G"),
        ("∂L/∂X = (A + Aᵀ)X", "simplified"),
    ]


def test_least_squares():
    assert lines(steps_of("norm2(X*b-y)^2", "b")) == [
        ("L = ‖Xb − y‖₂²", "what is given"),
        ("dL = 2(Xb − y)ᵀ d(Xb − y)", "the square of a norm, d‖E‖² = 2 tr(Eᵀ dE)"),
        ("dL = 2(Xb − y)ᵀX db", "the sum rule; the product rule"),
        ("∂L/∂b = 2Xᵀ(Xb − y)", "dL = gᵀ db, hence g"),
    ]


def test_logistic_regression():
    assert lines(steps_of("sum(log(1 + exp(X*b)))", "b")) == [
        ("L = 1ₙᵀ log(1 + exp(Xb))", "what is given"),
        ("dL = 1ₙᵀ d log(1 + exp(Xb))", "the sum of entries is linear"),
        ("dL = 1ₙᵀ(σ(Xb) ⊙ d(Xb))", "softplus, d log(1 + eᶻ) = σ(z) ⊙ dz"),
        ("dL = σ(Xb)ᵀ d(Xb)", "moving a Hadamard factor"),
        ("dL = σ(Xb)ᵀ X db", "the product rule"),
        ("∂L/∂b = Xᵀ σ(Xb)", "dL = gᵀ db, hence g"),
    ]


def test_a_sum_of_two_has_a_line():
    steps = steps_of("logdet(A) + tr(A*C)", "A")
    assert lines(steps)[1] == ("dL = d log |A| + d tr(AC)", "the sum rule")


def test_named_parts_are_stages():
    steps = steps_of("H = sigmoid(X*Gamma1); norm2(H*Gamma2-y)^2/n", "Gamma1")
    (stage,) = [step for step in steps if step.stage is not None]
    assert to_unicode(stage.stage) == "H"
    assert lines([stage]) == [("∂L/∂H = 2(HΓ₂ − y)Γ₂ᵀ/n", "what stands before dH")]
    assert lines(steps)[-2:] == [
        ("∂L/∂Γ₁ = Xᵀ(H ⊙ (1 − H) ⊙ G_H)", "dL = tr(Gᵀ dΓ₁), hence G"),
        (
            "∂L/∂Γ₁ = 2Xᵀ(H ⊙ (1 − H) ⊙ (HΓ₂ − y)Γ₂ᵀ)/n",
            "what the names stand for put in",
        ),
    ]


def test_long_factors_get_a_name():
    steps = steps_of("norm2(tanh(A*tanh(A*tanh(A*tanh(A*x)))) - y)^2", "x")
    named = [str(step)[:2] for step in steps if step.rule == "a name for what is long"]
    assert named == ["S₁", "S₂"]
    assert max(len(str(step)) for step in steps) < 200


CASES = {
    "trace": ("tr(X'*A*X)", "X", {}),
    "least squares": ("norm2(X*b-y)^2", "b", {}),
    "Rayleigh": ("(x'*A*x)/(x'*x)", "x", {}),
    "Gaussian": ("logdet(S) + tr(inv(S)*C)", "S", {"assume": {"S": "spd"}}),
    "network": ("norm2(sigmoid(X*Gamma1)*Gamma2-y)^2/n", "Gamma1", {}),
    "named network": ("H = sigmoid(X*Gamma1); norm2(H*Gamma2-y)^2/n", "Gamma1", {}),
    "scalar": ("exp(c)*norm2(c*x)/(1+c^2)", "c", {}),
    "orthogonal": ("tr(A*S)", "S", {"assume": {"S": "orthogonal"}}),
    "diagonal": ("tr(A*S*A*S)", "S", {"assume": {"S": "diagonal"}}),
}


@pytest.fixture(params=CASES, ids=list(CASES))
def case(request):
    text, name, options = CASES[request.param]
    L = expression(text, **options)
    return L, L.variables()[name]


def test_each_step_is_the_differential(case):
    L, X = case
    result = gradient(L, X)
    steps = gradient_steps(L, X, result)
    assert str(steps[0]).endswith(f"= {to_unicode(L)}")
    assert steps[-1].form is by_name(result, L)
    assert max(step.error for step in steps) < 1e-9
    for step in steps[1:]:
        if any(isinstance(node, Differential) for node in step.form.nodes()):
            assert linear_form_error(L, step.form, X, seed=5) < 1e-9, str(step)
    assert linear_form_error(L, paired(steps[-1].form, Differential(X)), X, seed=5) < 1e-9


def test_each_step_names_its_rule(case):
    L, X = case
    assert all(step.rule for step in gradient_steps(L, X, gradient(L, X)))


def test_as_many_steps_as_nodes(case):
    L, X = case
    assert len(gradient_steps(L, X, gradient(L, X))) <= 3 + 2 * len(list(L.nodes()))


# Scalars are moved at once: of these the pullback alone is used.
DAMAGED = [(DIFFERENTIAL, kind) for kind in (MatMul, Hadamard, Apply, Inverse)]
DAMAGED += [(PULLBACK, kind) for kind in (MatMul, Hadamard, Apply, Inverse, Norm2)]


@pytest.mark.parametrize(("table", "kind"), DAMAGED)
def test_a_damaged_rule_is_found(table, kind, monkeypatch):
    text = "norm2(inv(A)*tanh(A*X))^3 + tr(X'*(X.*X))"
    L = expression(text)
    X = L.variables()["A" if kind is Inverse else "X"]
    result = gradient(L, X)
    gradient_steps(L, X, result)
    whole = table[kind]
    monkeypatch.setitem(table._rules, kind, lambda *args: 2 * whole(*args))
    with pytest.raises(StepError, match="is wrong: as a linear form"):
        gradient_steps(L, X, result)


def test_a_wrong_result_is_found():
    L = expression("tr(X'*A*X)")
    X = L.variables()["X"]
    with pytest.raises(StepError, match=r"The step `∂L/∂X = AX`"):
        gradient_steps(L, X, L.variables()["A"] @ X)


def test_a_stage_with_a_wrong_gradient_is_found(monkeypatch):
    L = expression("H = X*b; norm2(H-y)^2")
    b = L.variables()["b"]
    result = gradient(L, b)
    monkeypatch.setitem(PULLBACK._rules, Named, lambda node, G, i: -G)
    with pytest.raises(StepError):
        gradient_steps(L, b, result)


def test_independent_of_the_variable():
    x, y = (Variable(name, ()) for name in "xy")
    steps = gradient_steps(x * x, y, gradient(x * x, y))
    assert [str(step) for step in steps] == ["L = xx", "dL = 0", "∂L/∂y = 0"]


def test_a_one_by_one_matrix_is_its_entry():
    x = expression("x'*x").variables()["x"]
    L = x.T @ x
    assert str(gradient_steps(L, x, gradient(L, x))[-1]) == "∂L/∂x = 2x"


def test_vech():
    L = expression("logdet(S)", assume={"S": "spd"})
    S = L.variables()["S"]
    result = derive(L, "S", vech=True).result
    steps = vech_gradient_steps(L, S, result)
    assert str(steps[-1]) == "∂L/∂vech(S) = Dₙᵀ vec(S⁻¹)"
    with pytest.raises(StepError):
        vech_gradient_steps(L, S, 2 * result)


def test_no_domain_is_said():
    L = expression("log(c) - log(-1-c^2)")
    c = L.variables()["c"]
    with pytest.raises(DomainError, match="c"):
        gradient_steps(L, c, gradient(L, c))


@pytest.mark.parametrize("seed", range(12))
def test_random_expressions(builder, seed):
    rng = np.random.default_rng(seed)
    L = builder(lambda k: int(rng.integers(k))).build((), 3)
    for X in list(L.variables().values())[:2]:
        steps = gradient_steps(L, X, gradient(L, X))
        assert max(step.error for step in steps) < 1e-9
