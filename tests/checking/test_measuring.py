"""The numerical derivative: by the road that fits the function, at the cost that is promised."""

import numpy as np
import pytest

from matbackprop.checking import check_gradient, check_hessian, check_jacobian
from matbackprop.checking.functions import Outputs, Watched
from matbackprop.checking.measuring import measure_directions, measure_entries, random_directions
from matbackprop.checking.packing import Packing
from matbackprop.errors import DataError, ShapeError

AT = np.array([1.0, 2.0, -3.0])
MANY = 100_000
MOST = 60


def outputs(function, at, *, scalar=True):
    packing = Packing(at, call="check")
    f = Outputs(Watched(function, packing, name="loss"), scalar=scalar)
    f.at_the_point(packing.theta)
    return f, packing


def measured(function, at, *, scalar=True, step=1e-2):
    f, packing = outputs(function, at, scalar=scalar)
    return measure_entries(f, packing.theta, step=step, rng=np.random.default_rng(1))


@pytest.mark.parametrize(
    ("loss", "gradient", "method"),
    [
        pytest.param(lambda x: (x**3).sum(), lambda x: 3 * x**2, "complex step", id="polynomial"),
        pytest.param(lambda x: (np.exp(x) * x).sum(), lambda x: np.exp(x) * (1 + x),
                     "complex step", id="exp"),
        pytest.param(lambda x: np.log(np.cosh(x)).sum(), np.tanh, "complex step", id="log cosh"),
        pytest.param(lambda x: (x * (x.real > 0)).sum(), lambda x: (x > 0) * 1.0, "complex step",
                     id="relu by the real part"),
        pytest.param(lambda x: (x.real * x).sum(), lambda x: 2 * x, "central differences",
                     id=".real in one factor"),
        pytest.param(lambda x: (x[1:] ** 2).sum() + x[0].real * x[0], lambda x: 2 * x,
                     "central differences", id=".real in one entry"),
        pytest.param(lambda x: (np.conj(x) * x * x).sum(), lambda x: 3 * x**2,
                     "central differences", id="conj in one factor"),
        pytest.param(lambda x: (np.conj(x) ** 2).sum(), lambda x: 2 * x, "central differences",
                     id="conj throughout"),
        pytest.param(lambda x: np.vdot(x, x), lambda x: 2 * x, "central differences", id="vdot"),
        pytest.param(lambda x: (np.abs(x) ** 2).sum(), lambda x: 2 * x, "central differences",
                     id="abs"),
        pytest.param(lambda x: np.linalg.norm(x) ** 2, lambda x: 2 * x, "central differences",
                     id="norm"),
        pytest.param(lambda x: float((x**2).sum()), lambda x: 2 * x, "central differences",
                     id="float()"),
        pytest.param(lambda x: (x.real**2).sum(), lambda x: 2 * x, "central differences",
                     id="real result"),
        pytest.param(lambda x: sum(float(v) ** 2 for v in x), lambda x: 2 * x,
                     "central differences", id="raises for complex"),
    ],
)  # fmt: skip
def test_the_complex_step_is_taken_where_the_function_is_analytic(loss, gradient, method):
    found = measured(loss, AT)
    assert found.method == method
    rtol = 1e-14 if method == "complex step" else 1e-9
    np.testing.assert_allclose(found.value, gradient(AT), rtol=rtol, atol=rtol)
    assert check_gradient(loss, gradient, AT).method == method
    assert not check_gradient(loss, lambda x: 1.0001 * gradient(x), AT).ok


def test_a_function_marked_as_real_is_never_given_complex_numbers():
    kinds = set()

    def loss(x):
        kinds.add(x.dtype.kind)
        return (x**2).sum()

    loss.real_only = True
    assert check_gradient(loss, lambda x: 2 * x, AT).method == "central differences"
    assert kinds == {"f"}


