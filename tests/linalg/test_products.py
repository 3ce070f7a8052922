import subprocess
import sys

import numpy as np
import pytest
import scipy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.errors import DtypeError, OptionError, ShapeError
from matbackprop.linalg import diagonal_selection, hadamard, khatri_rao, kron, kron_operator, vec

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)


def close(actual, desired):
    # Products of a handful of standard normals: well below 100 terms, each of order one.
    assert_allclose(actual, desired, rtol=1e-12, atol=1e-12)


def complex_normal(rng, shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


# Kronecker -------------------------------------------------------------------------------


def test_kron_by_hand():
    assert_array_equal(kron([[1, 2], [3, 4]], [[0, 5]]), [[0, 5, 0, 10], [0, 15, 0, 20]])


def test_a_vector_beside_a_matrix_is_a_column():
    ones = np.ones(3)
    assert_array_equal(kron(np.eye(2), ones), np.kron(np.eye(2), ones[:, None]))
    assert_array_equal(kron(ones, np.eye(2)), np.vstack([np.eye(2)] * 3))
    assert_array_equal(kron([1.0, 2.0], [3.0, 4.0]), [3, 4, 6, 8])


@given(sizes, sizes, sizes, sizes, seeds)
def test_vec_of_a_product(m, n, p, q, seed):
    rng = np.random.default_rng(seed)
    a, x, b = (rng.standard_normal(s) for s in [(m, n), (n, p), (p, q)])
    close(kron(b.T, a) @ vec(x), vec(a @ x @ b))


@given(sizes, sizes, sizes, sizes, seeds)
def test_mixed_product(m, n, p, q, seed):
    rng = np.random.default_rng(seed)
    a, c, b, d = (rng.standard_normal(s) for s in [(m, n), (n, p), (q, m), (m, p)])
    close(kron(a, b) @ kron(c, d), kron(a @ c, b @ d))


@given(sizes, sizes, seeds)
def test_trace_of_kron_is_the_product_of_traces(m, n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((m, m)), rng.standard_normal((n, n))
    close(np.trace(kron(a, b)), np.trace(a) * np.trace(b))


@given(sizes, sizes, seeds)
def test_trace_of_four_factors(m, n, seed):
    rng = np.random.default_rng(seed)
    a, b, c, d = (rng.standard_normal(s) for s in [(m, n), (n, n), (n, m), (m, m)])
    close(np.trace(a @ b @ c @ d), vec(d.T) @ kron(c.T, a) @ vec(b))


@given(sizes, sizes, seeds)
def test_vec_of_an_outer_product(m, n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal(m), rng.standard_normal(n)
    close(vec(np.outer(a, b)), kron(b, a))


# Hadamard and Khatri-Rao -----------------------------------------------------------------


@given(sizes, sizes, seeds)
def test_hadamard_is_a_diagonal_matrix_on_vec(m, n, seed):
    a, b = np.random.default_rng(seed).standard_normal((2, m, n))
    close(vec(hadamard(a, b)), np.diag(vec(a)) @ vec(b))


@given(sizes, sizes, sizes, seeds)
def test_khatri_rao_selects_columns_of_kron(m, p, n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((m, n)), rng.standard_normal((p, n))
    close(khatri_rao(a, b), kron(a, b) @ diagonal_selection(n).toarray())


@given(sizes, sizes, sizes, seeds)
def test_vec_of_a_product_with_a_diagonal_inside(m, n, p, seed):
    rng = np.random.default_rng(seed)
    a, g, b = (rng.standard_normal(s) for s in [(m, n), n, (n, p)])
    close(khatri_rao(b.T, a) @ g, vec(a @ np.diag(g) @ b))


# The lazy operator -----------------------------------------------------------------------

FACTORS = {
    "dense": lambda rng, m, n: rng.standard_normal((m, n)),
    "row-major transpose": lambda rng, m, n: rng.standard_normal((n, m)).T,
    "complex": lambda rng, m, n: complex_normal(rng, (m, n)),
    "sparse": lambda rng, m, n: scipy.sparse.csr_array(rng.standard_normal((m, n))),
    "sparse matrix, old kind": lambda rng, m, n: scipy.sparse.coo_matrix(
        rng.standard_normal((m, n))
    ),
    "identity": lambda rng, m, n: m,
    "vector": lambda rng, m, n: rng.standard_normal(m),
    "integers": lambda rng, m, n: rng.integers(-3, 4, (m, n)),
}


def dense(factor):
    if isinstance(factor, int):
        return np.eye(factor)
    array = factor if isinstance(factor, np.ndarray) else factor.toarray()
    return array[:, None] if array.ndim == 1 else array


@pytest.mark.parametrize("a_kind", FACTORS)
@pytest.mark.parametrize("b_kind", FACTORS)
@pytest.mark.parametrize("shape", [(2, 5, 4, 3), (5, 2, 3, 4), (1, 1, 1, 1)], ids=str)
def test_operator_equals_the_dense_product(a_kind, b_kind, shape):
    rng = np.random.default_rng(20)
    m, n, p, q = shape
    a, b = FACTORS[a_kind](rng, m, n), FACTORS[b_kind](rng, p, q)
    K, op = kron(dense(a), dense(b)), kron_operator(a, b)
    assert op.shape == K.shape
    assert op.dtype == np.result_type(K.dtype, np.float64)  # integers are promoted
    u, v = complex_normal(rng, K.shape[0]), complex_normal(rng, K.shape[1])
    U, V = rng.standard_normal((K.shape[0], 3)), rng.standard_normal((K.shape[1], 3))
    close(op @ v, K @ v)
    close(op.rmatvec(u), K.conj().T @ u)
    close(op @ V, K @ V)
    close(op.rmatmat(U), K.conj().T @ U)
    close(op.T @ u, K.T @ u)
    close(op @ v[:, None], (K @ v)[:, None])
    close(op @ V[:, :0], np.empty((K.shape[0], 0)))
    close(np.vdot(op @ v, u), np.vdot(v, op.H @ u))  # <Kv, u> = <v, Kᴴu>


@given(sizes, sizes, sizes, sizes, seeds)
def test_operator_is_adjoint_to_its_transpose(m, n, p, q, seed):
    rng = np.random.default_rng(seed)
    op = kron_operator(rng.standard_normal((m, n)), rng.standard_normal((p, q)))
    u, v = rng.standard_normal(n * q), rng.standard_normal(m * p)
    close((op @ u) @ v, u @ (op.T @ v))


@given(sizes, sizes, sizes, sizes, seeds)
def test_operator_is_vec_of_b_x_a_transposed(m, n, p, q, seed):
    rng = np.random.default_rng(seed)
    a, x, b = (rng.standard_normal(s) for s in [(m, n), (q, n), (p, q)])
    close(kron_operator(a, b) @ vec(x), vec(b @ x @ a.T))


def test_float32_stays_float32():
    X = np.ones((3, 2), dtype=np.float32)
    op = kron_operator(4, X)
    assert op.dtype == np.float32
    assert (op @ np.ones(8, dtype=np.float32)).dtype == np.float32


def test_identity_twice_returns_a_copy():
    v = np.arange(6.0)
    result = kron_operator(2, 3) @ v
    result[0] = 99.0
    assert_array_equal(v, np.arange(6.0))


def test_operands_are_not_mutated():
    rng = np.random.default_rng(1)
    a, b, v = rng.standard_normal((2, 3)), rng.standard_normal((4, 5)), rng.standard_normal(15)
    copies = [array.copy() for array in (a, b, v)]
    kron(a, b), kron_operator(a, b) @ v
    for array, copy in zip((a, b, v), copies, strict=True):
        assert_array_equal(array, copy)


LARGE = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
import numpy as np
from matbackprop.linalg import kron_operator
X = np.random.default_rng(0).standard_normal((20_000, 20))
op = kron_operator(50, X)
u = op @ np.ones(1_000)
v = op.rmatvec(u)
np.testing.assert_allclose(u[:20_000], X.sum(axis=1), rtol=1e-10, atol=1e-10)
np.testing.assert_allclose(v[:20], X.T @ X.sum(axis=1), rtol=1e-10)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is honoured on Linux only")
def test_the_issues_large_case_fits_in_one_gibibyte():
    # One thread: BLAS reserves address space for each of its threads before any work is done.
    done = subprocess.run(
        [sys.executable, "-c", LARGE],
        env={"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# Bad input -------------------------------------------------------------------------------

sparse = scipy.sparse.csr_array(np.eye(2))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: kron(2.0, np.eye(2)), ShapeError, "needs a 1-D or 2-D array a; got a 0-D"),
        (lambda: kron(np.eye(2), np.ones((1, 1, 1))), ShapeError, "array b; got a 3-D"),
        (lambda: kron(sparse, np.eye(2)), DtypeError, r"a sparse matrix: `\.toarray\(\)`"),
        (
            lambda: hadamard(np.ones((3, 2)), np.ones(2)),
            ShapeError,
            r"needs equal shapes; got a \(3, 2\), b \(2,\)\. To weight rows by a vector w",
        ),
        (lambda: hadamard(np.ones((3, 1)), np.ones((3, 2))), ShapeError, "equal shapes"),
        (lambda: hadamard(["x"], [1.0]), DtypeError, "needs real numbers in a"),
        (
            lambda: khatri_rao(np.ones((2, 3)), np.ones((2, 4))),
            ShapeError,
            r"as many columns in a as in b; got a \(2, 3\), b \(2, 4\)",
        ),
        (lambda: khatri_rao(np.ones(3), np.ones((2, 3))), ShapeError, "2-D array a"),
        (lambda: kron_operator(0, np.eye(2)), OptionError, "integer a >= 1; got 0"),
        (lambda: kron_operator(np.eye(2), True), OptionError, "integer b >= 1; got True"),
        (lambda: kron_operator(2.0, np.eye(2)), OptionError, r"got 2\.0"),
        (lambda: kron_operator(np.ones((1, 1, 1)), 2), ShapeError, "1-D or 2-D array a"),
        (
            lambda: kron_operator(scipy.sparse.coo_array(np.ones(3)), 2),
            ShapeError,
            "sparse matrix a with 2 dimensions; got 1",
        ),
        (
            lambda: kron_operator(2, scipy.sparse.linalg.aslinearoperator(np.eye(2))),
            DtypeError,
            r"an operator of shape \(2, 2\)\. Compose operators with `@`",
        ),
        (lambda: kron_operator(2, [["x"]]), DtypeError, "needs real numbers in b"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_vector_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match=r"(?i)dimension mismatch"):
        kron_operator(2, np.ones((3, 2))) @ np.ones(5)


@pytest.mark.parametrize("product", [kron, hadamard, khatri_rao])
def test_integers_do_not_overflow(product):
    a = np.array([[100]], dtype=np.int8)
    assert product(a, a).item() == 10_000


def test_masked_entries_are_not_passed_on():
    masked = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[0, 1], [0, 0]])
    assert np.isnan(vec(masked)).tolist() == [False, False, True, False]
