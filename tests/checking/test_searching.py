"""What the search must not say, and what it must: cases that once misled it."""

from math import erf

import numpy as np
import pytest

from matbackprop.checking import check_gradient, check_hessian, check_jacobian

rng = np.random.default_rng(7)
X, y = rng.normal(size=(30, 5)), rng.normal(size=30)
A = rng.normal(size=(4, 3))


def kinds(diagnosis):
    assert not diagnosis.ok
    return [finding.kind for finding in diagnosis.findings]


def test_zeros_that_agree_do_not_make_the_rest_a_place():
    """Every entry that is not zero is wrong: to say where would say nothing."""
    at = rng.normal(size=(3, 3)) + 3 * np.eye(3)
    found = check_gradient(
        lambda a: (np.diag(a) ** 4).sum(), lambda a: np.diag(np.diag(a) ** 2 + 1), at
    )
    assert kinds(found) == ["unexplained"]


def test_a_factor_of_a_single_entry_must_hold_elsewhere():
    def loss(p):
        return np.exp(p["a"] * 2) + p["b"] ** 2

    def gradient(p):
        return {"a": 2 * np.exp(p["a"]), "b": 2 * p["b"]}

    assert kinds(check_gradient(loss, gradient, {"a": 1.3, "b": 0.7})) == ["unexplained"]


def test_two_single_entries_that_are_exchanged():
    def loss(p):
        return np.exp(p["a"]) + p["b"] ** 3

    def gradient(p):
        return {"a": 3 * p["b"] ** 2, "b": np.exp(p["a"])}

    assert kinds(check_gradient(loss, gradient, {"a": 1.3, "b": 0.7}))[0] == "exchanged"


def test_a_known_number_may_be_the_missing_term_of_a_single_entry():
    data = rng.normal(size=12)

    def loss(s):
        return (data**2).sum() * np.exp(-2 * s) / 2 + data.size * s

    found = check_gradient(
        loss, lambda s: -(data**2).sum() * np.exp(-2 * s), np.array(0.3), {"N": data.size}
    )
    assert kinds(found) == ["missing term"]
    assert found.findings[0].sentence == "A term is missing: N."


def test_a_gradient_of_length_one_has_the_right_direction():
    def loss(b):
        return ((y - X @ b) ** 2).sum()

    def gradient(b):
        g = -2 * X.T @ (y - X @ b)
        return g / np.linalg.norm(g)

    found = check_gradient(loss, gradient, np.ones(5))
    assert kinds(found) == ["constant factor"]
    assert "depends on the point" in found.findings[0].sentence


@pytest.mark.parametrize(
    ("loss", "slope"),
    [
        pytest.param(lambda x: np.log2(x).sum(), lambda x: 1 / x, id="log2"),
        pytest.param(lambda x: 0.35 * x @ x, lambda x: 0.9 * x, id="squares"),
        pytest.param(lambda x: (x**3).sum(), lambda x: 1.9 * x**2, id="cubes"),
    ],
)
def test_a_factor_is_no_term_where_the_truth_is_one(loss, slope):
    found = check_gradient(loss, slope, np.array([0.7, 1.9, 3.1]))
    assert kinds(found) == ["constant factor"]


def test_a_factor_on_everything_but_the_penalty():
    lam = 0.37

    def loss(b):
        return ((y - X @ b) ** 2).mean() + lam * b @ b

    def gradient(b):
        return -2 * X.T @ (y - X @ b) + 2 * lam * b

    found = check_gradient(loss, gradient, np.ones(5), {"N": 30, "lam": lam})
    assert kinds(found) == ["constant factor"]
    assert found.findings[0].sentence == (
        "All but the term 2lam · θ itself (as of a ridge penalty) is N times what it should be."
    )


def test_transposed_along_directions():
    found = check_gradient(
        lambda x: (x**3).sum(), lambda x: (3 * x**2).T, rng.normal(size=(50, 30))
    )
    assert kinds(found) == ["transposed"]


