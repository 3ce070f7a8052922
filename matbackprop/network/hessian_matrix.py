"""The Hessian of the loss, ∂²R/∂θ∂θᵀ, as a labelled dense matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import column_names
from matbackprop.batchnorm import Moments
from matbackprop.errors import OptionError
from matbackprop.network.door import conform
from matbackprop.network.labels import parameter_blocks, parameter_labels
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters, stack
from matbackprop.network.second_order import blocks_of, check_overflow, curvature

_CALL = "hessian(net, par, X, y)"
_LARGEST = 2_000_000_000  # bytes of a matrix that nobody asked for by mistake


@dataclass(frozen=True, slots=True, eq=False)
class Hessian:
    """H = ∂²R/∂θ∂θᵀ, shape (P, P), with θ = (vec Γ₁, vec Γ₂, γ, β). NumPy takes it as a matrix.

    Parameters
    ----------
    matrix
        The numbers, read-only.
    labels
        "Gamma1[x1,h1]" … "beta[h4]", of rows and columns alike; names of the columns of X and
        y take the place of x1 and y1.
    blocks
        Which rows and columns belong to "Gamma1", "Gamma2", "gamma", "beta".

    Examples
    --------
    >>> par = Parameters(Gamma1=[[3.0]], Gamma2=[2.0])
    >>> H = hessian(Network("identity", batch_norm=None), par, [[1.0]], [5.0])
    >>> H.matrix[H.blocks["Gamma1"], H.blocks["Gamma2"]]
    array([[14.]])
    >>> np.linalg.eigvalsh(H).round(3)  # NumPy's functions take H as it is
    array([-1.866, 27.866])
    """

    matrix: Array
    labels: tuple[str, ...]
    blocks: dict[str, slice]

    @property
    def asymmetry(self) -> float:
        """The largest entry of H − Hᵀ beside that of H, in size; 0 where H = 0.

        It is rounding: H is computed column by column, and never symmetrised.
        """
        largest = float(np.abs(self.matrix).max())
        return float(np.abs(self.matrix - self.matrix.T).max()) / (largest or 1.0)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.array(self.matrix, dtype=dtype, copy=copy)

    def __str__(self) -> str:
        spans = ", ".join(f"{name} {s.start}:{s.stop}" for name, s in self.blocks.items())
        return (
            f"Hessian ∂²R/∂θ∂θᵀ, shape {self.matrix.shape}, symmetric to {self.asymmetry:.1e}; "
            f"rows and columns of {spans}"
        )

    __repr__ = __str__


def hessian(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    /,
    *,
    moments: Moments | None = None,
) -> Hessian:
    """Return H = ∂²R/∂θ∂θᵀ, dense, with θ = (vec Γ₁, vec Γ₂, γ, β).

    Column k is the product of H and the k-th unit vector, as `hvp` computes it, from one forward
    pass for all; P columns cost little more than P gradients. Nothing makes H symmetric but the
    formulas: how far rounding keeps it from that is its `asymmetry`.

    Parameters
    ----------
    net, par, X, y
        As in `gradient`.
    moments
        None: μ and σ are those of this batch and are differentiated, twice. Given: constants.

    Returns
    -------
    A frozen `Hessian`: P² numbers, float32 if every input is, else float64.

    Raises
    ------
    OptionError
        If P² numbers would take more than 2 GB, or network, parameters and moments disagree
        about batch norm.
    ShapeError, DataError, DtypeError
        As for `hvp`.

    Notes
    -----
    With relu and leaky_relu a″ is taken as 0, also at the kink; see `hvp`.

    References
    ----------
    Pearlmutter (1994), *Fast exact multiplication by the Hessian*, Neural Computation 6, 147-160.

    Examples
    --------
    >>> par = Parameters(Gamma1=[[3.0]], Gamma2=[2.0])
    >>> H = hessian(Network("identity", batch_norm=None), par, [[1.0]], [5.0])
    >>> H.matrix, H.labels
    (array([[ 8., 14.],
           [14., 18.]]), ('Gamma1[x1,h1]', 'Gamma2[h1]'))
    """
    given = conform(net, par, X, y, moments, call=_CALL)
    P, dtype = par.to_vector().size, given.X.dtype
    needed = dtype.itemsize * P * P
    if needed > _LARGEST:
        raise OptionError(
            f"`{_CALL}` of {P} parameters would take {needed / 1e9:.1f} GB. Use "
            "`hvp(net, par, X, y, direction)`, which takes no more than the gradient."
        )
    times = curvature(net, given)
    H, unit = np.empty((P, P), dtype=dtype), np.zeros(P, dtype=dtype)
    for k in range(P):
        unit[k] = 1
        H[:, k] = stack(*times(blocks_of(unit, par)))
        unit[k] = 0
    check_overflow(H, "the Hessian", "X, y and the parameters", call=_CALL)
    H.flags.writeable = False  # where `frozen` would take the memory twice
    labels = parameter_labels(par, column_names(X), column_names(y))
    return Hessian(H, labels, parameter_blocks(par))
