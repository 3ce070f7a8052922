"""Kronecker, Hadamard and Khatri-Rao products; the Kronecker product also as an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import scipy

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import check_count, number_array
from matbackprop.errors import DtypeError, ShapeError

if TYPE_CHECKING:
    Factor: TypeAlias = Any  # a dense array, a sparse array, or an int n for the identity I_n


def kron(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the Kronecker product a ⊗ b: the block matrix with blocks ``a[i, j] * b``.

    Beside a matrix, a vector is a column: ``kron(np.eye(p), np.ones(n))`` is I ⊗ 1, of shape
    (p*n, p), as R's ``%x%`` has it. (`numpy.kron` would make a row of it.)

    Returns
    -------
    Shape (m*p, n*q) for `a` (m, n) and `b` (p, q); shape (m*p,) for two vectors.

    Raises
    ------
    ShapeError
        If an operand is neither 1-D nor 2-D.
    DtypeError
        If an operand is sparse; `kron_operator` takes those.

    References
    ----------
    Magnus and Neudecker (2019), section 2.2.

    Examples
    --------
    >>> kron([[1.0, 2.0]], [3.0, 4.0])
    array([[3., 6.],
           [4., 8.]])
    """
    left = _factor_array(a, call="kron(a, b)", name="a", ndim=(1, 2))
    right = _factor_array(b, call="kron(a, b)", name="b", ndim=(1, 2))
    if left.ndim == right.ndim == 1:
        return np.kron(left, right)
    return np.kron(_as_matrix(left), _as_matrix(right))


