"""JᵀJ, taken through the map (Γ₁, γ, β) ↦ (W, c) on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import real_array
from matbackprop.network.affine_form import AffineForm
from matbackprop.network.parameters import Parameters, stack, unstack
from matbackprop.streaming.host import on_host
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.tangent import JacobianGramWork, TangentWork

MATRIX_BYTES = 2**22
"""So much of the Jacobian is formed at a time, for the dense matrix."""


def gauss_newton_operator(
    form: AffineForm, row_map: RowMap, par: Parameters, total: Callable[[Any], Any], /
) -> Any:
    """Return v ↦ JᵀJv as a `LinearOperator`: one pass a product."""
    from scipy.sparse.linalg import LinearOperator

    P, dtype = par.to_vector().size, row_map.W.dtype

    def product(v: Array) -> Array:
        v = real_array(v, call="problem.gauss_newton(par) @ v", name="v").ravel()
        dW, dc, dGamma2 = (d.astype(dtype) for d in _pushed(form, par, v))
        sums = total(TangentWork(row_map, dW, dc, dGamma2))
        return _pulled(form, *(on_host(s) for s in (sums.W, sums.c, sums.Gamma2))).astype(dtype)

    return LinearOperator((P, P), matvec=product, rmatvec=product, dtype=dtype)


def gauss_newton_matrix(
    form: AffineForm, row_map: RowMap, par: Parameters, total: Callable[[Any], Any], /
) -> Array:
    """Return the P × P matrix JᵀJ, from KᵀK for (vec W, c, vec Γ₂)."""
    (p1, p2), q = row_map.W.shape, row_map.Gamma2.shape[1]
    size = p1 * p2 + p2 + p2 * q
    rows = max(min(row_map.rows, MATRIX_BYTES // (size * row_map.W.itemsize)), 1)
    gram = on_host(total(JacobianGramWork(replace(row_map, rows=rows))).value)

    def pulled(column: Array) -> Array:
        G = column[: p1 * p2].reshape((p1, p2), order="F")
        g = column[p1 * p2 : p1 * p2 + p2]
        return _pulled(form, G, g, column[p1 * p2 + p2 :].reshape((p2, q), order="F"))

    half = np.stack([pulled(column) for column in gram.T], axis=1)  # P × size
    whole = np.stack([pulled(row) for row in half], axis=0)
    return ((whole + whole.T) / 2).astype(row_map.W.dtype)


def _pushed(form: AffineForm, par: Parameters, v: Array) -> tuple[Array, Array, Array]:
    dGamma1, dGamma2, dgamma, dbeta = unstack(v.astype(np.float64), par)
    assert dGamma1 is not None
    assert dGamma2 is not None
    none = np.empty(0)
    dW, dc = form.push_forward(
        dGamma1, none if dgamma is None else dgamma, none if dbeta is None else dbeta
    )
    return dW, dc, dGamma2.reshape(len(dc), -1)


def _pulled(form: AffineForm, G: Array, g: Array, dGamma2: Array) -> Array:
    pulled = form.pull_back(G, g)
    return stack(pulled.Gamma1, dGamma2, pulled.gamma, pulled.beta)
