"""A case for each kind of node, and the check that its three rules hold."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from matbackprop.differences import central_difference, complex_step
from matbackprop.symbolic.expressions.dimension import Dim, same
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
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
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Differential,
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
from matbackprop.symbolic.expressions.tables import (
    DIFFERENTIAL,
    JACOBIAN,
    NORMAL_FORM,
    PULLBACK,
    RuleTable,
)

SIZES = {"m": 5, "n": 4, "p": 2, "q": 3}  # all different: a shape mixed up is noticed


def matrix(name: str, rows: Any, columns: Any, domain: str = "normal") -> Variable:
    return Variable(name, (Dim.of(rows), Dim.of(columns)), (), domain)


def scalar(name: str, domain: str = "normal") -> Variable:
    return Variable(name, (), (), domain)


A, B, C = matrix("A", "n", "p"), matrix("B", "p", "q"), matrix("C", "q", "m")
M, N, Z = matrix("M", "n", "q"), matrix("N", "n", "q"), matrix("Z", "n", "q")
P, S = matrix("P", "n", "q", "positive"), matrix("S", "n", "n", "well")
v, r, e = matrix("v", "n", 1), matrix("r", 1, "q"), matrix("e", 1, 1)
s, t = scalar("s"), scalar("t")
x, a = scalar("x", "positive"), scalar("a")

# Where a function has a kink, or is defined on a part of the line only.
DOMAINS = {"log": "positive", "lgamma": "positive", "digamma": "positive", "trigamma": "positive"}
DOMAINS |= dict.fromkeys(("asin", "acos"), "inside")

CASES: dict[type[Expr], list[Expr]] = {
    Named: [Named("H", M), Named("h", s)],
    Sum: [Sum(M, N), Sum(M, N, Z), Sum(M, M), Sum(s, t), Sum(M)],
    Scale: [Scale(s, M)],
    MatMul: [MatMul(A, B), MatMul(A, B, C), MatMul(S, S), MatMul(r, C), MatMul(v, r), MatMul(M)],
    Hadamard: [Hadamard(M, N), Hadamard(M, N, Z), Hadamard(M, M), Hadamard(s, t), Hadamard(M)],
    Power: [
        *(Power(M, k) for k in (1, 2, 3)),
        *(Power(P, k) for k in (-1, Fraction(1, 2), Fraction(-3, 2))),
        *(Power(P, a), Power(x, a), Power(x, x), Power(s, -2)),
    ],
    Transpose: [Transpose(M), Transpose(v), Transpose(s)],
    Broadcast: [
        *(Broadcast(operand, "n", "q") for operand in (s, v, r, e, M)),
        *(Broadcast(v, "n", 1), Broadcast(r, 1, "q"), Broadcast(s, 1, 1), Broadcast(e, 1, "q")),
    ],
    Apply: [
        Apply(name, operand)
        for name in FUNCTIONS
        for domain in [DOMAINS.get(name, "normal")]
        for operand in (matrix("U", "n", "q", domain), scalar("u", domain))
        if name != "trigamma"
    ],
    Item: [Item(e)],
    Inverse: [Inverse(S)],
    MatrixPower: [MatrixPower(S, k) for k in (2, 3, 4)],
    Det: [Det(S)],
    LogDet: [LogDet(S)],
    Trace: [Trace(S)],
    Total: [Total(M), Total(v), Total(s)],
    Norm2: [Norm2(M), Norm2(v), Norm2(s)],
    Norm1: [Norm1(M), Norm1(v), Norm1(s)],
    RowSum: [RowSum(M), RowSum(r), RowSum(v)],
    ColSum: [ColSum(M), ColSum(v), ColSum(r)],
    Diag: [Diag(v)],
    DiagVec: [DiagVec(S)],
    Kron: [Kron(A, B), Kron(M, M), Kron(v, B), Kron(B, r)],
    Vec: [Vec(M), Vec(v), Vec(r)],
    # The last relies on p·q = 6, as a matrix of numbers between symbols does.
    Reshape: [Reshape(M, "q", "n"), Reshape(M, "n*q", 1), Reshape(matrix("w", "p*q", 1), 3, 2)],
    Rearrange: [Rearrange(matrix("G", "n*p", "q*m"), "n", "q", "p", "m")],
    Assemble: [Assemble(matrix("G", "n*q", "p*m"), "n", "q", "p", "m")],
    Softmax: [Softmax(M), Softmax(r)],
    LogSumExp: [LogSumExp(M), LogSumExp(r)],
    Variable: [M, s],
    Number: [Number(3)],
    Size: [Size("n*q")],
    Zeros: [Zeros("n", "q")],
    Ones: [Ones("n", 1)],
    Identity: [Identity("n")],
    Centering: [Centering("n")],
    Commutation: [Commutation("n", "q")],
    Duplication: [Duplication("q")],
}
NODES = [node for nodes in CASES.values() for node in nodes]
RULES = [(table, kind) for table in (DIFFERENTIAL, PULLBACK, JACOBIAN) for kind in table]


def label(node: Expr) -> str:
    data = [value for value in node.data if not isinstance(value, tuple)]
    operands = [operand.data[0] for operand in node.args]
    return "-".join(map(str, [type(node).__name__, *data, *operands]))


@pytest.fixture(params=["as written", "in normal form"])
def forms(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Build with the constructors that simplify, and without: the rules hold either way."""
    if request.param == "as written":
        monkeypatch.setattr(NORMAL_FORM, "_rules", {})
    return request.param


