"""Some rows: cut into views, brought into one dtype, moved to the library of others."""

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from matbackprop.streaming.rows import Rows, moved


@given(n=st.integers(0, 40), rows=st.integers(1, 50), weighted=st.booleans())
def test_blocks_are_all_rows_in_their_order(n, rows, weighted):
    X, y = np.arange(2.0 * n).reshape(n, 2), np.arange(n)[:, None]
    w = np.arange(n) + 0.5 if weighted else None
    blocks = list(Rows(X, y, w, 0).blocks(rows))
    assert len(blocks) == -(-n // rows)
    assert all(0 < len(b[0]) <= rows for b in blocks)
    if not blocks:
        return
    assert_array_equal(np.concatenate([b[0] for b in blocks]), X)
    assert_array_equal(np.concatenate([b[1] for b in blocks]), y)
    if weighted:
        assert_array_equal(np.concatenate([b[2] for b in blocks]), w)
    else:
        assert all(b[2] is None for b in blocks)
    assert all(np.shares_memory(b[0], X) for b in blocks)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_conformed(dtype):
    X, y, w = np.ones((3, 2), dtype), np.ones(3, dtype), np.ones(3, dtype)
    same = Rows(X, y, w, 7, "block 1", 5).conformed(dtype)
    assert same.X is X
    assert np.shares_memory(same.y, y)
    assert same.weights is w
    assert same.y.shape == (3, 1)
    assert same[3:] == (7, "block 1", 5)
    other = Rows(X.astype(int), y > 0, None, 0).conformed(dtype)
    assert (other.X.dtype, other.y.dtype, other.weights) == (dtype, dtype, None)
    assert Rows(X, X, None, 0).conformed(dtype).y is X


def test_moved(torch):
    a = np.array([1.0, 2.0])
    assert moved(a, np.zeros(1)) is a
    tensor = moved(a, torch.zeros(1))
    assert isinstance(tensor, torch.Tensor)
    assert tensor.tolist() == [1.0, 2.0]
    strict = array_api_strict.asarray([0.0], device=array_api_strict.Device("device1"))
    assert moved(a, strict).device == strict.device


def test_what_may_not_be_written_to_moves_without_a_warning(torch):
    """Parameters are read-only; `filterwarnings` is "error"."""
    a = np.array([1.0, 2.0])
    a.flags.writeable = False
    assert moved(a, torch.zeros(1)).tolist() == [1.0, 2.0]
