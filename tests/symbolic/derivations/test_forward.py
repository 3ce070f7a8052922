import numpy as np
import pytest

from matbackprop.symbolic import hessian, hvp, jacobian, parse
from matbackprop.symbolic.derivations.board import StepError
from matbackprop.symbolic.derivations.forward import hessian_steps, hvp_steps, jacobian_steps
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Hadamard, MatMul
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.sweeps import vec_jacobian
from matbackprop.symbolic.writing.definitions import by_name

SHAPES = {
    "A": ("m", "n"),
    "X": ("n", "p"),
    "B": ("p", "k"),
    "Q": ("n", "n"),
    "b": ("p", 1),
    "x": ("n", 1),
    "c": (),
}


def expression(text):
    return parse(text, shapes=SHAPES)


def lines(steps):
    return [(str(step), step.rule) for step in steps]


def test_the_jacobian_of_a_product():
    F = expression("A*X*B")
    assert lines(jacobian_steps(F, F.variables()["X"], jacobian(F, "X").result)) == [
        ("F = AXB", "what is given"),
        ("dF = A dX B", "the product rule"),
        ("vec(dF) = (Bᵀ ⊗ A) vec(dX)", "vec of both sides; vec(A dX B) = (Bᵀ ⊗ A) vec dX"),
        ("∂vec(F)/∂vec(X)ᵀ = Bᵀ ⊗ A", "hence J"),
    ]


def test_columns_need_no_vec():
    F = expression("tanh(X*b)")
    assert lines(jacobian_steps(F, F.variables()["b"], jacobian(F, "b").result)) == [
        ("F = tanh(Xb)", "what is given"),
        ("dF = (1 − tanh(Xb)^⊙2) ⊙ d(Xb)", "the derivative of tanh"),
        ("dF = (1 − tanh(Xb)^⊙2) ⊙ X db", "the product rule"),
        ("dF = diag(1 − tanh(Xb)^⊙2) X db", "db last"),
        ("∂F/∂bᵀ = diag(1 − tanh(Xb)^⊙2) X", "hence J"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("X'*Q*X", "X"),
        ("inv(Q)", "Q"),
        ("exp(Q*X) .* X", "X"),
        ("x*c^2", "c"),
        ("x*x'*c", "c"),
        ("H = tanh(Q*X); H'*H", "X"),
        ("norm2(Q*x)", "x"),
        ("tr(Q*X*X')", "X"),
        ("X*B", "Q"),
    ],
)
def test_steps_hold(text, name):
    F = expression(text)
    X = F.variables().get(name) or expression(name).variables()[name]
    result = simplify(vec_jacobian(F, X))
    steps = jacobian_steps(F, X, result)
    assert steps[-1].form is by_name(result, F)
    assert all(step.rule for step in steps)
    assert max(step.error for step in steps) < 1e-9


def test_hessian():
    L = expression("x'*Q*x")
    steps = hessian_steps(L, L.variables()["x"], hessian(L, "x").result)
    assert lines(steps)[-3:] == [
        ("G = (Q + Qᵀ)x", "the gradient, to be differentiated"),
        ("dG = (Q + Qᵀ) dx", "the product rule"),
        ("∂G/∂xᵀ = Q + Qᵀ", "hence H"),
    ]


def test_hessian_times_a_direction():
    L = expression("norm2(X*b)^4")
    derivation = hvp(L, "b", "v")
    *_, before, last = hvp_steps(L, L.variables()["b"], derivation.result)
    assert last.form is derivation.result
    assert last.rule.endswith("for db = v")
    assert "dG = " in str(before)
    with pytest.raises(StepError):
        hvp_steps(L, L.variables()["b"], 2 * derivation.result)


def test_a_direction_that_changes_nothing():
    L = expression("x'*x")
    assert str(hvp_steps(L, L.variables()["x"], hvp(L, "x", "v").result)[-1]) == "dG = 2v"
    linear = expression("c*3")
    c = linear.variables()["c"]
    steps = hvp_steps(linear, c, hvp(linear, "c", "v").result)
    assert str(steps[-1]) == "dG = 0"


@pytest.mark.parametrize(
    ("table", "kind"), [(DIFFERENTIAL, MatMul), (DIFFERENTIAL, Hadamard), (JACOBIAN, MatMul)]
)
def test_a_damaged_rule_is_found(table, kind, monkeypatch):
    F = expression("(Q*X) .* X")
    X = F.variables()["X"]
    result = jacobian(F, "X").result
    jacobian_steps(F, X, result)
    whole = table[kind]
    monkeypatch.setitem(table._rules, kind, lambda *args: 2 * whole(*args))
    with pytest.raises(StepError, match="is wrong: as a linear form"):
        jacobian_steps(F, X, result)


def test_a_wrong_result_is_found():
    F = expression("A*X*B")
    X = F.variables()["X"]
    with pytest.raises(StepError, match=r"The step `∂vec\(F\)/∂vec\(X\)ᵀ = 2\(Bᵀ ⊗ A\)`"):
        jacobian_steps(F, X, 2 * jacobian(F, "X").result)


@pytest.mark.parametrize("seed", range(8))
def test_random_expressions(builder, seed):
    rng = np.random.default_rng(seed)
    shape = tuple(Dim.of(name) for name in rng.choice(["n", "p"], 2))
    F = builder(lambda k: int(rng.integers(k))).build(shape, 2)
    for X in list(F.variables().values())[:1]:
        steps = jacobian_steps(F, X, simplify(vec_jacobian(F, X)))
        assert max(step.error for step in steps) < 1e-9
