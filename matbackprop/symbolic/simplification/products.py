"""Normal form of matrix products: one flat chain, in which neighbours that simplify have."""

from __future__ import annotations

from typing import Any

from matbackprop.symbolic.expressions.construct import (
    add,
    broadcast,
    colsum,
    commutation,
    hadamard,
    identity,
    inverse,
    item,
    kron,
    matmul,
    matrix_power,
    reshape,
    rowsum,
    scale,
    trace,
    transpose,
    vec,
    zero,
)
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    Commutation,
    Diag,
    Identity,
    Inverse,
    Kron,
    MatrixPower,
    Rearrange,
    Vec,
)
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.facts import (
    is_centred,
    is_orthogonal,
    kills_ones,
    unfolded,
)
from matbackprop.symbolic.simplification.order import is_zero, kind_of_broadcast, without

Args = tuple[Expr, ...]


@NORMAL_FORM.rule(MatMul)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Flatten, contract neighbours, and bring scalars and diagonal factors outside."""
    shape = (args[0].rows, args[-1].columns)
    scalars: list[Expr] = []
    chain: list[Expr] = []
    stack = list(reversed(args))
    while stack:
        factor = stack.pop()
        if is_zero(factor):
            return zero(shape)
        if isinstance(factor, MatMul):
            stack.extend(reversed(factor.args))
        elif isinstance(factor, Scale):
            scalars.append(factor.args[0])
            stack.append(factor.args[1])
        elif chain and (contracted := _contract(chain[-1], factor)) is not None:
            chain.pop()
            stack.append(contracted)
        elif chain and (shifted := _shifted(chain[-1], factor)) is not None:
            chain.pop()
            stack.extend(reversed(shifted))
        else:
            chain.append(factor)
    if scalars:
        return scale(hadamard(*scalars), matmul(*chain))
    if len(chain) == 1:
        return chain[0]
    if (rest := _without_undone(chain)) is not None:
        return matmul(*rest)
    return _without_inner_scalar(chain) or _without_outer_diagonal(chain) or MatMul(*chain)


@NORMAL_FORM.rule(MatrixPower)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Bring transposes and scalars outside; (Aᵏ)ˡ = Aᵏˡ."""
    (a,), (k,) = args, data
    if isinstance(a, Identity) or is_zero(a) or isinstance(a, Centering):
        return a
    if isinstance(a, MatrixPower):
        return matrix_power(a.args[0], a.power * k)
    if isinstance(a, Diag | Scale) or (isinstance(a, Kron) and a.args[0].rows == a.args[0].columns):
        return matmul(*[a] * k)
    if transpose(a) is not a and _is_transposed(a):
        return transpose(matrix_power(transpose(a), k))
    return MatrixPower(a, k)


def _is_transposed(a: Expr) -> bool:
    return transpose(a).height < a.height


def _contract(a: Expr, b: Expr) -> Expr | None:
    """Return what two neighbours are together, where that is simpler than their product."""
    if isinstance(a, Identity):
        return b
    if isinstance(b, Identity):
        return a
    if isinstance(a, Broadcast) or isinstance(b, Broadcast):
        return _with_repeated(a, b)
    if isinstance(a, Centering) and (centred := _centred(b)) is not None:
        return centred
    if isinstance(b, Centering) and kills_ones(a):
        return a
    if (is_orthogonal(a) and transpose(a) is b) or (is_orthogonal(b) and transpose(b) is a):
        return identity(a.rows)
    if isinstance(a, Diag):
        return hadamard(broadcast(a.args[0], b.shape), b)
    if isinstance(b, Diag):
        return hadamard(a, broadcast(transpose(b.args[0]), a.shape))
    # Powers come last: (A ⊗ B)(A ⊗ B) is A² ⊗ B², not (A ⊗ B)².
    together = _kronecker(a, b)
    return _power(a, b) if together is None else together


def _with_repeated(a: Expr, b: Expr) -> Expr:
    """Multiply where one side repeats a row, a column or a scalar: 1r, c1ᵀ, s11ᵀ."""
    shape = (a.rows, b.columns)
    kind = kind_of_broadcast(a)
    if kind:
        (x,) = a.args
        if kind == "row":
            return broadcast(matmul(x, b), shape)
        if kind == "column":
            return matmul(x, colsum(b))
        return scale(x, broadcast(colsum(b), shape))
    kind = kind_of_broadcast(b)
    (x,) = b.args
    if kind == "column":
        return broadcast(matmul(a, x), shape)
    if kind == "row":
        return matmul(rowsum(a), x)
    return scale(x, broadcast(rowsum(a), shape))


def _centred(b: Expr) -> Expr | None:
    """Return HB for the centring matrix H, where it passes by, or does nothing to, a part of B."""
    h = Centering(b.rows)
    if is_centred(b):
        return b
    if isinstance(b, Hadamard) and (row := _repeated_factor(b, "row")) is not None:
        return hadamard(row, matmul(h, without(b, row)))
    if isinstance(b, Sum) and any(map(is_centred, b.args)):
        return add(*(matmul(h, term) for term in b.args))
    return None


def _base(a: Expr) -> tuple[Expr, int]:
    if isinstance(a, MatrixPower):
        base, k = _base(a.args[0])
        return base, k * a.power
    if isinstance(a, Inverse):
        return a.args[0], -1
    return a, 1


