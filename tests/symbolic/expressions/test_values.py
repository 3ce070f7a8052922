"""The value of every kind of node against a plain statement of what it means, entry by entry."""

import itertools
import math

import numpy as np
import pytest

import matbackprop.symbolic.expressions.values  # noqa: F401 - enters the rules
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
    Transpose,
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
    Duplication,
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
from matbackprop.symbolic.expressions.tables import VALUE


def var(name, *shape):
    return Variable(name, tuple(Dim.of(s) for s in shape))


X, Y, Z = var("X", "n", "p"), var("Y", "n", "p"), var("Z", "p", "k")
W, v, r, s, t = var("W", "n", "n"), var("v", "n", 1), var("r", 1, "p"), var("s"), var("t")
P = var("P", "n", "p")
M = var("M", "n*p", "p*k")
SIZES = {"n": 3, "p": 2, "k": 4}
N, C = range(3), range(2)


def drawn():
    rng = np.random.default_rng(7)
    signs = rng.choice([-1.0, 1.0], (3, 2))  # away from 0, where |x| and 1/x have no slope
    return {
        "X": signs * rng.uniform(0.4, 1.6, (3, 2)),
        "Y": rng.standard_normal((3, 2)),
        "Z": rng.standard_normal((2, 4)),
        "W": rng.standard_normal((3, 3)) + 3 * np.eye(3),
        "v": rng.standard_normal((3, 1)),
        "r": rng.standard_normal((1, 2)),
        "s": 1.7,
        "t": -0.6,
        "P": rng.uniform(0.5, 1.5, (3, 2)),
        "M": rng.standard_normal((6, 8)),
    }


GIVEN = drawn()


def entries(rows, columns, entry):
    return np.array([[entry(i, j) for j in range(columns)] for i in range(rows)])


def leibniz(A):
    """Return |A| by the sum over permutations."""
    total = 0
    for order in itertools.permutations(range(len(A))):
        inversions = sum(order[i] > order[j] for i in range(len(A)) for j in range(i + 1, len(A)))
        total += (-1) ** inversions * math.prod(A[i][j] for i, j in enumerate(order))
    return total


def adjugate_inverse(A):
    """Return A⁻¹ by cofactors."""

    def minor(i, j):
        return [[A[a][b] for b in range(len(A)) if b != j] for a in range(len(A)) if a != i]

    n = len(A)
    return entries(n, n, lambda i, j: (-1) ** (i + j) * leibniz(minor(j, i)) / leibniz(A))


def product(A, B):
    return entries(
        A.shape[0], B.shape[1], lambda i, j: sum(A[i, k] * B[k, j] for k in range(A.shape[1]))
    )


x, y, z, w, c, row, m = (GIVEN[name] for name in ("X", "Y", "Z", "W", "v", "r", "M"))
pos = GIVEN["P"]

