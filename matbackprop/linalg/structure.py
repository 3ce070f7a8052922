"""The 0-1 matrices that relate vec(A) to vec(Aᵀ), vech(A) and diag(A).

Every one of them only picks entries: each row (of the matrix or of its transpose) holds a
single 1. So each is built by letting `vec` and `vech` rearrange the numbers 0, 1, 2, ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import scipy

from matbackprop._typing import Array
from matbackprop._validation import check_count
from matbackprop.linalg.vectorize import unvec, unvech, vec, vech

if TYPE_CHECKING:
    Sparse: TypeAlias = scipy.sparse.csr_array[np.float64, tuple[int, int]]


def commutation(m: int, n: int, /) -> Sparse:
    """Return the permutation K with ``K @ vec(A) == vec(A.T)`` for A of shape (m, n).

    Returns
    -------
    Sparse matrix, shape (m*n, m*n), with m*n stored ones.

    Raises
    ------
    OptionError
        If m or n is not a positive integer.

    References
    ----------
    Magnus and Neudecker (2019), section 3.7.

    Examples
    --------
    >>> commutation(2, 3) @ vec([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    array([1., 2., 3., 4., 5., 6.])
    """
    m = check_count(m, call="commutation(m, n)", name="m")
    n = check_count(n, call="commutation(m, n)", name="n")
    return _picking(vec(unvec(np.arange(m * n), (m, n)).T), of=m * n)


def duplication(n: int, /) -> Sparse:
    """Return D with ``D @ vech(A) == vec(A)`` for every symmetric A of shape (n, n).

    Returns
    -------
    Sparse matrix, shape (n², n*(n+1)/2), with n² stored ones.

    Raises
    ------
    OptionError
        If n is not a positive integer.

    References
    ----------
    Magnus and Neudecker (2019), section 3.8.

    Examples
    --------
    >>> duplication(2) @ np.array([1.0, 2.0, 3.0])
    array([1., 2., 2., 3.])
    """
    n = check_count(n, call="duplication(n)", name="n")
    half = n * (n + 1) // 2
    return _picking(vec(unvech(np.arange(half))), of=half)


def elimination(n: int, /) -> Sparse:
    """Return L with ``L @ vec(A) == vech(A)`` for every A of shape (n, n).

    Returns
    -------
    Sparse matrix, shape (n*(n+1)/2, n²), with one stored 1 a row.

    Raises
    ------
    OptionError
        If n is not a positive integer.

    References
    ----------
    Magnus and Neudecker (1980), *The elimination matrix*, SIAM J. Alg. Disc. Meth. 1, 422-449.

    Examples
    --------
    >>> elimination(2) @ np.array([1.0, 2.0, 9.0, 3.0])
    array([1., 2., 3.])
    """
    n = check_count(n, call="elimination(n)", name="n")
    return _picking(vech(unvec(np.arange(n * n), (n, n))), of=n * n)


def diagonal_selection(n: int, /) -> Sparse:
    """Return K with ``K @ g == vec(diag(g))``, and so ``K.T @ vec(A) == diag(A)``.

    Returns
    -------
    Sparse matrix, shape (n², n), with n stored ones.

    Raises
    ------
    OptionError
        If n is not a positive integer.

    Examples
    --------
    >>> diagonal_selection(2) @ np.array([5.0, 7.0])
    array([5., 0., 0., 7.])
    """
    n = check_count(n, call="diagonal_selection(n)", name="n")
    return _picking(np.arange(n) * (n + 1), of=n * n).T.tocsr()


def _picking(columns: Array, /, *, of: int) -> Sparse:
    """Return the matrix P with ``P @ v == v[columns]`` for v of length `of`."""
    rows = columns.size
    return scipy.sparse.csr_array((np.ones(rows), columns, np.arange(rows + 1)), shape=(rows, of))
