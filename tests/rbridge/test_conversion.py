"""Python values to nodes: what is refused, and why. Round trips are in test_round_trip.py."""

import datetime

import numpy as np
import pandas as pd
import pytest

from matbackprop.errors import DataError, DtypeError
from matbackprop.rbridge.conversion import from_node, to_node
from matbackprop.rbridge.nodes import Node, character


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        pytest.param(object(), DtypeError, "type is object", id="object"),
        pytest.param(1j, DtypeError, "type is complex", id="complex"),
        pytest.param(np.array([1j]), DtypeError, "dtype complex128", id="complex array"),
        pytest.param(np.array([b"a"]), DtypeError, r"dtype \|S1", id="bytes"),
        pytest.param(np.longdouble(1), DtypeError, "has no lossless form", id="long double"),
        pytest.param(2**53 + 1, DataError, "the integer 9007199254740993", id="inexact int"),
        pytest.param(-(2**53) - 1, DataError, "integer -9007199254740993", id="inexact negative"),
        pytest.param(np.uint64(2**64 - 1), DataError, "18446744073709551615", id="uint64"),
        pytest.param({"a": {2: 1}}, DtypeError, r"value\['a'\]: the key 2", id="key"),
        pytest.param({"": 1}, DtypeError, "key ''", id="empty key"),
        pytest.param("a\0b", DataError, "null character", id="null character"),
        pytest.param("\ud800", DataError, "half a surrogate pair", id="surrogate"),
        pytest.param([1, [object()]], DtypeError, r"value\[1\]\[0\]", id="place in a list"),
        pytest.param(np.array([1, "a"], dtype=object), DtypeError, "holds 1", id="mixed objects"),
        pytest.param(2**70, DtypeError, "holds 1180591620717411303424", id="huge int"),
    ],
)
def test_values_without_a_lossless_form_are_refused(value, error, message):
    with pytest.raises(error, match=message):
        to_node(value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (2**31 - 1, "integer"),
        (-(2**31) + 1, "integer"),
        (-(2**31), "double"),
        (2**31, "double"),
        (2**62, "double"),
        (np.uint8(3), "integer"),
        (True, "logical"),
        (np.float32(0.1), "double"),
        ("a", "character"),
    ],
)
def test_kind_of_scalars(value, kind):
    node = to_node(value)
    assert node.kind == kind
    assert from_node(node).shape == (1,)
    assert from_node(node)[0] == value


def test_arguments_are_not_mutated():
    values = np.ma.MaskedArray([1.0, 2.0], mask=[True, False])
    to_node(values)
    assert values.data.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("frame", "error", "message"),
    [
        (pd.DataFrame({1: [1.0]}), DtypeError, "column name 1 is not a text"),
        (pd.DataFrame({"a": [1.0, 2.0]}, index=[3, 4]), DtypeError, r"reset_index\(\)"),
        (pd.DataFrame({"a": [1.0, 2.0]}, index=["x", "x"]), DataError, "'x' occurs twice"),
        (pd.DataFrame({"a": [datetime.datetime(2020, 1, 1)]}), DtypeError, r"\['a'\].*datetime64"),
        (pd.DataFrame({"a": pd.Categorical([1, 2])}), DtypeError, "category 1 is not a text"),
        (pd.DataFrame({"a": pd.Series([1.5, "b"], dtype=object)}), DtypeError, "holds 1.5"),
    ],
    ids=["column name", "index", "repeated row", "datetime", "categories", "mixed"],
)
def test_frames_without_a_lossless_form_are_refused(frame, error, message):
    with pytest.raises(error, match=message):
        to_node(frame)


def test_payload_is_column_major():
    node = to_node(np.arange(24.0).reshape(2, 3, 4))
    assert node.dim == (2, 3, 4)
    assert node.payload[:4].tolist() == [0.0, 12.0, 4.0, 16.0]


def test_names_of_nodes():
    node = Node("double", np.array([1.0]), {"names": character(["a"])})
    assert from_node(node).dimnames == (("a",),)
