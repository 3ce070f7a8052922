"""Python's operators write down what they are given, node by node, and simplify nothing."""

from fractions import Fraction

import pytest

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic import parse
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
    rebuilt,
    shape_text,
)
from matbackprop.symbolic.expressions.nodes import Apply, Total


def var(name, *shape):
    return Variable(name, tuple(Dim.of(s) for s in shape))


A, B, X, s, t = var("A", "n", "n"), var("B", "n", "n"), var("X", "n", "p"), var("s"), var("t")
MINUS = Number(-1)
ALL_S = Broadcast(s, "n", "n")
TWO = Number(2)

WRITTEN = {
    "A @ X": (A @ X, MatMul(A, X)),
    "A @ B @ X": (A @ B @ X, MatMul(MatMul(A, B), X)),
    "A + B": (A + B, Sum(A, B)),
    "A + B + A": (A + B + A, Sum(Sum(A, B), A)),
    "A - B": (A - B, Sum(A, Scale(MINUS, B))),
    "s - t": (s - t, Sum(s, Hadamard(MINUS, t))),
    "-A": (-A, Scale(MINUS, A)),
    "-s": (-s, Hadamard(MINUS, s)),
    "A * B": (A * B, Hadamard(A, B)),
    "s * t": (s * t, Hadamard(s, t)),
    "s * A": (s * A, Scale(s, A)),
    "A * s": (A * s, Scale(s, A)),
    "2 * A": (2 * A, Scale(TWO, A)),
    "A * 2": (A * 2, Scale(TWO, A)),
    "2 * s": (2 * s, Hadamard(TWO, s)),
    "s * 2": (s * 2, Hadamard(s, TWO)),
    "A / B": (A / B, Hadamard(A, Power(B, MINUS))),
    "A / s": (A / s, Scale(Power(s, MINUS), A)),
    "A / 2": (A / 2, Scale(Power(TWO, MINUS), A)),
    "1 / A": (1 / A, Scale(Number(1), Power(A, MINUS))),
    "s / A": (s / A, Scale(s, Power(A, MINUS))),
    "1 / s": (1 / s, Hadamard(Number(1), Power(s, MINUS))),
    "A ** 2": (A**2, Power(A, TWO)),
    "A ** 0.5": (A**0.5, Power(A, Number(Fraction(1, 2)))),
    "A ** s": (A**s, Power(A, s)),
    "A + s": (A + s, Sum(A, ALL_S)),
    "s + A": (s + A, Sum(ALL_S, A)),
    "A - s": (A - s, Sum(A, Scale(MINUS, ALL_S))),
    "s - A": (s - A, Sum(ALL_S, Scale(MINUS, A))),
    "1 + A": (1 + A, Sum(Broadcast(Number(1), "n", "n"), A)),
    "A - 1": (A - 1, Sum(A, Scale(MINUS, Broadcast(Number(1), "n", "n")))),
    "1 - A": (1 - A, Sum(Broadcast(Number(1), "n", "n"), Scale(MINUS, A))),
    "1 - s": (1 - s, Sum(Number(1), Hadamard(MINUS, s))),
    "s + 1": (s + 1, Sum(s, Number(1))),
    "X.T": (X.T, Transpose(X)),
    "X.T.T": (X.T.T, Transpose(Transpose(X))),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_operators_build_what_you_write(text):
    built, meant = WRITTEN[text]
    assert built is meant


def test_numbers_are_exact():
    assert Number(0.1).value == Fraction(1, 10)
    assert Number(1e-3) is Number(Fraction(1, 1000))
    assert Number(3) is Number(3.0)
    assert Number(Fraction(2, 6)).value == Fraction(1, 3)


def test_a_variable_tells_its_name_shape_flags_and_domain():
    S = Variable("S", (Dim.of("n"), Dim.of("n")), ("spd", "symmetric"), "spd")
    assert (S.name, S.flags, S.domain, S.is_variable) == ("S", ("spd", "symmetric"), "spd", True)
    assert (A.flags, A.domain) == ((), "normal")
    assert not Number(1).is_variable


def test_a_size_is_a_scalar():
    assert Size("n*p").dim == Dim.of("p*n")
    assert Size("n").is_scalar
    assert Size(Dim.of("n")) is Size("n")


def test_scalars_take_no_matrix_product():
    with pytest.raises(ShapeError, match="Use `\\*` with a scalar"):
        _ = s @ A


@pytest.mark.parametrize("other", ["A", None, [1.0], 1j])
def test_other_operands_are_refused(other):
    with pytest.raises(OptionError, match="built from expressions and numbers; got "):
        _ = A + other


def test_the_remedy_for_an_array_is_a_variable():
    with pytest.raises(OptionError, match=r"Name an array with `variable\(name, shape\)`"):
        _ = A * [[1.0]]


def test_shown_as_text_where_that_is_short():
    assert repr(parse("tr(A*B)", shapes={"A": "n,n", "B": "n,n"})) == "<tr(A*B), a scalar>"
    assert repr(X) == "<X, n×p>"
    deep = A
    while len(list(deep.nodes())) < 30:
        deep = Transpose(deep)
    assert repr(deep).startswith("<A'")
    assert repr(Transpose(deep)) == "<Transpose, n×n>"


def test_shapes_as_text():
    assert shape_text(()) == "a scalar"
    assert shape_text((Dim.of("k*p"), Dim.of(1))) == "k·p×1"


def test_rebuilding_replaces_wherever_it_stands():
    shared = Apply("exp", A)
    root = Total(shared @ shared + A * B)
    assert rebuilt(root, {A: B}) is Total(Apply("exp", B) @ Apply("exp", B) + B * B)
    assert rebuilt(root, {shared: B}) is Total(B @ B + A * B)
    assert rebuilt(root, {}) is root
    assert rebuilt(A, {A: B}) is B