@pytest.mark.parametrize("real", [False, True], ids=["complex step", "differences"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6], ids=str)
def test_the_error_covers_what_is_wrong(real, scale):
    at = scale * AT

    def loss(x):
        value = (np.sin(x / scale) * np.exp(x / scale / 3)).sum()
        return float(value) if real else value

    u = at / scale
    truth = np.exp(u / 3) * (np.cos(u) + np.sin(u) / 3) / scale
    found = measured(loss, at)
    assert (np.abs(found.value - truth) <= 10 * found.error + 1e-12 * np.abs(truth).max()).all()
    assert (found.error <= 1e-4 * np.abs(truth).max()).all()


class Together:
    """A function that answers many points by one call, as a process of R does."""

    real_only = True

    def __init__(self, f):
        self.f, self.calls, self.points = f, 0, []

    def __call__(self, x):
        self.calls += 1
        self.points.append(x.copy())
        return self.f(x)

    def many(self, points):
        self.calls += 1
        self.points += [x.copy() for x in points]
        return [self.f(x) for x in points]


@pytest.mark.parametrize("factor", [1.0, 2.0], ids=["right", "wrong"])
def test_many_at_once_give_the_same_numbers_in_few_calls(factor):
    def loss(x):
        return float((x**3).sum())

    def gradient(x):
        return 3 * factor * x**2

    one_by_one = Together(loss)
    one_by_one.many = None
    single = check_gradient(one_by_one, gradient, AT)
    f, g = Together(loss), Together(gradient)
    many = check_gradient(f, g, AT)
    assert many.method == single.method == "central differences"
    np.testing.assert_array_equal(many.blocks[0].numeric, single.blocks[0].numeric)
    np.testing.assert_array_equal(many.blocks[0].error, single.blocks[0].error)
    assert [finding.sentence for finding in many.findings] == [
        finding.sentence for finding in single.findings
    ]
    assert many.evaluations == len(f.points)
    assert f.calls <= 8
    assert g.calls <= 4
    assert one_by_one.calls > 60


def test_many_at_once_for_directions():
    at = np.random.default_rng(1).standard_normal(2000)
    f = Together(lambda x: float((x**3).sum()))
    check = check_gradient(f, lambda x: 3 * x**2, at)
    assert check.ok
    assert f.calls <= 8
    assert len(f.points) == check.evaluations <= MOST


@pytest.mark.parametrize("factor", [1.0, 1.001, -1.0, 0.0], ids=lambda f: f"times {f:g}")
@pytest.mark.parametrize(
    ("loss", "gradient"),
    [
        pytest.param(lambda x: (x**3).sum(), lambda x: 3 * x**2, id="complex-ready"),
        pytest.param(lambda x: float((x**3).sum()), lambda x: 3 * x**2, id="real only"),
        pytest.param(lambda x: (np.abs(x) ** 3).sum(), lambda x: 3 * x * np.abs(x), id="abs"),
        pytest.param(
            lambda x: (np.conj(x) * x * x).sum(), lambda x: 3 * x**2, id="not analytic",
        ),
    ],
)  # fmt: skip
def test_a_hundred_thousand_parameters_cost_sixty_evaluations(loss, gradient, factor):
    at = np.random.default_rng(7).standard_normal(MANY)
    calls = []

    def counted(x):
        calls.append(1)
        return loss(x)

    check = check_gradient(counted, lambda x: factor * gradient(x), at)
    assert check.ok is (factor == 1.0)
    assert check.method == "random directions"
    assert check.evaluations == len(calls)
    assert len(calls) <= MOST


@pytest.mark.parametrize("real", [False, True], ids=["complex-ready", "real only"])
def test_one_wrong_part_of_many_is_found_at_that_cost(real):
    rng = np.random.default_rng(7)
    at = {"W": rng.standard_normal((300, 300)), "b": rng.standard_normal(300)}

    def loss(p):
        value = (p["W"] ** 3).sum() + (p["b"] ** 3).sum()
        return float(value) if real else value

    def gradient(p):
        return {"W": 3 * p["W"] ** 2, "b": 3.001 * p["b"] ** 2}

    check = check_gradient(loss, gradient, at)
    assert not check.ok
    assert {block.name for block in check.blocks if not block.ok} >= {"b"}
    assert {block.name for block in check.blocks if block.ok} == {"W"}
    assert check.evaluations <= MOST