@pytest.fixture(params=NODES, ids=lambda node: label(node))
def node(request: pytest.FixtureRequest) -> Expr:
    return request.param


def rule_label(rule: tuple[RuleTable[Any], type[Expr]]) -> str:
    return f"{rule[0].operation}-{rule[1].__name__}"


@pytest.fixture(params=RULES, ids=rule_label)
def rule(request: pytest.FixtureRequest) -> tuple[RuleTable[Any], type[Expr]]:
    """Each rule of each table, in turn."""
    return request.param


@pytest.fixture(params=[rule for rule in RULES if rule[1] in PULLBACK], ids=rule_label)
def rule_of_operands(request: pytest.FixtureRequest) -> tuple[RuleTable[Any], type[Expr]]:
    """Each rule whose result is not zero, or a symbol: that of a node with operands."""
    return request.param


@pytest.fixture
def cases() -> dict[type[Expr], list[Expr]]:
    return CASES


@pytest.fixture
def check_rules(rng: np.random.Generator) -> Callable[[Expr], None]:
    return lambda node: _check_leaf(node) if not node.args else _check_rules(node, rng)


def _check_leaf(node: Expr) -> None:
    found = DIFFERENTIAL[type(node)](node)
    if isinstance(node, Variable):
        assert found is Differential(node), "the differential of a variable and its symbol differ"
        return
    assert found.shape == node.shape
    close(value(found, {}), 0.0, "the differential of a constant and 0")


def _check_rules(node: Expr, rng: np.random.Generator) -> None:
    """Assert that the rules of a node over variables agree with differences and each other."""
    values = {name: draw(X, rng) for name, X in node.variables().items()}
    operands = list(dict.fromkeys(node.args).keys() & set(node.variables().values()))
    G = Variable("seed", node.shape)
    values["seed"] = draw(G, rng)
    change: dict[Expr, Variable] = {}
    together = 0.0
    for X in operands:
        places = [i for i, operand in enumerate(node.args) if operand is X]
        change[X] = dX = Variable(f"d{X.name}", X.shape)
        values[dX.name] = draw(dX, rng)
        J = numerical_jacobian(node, X, values)

        # A repeated operand, as in X ⊙ X, collects from all its places.
        jacobians = [JACOBIAN[type(node)](node, i) for i in places]
        size = (node.rows * node.columns, X.rows * X.columns)
        assert all(conform(j, Zeros(*size)) for j in jacobians)
        by_jacobian = sum(value(j, values) for j in jacobians)
        close(by_jacobian, J, "the Jacobian and the numerical one")

        pulled = [PULLBACK[type(node)](node, G, i) for i in places]
        assert all(conform(term, X) for term in pulled)
        by_pullback = sum(value(term, values) for term in pulled)
        close(flat(by_pullback), J.T @ flat(values["seed"]), "the pullback and Jᵀvec(G)")

        dF = DIFFERENTIAL[type(node)](node, *(dX if arg is X else None for arg in node.args))
        assert conform(dF, node)
        by_differential = value(dF, values)
        close(flat(by_differential), J @ flat(values[dX.name]), "the differential and J vec(dX)")

        close(
            np.sum(values["seed"] * by_differential),
            np.sum(by_pullback * values[dX.name]),
            "⟨G, dF⟩ and ⟨pullback, dX⟩",
        )
        close(flat(by_differential), by_jacobian @ flat(values[dX.name]), "vec(dF) and J vec(dX)")
        together = together + by_differential
    dF = DIFFERENTIAL[type(node)](node, *(change.get(operand) for operand in node.args))
    close(value(dF, values), together, "the differential and the sum of its parts")


def numerical_jacobian(node: Expr, X: Variable, values: dict[str, Any]) -> np.ndarray:
    def f(at: np.ndarray) -> Any:
        return value(node, {**values, X.name: at})

    constant = isinstance(node, Apply) and node.name in ("sign", "step", "leaky_step")
    # These return real numbers for complex ones: they have no imaginary part to carry a slope.
    J = central_difference(f, values[X.name]).value if constant else complex_step(f, values[X.name])
    return J.reshape(-1, max(1, np.size(values[X.name])), order="F")


def conform(a: Expr, b: Expr) -> bool:
    return len(a.shape) == len(b.shape) and all(map(same, a.shape, b.shape))


def value(expr: Expr, values: dict[str, Any]) -> Any:
    return expr.evaluate({**SIZES, **values})


def flat(array: Any) -> np.ndarray:
    return np.reshape(array, (-1,), order="F")


def close(found: Any, wanted: Any, what: str) -> None:
    scale = max(1.0, float(np.max(np.abs(wanted))))
    error = float(np.max(np.abs(found - wanted)))
    assert error <= 1e-11 * scale, f"{what} differ by {error:.3g}"


def draw(X: Variable, rng: np.random.Generator) -> Any:
    shape = tuple(dim.evaluate(SIZES) for dim in X.shape)
    match X.domain:
        case "positive":
            return rng.uniform(0.5, 1.5, shape)
        case "inside":
            return rng.uniform(-0.8, 0.8, shape)
        case "well":
            return 2 * np.eye(*shape) + 0.3 * rng.standard_normal(shape)
    return rng.standard_normal(shape)
