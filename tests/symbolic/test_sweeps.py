"""Sweeps over whole expressions agree with differences, and touch each node once."""

import numpy as np
import pytest

import matbackprop as mb
import matbackprop.symbolic.expressions.values
import matbackprop.symbolic.simplification
from matbackprop.differences import complex_step
from matbackprop.errors import ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Number, Size, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    ColSum,
    DiagVec,
    Differential,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    Named,
    Norm2,
    Softmax,
    Total,
    Trace,
    Zeros,
)
from matbackprop.symbolic.expressions.tables import NORMAL_FORM, PULLBACK, MissingRuleError
from matbackprop.symbolic.sweeps import dependents, gradients, push_forward, vec_jacobian

SIZES = {"n": 4, "p": 2, "q": 3}


def matrix(name, rows, columns):
    return Variable(name, (Dim.of(rows), Dim.of(columns)))


A, B, W = matrix("A", "n", "n"), matrix("B", "p", "q"), matrix("W", "q", "q")
X, Y, u = matrix("X", "n", "q"), matrix("Y", "n", "q"), matrix("u", "q", 1)
s = Variable("s", ())
H = Named("H", Apply("tanh", X @ W))
LOSSES = {
    "shared": Total(H * H) + Norm2(H * X),
    "quadratic form": Item(u.T @ W @ u) ** 3 / (1 + Item(u.T @ u)),
    "Gaussian likelihood": LogDet(W) + Trace(Inverse(W) @ X.T @ X) / Size("n"),
    "Mahalanobis": Total(DiagVec(X @ Inverse(W) @ X.T) ** 0.5),
    "cross entropy": Total(LogSumExp(X @ W)) - Trace(Y.T @ X @ W),
    "attention": Total((Softmax(X @ W @ X.T) @ X) * Y),
    "Kronecker": Total(Apply("sin", Kron(X, B) @ Kron(u, Inverse(W) @ u))),
    "a repeated factor of ⊗": Norm2(Kron(X, X)) ** 2,
    "exponent": Total((X * X + 1) ** s) * s,
    "inverse of a sum": Trace(Inverse(A + X @ X.T) @ A),
}
PAIRS = [
    pytest.param(L, variable, id=f"{name}-{variable.name}")
    for name, L in LOSSES.items()
    for variable in L.variables().values()
]


@pytest.fixture(autouse=True, params=["as written", "in normal form"])
def forms(request, monkeypatch):
    """Build with the constructors that simplify, and without: the sweeps are right either way."""
    if request.param == "as written":
        monkeypatch.setattr(NORMAL_FORM, "_rules", {})


@pytest.fixture
def values(rng):
    drawn = {v.name: draw(v, rng) for v in (A, B, W, X, Y, u, s)}
    drawn["A"] = 2 * np.eye(4) + 0.3 * drawn["A"]
    drawn["W"] = drawn["W"] @ drawn["W"].T + np.eye(3)
    return SIZES | drawn


def draw(variable, rng):
    return rng.standard_normal([dim.evaluate(SIZES) for dim in variable.shape])


def numerical(F, variable, values):
    """Return the Jacobian of F; of a scalar, its gradient."""
    return complex_step(lambda at: F.evaluate({**values, variable.name: at}), values[variable.name])


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * np.max(np.abs(wanted)))


@pytest.mark.parametrize(("L", "variable"), PAIRS)
def test_first_derivatives(L, variable, values, rng):
    wanted = numerical(L, variable, values)
    gradient = gradients(L, [variable])[variable]
    assert gradient.shape == variable.shape
    close(gradient.evaluate(values), wanted)

    J = vec_jacobian(L, variable)
    close(J.evaluate(values), np.reshape(wanted, (1, -1), order="F"))

    direction = Variable("direction", variable.shape)
    values["direction"] = draw(direction, rng)
    slope = push_forward(L, {variable: direction})
    assert slope.is_scalar
    close(slope.evaluate(values), np.sum(wanted * values["direction"]))


