"""R source text: ASCII, exact, and free of injected code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matbackprop.rbridge import NA_REAL
from matbackprop.rbridge.conversion import to_node
from matbackprop.rbridge.literals import source_text, string_literal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        ([], "list()"),
        ({}, "structure(list(), names = character(0))"),
        (np.array([]), "double(0)"),
        (5e-324, "c(0x0.0000000000001p-1022)"),
        (np.array([np.nan, np.inf, -np.inf, NA_REAL]), "c(NaN,\nInf,\n-Inf,\nNA_real_)"),
        (-7, "c(-7L)"),
        (np.ma.MaskedArray([1, 2], mask=[0, 1]), "c(1L,\nNA_integer_)"),
        (np.ma.MaskedArray([True, False], mask=[0, 1]), "c(TRUE,\nNA)"),
        (np.array(["a", None], dtype=object), 'c("a",\nNA_character_)'),
        (np.ones((1, 1)), "structure(c(0x1.0000000000000p+0), dim = c(1L,\n1L))"),
    ],
)
def test_source_text(value, text):
    assert source_text(to_node(value)) == text


@given(st.text())
def test_strings_are_ascii_and_closed(text):
    literal = string_literal(text)
    assert literal.isascii()
    assert literal.isprintable()
    body = literal[1:-1].replace("\\\\", "").replace('\\"', "")
    assert '"' not in body