def test_directions_are_measured_as_entries_are(rng):
    A = rng.standard_normal((4, 4))
    f, packing = outputs(lambda x: float(x @ A @ x), rng.standard_normal(4))
    v, supports = random_directions(packing.theta, packing.slices, 3, rng)
    found = measure_directions(f, packing.theta, v, supports)
    np.testing.assert_allclose(found.value, v @ (A + A.T) @ packing.theta, rtol=1e-9)


@pytest.mark.parametrize(
    ("at", "count", "supports"),
    [
        pytest.param({"a": AT, "b": AT}, 4, ("a", "b", "", ""), id="one for each, two for all"),
        pytest.param(AT, 3, ("", "", ""), id="one block"),
        pytest.param(dict.fromkeys("abcdef", 1.0), 4, ("", "", "", ""), id="more blocks than that"),
    ],
)
def test_directions_move_the_block_they_are_for(at, count, supports, rng):
    packing = Packing(at, call="check")
    v, found = random_directions(packing.theta, packing.slices, count, rng)
    assert found == supports
    for row, support in zip(v, supports, strict=True):
        moved = np.ones(packing.size, bool)
        if support:
            moved[:] = False
            moved[packing.slices[support]] = True
        assert (row != 0).tolist() == moved.tolist()


@pytest.mark.parametrize("size", [1000, 1001])
def test_up_to_a_thousand_every_entry(size):
    check = check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones(size))
    assert (check.method == "random directions") is (size > 1000)


# Matrices of derivatives: ∂vec(F)/∂vec(X)ᵀ, where vec stacks columns.

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
A = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
B = np.array([[1.0, -1.0], [0.5, 2.0], [0.0, 3.0]])
# vec(Xᵀ) = K vec(X): x11 x21 x12 x22 x13 x23 → x11 x12 x13 x21 x22 x23
K = np.eye(6)[[0, 2, 4, 1, 3, 5]]
JACOBIANS = {
    "itself": (lambda X: X, np.eye(6)),
    "transposed": (lambda X: X.T, K),
    "A X B": (lambda X: A @ X @ B, np.kron(B.T, A)),
    "entry by entry": (lambda X: X**2, np.diag([2.0, 8.0, 4.0, 10.0, 6.0, 12.0])),
    "sums of rows": (lambda X: X.sum(axis=1), np.array([[1.0, 0] * 3, [0.0, 1] * 3])),
    "sums of columns": (lambda X: X.sum(axis=0), np.kron(np.eye(3), np.ones((1, 2)))),
    "one number": (lambda X: X[1, 0] * 7, np.array([[0.0, 7, 0, 0, 0, 0]])),
}


@pytest.mark.parametrize("real", [False, True], ids=["complex step", "differences"])
@pytest.mark.parametrize(
    ("function", "jacobian"), [pytest.param(*case, id=name) for name, case in JACOBIANS.items()]
)
def test_a_jacobian_goes_column_by_column(function, jacobian, real):
    def f(X):
        return np.asarray(function(X).real if real else function(X))

    check = check_jacobian(f, jacobian, X)
    assert check.ok, check
    (block,) = check.blocks
    np.testing.assert_allclose(block.numeric, jacobian, rtol=1e-9, atol=1e-9)
    by_rows = jacobian @ K.T  # columns in the order of NumPy's ravel
    if not np.array_equal(by_rows, jacobian):
        assert not check_jacobian(f, by_rows, X).ok