@pytest.mark.parametrize(("L", "variable"), PAIRS)
def test_second_derivatives(L, variable, values, rng):
    gradient = gradients(L, [variable])[variable]
    # A gradient that no longer holds the variable is real for a complex one: its slope is 0.
    constant = variable not in gradient.variables().values()
    size = variable.rows.evaluate(SIZES) * variable.columns.evaluate(SIZES)
    wanted = 0.0 if constant else numerical(gradient, variable, values).reshape(size, size)
    hessian = vec_jacobian(gradient, variable).evaluate(values)
    assert hessian.shape == (size, size)
    close(hessian, wanted)

    direction = Variable("direction", variable.shape)
    values["direction"] = draw(direction, rng)
    product = push_forward(gradient, {variable: direction})
    assert product.shape == variable.shape
    found = np.reshape(product.evaluate(values), -1, order="F")
    close(found, hessian @ values["direction"].reshape(-1, order="F"))


@pytest.mark.parametrize("L", LOSSES.values(), ids=LOSSES)
def test_one_sweep_serves_all_variables(L, values):
    variables = list(L.variables().values())
    together = gradients(L, variables)
    assert list(together) == variables
    for variable in variables:
        assert together[variable] is gradients(L, [variable])[variable]


@pytest.mark.parametrize(
    "F",
    [X @ W, X.T @ X, Inverse(X.T @ X), H * X, Kron(X.T, H), Softmax(X @ W) - X, Norm2(X) * X],
    ids=lambda F: type(F).__name__,
)
def test_jacobian_of_a_matrix(F, values, rng):
    J = vec_jacobian(F, X)
    assert (J.rows, J.columns) == (F.rows * F.columns, X.rows * X.columns)
    wanted = numerical(F, X, values)
    close(J.evaluate(values), wanted)

    values["dX"] = draw(X, rng)
    slope = push_forward(F, {X: Variable("dX", X.shape)})
    assert slope.shape == F.shape
    close(
        slope.evaluate(values).reshape(-1, order="F"), wanted @ values["dX"].reshape(-1, order="F")
    )


def test_directions_for_several_variables_add_up(values, rng):
    values |= {"dX": draw(X, rng), "dW": draw(W, rng)}
    dX, dW = Variable("dX", X.shape), Variable("dW", W.shape)
    both = push_forward(H, {X: dX, W: dW}).evaluate(values)
    close(both, sum(push_forward(H, {v: d}).evaluate(values) for v, d in ((X, dX), (W, dW))))


def test_a_named_intermediate_has_a_gradient_too(values):
    found = gradients(LOSSES["shared"], [H, X])
    h, x, w = H.evaluate(values), values["X"], values["W"]
    norm = np.linalg.norm(h * x)
    at_H = 2 * h + h * x * x / norm
    close(found[H].evaluate(values), at_H)
    close(found[X].evaluate(values), ((1 - h**2) * at_H) @ w.T + h * h * x / norm)


def test_batch_norm_network_equals_the_closed_form(rng):
    """The plain definition of the network, and the hand-derived gradients."""
    n, k = "n", "k"
    X, y = matrix("X", n, "p"), matrix("y", n, 1)
    G1, G2 = matrix("Gamma1", "p", k), matrix("Gamma2", k, 1)
    gamma, beta = matrix("gamma", 1, k), matrix("beta", 1, k)
    Z = Named("Z", Centering(n) @ X @ G1)
    variance = ColSum(Z * Z) / Size(n) + 0.001
    Xhat = Named("Xhat", Z * Broadcast(variance**-0.5, n, k))
    hidden = Xhat * Broadcast(gamma, n, k) + Broadcast(beta, n, k)
    R = Total((Apply("sigmoid", hidden) @ G2 - y) ** 2) / Size(n)

    net = mb.Network(activation="sigmoid", batch_norm=mb.BatchNorm(ddof=0, eps=0.001), loss="mse")
    at = {"X": rng.standard_normal((7, 3)), "y": rng.standard_normal(7)}
    par = mb.Parameters.random(3, 2, rng=rng)
    wanted = mb.gradient(net, par, at["X"], at["y"], formulation="compact", inputs=True)
    values = {
        **{"X": at["X"], "y": at["y"][:, None]},
        **{"Gamma1": par.Gamma1, "Gamma2": par.Gamma2[:, None]},
        **{"gamma": par.gamma[None], "beta": par.beta[None]},
    }
    close(R.evaluate(values), wanted.loss)
    for variable, gradient in gradients(R, [X, G1, G2, gamma, beta]).items():
        found = gradient.evaluate(values)
        close(found, np.reshape(getattr(wanted, variable.name), found.shape))