# Each kind, an expression of it, and its value in words.
VALUES = {
    "Variable": (X, x),
    "Number": (Number(0.1), 0.1),
    "Size": (Size("n*p+1"), 7.0),
    "Named": (Named("A", X), x),
    "Zeros": (Zeros("n", "p"), [[0, 0]] * 3),
    "Ones": (Ones("p", "n"), [[1, 1, 1]] * 2),
    "Identity": (Identity("p"), [[1, 0], [0, 1]]),
    "Centering": (Centering("n"), entries(3, 3, lambda i, j: (i == j) - 1 / 3)),
    "Commutation": (
        Commutation("n", "p"),
        # vec(A) has A[i, j] at i + 3j, vec(Aᵀ) has it at j + 2i.
        entries(6, 6, lambda to, at: float((at // 3, at % 3) == (to % 2, to // 2))),
    ),
    "Duplication": (
        Duplication("p"),
        [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]],
    ),
    "Sum": (Sum(X, Y, X), entries(3, 2, lambda i, j: 2 * x[i, j] + y[i, j])),
    "Sum of scalars": (Sum(s, t), 1.1),
    "Scale": (Scale(s, X), entries(3, 2, lambda i, j: 1.7 * x[i, j])),
    "MatMul": (MatMul(W, X, Z), product(product(w, x), z)),
    "Hadamard": (Hadamard(X, Y, Y), entries(3, 2, lambda i, j: x[i, j] * y[i, j] ** 2)),
    "Hadamard of scalars": (Hadamard(s, t), 1.7 * -0.6),
    "Power, whole": (Power(X, 3), entries(3, 2, lambda i, j: x[i, j] * x[i, j] * x[i, j])),
    "Power, large": (Power(t, 101), -(0.6**101)),
    "Power, reciprocal": (Power(X, -1), entries(3, 2, lambda i, j: 1 / x[i, j])),
    "Power, root": (Power(P, Number(0.5)), entries(3, 2, lambda i, j: math.sqrt(pos[i, j]))),
    "Power, variable": (
        Power(P, t),
        entries(3, 2, lambda i, j: math.exp(-0.6 * math.log(pos[i, j]))),
    ),
    "Power of a scalar": (Power(s, 2), 1.7**2),
    "Transpose": (Transpose(X), entries(2, 3, lambda i, j: x[j, i])),
    "Transpose of a scalar": (Transpose(s), 1.7),
    "Broadcast scalar": (Broadcast(s, "n", "p"), [[1.7, 1.7]] * 3),
    "Broadcast row": (Broadcast(r, "n", "p"), entries(3, 2, lambda i, j: row[0, j])),
    "Broadcast column": (Broadcast(v, "n", "p"), entries(3, 2, lambda i, j: c[i, 0])),
    "Apply": (Apply("exp", X), entries(3, 2, lambda i, j: math.exp(x[i, j]))),
    "Apply to a scalar": (Apply("sigmoid", s), 1 / (1 + math.exp(-1.7))),
    "Item": (Item(v.T @ v), sum(c[i, 0] ** 2 for i in N)),
    "Inverse": (Inverse(W), adjugate_inverse(w)),
    "MatrixPower": (MatrixPower(W, 3), product(product(w, w), w)),
    "Det": (Det(W), leibniz(w)),
    "LogDet": (LogDet(W), math.log(leibniz(w))),
    "Trace": (Trace(W), w[0, 0] + w[1, 1] + w[2, 2]),
    "Total": (Total(X), sum(x[i, j] for i in N for j in C)),
    "Norm2": (Norm2(X), math.sqrt(sum(x[i, j] ** 2 for i in N for j in C))),
    "Norm1": (Norm1(X), sum(abs(x[i, j]) for i in N for j in C)),
    "RowSum": (RowSum(X), entries(3, 1, lambda i, _: x[i, 0] + x[i, 1])),
    "ColSum": (ColSum(X), entries(1, 2, lambda _, j: x[0, j] + x[1, j] + x[2, j])),
    "Diag": (Diag(v), entries(3, 3, lambda i, j: c[i, 0] * (i == j))),
    "DiagVec": (DiagVec(W), entries(3, 1, lambda i, _: w[i, i])),
    "Kron": (Kron(X, Z), entries(6, 8, lambda i, j: x[i // 2, j // 4] * z[i % 2, j % 4])),
    "Vec": (Vec(X), entries(6, 1, lambda i, _: x[i % 3, i // 3])),
    "Reshape": (
        Reshape(Z, "k", "p"),
        entries(4, 2, lambda i, j: z[(i + 4 * j) % 2, (i + 4 * j) // 2]),
    ),
    # M is 3·2 × 2·4, of 3×2 blocks of 2×4: entry (a, b) of block (i, j) goes to (i + 3j, a + 2b).
    "Rearrange": (
        Rearrange(M, "n", "p", "p", "k"),
        entries(6, 8, lambda u, q: m[2 * (u % 3) + q % 2, 4 * (u // 3) + q // 2]),
    ),
    "Assemble": (
        Assemble(M, "n", "p", "p", "k"),
        entries(6, 8, lambda i, j: m[i // 2 + 3 * (j // 4), i % 2 + 2 * (j % 4)]),
    ),
    "Softmax": (
        Softmax(X),
        entries(3, 2, lambda i, j: math.exp(x[i, j]) / sum(math.exp(x[i, k]) for k in C)),
    ),
    "LogSumExp": (
        LogSumExp(X),
        entries(3, 1, lambda i, _: math.log(sum(math.exp(x[i, k]) for k in C))),
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_value(name):
    expr, expected = VALUES[name]
    value = expr.evaluate({**GIVEN, **SIZES})
    assert np.shape(value) == np.shape(expected)
    np.testing.assert_allclose(value, expected, rtol=1e-13, atol=1e-14)


def test_every_kind_with_a_value_is_in_the_table_above():
    assert {type(expr) for expr, _ in VALUES.values()} == {*VALUE}


def along(expr, name, direction, step):
    moved = {**GIVEN, **SIZES, name: GIVEN[name] + step * direction}
    return np.asarray(expr.evaluate(moved))


MOVING = {name: expr for name, (expr, _) in VALUES.items() if expr.variables()}


@pytest.mark.parametrize("name", MOVING)
def test_complex_numbers_pass_and_carry_the_derivative(name):
    expr = MOVING[name]
    rng = np.random.default_rng(3)
    for variable in expr.variables():
        direction = rng.standard_normal(np.shape(GIVEN[variable]))
        exact = along(expr, variable, direction, 1e-100j).imag / 1e-100
        near, far = (
            along(expr, variable, direction, h) - along(expr, variable, direction, -h)
            for h in (1e-4, 2e-4)
        )
        difference = (8 * near - far) / 12e-4
        np.testing.assert_allclose(exact, difference, rtol=1e-9, atol=1e-9)


def test_the_kron_of_vecs_rearranges_to_their_outer_product():
    A, B = var("A", "n", "p"), var("B", "k", "p")
    values = {"A": x, "B": z.T}
    R = Rearrange(Kron(A, B), "n", "p", "k", "p")
    np.testing.assert_allclose(R.evaluate(values), (Vec(A) @ Vec(B).T).evaluate(values))
    np.testing.assert_allclose(
        Assemble(Vec(A) @ Vec(B).T, "n", "p", "k", "p").evaluate(values),
        np.kron(x, z.T),
    )


def test_the_logarithm_of_a_negative_determinant_is_no_number():
    flipped = w.copy()
    flipped[0] *= -1
    assert np.isnan(LogDet(W).evaluate({"W": flipped}))
    assert np.isnan(LogDet(W).evaluate({"W": np.zeros((3, 3))}))
    assert LogDet(W).evaluate({"W": -np.eye(3) @ flipped}) != LogDet(W).evaluate({"W": np.eye(3)})


def test_two_negative_eigenvalues_leave_the_determinant_positive():
    turned = np.diag([-1.0, -2.0, 3.0])
    assert float(LogDet(W).evaluate({"W": turned})) == pytest.approx(math.log(6.0))
    moved = LogDet(W).evaluate({"W": turned + 1e-30j * np.diag([1.0, 0.0, 0.0])})
    assert moved.imag / 1e-30 == pytest.approx(-1.0)


@pytest.mark.parametrize("k", [2, 3, -1, -3, 99, 101, 150])
def test_whole_powers_of_negative_numbers_take_a_complex_step(k):
    value = Power(t, k).evaluate({"t": -1.01 + 1e-100j})
    assert value.real == pytest.approx((-1.01) ** k, rel=1e-12)
    assert value.imag / 1e-100 == pytest.approx(k * (-1.01) ** (k - 1), rel=1e-12)


def test_the_root_of_a_negative_number_is_no_number_and_silent():
    assert np.isnan(Power(t, Number(0.5)).evaluate({"t": -1.0}))
    assert np.isinf(Power(t, -1).evaluate({"t": 0.0}))


def test_rows_far_from_zero_do_not_overflow():
    big = np.array([[1000.0, 999.0], [-1000.0, -1001.0], [0.0, -1.0]])
    expected = math.log(1 + math.exp(-1.0))
    np.testing.assert_allclose(LogSumExp(X).evaluate({"X": big}) - big[:, :1], expected)
    np.testing.assert_allclose(Softmax(X).evaluate({"X": big}).sum(axis=1), 1.0)
