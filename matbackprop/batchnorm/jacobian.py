"""The Jacobian of a normalising layer, ∂vec(Y)/∂vec(X)ᵀ: an operator, sparse, or dense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np
import scipy
from array_api_compat import is_numpy_array

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import check_option
from matbackprop.batchnorm.affine import Cache, over_view, pull_back
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.door import library_of
from matbackprop.batchnorm.normalization import Normalized
from matbackprop.batchnorm.tangent import push_forward
from matbackprop.errors import DtypeError, OptionError

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import LinearOperator

Form: TypeAlias = Literal["operator", "sparse", "dense"]

_CALL = "layer_jacobian(cache, form=)"
_LARGEST = 2_000_000_000  # bytes of a matrix that nobody asked for by mistake


def normalization_jacobian(b: Normalized, gamma: Array, /) -> LinearOperator[Any]:
    """Return J_b = blockdiag_j (γ_j/σ_j)(I − 11ᵀ/N − x̂_j x̂_jᵀ/(N − ddof)), acting on vec(Z).

    Each block is symmetric, so J_b = J_bᵀ. Stored densely it would hold (N p2)² numbers; as an
    operator it holds Z and acts in O(N p2). With given moments it is diag(γ/σ) ⊗ I.

    Parameters
    ----------
    b
        The normalisation that was done, from `normalize`.
    gamma
        Shape (p2,).

    Returns
    -------
    A `scipy.sparse.linalg.LinearOperator` of shape (N p2, N p2).

    Examples
    --------
    >>> from matbackprop.batchnorm import BatchNorm, normalize
    >>> b = normalize(np.array([[-1.0], [1.0], [0.0]]), BatchNorm(ddof=1, eps=0.0))
    >>> J = normalization_jacobian(b, np.ones(1))
    >>> J @ np.ones(3), J @ b.Xhat.ravel()  # removed: the mean, and the scale
    (array([0., 0., 0.]), array([0., 0., 0.]))
    """
    return _operator(Cache(b, gamma, b.X.shape, batch_arrangement(b.X.shape)))


def layer_jacobian(cache: Cache, /, *, form: Form = "operator") -> Any:
    """Return ∂vec(Y)/∂vec(X)ᵀ of the layer that left this cache; vec in column-major order.

    Entries i and j that are normalised together, with the moments of the batch, have

        ∂y_i/∂x_j = (γ_i/σ)([i = j] − 1/m − x̂_i x̂_j/(m − ddof)),

    all others 0. With given moments only the diagonal γ_i/σ is left.

    Parameters
    ----------
    cache
        From the forward pass of a layer on NumPy arrays of n entries.
    form
        "operator": a `LinearOperator` in the memory of the data. "sparse": a `csr_array` with m
        entries a row. "dense": an ndarray of n² entries.

    Raises
    ------
    OptionError
        If the form is unknown, or would take more than 2 GB.
    DtypeError
        If the cache is of another array library.

    Examples
    --------
    >>> from matbackprop.batchnorm import InstanceNormLayer
    >>> X = np.arange(8.0).reshape(2, 1, 4) ** 2
    >>> Y, cache = InstanceNormLayer(1, affine=False).forward(X)
    >>> layer_jacobian(cache, form="sparse").nnz  # two rows of four entries each
    32
    """
    check_option(form, get_args(Form), call=_CALL, name="form")
    if not isinstance(cache, Cache) or not is_numpy_array(cache.b.X):
        came = f"arrays of {library_of(cache.b.X)}" if isinstance(cache, Cache) else repr(cache)
        raise DtypeError(
            f"`{_CALL}` needs the cache of a forward pass on NumPy arrays; got {came}. "
            "Other arrays: `layer.forward(np.asarray(X), …)` first."
        )
    if form == "operator":
        return _operator(cache)
    n, m = cache.b.X.size, 1 if cache.b.divisor is None else cache.b.count
    needed = 8 * n * n if form == "dense" else 12 * n * m
    if needed > _LARGEST:
        raise OptionError(
            f'`{_CALL}` with form="{form}" of {n} entries would take {needed / 1e9:.1f} GB. '
            'Use form="operator", which takes no more than the data.'
        )
    sparse = _sparse(cache)
    return sparse if form == "sparse" else sparse.toarray()


def _operator(cache: Cache) -> LinearOperator[Any]:
    dtype, shape, n = cache.b.X.dtype, cache.shape, cache.b.X.size

    def apply(v: Array) -> Array:
        if np.iscomplexobj(v):  # the operator is real
            return apply(v.real) + 1j * apply(v.imag)
        return push_forward(_shaped(v), cache).ravel(order="F")

    def adjoint(v: Array) -> Array:
        if np.iscomplexobj(v):
            return adjoint(v.real) + 1j * adjoint(v.imag)
        return pull_back(_shaped(v), cache).X.ravel(order="F")

    def _shaped(v: ArrayLike) -> Array:
        return np.asarray(v, dtype=dtype).reshape(shape, order="F")

    return scipy.sparse.linalg.LinearOperator((n, n), matvec=apply, rmatvec=adjoint, dtype=dtype)


def _sparse(cache: Cache) -> csr_array[Any]:
    """Return one dense block for each set of entries that is normalised together."""
    b, arrangement = cache.b, cache.arrangement
    places = np.arange(b.X.size).reshape(cache.shape, order="F").reshape(arrangement.view)
    sigma = b.sigma.reshape([1 if a in b.axes else s for a, s in enumerate(arrangement.view)])
    weight = 1.0 if cache.gamma is None else over_view(cache.gamma, cache)
    scale = np.broadcast_to(weight / sigma, arrangement.view)
    # Sets in rows: (number of sets, entries of a set).
    rows, scale, Xhat = (_sets(array, b) for array in (places, scale, b.Xhat))
    n = b.X.size
    if b.divisor is None:
        return scipy.sparse.csr_array((scale.ravel(), (rows.ravel(), rows.ravel())), shape=(n, n))
    m = b.count
    block = np.eye(m) - 1 / m - Xhat[:, :, None] * Xhat[:, None, :] / b.divisor
    block = (scale[:, :, None] * block).astype(b.X.dtype)
    i = np.broadcast_to(rows[:, :, None], block.shape)
    j = np.broadcast_to(rows[:, None, :], block.shape)
    return scipy.sparse.csr_array((block.ravel(), (i.ravel(), j.ravel())), shape=(n, n))


def _sets(array: Array, b: Normalized) -> Array:
    kept = [axis for axis in range(array.ndim) if axis not in b.axes]
    return array.transpose(*kept, *b.axes).reshape(-1, b.count)
