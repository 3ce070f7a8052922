"""Nodes that move entries: transposing, repeating, vec and reshape, diagonals, names."""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import (
    broadcast,
    colsum,
    column,
    commutation,
    diag,
    diagvec,
    hadamard,
    identity,
    item,
    kron,
    ones,
    reshape,
    rowsum,
    total,
    transpose,
    vec,
)
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Transpose
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Diag, DiagVec, Item, Named, Reshape, Vec
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK


@DIFFERENTIAL.rule(Named)
def _(node: Named, dM: Expr) -> Expr:
    """Of N = M: dN = dM."""
    return dM


@PULLBACK.rule(Named)
def _(node: Named, G: Expr, i: int) -> Expr:
    """∂L/∂M = G for N = M."""
    return G


@DIFFERENTIAL.rule(Transpose)
def _(node: Transpose, dA: Expr) -> Expr:
    """d(Aᵀ) = (dA)ᵀ."""
    return transpose(dA)


@PULLBACK.rule(Transpose)
def _(node: Transpose, G: Expr, i: int) -> Expr:
    """∂L/∂A = Gᵀ."""
    return transpose(G)


@JACOBIAN.rule(Transpose)
def _(node: Transpose, i: int) -> Expr:
    """∂vec(Aᵀ)/∂vec(A)ᵀ = K(m, n) for A of m×n."""
    (A,) = node.args
    return commutation(A.rows, A.columns)


@DIFFERENTIAL.rule(Broadcast)
def _(node: Broadcast, dx: Expr) -> Expr:
    """d(1r) = 1 dr, d(c1ᵀ) = dc 1ᵀ, d(s11ᵀ) = ds 11ᵀ."""
    return broadcast(dx, node.shape)


@PULLBACK.rule(Broadcast)
def _(node: Broadcast, G: Expr, i: int) -> Expr:
    """∂L/∂r = 1ᵀG, ∂L/∂c = G1, ∂L/∂s = 1ᵀG1: what was repeated is summed."""
    (x,) = node.args
    if x.is_scalar:
        return total(G)
    down, across = _repeats(node)
    G = G if down == ONE else colsum(G)
    return G if across == ONE else rowsum(G)


@JACOBIAN.rule(Broadcast)
def _(node: Broadcast, i: int) -> Expr:
    """∂vec(1r)/∂vec(r)ᵀ = I ⊗ 1, ∂vec(c1ᵀ)/∂cᵀ = 1 ⊗ I, ∂vec(s11ᵀ)/∂s = 1."""
    x, (down, across) = node.args[0], _repeats(node)
    if x.rows == x.columns == ONE:
        return ones(down * across)
    outer = identity(x.columns) if across == ONE else ones(across)
    inner = identity(x.rows) if down == ONE else ones(down)
    return kron(outer, inner)


def _repeats(node: Broadcast) -> tuple[Dim, Dim]:
    """Return how often the operand is repeated downwards and across."""
    (x,) = node.args
    return (
        node.rows if x.rows == ONE else ONE,
        node.columns if x.columns == ONE else ONE,
    )


@DIFFERENTIAL.rule(Item)
def _(node: Item, dM: Expr) -> Expr:
    """Of s = item(M): ds = item(dM)."""
    return item(dM)


@PULLBACK.rule(Item)
def _(node: Item, G: Expr, i: int) -> Expr:
    """∂L/∂M = G, as a 1×1 matrix."""
    return column(G)


@DIFFERENTIAL.rule(Vec)
def _(node: Vec, dM: Expr) -> Expr:
    """D vec(M) = vec(dM)."""
    return vec(dM)


@DIFFERENTIAL.rule(Reshape)
def _(node: Reshape, dM: Expr) -> Expr:
    """D reshape(M) = reshape(dM)."""
    return reshape(dM, node.shape)


@PULLBACK.rule(Vec, Reshape)
def _(node: Vec | Reshape, G: Expr, i: int) -> Expr:
    """∂L/∂M is G with its entries, column by column, in the shape of M."""
    return reshape(G, node.args[0].shape)


@JACOBIAN.rule(Named, Item, Vec, Reshape)
def _(node: Expr, i: int) -> Expr:
    """∂vec(M)/∂vec(M)ᵀ = I: the order of the entries stays."""
    (M,) = node.args
    return identity(M.rows * M.columns)


@DIFFERENTIAL.rule(Diag)
def _(node: Diag, dv: Expr) -> Expr:
    """D diag(v) = diag(dv)."""
    return diag(dv)


@PULLBACK.rule(Diag)
def _(node: Diag, G: Expr, i: int) -> Expr:
    """∂L/∂v is the diagonal of G."""
    return diagvec(G)


@JACOBIAN.rule(Diag)
def _(node: Diag, i: int) -> Expr:
    """∂vec(diag v)/∂vᵀ = (I ⊗ 1) ⊙ (1 ⊗ I), since diag(v) = I ⊙ v1ᵀ."""
    n = node.rows
    return hadamard(kron(identity(n), ones(n)), kron(ones(n), identity(n)))


@DIFFERENTIAL.rule(DiagVec)
def _(node: DiagVec, dA: Expr) -> Expr:
    """D diagvec(A) = diagvec(dA)."""
    return diagvec(dA)


@PULLBACK.rule(DiagVec)
def _(node: DiagVec, G: Expr, i: int) -> Expr:
    """∂L/∂A = diag(G)."""
    return diag(G)


@JACOBIAN.rule(DiagVec)
def _(node: DiagVec, i: int) -> Expr:
    """∂diagvec(A)/∂vec(A)ᵀ = (I ⊗ 1ᵀ) ⊙ (1ᵀ ⊗ I)."""
    n = node.rows
    return hadamard(kron(identity(n), ones(1, n)), kron(ones(1, n), identity(n)))
