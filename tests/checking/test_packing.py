"""A point keeps the structure that its user gave it, and a gradient is read in the same way."""

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from matbackprop import Parameters
from matbackprop.checking import check_gradient
from matbackprop.checking.packing import Packing
from matbackprop.errors import DataError, DtypeError, ShapeError

Line = namedtuple("Line", ["slope", "offset"])


@dataclass(frozen=True)
class Layer:
    W: Any
    b: Any = None


@dataclass(frozen=True)
class Report:
    """A gradient with more in it than the point has."""

    loss: float
    W: Any
    b: Any


W, B = np.arange(6.0).reshape(2, 3), np.array([10.0, 20.0])
POINTS = {
    # at, names of its leaves, their shapes
    "array": (W, [""], [(2, 3)]),
    "number": (2.5, [""], [()]),
    "whole numbers": (np.array([1, 2]), [""], [(2,)]),
    "list of numbers": ([1.0, 2, 3.0], [""], [(3,)]),
    "list of lists of numbers": ([[1.0, 2.0], [3.0, 4.0]], [""], [(2, 2)]),
    "dict": ({"W": W, "b": B}, ["W", "b"], [(2, 3), (2,)]),
    "order of the dict": ({"b": B, "W": W}, ["b", "W"], [(2,), (2, 3)]),
    "tuple": ((W, B), ["[0]", "[1]"], [(2, 3), (2,)]),
    "tuple of numbers": ((1.0, 2.0), ["[0]", "[1]"], [(), ()]),
    "named tuple": (Line(B, 3.0), ["[0]", "[1]"], [(2,), ()]),
    "list of arrays": ([W, B], ["[0]", "[1]"], [(2, 3), (2,)]),
    "dataclass": (Layer(W, B), ["W", "b"], [(2, 3), (2,)]),
    "dataclass without one": (Layer(W), ["W"], [(2, 3)]),
    "nested": (
        {"layers": [Layer(W, B), Layer(B)], "scale": 2.0, "more": (B, {"deep": W})},
        ["layers[0].W", "layers[0].b", "layers[1].W", "scale", "more[0]", "more[1].deep"],
        [(2, 3), (2,), (2,), (), (2,), (2, 3)],
    ),
    "empty part": ({"W": W, "none": np.zeros((0, 3))}, ["W", "none"], [(2, 3), (0, 3)]),
    "Parameters": (
        Parameters(W, np.ones(3), np.full(3, 2.0), np.zeros(3)),
        ["Gamma1", "Gamma2", "gamma", "beta"],
        [(2, 3), (3,), (3,), (3,)],
    ),
    "Parameters without batch norm": (
        Parameters(W, np.ones(3)),
        ["Gamma1", "Gamma2"],
        [(2, 3), (3,)],
    ),
}


def table(cases):
    return [pytest.param(*case, id=name) for name, case in cases.items()]


def packed(at):
    return Packing(at, call="check(at)")


def leaves(value):
    """The arrays of a structure, found without the code under test."""
    if isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, list | tuple):
        if not any(isinstance(part, np.ndarray | Layer | dict) for part in value) and not (
            isinstance(value, tuple)
        ):
            return [np.asarray(value, float)]
        parts = value
    elif isinstance(value, Layer):
        parts = (value.W, value.b)
    elif isinstance(value, Parameters):
        parts = (value.Gamma1, value.Gamma2, value.gamma, value.beta)
    else:
        return [] if value is None else [np.asarray(value, float)]
    return [leaf for part in parts for leaf in leaves(part)]


@pytest.mark.parametrize(("at", "names", "shapes"), table(POINTS))
def test_names_shapes_and_the_vector(at, names, shapes):
    packing = packed(at)
    assert list(packing.names) == names
    assert list(packing.shapes.values()) == shapes
    assert packing.theta.tolist() == np.concatenate([a.ravel() for a in leaves(at)]).tolist()
    assert packing.size == packing.theta.size


@pytest.mark.parametrize(("at", "names", "shapes"), table(POINTS))
def test_what_is_built_has_the_structure_of_the_point(at, names, shapes):
    packing = packed(at)
    built = packing.build(packing.theta + 0.5)
    assert type(built) is (type(at) if len(names) > 1 or isinstance(at, Layer) else type(built))
    assert [leaf.shape for leaf in leaves(built)] == shapes
    for new, old in zip(leaves(built), leaves(at), strict=True):
        np.testing.assert_array_equal(new, old + 0.5)


@pytest.mark.parametrize(("at", "names", "shapes"), table(POINTS))
def test_a_gradient_in_the_structure_of_the_point_is_read(at, names, shapes):
    packing = packed(at)
    found = packing.read(packing.build(3 * packing.theta), what="gradient")
    assert list(found) == names
    np.testing.assert_array_equal(packing.vector(found), 3 * packing.theta)


def test_the_parts_of_a_named_tuple_keep_their_names():
    packing = packed(Line(B, 3.0))
    assert packing.build(packing.theta).offset == 3.0


def test_complex_points_keep_their_imaginary_parts():
    packing = packed({"W": W, "b": B})
    built = packing.build(packing.theta + 1j)
    assert built["b"].tolist() == [10 + 1j, 20 + 1j]


def test_single_precision_becomes_double():
    assert packed(np.ones(2, dtype=np.float32)).theta.dtype == np.float64


