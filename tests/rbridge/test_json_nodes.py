"""JSON that `to_json` would not write is refused, with its place."""

import numpy as np
import pytest

from matbackprop.errors import DataError
from matbackprop.rbridge import is_na
from matbackprop.rbridge.conversion import from_node
from matbackprop.rbridge.json_nodes import node_from_json


def double(**changes):
    return {"type": "double", "values": [1, 2.5]} | changes


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param(3, r"at \$ .* holds 3", id="no node"),
        pytest.param({"type": "complex"}, "known .type.", id="type"),
        pytest.param(double(values=None), r"\$\.values .* a list", id="values"),
        pytest.param(double(values=[1, "x"]), r"\$\.values\[1\] .* 'x'", id="entry"),
        pytest.param(double(values=[True, 1]), "double value", id="logical in double"),
        pytest.param({"type": "integer", "values": [1.5]}, "integer value", id="fraction"),
        pytest.param({"type": "integer", "values": [2**31]}, "integer value", id="overflow"),
        pytest.param({"type": "logical", "values": [1]}, "logical value", id="logical"),
        pytest.param({"type": "character", "values": [1]}, r"values\[0\] .* string", id="text"),
        pytest.param(double(dim=[3]), r"\$\.dim .* product is 2", id="dim"),
        pytest.param(double(dim=[-1, -2]), "product is 2", id="negative dim"),
        pytest.param(double(names=["a"]), "2 names", id="names"),
        pytest.param(double(dim=[2, 1], dimnames=[None]), "2 entries", id="dimnames"),
        pytest.param(
            double(dim=[2, 1], dimnames=[["a"], None]), r"dimnames\[0\]", id="length of dimnames"
        ),
        pytest.param(
            {"type": "list", "values": [double(values=["y"])]},
            r"\$\.values\[0\]\.values\[0\]",
            id="nested",
        ),
        pytest.param(
            {"type": "factor", "levels": ["a"], "values": [2]}, "codes from 1 to 1", id="factor"
        ),
        pytest.param(
            {"type": "data.frame", "names": ["a"], "row_names": ["r"], "columns": [double()]},
            "columns of 1 entries",
            id="frame",
        ),
    ],
)
def test_ill_formed_documents_are_refused(document, message):
    with pytest.raises(DataError, match=message):
        node_from_json(document)


def test_special_numbers():
    values = from_node(node_from_json(double(values=["NA", "NaN", "Inf", "-Inf", -0.0])))
    assert is_na(values).tolist() == [True, False, False, False, False]
    assert np.isnan(values[:2]).all()
    assert values[2:4].tolist() == [np.inf, -np.inf]
    assert np.signbit(values[4])
