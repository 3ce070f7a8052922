from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from matbackprop.errors import DtypeError, OptionError, ShapeError
from matbackprop.linalg import unvec, unvech, vec, vech

sizes = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)
A = np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]])


def test_vec_stacks_columns():
    assert_array_equal(vec(A), [1, 2, 3, 4, 5, 6])


def test_vec_reads_any_memory_order():
    assert_array_equal(vec(np.asfortranarray(A)), vec(A))
    assert_array_equal(vec(A.T), [1, 4, 2, 5, 3, 6])


def test_vec_of_a_vector_is_itself():
    assert_array_equal(vec([7.0, 8.0, 9.0]), [7, 8, 9])


def test_unvec_undoes_vec_by_hand():
    assert_array_equal(unvec([1, 2, 3, 4, 5, 6], (3, 2)), A)
    assert_array_equal(unvec([1.0, 2.0], (2,)), [1, 2])


def test_vech_takes_the_lower_triangle_by_columns():
    a = np.array([[1.0, -1.0, -1.0], [2.0, 4.0, -1.0], [3.0, 5.0, 6.0]])
    assert_array_equal(vech(a), [1, 2, 3, 4, 5, 6])


def test_unvech_is_symmetric():
    assert_array_equal(unvech([1, 2, 3, 4, 5, 6]), [[1, 2, 3], [2, 4, 5], [3, 5, 6]])


@given(sizes, sizes, seeds)
def test_unvec_undoes_vec(m, n, seed):
    a = np.random.default_rng(seed).standard_normal((m, n))
    assert_array_equal(unvec(vec(a), (m, n)), a)
    assert vec(a)[(m - 1) + (n - 1) * m] == a[m - 1, n - 1]


@given(sizes, seeds)
def test_vech_and_unvech_undo_each_other(n, seed):
    a = np.random.default_rng(seed).standard_normal((n, n))
    symmetric = a + a.T
    assert_array_equal(unvech(vech(symmetric)), symmetric)
    assert_array_equal(vech(unvech(vech(a))), vech(a))


@given(sizes, sizes, seeds)
def test_trace_is_an_inner_product_of_vecs(m, n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, m, n))
    np.testing.assert_allclose(np.trace(a.T @ b), vec(a) @ vec(b), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, np.complex128])
def test_dtype_is_kept(dtype):
    a = np.ones((2, 2), dtype=dtype)
    for result in (vec(a), unvec(vec(a), (2, 2)), vech(a), unvech(vech(a))):
        assert result.dtype == dtype


def test_complex_numbers_pass_unchanged():
    a = np.array([[1.0 + 1j, 2.0], [3.0, 4.0 - 2j]])
    assert_array_equal(vec(a), [1 + 1j, 3, 2, 4 - 2j])
    assert_array_equal(vech([[1j, 0], [2.0, 3.0]]), [1j, 2, 3])


def test_empty_matrices_have_empty_vecs():
    assert unvec(vec(np.empty((0, 3))), (0, 3)).shape == (0, 3)
    assert unvech(vech(np.empty((0, 0)))).shape == (0, 0)


LIST: Any = [2, 1]
FLOATS: Any = (2.0, 1)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: vec(1.0), ShapeError, r"`vec\(a\)` needs a 1-D or 2-D array a; got a 0-D"),
        (lambda: vec(np.ones((1, 2, 3))), ShapeError, r"got a 3-D array of shape \(1, 2, 3\)"),
        (lambda: vec([["a"]]), DtypeError, r"`vec\(a\)` needs real numbers in a"),
        (lambda: vec([[1.0], [2.0, 3.0]]), DtypeError, "make rows equally long"),
        (lambda: unvec([1.0, 2.0], LIST), ShapeError, r"as a tuple; got \[2, 1\]"),
        (lambda: unvec([1.0], (1, 1, 1)), ShapeError, r"\(m, n\) or \(n,\)"),
        (lambda: unvec([1.0, 2.0], FLOATS), OptionError, r"integer in shape >= 0; got 2\.0"),
        (lambda: unvec([1.0, 2.0], (-2, -1)), OptionError, "got -2"),
        (lambda: unvec(np.ones(5), (2, 3)), ShapeError, r"6 entries for shape \(2, 3\); got 5"),
        (lambda: unvec(np.ones((2, 3)), (2, 3)), ShapeError, "needs a 1-D array v; got a 2-D"),
        (lambda: vech(np.ones((2, 3))), ShapeError, r"square matrix; got a \(2, 3\)"),
        (lambda: vech(np.ones(3)), ShapeError, "needs a 2-D array a; got a 1-D"),
        (lambda: unvech(np.ones(4)), ShapeError, r"got 4, between 3 \(n = 2\) and 6 \(n = 3\)"),
        (lambda: unvech(np.ones((2, 2))), ShapeError, "needs a 1-D array v"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