@pytest.mark.parametrize(
    ("at", "positions"),
    [
        pytest.param({"W": W, "b": B}, {1: "W[0, 1]", 5: "W[1, 2]", 7: "b[1]"}, id="dict"),
        pytest.param(W, {4: "at[1, 1]"}, id="array"),
        pytest.param(2.0, {0: "at"}, id="number"),
        pytest.param((W, 2.0), {5: "[0][1, 2]", 6: "[1]"}, id="tuple"),
        pytest.param({"e": np.zeros(0), "b": B}, {0: "b[0]"}, id="after an empty part"),
    ],
)
def test_entries_are_named_as_their_user_would(at, positions):
    packing = packed(at)
    assert {k: packing.entry(k) for k in positions} == positions
    with pytest.raises(IndexError):
        packing.entry(packing.size)


@pytest.mark.parametrize(
    ("at", "gradient"),
    [
        pytest.param({"W": W, "b": B}, {"b": B, "W": W}, id="dict in another order"),
        pytest.param({"W": W, "b": B}, Report(1.0, W, B), id="record with more"),
        pytest.param(Layer(W, B), {"b": B, "W": W}, id="dict for a record"),
        pytest.param(Layer(W, B), Report(1.0, W, B), id="record for a record"),
        pytest.param((W, B), [W, B], id="list for a tuple"),
    ],
)
def test_other_structures_that_conform(at, gradient):
    found = packed(at).read(gradient, what="gradient")
    assert [array.tolist() for array in found.values()] == [W.tolist(), B.tolist()]


def test_a_gradient_record_serves_a_point_of_parameters(rng):
    par = Parameters.random(3, 2, rng=rng)
    from matbackprop import Network, gradient

    net, X, y = Network("tanh"), rng.standard_normal((9, 3)), rng.standard_normal(9)
    check = check_gradient(
        lambda p: gradient(net, p, X, y).loss, lambda p: gradient(net, p, X, y), par
    )
    assert check.ok
    assert [block.name for block in check.blocks] == ["Gamma1", "Gamma2", "gamma", "beta"]


@pytest.mark.parametrize(
    ("at", "gradient", "error", "text"),
    [
        pytest.param({"W": W, "b": B}, {"W": W}, ShapeError,
                     r"`check\(at\)`: gradient needs the parts W, b; it lacks b\.", id="missing"),
        pytest.param({"W": W, "b": B}, {"W": W, "b": None}, ShapeError, "it lacks b", id="None"),
        pytest.param({"W": W, "b": B}, {"W": W, "b": B, "c": B}, ShapeError,
                     r"it has c, which the point has not", id="unknown"),
        pytest.param({"W": W, "b": B}, {"W": W, "B": B}, ShapeError,
                     "it lacks b and has B, which the point has not", id="misspelt"),
        pytest.param({"W": W, "b": B}, W, ShapeError,
                     r"a dict, or a record with these names; got ndarray of shape \(2, 3\)",
                     id="array for a dict"),
        pytest.param({"W": W, "b": B}, (W, B), ShapeError, "got tuple", id="tuple for a dict"),
        pytest.param({"net": {"W": W}}, {"net": {"V": W}}, ShapeError,
                     "gradient net needs the parts W; it lacks W and has V", id="nested"),
        pytest.param(Layer(W, B), {"W": W, "b": B, "c": B}, None, "", id="more than a record"),
        pytest.param((W, B), (W,), ShapeError,
                     "needs a tuple of 2 parts, as the point has; got 1", id="too few"),
        pytest.param((W, B), (W, B, B), ShapeError, "2 parts.*got 3", id="too many"),
        pytest.param((W, B), W, ShapeError, "2 parts.*got ndarray", id="array for a tuple"),
        pytest.param(W, {"W": W}, DtypeError,
                     "gradient needs to be an array, as the point is; got a dict", id="dict"),
        pytest.param({"W": W, "b": B}, {"W": W, "b": "no"}, DtypeError,
                     "needs real numbers in gradient b", id="text"),
        pytest.param({"W": W, "b": B}, {"W": W, "b": 1j * B}, DtypeError,
                     "gradient b; got dtype complex128", id="complex"),
    ],
)  # fmt: skip
def test_a_gradient_of_another_structure(at, gradient, error, text):
    if error is None:
        packed(at).read(gradient, what="gradient")
        return
    with pytest.raises(error, match=text):
        packed(at).read(gradient, what="gradient")


@pytest.mark.parametrize(
    ("at", "error", "text"),
    [
        pytest.param(np.zeros(0), ShapeError, "at least one parameter", id="no entry"),
        pytest.param({}, ShapeError, r"at least one parameter in `at`; got \{\}", id="empty dict"),
        pytest.param((), ShapeError, "at least one parameter", id="empty tuple"),
        pytest.param(None, DtypeError, "needs real numbers in at; got", id="None"),
        pytest.param("text", DtypeError, "needs real numbers in at", id="text"),
        pytest.param({"W": W, "b": [1j]}, DtypeError, "real numbers in at b", id="complex"),
        pytest.param({"W": W, "b": np.array([1.0, np.nan])}, DataError, "at b has NaN", id="NaN"),
    ],
)
def test_what_is_no_point(at, error, text):
    with pytest.raises(error, match=text):
        packed(at)


def test_the_point_itself_is_never_touched():
    at = {"W": W.copy(), "b": B.copy()}
    packing = packed(at)
    packing.build(packing.theta)["W"][:] = 99.0
    packing.theta[:] = 77.0
    np.testing.assert_array_equal(at["W"], W)
    np.testing.assert_array_equal(at["b"], B)


def test_a_single_array_is_not_touched_either():
    at = W.copy()
    packing = packed(at)
    packing.theta[:] = 77.0
    np.testing.assert_array_equal(at, W)
