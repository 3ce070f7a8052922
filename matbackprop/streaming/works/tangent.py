"""Gauss and Newton's matrix JᵀJ, J = ∂vec(ŷ)/∂θᵀ: along a direction, or whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from array_api_compat import array_namespace

from matbackprop._typing import Array
from matbackprop.batchnorm.arrays import AnyArray, widened
from matbackprop.network.row_blocks import Sums, activate, leave
from matbackprop.streaming.rows import Rows, moved
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.parts import Total


@dataclass(frozen=True, slots=True, eq=False)
class TangentWork:
    """What u = w·dŷ sends back, for dŷ = (a′(H) ⊙ (X dW + 1dcᵀ))Γ₂ + V dΓ₂."""

    map: RowMap
    dW: Array  # (p1, p2)
    dc: Array  # (p2,)
    dGamma2: Array  # (p2, q)

    def __call__(self, chunk: Rows, /) -> Sums:
        """Return the sums over some rows; no loss among them."""
        chunk = self.map.conformed(chunk)
        xp, block = array_namespace(chunk.X), self.map.on(chunk.X)
        dW, dc, dGamma2 = (moved(d, chunk.X) for d in (self.dW, self.dc, self.dGamma2))

        def sums(X: AnyArray, y: AnyArray, weights: AnyArray | None) -> Sums:
            f = activate(block, X)
            u = (f.slope * (f.X @ dW + dc)) @ block.Gamma2 + f.V @ dGamma2
            if weights is not None:
                u = xp.expand_dims(weights, axis=1) * u
            return leave(block, f, u, 0.0)

        return reduce(Sums.merge, (sums(*part) for part in chunk.blocks(self.map.rows)))


@dataclass(frozen=True, slots=True, eq=False)
class JacobianGramWork:
    """KᵀK for K = ∂vec(ŷ)/∂(vec W, c, vec Γ₂)ᵀ, each row of K times √w.

    Row n of output k has a′(h) ⊙ Γ₂ₖ for c, that ⊗ x for vec W, and V's row for Γ₂ₖ.
    """

    map: RowMap

    def __call__(self, chunk: Rows, /) -> Total:
        """Return the sum over some rows."""
        chunk = self.map.conformed(chunk)
        block = self.map.on(chunk.X)

        def gram(X: AnyArray, y: AnyArray, weights: AnyArray | None) -> Total:
            xp, f = array_namespace(X), activate(block, X)
            n, q = X.shape[0], block.Gamma2.shape[1]
            total = None
            for k in range(q):
                D = f.slope * block.Gamma2[:, k]
                to_W = xp.reshape(xp.expand_dims(D, axis=2) * xp.expand_dims(f.X, axis=1), (n, -1))
                none = [xp.zeros_like(f.V)] * q
                none[k] = f.V
                K = xp.concat([to_W, D, *none], axis=1)
                if weights is not None:
                    K = xp.expand_dims(xp.sqrt(weights), axis=1) * K
                product = widened(K.T @ K, K)
                total = product if total is None else total + product
            return Total(total)

        return reduce(Total.merge, (gram(*part) for part in chunk.blocks(self.map.rows)))
