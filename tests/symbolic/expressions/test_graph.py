"""Each node exists once; sweeps visit it once; shapes are checked where it is made."""

import gc
import subprocess
import sys
import weakref
from fractions import Fraction

import numpy as np
import pytest

import matbackprop.symbolic.expressions.values  # noqa: F401 - evaluate needs the rules in it
from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Det,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Item,
    Kron,
    LogSumExp,
    MatrixPower,
    Ones,
    Rearrange,
    Reshape,
    Softmax,
    Total,
    Trace,
    Vec,
)


def var(name, *shape, flags=(), domain="normal"):
    return Variable(name, tuple(Dim.of(s) for s in shape), flags, domain)


A, B, X, x, s = (
    var("A", "n", "n"),
    var("B", "n", "n"),
    var("X", "n", "p"),
    var("x", "n", 1),
    var("s"),
)
ROW, ITEM = var("r", 1, "p"), var("i", 1, 1)


def test_equal_nodes_are_one_object():
    assert A + B is A + B
    assert (A @ B).T is (A @ B).T
    assert Number(2) is Number(2.0)
    assert Number(0.1) is Number(Fraction(1, 10))
    assert var("A", "n", "n") is A


def test_what_tells_nodes_apart():
    different = [
        A + B,
        B + A,
        A @ B,
        A * B,
        Number(2),
        Number(3),
        Apply("exp", A),
        Apply("log", A),
        Ones("n", "p"),
        Ones("p", "n"),
        var("A", "n", "p"),
        var("A", "n", "n", flags=("symmetric",)),
        var("A", "n", "n", domain="well"),
        A,
    ]
    assert len({*different}) == len(different)
    assert len({node.digest for node in different}) == len(different)


def test_a_node_dies_with_its_last_user():
    node = Apply("exp", var("only_here", "n", "p"))
    watch = weakref.ref(node)
    del node
    gc.collect()
    assert watch() is None


def test_the_digest_does_not_depend_on_what_was_made_before():
    code = """
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Number, Variable
n = (Dim.of("n"), Dim.of("n"))
names = {names!r}
made = {{name: Variable(name, n) for name in names}}
A, B = made["A"], made["B"]
print((A @ B + Number(2) * B.T).digest.hex())
"""
    digests = {
        subprocess.check_output(
            [sys.executable, "-c", code.format(names=names)], text=True, env=None
        ).strip()
        for names in (["A", "B"], ["C", "B", "A"])
    }
    assert digests == {(A @ B + Number(2) * B.T).digest.hex()}


def test_nodes_come_once_and_after_their_operands():
    shared = Apply("exp", A @ B)
    root = shared + shared.T @ shared
    order = list(root.nodes())
    assert len(order) == len({*order}) == 7
    assert order[-1] is root
    assert order[:4] == [A, B, A @ B, shared]
    for place, node in enumerate(order):
        assert all(order.index(arg) < place for arg in node.args)


def test_a_deep_graph_is_swept_without_recursion_and_a_shared_one_in_linear_time():
    deep = s
    for _ in range(3000):
        deep = Apply("tanh", deep)
    assert sum(1 for _ in deep.nodes()) == 3001
    assert deep.height == 3000
    doubled = s
    for _ in range(200):  # 2^200 terms as a tree
        doubled = doubled + doubled
    assert float(doubled.evaluate({"s": 1.0})) == 2.0**200


def test_variables_in_order_of_first_appearance():
    assert list((B @ A + A).variables()) == ["B", "A"]
    assert (B @ A).variables()["A"] is A


def test_shape_rows_and_columns():
    assert (X.rows, X.columns, X.is_scalar) == (Dim.of("n"), Dim.of("p"), False)
    assert (s.rows, s.columns, s.is_scalar, s.shape) == (ONE, ONE, True, ())
    assert (X.T @ X).shape == (Dim.of("p"), Dim.of("p"))
    assert Kron(X, A).shape == (Dim.of("n*n"), Dim.of("n*p"))


def test_with_args_keeps_kind_and_data():
    node = Apply("exp", A)
    assert node.with_args((B,)) is Apply("exp", B)
    assert node.with_args((A,)) is node