def _power(a: Expr, b: Expr) -> Expr | None:
    """Return Aᵏ⁺ˡ for Aᵏ Aˡ."""
    transposed = transpose(a), transpose(b)
    simpler = transposed[0].height < a.height and transposed[1].height < b.height
    (base, k), (other, m) = map(_base, transposed if simpler else (a, b))
    if base is not other or base.rows != base.columns:
        return None
    exponent = k + m
    if exponent < 0:
        base, exponent = inverse(base), -exponent
    result = matrix_power(base, exponent)
    return transpose(result) if simpler else result


def _kronecker(a: Expr, b: Expr) -> Expr | None:
    match a, b:
        case Kron(args=(p, q)), Kron(args=(r, s)):
            if p.columns == r.rows and q.columns == s.rows:
                return kron(matmul(p, r), matmul(q, s))
        case Kron(args=(p, q)), Vec(args=(m,)):
            if q.columns == m.rows and p.columns == m.columns:
                return vec(matmul(q, m, transpose(p)))
        case Rearrange(args=(MatMul(args=(u, v)),)), Vec(args=(x,)) if u.columns == ONE:
            U, V = _factors_of_outer(a, u, v)
            return vec(matmul(transpose(U), x, V))
        case Transpose(args=(Rearrange(args=(MatMul(args=(u, v)),)) as r,)), Vec(args=(x,)):
            if u.columns == ONE:
                U, V = _factors_of_outer(r, u, v)
                return vec(matmul(U, x, transpose(V)))
        case Transpose(args=(Vec(args=(x,)),)), Vec(args=(y,)) if x.shape == y.shape:
            return broadcast(trace(matmul(transpose(x), y)), (ONE, ONE))
        case Commutation(data=(m, n)), Vec(args=(x,)):
            if x.shape == (m, n):
                return vec(transpose(x))
        case Commutation(data=(m, n)), Commutation(data=(p, q)):
            if (m, n) == (q, p):
                return identity(a.rows)
    return None


def _factors_of_outer(rearranged: Expr, u: Expr, v: Expr) -> tuple[Expr, Expr]:
    """Return U (p×m) and V (q×n) with R(uvᵀ)vec(B) = vec(UᵀBV), u = vec(U) and v = vec(V)."""
    m, n, p, q = rearranged.data
    return reshape(u, (p, m)), reshape(transpose(v), (q, n))


def _shifted(a: Expr, b: Expr) -> Args | None:
    """Return the two neighbours with a diagonal, or a commutation, on its proper side.

    (A diag(d)) B is written A (diag(d) B); (P ⊗ Q) K is written K (Q ⊗ P).
    """
    if isinstance(a, Hadamard) and (row := _repeated_factor(a, "row")) is not None:
        column = broadcast(transpose(row.args[0]), b.shape)
        return without(a, row), hadamard(column, b)
    if isinstance(a, Hadamard) and b.columns == ONE:
        for outer in a.args:
            if isinstance(outer, MatMul) and outer.args[0].columns == ONE:
                v, r = outer.args[0], matmul(*outer.args[1:])
                rest = hadamard(broadcast(v, a.shape), without(a, outer))
                return rest, hadamard(transpose(r), b)
    if isinstance(a, Kron) and isinstance(b, Commutation):
        p, q = a.args
        if b.data == (p.columns, q.columns):
            return commutation(p.rows, q.rows), kron(q, p)
    return None


def _without_undone(chain: list[Expr]) -> list[Expr] | None:
    """Return the chain without A B (A B)⁻¹, where several factors meet the inverse of all."""
    for i, factor in enumerate(chain):
        inside = unfolded(factor.args[0]) if isinstance(factor, Inverse) else factor
        if not (isinstance(factor, Inverse) and isinstance(inside, MatMul)):
            continue
        k = len(inside.args)
        for start in (i - k, i + 1):
            if start >= 0 and tuple(chain[start : start + k]) == inside.args:
                first, last = min(start, i), max(start + k, i + 1)
                return [*chain[:first], identity(factor.rows), *chain[last:]]
    return None


def _without_outer_diagonal(chain: list[Expr]) -> Expr | None:
    """Write (diag(c) A) B as diag(c)(A B), and A (B diag(r)) as (A B) diag(r)."""
    shape = (chain[0].rows, chain[-1].columns)
    for end, kind in ((0, "column"), (-1, "row")):
        factor = chain[end]
        if isinstance(factor, Hadamard) and (d := _repeated_factor(factor, kind)) is not None:
            rest = list(chain)
            rest[end] = without(factor, d)
            return hadamard(broadcast(d.args[0], shape), matmul(*rest))
    return None


def _without_inner_scalar(chain: list[Expr]) -> Expr | None:
    """Write a (bᵀc) dᵀ as (bᵀc)·a dᵀ."""
    bonds = [i for i in range(1, len(chain)) if chain[i].rows == ONE]
    if len(bonds) < 2:
        return None
    first, last = bonds[0], bonds[-1]
    outer = matmul(*chain[:first], *chain[last:])
    return scale(item(matmul(*chain[first:last])), outer)


def _repeated_factor(product: Expr, kind: str) -> Expr | None:
    return next((f for f in product.args if kind_of_broadcast(f) == kind), None)