@pytest.fixture
def pulled(monkeypatch):
    """Collect the pullbacks that are asked for: which node, which operand."""
    calls = []
    for kind in PULLBACK:
        rule = PULLBACK[kind]

        def counted(node, G, i, rule=rule):
            calls.append((node, i))
            return rule(node, G, i)

        monkeypatch.setitem(PULLBACK._rules, kind, counted)
    return calls


def test_each_node_is_pulled_back_once(pulled):
    """Forty doublings make 2⁴⁰ paths from the loss to x; the sweep walks none of them twice."""
    F = s
    for _ in range(40):
        F = Apply("sin", F) * F
    gradients(F, [s])
    assert len(pulled) == len(set(pulled)) == 3 * 40


def test_nothing_is_pulled_back_to_a_constant(pulled):
    L = Total((X @ W) * Y)
    gradients(L, [X])
    assert pulled == [(L, 0), ((X @ W) * Y, 0), (X @ W, 0)]


def test_what_does_not_change_is_left_alone(monkeypatch):
    monkeypatch.delitem(PULLBACK._rules, Inverse)
    L = Trace(Inverse(A) @ X @ X.T)
    assert gradients(L, [X])[X].shape == X.shape
    with pytest.raises(MissingRuleError, match="no pullback of a `Inverse` node"):
        gradients(L, [A])


def test_what_does_not_occur_has_the_derivative_zero():
    L = Total(X * X)
    assert gradients(L, [u, s]) == {u: Zeros("q", 1), s: Number(0)}
    assert push_forward(X, {u: u}) is Zeros("n", "q")
    assert push_forward(L, {u: u}) is Number(0)
    assert vec_jacobian(X, u) is Zeros("n*q", "q")
    assert vec_jacobian(L, s) is Zeros(1, 1)


def test_a_variable_itself(values):
    assert gradients(s, [s]) == {s: Number(1)}
    assert push_forward(X, {X: Y}) is Y
    close(vec_jacobian(X, X).evaluate(values), np.eye(12))


def test_dependents():
    wanted = {X, W, X @ W, Apply("tanh", X @ W), H, H * Y}
    assert dependents(H * Y, [X, W]) == wanted
    assert dependents(H * Y, [u]) == set()


def test_a_matrix_of_one_entry_is_a_scalar(values):
    form = u.T @ W @ u
    found, wanted = gradients(form, [u, W]), gradients(Item(form), [u, W])
    for variable in (u, W):
        close(found[variable].evaluate(values), wanted[variable].evaluate(values))


def test_a_gradient_of_a_matrix_is_refused():
    message = (
        r"`gradients\(L, variables\)` needs a scalar L; got n×q\. Take `total\(L\)`.*vec_jacobi"
    )
    with pytest.raises(ShapeError, match=message):
        gradients(X, [X])


@pytest.mark.parametrize("direction", [X.T, s, u])
def test_a_direction_of_another_shape_is_refused(direction):
    with pytest.raises(
        ShapeError, match=r"`push_forward\(F, directions\)` needs a direction for X .* n×q; got "
    ):
        push_forward(X @ u, {X: direction})


@pytest.mark.parametrize(
    ("derivative", "operation"),
    [
        (lambda F: gradients(Total(F), [X]), "pullback"),
        (lambda F: push_forward(F, {X: Y}), "differential"),
        (lambda F: vec_jacobian(F, X), "Jacobian"),
    ],
    ids=["gradients", "push_forward", "vec_jacobian"],
)
def test_a_node_without_a_rule_raises(derivative, operation):
    """A differential is there to be read: nothing takes it for a constant."""
    with pytest.raises(MissingRuleError, match=f"no {operation} of a `Differential` node"):
        derivative(X * Differential(X))