WRONG = {
    "sum": (lambda: Sum(X, X.T), "`A + B` needs equal shapes; got n×p and p×n. Transposing one"),
    "sum with scalar": (lambda: Sum(X, s), "`A + B` needs equal shapes; got n×p and a scalar."),
    "hadamard": (lambda: Hadamard(X, A), "`A * B` needs equal shapes; got n×p and n×n."),
    "matmul": (
        lambda: MatMul(X, X),
        "as many columns of A as rows of B; got n×p and n×p. Transposing one of them would fit.",
    ),
    "matmul that no transpose mends": (
        lambda: MatMul(X, var("Y", "q", "k")),
        "as many columns of A as rows of B; got n×p and q×k.",
    ),
    "matmul with scalar": (lambda: MatMul(s, X), "multiplies matrices; got a scalar and n×p. Use"),
    "scale": (lambda: Scale(X, X), "`s * M` scales a matrix by a scalar; got n×p and n×p. Use `@`"),
    "scale of a scalar": (lambda: Scale(s, s), "`s * M` scales a matrix by a scalar; got a scalar"),
    "power": (lambda: Power(X, X), "`x ** a` needs a scalar exponent; got n×p and n×p."),
    "broadcast": (lambda: Broadcast(X, "q", "p"), "can be repeated to q×p; got n×p."),
    "broadcast of a row": (lambda: Broadcast(ROW, "n", "q"), "can be repeated to n×q; got 1×p."),
    "item": (lambda: Item(X), "`item(M)` takes a 1×1 matrix; got n×p."),
    "item of a scalar": (lambda: Item(s), "`item(M)` takes a 1×1 matrix; got a scalar."),
    "inverse": (lambda: Inverse(X), "`inv(A)` needs a square matrix; got n×p."),
    "trace": (lambda: Trace(X), "`tr(A), det(A), logdet(A)` needs a square matrix; got n×p."),
    "det of a scalar": (lambda: Det(s), "needs a square matrix; got a scalar."),
    "matrix power": (lambda: MatrixPower(X, 2), "`A ^ k` needs a square matrix; got n×p."),
    "diag": (lambda: Diag(X), "`diag(v)` takes a column; got n×p."),
    "diagvec": (lambda: DiagVec(X), "`diagvec(A)` needs a square matrix; got n×p."),
    "kron": (lambda: Kron(s, X), "`kron(A, B)` takes two matrices; got a scalar and n×p."),
    "reshape": (lambda: Reshape(X, "n", "q"), "keeps the number of entries; got n×p for n×q."),
    "rearrange": (lambda: Rearrange(X, "n", "n", "p", "p"), "takes mp×nq; got n×p."),
    "assemble": (lambda: Assemble(X, "n", "n", "p", "p"), "takes mn×pq; got n×p."),
    "softmax": (lambda: Softmax(x), "go along each row; got n×1, with one entry a row. Transpose"),
    "logsumexp": (lambda: LogSumExp(s), "go along each row; got a scalar"),
}


@pytest.mark.parametrize("name", WRONG)
def test_shapes_that_do_not_conform_are_refused(name):
    make, text = WRONG[name]
    with pytest.raises(ShapeError) as caught:
        make()
    assert text in str(caught.value)


def test_only_the_matmul_that_fits_transposed_says_so():
    with pytest.raises(ShapeError) as caught:
        MatMul(X, var("Y", "q", "k"))
    assert "Transposing" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Apply("expp", A), "no elementwise function 'expp'; there are exp, log"),
        (lambda: MatrixPower(A, 1), "needs a whole k >= 2; got 1"),
        (lambda: Number(float("nan")), "A number in an expression is finite; got nan"),
        (lambda: Number(float("inf")), "A number in an expression is finite; got inf"),
        (lambda: A + "B", "built from expressions and numbers; got str"),
        (lambda: A + np.eye(2), "built from expressions and numbers; got ndarray"),
    ],
)
def test_what_no_node_can_hold_is_refused(make, text):
    with pytest.raises(OptionError) as caught:
        make()
    assert text in str(caught.value)


def test_a_failed_node_leaves_nothing_behind():
    for _ in range(2):
        with pytest.raises(ShapeError):
            Sum(X, X.T)


def test_shapes_of_products_of_sizes_conform_with_numbers():
    K = Kron(var("C", "k", "k"), var("D", "p", "p"))
    assert (K @ var("E", 6, 6)).shape == (Dim.of("k*p"), Dim.of(6))
    assert Vec(X).shape == (Dim.of("n*p"), ONE)
    assert Trace(K @ var("E", 6, 6)).is_scalar


def test_evaluation_computes_a_shared_node_once(monkeypatch):
    from matbackprop.symbolic.expressions import graph

    visited = []
    rules = graph.VALUE

    class Spy:
        def __getitem__(self, kind):
            def value(node, args, given):
                visited.append(node)
                return rules[kind](node, args, given)

            return value

    monkeypatch.setattr(graph, "VALUE", Spy())
    shared = A @ A
    root = Total(shared * shared + shared)
    values = np.arange(4.0).reshape(2, 2)
    square = values @ values
    assert root.evaluate({"A": values}) == (square * square + square).sum()
    assert len(visited) == len({*visited}) == 5


def test_sizes_that_no_matrix_shows_must_be_given():
    L = Total(Identity("m")) + Number(1)
    with pytest.raises(OptionError, match="needs the size m, which no matrix shows"):
        L.evaluate({})
    assert L.evaluate({"m": 3}) == 4.0


def test_transposing_twice_is_two_nodes():
    assert Transpose(Transpose(A)) is not A  # the raw tree is what was written
