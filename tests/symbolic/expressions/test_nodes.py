"""What each kind of node is told, keeps, and says of its shape."""

from fractions import Fraction

import pytest

import matbackprop.symbolic.expressions.nodes as nodes_module
from matbackprop.errors import MatBackpropError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Expr, Variable
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
from matbackprop.symbolic.expressions.tables import VALUE


def var(name, *shape):
    return Variable(name, tuple(Dim.of(s) for s in shape))


A, X, v, s = var("A", "n", "n"), var("X", "n", "p"), var("v", "n", 1), var("s")

SHAPES = {
    "Named": (Named("Y", X), ("n", "p")),
    "Named scalar": (Named("c", s), ()),
    "Differential": (Differential(X), ("n", "p")),
    "Zeros": (Zeros("n", 3), ("n", 3)),
    "Ones": (Ones("n", "p"), ("n", "p")),
    "Identity": (Identity("n"), ("n", "n")),
    "Identity of a product": (Identity("k*p"), ("k*p", "k*p")),
    "Centering": (Centering("n"), ("n", "n")),
    "Commutation": (Commutation("n", "p"), ("n*p", "n*p")),
    "Duplication": (Duplication("n"), ("n^2", "n*(n+1)/2")),
    "Apply": (Apply("exp", X), ("n", "p")),
    "Apply to a scalar": (Apply("exp", s), ()),
    "Item": (Item(v.T @ A @ v), ()),
    "Inverse": (Inverse(A), ("n", "n")),
    "MatrixPower": (MatrixPower(A, 3), ("n", "n")),
    "Det": (Det(A), ()),
    "LogDet": (LogDet(A), ()),
    "Trace": (Trace(A), ()),
    "Total": (Total(X), ()),
    "Norm2": (Norm2(X), ()),
    "Norm1": (Norm1(X), ()),
    "RowSum": (RowSum(X), ("n", 1)),
    "ColSum": (ColSum(X), (1, "p")),
    "Diag": (Diag(v), ("n", "n")),
    "DiagVec": (DiagVec(A), ("n", 1)),
    "Kron": (Kron(X, var("B", "q", "k")), ("n*q", "p*k")),
    "Vec": (Vec(X), ("n*p", 1)),
    "Reshape": (Reshape(X, "p", "n"), ("p", "n")),
    "Rearrange": (Rearrange(Kron(X, var("B", "q", "k")), "n", "p", "q", "k"), ("n*p", "q*k")),
    "Assemble": (Assemble(var("M", "n*p", "q*k"), "n", "p", "q", "k"), ("n*q", "p*k")),
    "Softmax": (Softmax(X), ("n", "p")),
    "LogSumExp": (LogSumExp(X), ("n", 1)),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shape(name):
    node, shape = SHAPES[name]
    assert node.shape == tuple(Dim.of(size) for size in shape)


def kinds():
    public = [
        kind
        for name, kind in vars(nodes_module).items()
        if isinstance(kind, type) and issubclass(kind, Expr) and not name.startswith("_")
    ]
    return [kind for kind in public if kind is not Expr]


def test_every_kind_is_in_the_table_above():
    assert {type(node) for node, _ in SHAPES.values()} == {*kinds()}


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_kind_has_a_value(kind):
    # du has none of its own: it is the change of u along a direction that is given elsewhere.
    assert (kind in VALUE) is (kind is not Differential)


def test_what_a_kind_keeps():
    assert Named("Xhat", X).name == "Xhat"
    assert Apply("log", X).name == "log"
    assert MatrixPower(A, 3).power == 3
    assert Duplication("n").columns == Dim.of("n*(n+1)") * Fraction(1, 2)


def test_a_name_tells_nodes_apart():
    assert Named("Y", X) is not Named("Z", X)
    assert Named("Y", X) is not X
    assert Named("Y", X) is Named("Y", X)


def test_the_operand_of_rearrange_must_be_blocks():
    with pytest.raises(MatBackpropError, match=r"`rearrange\(G, m, n, p, q\)` takes mp×nq"):
        Rearrange(X, "n", "p", "q", "k")