@pytest.mark.parametrize("check", [check_jacobian, check_hessian])
def test_a_stale_matrix(check):
    at = np.ones(3)
    function, matrix = {
        check_jacobian: (lambda x: np.sin(A @ x), np.cos(A @ at)[:, None] * A),
        check_hessian: (lambda x: (x**4).sum(), np.diag(12 * at**2)),
    }[check]
    assert kinds(check(function, lambda x: matrix, at)) == ["stale gradient"]
    assert check(function, matrix, at).ok


def test_a_saturated_loss_hides_its_slope():
    """tanh(30) and tanh(40) are 1 to the last bit, and their difference is 0 everywhere."""
    found = check_gradient(
        lambda x: float(np.tanh(20 * x).sum()),
        lambda x: 20 / np.cosh(20 * x) ** 2,
        np.array([1.5, -2.0]),
    )
    assert found.ok


@pytest.mark.parametrize("keep", [True, False], ids=["float32", "python float"])
def test_single_precision_within_is_no_mistake(keep):
    """Least squares and a ReLU network whose losses compute in float32."""
    for seed in range(20):
        draw = np.random.default_rng(seed)
        Xs = draw.normal(size=(50, 5)).astype(np.float32)
        ys = draw.normal(size=50).astype(np.float32)
        W, v = draw.normal(size=(5, 4)), draw.normal(size=4)

        def loss(p, Xs=Xs, ys=ys):
            H = np.maximum(Xs @ p["W"].astype(np.float32), 0)
            R = ((ys - H @ p["v"].astype(np.float32)) ** 2).mean()
            return R if keep else float(R)

        def gradient(p, Xs=Xs, ys=ys):
            Z = Xs @ p["W"]
            e = -2 / 50 * (ys - np.maximum(Z, 0) @ p["v"])
            return {"W": Xs.T @ ((Z > 0) * np.outer(e, p["v"])), "v": np.maximum(Z, 0).T @ e}

        assert check_gradient(loss, gradient, {"W": W, "v": v}).ok, seed
        wrong = check_gradient(
            loss, lambda p, right=gradient: {k: 2 * g for k, g in right(p).items()},
            {"W": W, "v": v},
        )  # fmt: skip
        assert not wrong.ok, seed


def test_a_weight_is_missing_in_an_intercept_too():
    """∂/∂b of Σ(Y − σ(XW + b))² is 1ᵀ(E ⊙ σ′): a slope of 1 is named there as in W."""
    Y = rng.uniform(size=(30, 3))
    at = {"W": rng.normal(size=(5, 3)), "b": rng.normal(size=3)}

    def sigmoid(p):
        return 1 / (1 + np.exp(-(X @ p["W"] + p["b"])))

    def loss(p):
        return ((Y - sigmoid(p)) ** 2).sum()

    def gradient(p):
        E = -2 * (Y - sigmoid(p))
        return {"W": X.T @ E, "b": E.sum(axis=0)}

    def slope(p):
        return sigmoid(p) * (1 - sigmoid(p))

    known = {"X": X, "error": lambda p: Y - sigmoid(p), "slope": slope}
    found = check_gradient(loss, gradient, at, known)
    assert kinds(found) == ["missing weight"]
    assert found.findings[0].block == "W, b"
    assert "slope" in found.findings[0].sentence


def test_a_weight_may_be_a_quotient():
    """Probit regression, y = ±1: ∂L/∂β = −Xᵀ(y φ/Φ), with φ forgotten."""
    sign = np.where(rng.uniform(size=30) < 0.5, -1.0, 1.0)

    def phi(b):
        return np.exp(-((X @ b) ** 2) / 2) / np.sqrt(2 * np.pi)

    def Phi(b):
        return np.array([(1 + erf(h / np.sqrt(2))) / 2 for h in sign * (X @ b)])

    found = check_gradient(
        lambda b: -np.log(Phi(b)).sum(),
        lambda b: -X.T @ (sign / Phi(b)),
        rng.normal(size=5) / 2,
        {"X": X, "sign": sign, "phi": phi, "Phi": Phi},
    )
    assert kinds(found) == ["missing weight"]
    assert found.findings[0].sentence.endswith("rows of X: phi.")
