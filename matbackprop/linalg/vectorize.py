"""Matrices as vectors: vec and vech, and their inverses."""

import math

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import check_count, number_array
from matbackprop.errors import ShapeError


def vec(a: ArrayLike, /) -> Array:
    """Stack the columns of `a`: ``vec(a)[i + j * m] == a[i, j]`` for `a` of shape (m, n).

    A vector is its own vec.

    Returns
    -------
    Shape (m*n,). A view where the memory order of `a` allows one, as with `numpy.ravel`.

    Raises
    ------
    ShapeError
        If `a` is neither 1-D nor 2-D.

    References
    ----------
    Magnus and Neudecker (2019), *Matrix Differential Calculus*, section 2.4.

    Examples
    --------
    >>> vec([[1.0, 2.0], [3.0, 4.0]])
    array([1., 3., 2., 4.])
    """
    return number_array(a, call="vec(a)", name="a", ndim=(1, 2)).reshape(-1, order="F")


def unvec(v: ArrayLike, shape: tuple[int, ...], /) -> Array:
    """Return the array of this shape whose vec is `v`.

    A shape (n,) gives a vector back, so that `unvec` undoes `vec` for either kind.

    Returns
    -------
    The given shape, (m, n) or (n,). A view where possible.

    Raises
    ------
    OptionError
        If a length in `shape` is not an integer >= 0.
    ShapeError
        If `shape` has not one or two lengths, or `v` is not 1-D with as many entries.

    Examples
    --------
    >>> unvec([1.0, 3.0, 2.0, 4.0], (2, 2))
    array([[1., 2.],
           [3., 4.]])
    """
    call = "unvec(v, shape)"
    if not isinstance(shape, tuple) or len(shape) not in (1, 2):
        raise ShapeError(f"`{call}` needs a shape (m, n) or (n,) as a tuple; got {shape!r}.")
    lengths = tuple(check_count(n, call=call, name="in shape", at_least=0) for n in shape)
    array = number_array(v, call=call, name="v", ndim=(1,))
    if array.size != math.prod(lengths):
        raise ShapeError(
            f"`{call}` needs v with {math.prod(lengths)} entries for shape {lengths}; "
            f"got {array.size}. The shape is that of the matrix before `vec`."
        )
    return array.reshape(lengths, order="F")


def vech(a: ArrayLike, /) -> Array:
    """Stack the columns of the lower triangle of `a`, diagonal included.

    Entries above the diagonal are not looked at; for symmetric `a` nothing is lost.

    Returns
    -------
    Shape (n*(n+1)/2,) for `a` of shape (n, n).

    Raises
    ------
    ShapeError
        If `a` is not a square matrix.

    References
    ----------
    Magnus and Neudecker (2019), section 3.8.

    Examples
    --------
    >>> vech([[1.0, 2.0], [2.0, 3.0]])
    array([1., 2., 3.])
    """
    array = number_array(a, call="vech(a)", name="a", ndim=(2,))
    rows, columns = array.shape
    if rows != columns:
        raise ShapeError(
            f"`vech(a)` needs a square matrix; got a {array.shape}. "
            "For a rectangular matrix use `vec(a)`."
        )
    # The upper triangle of aᵀ, read by rows, is the lower triangle of a, read by columns.
    return array.T[np.triu_indices(rows)]


def unvech(v: ArrayLike, /) -> Array:
    """Return the symmetric matrix whose vech is `v`.

    Returns
    -------
    Shape (n, n) for `v` of shape (n*(n+1)/2,).

    Raises
    ------
    ShapeError
        If `v` is not 1-D, or its length is no triangular number 0, 1, 3, 6, 10, ...

    Examples
    --------
    >>> unvech([1.0, 2.0, 3.0])
    array([[1., 2.],
           [2., 3.]])
    """
    array = number_array(v, call="unvech(v)", name="v", ndim=(1,))
    n = (math.isqrt(8 * array.size + 1) - 1) // 2
    if n * (n + 1) // 2 != array.size:
        raise ShapeError(
            f"`unvech(v)` needs n(n+1)/2 entries; got {array.size}, between "
            f"{n * (n + 1) // 2} (n = {n}) and {(n + 1) * (n + 2) // 2} (n = {n + 1}). "
            "To undo `vec` use `unvec(v, shape)`."
        )
    matrix = np.empty((n, n), dtype=array.dtype)
    columns, rows = np.triu_indices(n)
    matrix[rows, columns] = array
    matrix[columns, rows] = array
    return matrix
