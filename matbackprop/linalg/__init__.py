"""The algebra of vec and ⊗. The conventions of the whole package are stated here, once.

- `vec` stacks **columns**: R's storage order, what R's ``c()`` and ``as.vector`` give.
- Rows are observations, columns are variables.
- A 1-D array is a column vector wherever a matrix is meant.
- A Jacobian is ∂vec(Y)/∂vec(X)ᵀ: one row per entry of Y, one column per entry of X.
- A gradient has the shape of its variable: dL = tr(GᵀdX) = vec(G)ᵀvec(dX).
- `ddof` is always explicit: R's ``scale`` and ``sd`` divide by N − 1, deep-learning batch
  norm by N.

Everything here rearranges or multiplies numbers without asking whether they are real, so that
a complex step passes through; dtypes are kept.
"""

from matbackprop.linalg.products import hadamard, khatri_rao, kron, kron_operator
from matbackprop.linalg.structure import commutation, diagonal_selection, duplication, elimination
from matbackprop.linalg.vectorize import unvec, unvech, vec, vech

__all__ = [
    "commutation",
    "diagonal_selection",
    "duplication",
    "elimination",
    "hadamard",
    "khatri_rao",
    "kron",
    "kron_operator",
    "unvec",
    "unvech",
    "vec",
    "vech",
]