def test_the_jacobian_of_parts_takes_one_after_the_other():
    at = {"X": X, "t": 2.0}
    expected = np.hstack([2.0 * np.eye(6), X.ravel(order="F")[:, None]])
    check = check_jacobian(lambda p: p["t"] * p["X"], expected, at)
    assert check.ok, check
    assert not check_jacobian(lambda p: p["t"] * p["X"], np.roll(expected, 1, axis=1), at).ok


S = np.array([[2.0, 1.0], [1.0, 5.0]])
HESSIANS = {
    # of tr(XᵀSX)/2: I₃ ⊗ S
    "trace": (lambda X: np.trace(X.T @ S @ X) / 2, lambda X: S @ X, np.kron(np.eye(3), S)),
    # of x11 x22 + x13², by hand; vec: x11 x21 x12 x22 x13 x23
    "products": (
        lambda X: X[0, 0] * X[1, 1] + X[0, 2] ** 2,
        lambda X: np.array([[X[1, 1], 0, 2 * X[0, 2]], [0, X[0, 0], 0]]),
        np.array([
            [0, 0, 0, 1.0, 0, 0], [0.0] * 6, [0.0] * 6,
            [1.0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 2.0, 0], [0.0] * 6,
        ]),
    ),
    "cubes": (lambda X: (X**3).sum(), lambda X: 3 * X**2, np.diag([6.0, 24, 12, 30, 18, 36])),
}  # fmt: skip


@pytest.mark.parametrize("road", ["by the loss", "by a real loss", "by the gradient"])
@pytest.mark.parametrize(
    ("loss", "gradient", "hessian"),
    [pytest.param(*case, id=name) for name, case in HESSIANS.items()],
)
def test_a_hessian_goes_column_by_column(loss, gradient, hessian, road):
    options = {"gradient": gradient} if road == "by the gradient" else {}

    def f(X):
        return float(loss(X)) if road == "by a real loss" else loss(X)

    check = check_hessian(f, hessian, X, **options)
    assert check.ok, check
    np.testing.assert_allclose(check.blocks[0].numeric, hessian, rtol=1e-6, atol=1e-6)
    assert not check_hessian(f, K @ hessian @ K.T, X, **options).ok
    assert not check_hessian(f, 1.01 * hessian, X, **options).ok


def test_the_hessian_of_parts():
    at = {"a": np.array([1.0, 2.0]), "b": 2.0}
    hessian = np.array([[4.0, 0.0, 2.0], [0.0, 4.0, 4.0], [2.0, 4.0, 0.0]])  # of b |a|²
    assert check_hessian(lambda p: (p["a"] ** 2).sum() * p["b"], hessian, at).ok


@pytest.mark.parametrize(
    ("call", "text"),
    [
        pytest.param(lambda: check_jacobian(lambda x: x, np.eye(3), np.ones(1001)),
                     "measures every entry; 1001 × 1001 are too many", id="too many"),
        pytest.param(lambda: check_jacobian(lambda x: x.T, np.ones((6, 5)), X),
                     r"Shapes that conform: \(6, 6\), 36 entries; 30 came", id="Jacobian"),
        pytest.param(lambda: check_hessian(lambda x: (x**2).sum(), np.ones((2, 3, 2, 3)), X),
                     r"Shapes that conform: \(6, 6\)\. Return `g\.reshape", id="four-fold Hessian"),
    ],
)  # fmt: skip
def test_matrices_that_do_not_conform(call, text):
    with pytest.raises(ShapeError, match=text):
        call()


def test_an_end_closer_than_the_smallest_step_is_named():
    at = {"b": np.ones(2), "w": np.array([1.0, 1e-12])}

    def loss(p):
        return float(np.log(p["w"][1]) + p["b"].sum())

    def gradient(p):
        return {"b": np.ones(2), "w": np.array([0.0, 1 / p["w"][1]])}

    with pytest.raises(DataError, match=r"w\[1\]") as caught:
        check_gradient(loss, gradient, at)
    assert " x " not in str(caught.value)
