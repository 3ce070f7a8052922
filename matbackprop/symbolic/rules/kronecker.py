"""A ⊗ B, and Van Loan's rearrangement, which turns it into vec(A)vec(B)ᵀ.

Both are the one permutation of entries vec(A ⊗ B) = (I ⊗ K(q, m) ⊗ I)(vec A ⊗ vec B), for A
of m×n and B of p×q (Magnus and Neudecker 2019, section 3.7).
"""

from __future__ import annotations

from matbackprop.symbolic.expressions.construct import (
    add,
    assemble,
    commutation,
    identity,
    kron,
    matmul,
    rearrange,
    reshape,
    transpose,
    vec,
)
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Assemble, Kron, Rearrange
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, JACOBIAN, PULLBACK


@DIFFERENTIAL.rule(Kron)
def _(node: Kron, dA: Expr | None, dB: Expr | None) -> Expr:
    """d(A ⊗ B) = dA ⊗ B + A ⊗ dB."""
    A, B = node.args
    first = [] if dA is None else [kron(dA, B)]
    second = [] if dB is None else [kron(A, dB)]
    return add(*first, *second)


@PULLBACK.rule(Kron)
def _(node: Kron, G: Expr, i: int) -> Expr:
    """vec(∂L/∂A) = R(G) vec(B), vec(∂L/∂B) = R(G)ᵀ vec(A), with R the rearrangement."""
    A, B = node.args
    R = rearrange(G, (A.rows, A.columns, B.rows, B.columns))
    if i:
        return reshape(matmul(transpose(R), vec(A)), B.shape)
    return reshape(matmul(R, vec(B)), A.shape)


@JACOBIAN.rule(Kron)
def _(node: Kron, i: int) -> Expr:
    """∂vec(A ⊗ B)/∂vec(A)ᵀ = Q(I ⊗ vec B), ∂/∂vec(B)ᵀ = Q(vec A ⊗ I), Q = I ⊗ K(q, m) ⊗ I."""
    A, B = node.args
    if i:
        right = kron(vec(A), identity(B.rows * B.columns))
    else:
        right = kron(identity(A.rows * A.columns), vec(B))
    return matmul(_interleaving(A.rows, A.columns, B.rows, B.columns), right)


@DIFFERENTIAL.rule(Rearrange)
def _(node: Rearrange, dM: Expr) -> Expr:
    """dR(M) = R(dM)."""
    return rearrange(dM, node.data)


@PULLBACK.rule(Rearrange)
def _(node: Rearrange, G: Expr, i: int) -> Expr:
    """∂L/∂M = R⁻¹(G): a permutation, whose inverse is its transpose."""
    return assemble(G, node.data)


@JACOBIAN.rule(Rearrange)
def _(node: Rearrange, i: int) -> Expr:
    """∂vec(R(M))/∂vec(M)ᵀ = K(pq, mn)(I ⊗ K(m, q) ⊗ I)."""
    m, n, p, q = node.data
    return matmul(commutation(p * q, m * n), _interleaving(q, n, p, m))


@DIFFERENTIAL.rule(Assemble)
def _(node: Assemble, dM: Expr) -> Expr:
    """dR⁻¹(M) = R⁻¹(dM)."""
    return assemble(dM, node.data)


@PULLBACK.rule(Assemble)
def _(node: Assemble, G: Expr, i: int) -> Expr:
    """∂L/∂M = R(G)."""
    return rearrange(G, node.data)


@JACOBIAN.rule(Assemble)
def _(node: Assemble, i: int) -> Expr:
    """∂vec(R⁻¹(M))/∂vec(M)ᵀ = (I ⊗ K(q, m) ⊗ I) K(mn, pq)."""
    m, n, p, q = node.data
    return matmul(_interleaving(m, n, p, q), commutation(m * n, p * q))


def _interleaving(m: Dim, n: Dim, p: Dim, q: Dim) -> Expr:
    """Return Iₙ ⊗ K(q, m) ⊗ Iₚ, which takes vec(A) ⊗ vec(B) to vec(A ⊗ B)."""
    return kron(identity(n), kron(commutation(q, m), identity(p)))