def hadamard(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the entrywise product a ⊙ b of two arrays of one shape; nothing is broadcast.

    Raises
    ------
    ShapeError
        If the shapes differ.

    Examples
    --------
    >>> hadamard([1.0, 2.0], [3.0, 4.0])
    array([3., 8.])
    """
    left = _factor_array(a, call="hadamard(a, b)", name="a")
    right = _factor_array(b, call="hadamard(a, b)", name="b")
    if left.shape != right.shape:
        raise ShapeError(
            f"`hadamard(a, b)` needs equal shapes; got a {left.shape}, b {right.shape}. "
            "To weight rows by a vector w, pass `np.broadcast_to(w[:, None], a.shape)`."
        )
    return np.asarray(left * right)


def khatri_rao(a: ArrayLike, b: ArrayLike, /) -> Array:
    """Return the column-wise Kronecker product: column j is ``kron(a[:, j], b[:, j])``.

    With it ``vec(A @ np.diag(g) @ B) == khatri_rao(B.T, A) @ g``.

    Returns
    -------
    Shape (m*p, n) for `a` (m, n) and `b` (p, n).

    Raises
    ------
    ShapeError
        If an operand is not 2-D or the numbers of columns differ.

    References
    ----------
    Khatri and Rao (1968), Sankhyā A 30, 167-180 (there by blocks; here a block is a column).

    Examples
    --------
    >>> khatri_rao([[1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]])
    array([[ 3.,  8.],
           [ 5., 12.]])
    """
    left = _factor_array(a, call="khatri_rao(a, b)", name="a", ndim=(2,))
    right = _factor_array(b, call="khatri_rao(a, b)", name="b", ndim=(2,))
    columns = left.shape[1]
    if right.shape[1] != columns:
        raise ShapeError(
            f"`khatri_rao(a, b)` needs as many columns in a as in b; got a {left.shape}, "
            f"b {right.shape}. For all pairs of columns use `kron(a, b)`."
        )
    rows = left.shape[0] * right.shape[0]
    return np.asarray((left[:, None, :] * right[None, :, :]).reshape(rows, columns))


def kron_operator(a: Factor, b: Factor, /) -> scipy.sparse.linalg.LinearOperator[Any]:
    """Return A ⊗ B as an operator that is never formed: (A ⊗ B) vec(X) = vec(B X Aᵀ).

    Parameters
    ----------
    a, b
        Each a matrix, dense or sparse; a vector, meaning a column; or an integer n, meaning
        the identity I_n, which costs nothing. So ``kron_operator(p2, X)`` is I ⊗ X.

    Returns
    -------
    A SciPy operator of shape (m*p, n*q) for A (m, n) and B (p, q). Products with it take one
    column at a time, so beyond the result they need the storage of one column, not of A ⊗ B.

    Raises
    ------
    ShapeError, OptionError, DtypeError
        If an operand is none of the above.

    References
    ----------
    Magnus and Neudecker (2019), section 2.4, theorem 2.2.

    Examples
    --------
    >>> X = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> kron_operator(2, X) @ np.array([1.0, 0.0, 0.0, 1.0])
    array([1., 3., 2., 4.])
    """
    A, B = _factor(a, "a"), _factor(b, "b")
    (m, n), (p, q) = _shape(A), _shape(B)
    kinds = [F.dtype for F in (A, B) if not isinstance(F, int)] or [np.dtype(np.float64)]

    def matvec(v: Array) -> Array:
        # A row-major reshape of vec(X) is Xᵀ, so A Xᵀ Bᵀ is vec(B X Aᵀ) read by rows:
        # neither the vector nor the result has to be copied into another memory order.
        return _two_sided(A, v.reshape(n, q), B).reshape(-1)

    def rmatvec(u: Array) -> Array:
        # (A ⊗ B)ᴴu = conj((A ⊗ B)ᵀ conj(u)): conjugates the vector, not the larger factors.
        V = u.conj().reshape(m, p)
        return _two_sided(_transposed(A), V, _transposed(B)).conj().reshape(-1)

    def matmat(V: Array) -> Array:
        return _by_columns(matvec, V, m * p)

    def rmatmat(U: Array) -> Array:
        return _by_columns(rmatvec, U, n * q)

    return scipy.sparse.linalg.LinearOperator(
        shape=(m * p, n * q),
        matvec=matvec,
        rmatvec=rmatvec,
        matmat=matmat,
        rmatmat=rmatmat,
        dtype=np.result_type(*kinds),
    )


def _factor(value: Factor, name: str) -> Any:
    """Return an int for an identity, else a dense or sparse matrix of floating numbers."""
    call = "kron_operator(a, b)"
    if isinstance(value, int | np.integer | float) and not isinstance(value, np.ndarray):
        return check_count(value, call=call, name=name)
    matrix: Any
    if scipy.sparse.issparse(value):
        # csr_array, because with the older spmatrix `*` and 1-D results mean other things.
        matrix = scipy.sparse.csr_array(value)  # type: ignore[call-overload]
        if matrix.ndim != 2:
            raise ShapeError(
                f"`{call}` needs a sparse matrix {name} with 2 dimensions; got {matrix.ndim}. "
                f"For a column write `{name}.reshape(-1, 1)`."
            )
    elif isinstance(value, scipy.sparse.linalg.LinearOperator):
        raise DtypeError(
            f"`{call}` needs {name} as a matrix, or an integer n for the identity; got an "
            f"operator of shape {value.shape}. Compose operators with `@` instead."
        )
    else:
        matrix = _as_matrix(number_array(value, call=call, name=name, ndim=(1, 2)))
    return matrix.astype(np.float64) if matrix.dtype.kind in "biu" else matrix


def _factor_array(
    value: ArrayLike, *, call: str, name: str, ndim: tuple[int, ...] | None = None
) -> Array:
    """Promote integers: their products would overflow without a word."""
    array = number_array(value, call=call, name=name, ndim=ndim)
    return array.astype(np.float64) if array.dtype.kind in "biu" else array


def _as_matrix(array: Array) -> Array:
    return array[:, None] if array.ndim == 1 else array


def _shape(factor: Any) -> tuple[int, int]:
    return (factor, factor) if isinstance(factor, int) else factor.shape


def _transposed(factor: Any) -> Any:
    return factor if isinstance(factor, int) else factor.T


def _two_sided(A: Any, V: Array, B: Any) -> Array:
    """Return A V Bᵀ, in the cheaper of the two orders; never V itself."""
    if isinstance(A, int) and isinstance(B, int):
        return V.copy()
    (m, n), (p, q) = _shape(A), _shape(B)
    if m * q * (n + p) <= n * p * (q + m):
        return _times_transposed(_times(A, V), B)
    return _times(A, _times_transposed(V, B))


def _times(A: Any, V: Array) -> Array:
    return V if isinstance(A, int) else np.asarray(A @ V)


def _times_transposed(V: Array, B: Any) -> Array:
    return V if isinstance(B, int) else np.asarray(V @ B.T)


def _by_columns(product: Any, V: Array, rows: int) -> Array:
    if V.shape[1] == 0:
        return np.empty((rows, 0), dtype=V.dtype)
    first = product(V[:, 0])
    result = np.empty((rows, V.shape[1]), dtype=first.dtype, order="F")
    result[:, 0] = first
    for j in range(1, V.shape[1]):
        result[:, j] = product(V[:, j])
    return result
