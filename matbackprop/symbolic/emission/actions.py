"""How special factors act on a matrix: by a solve, a scaling or a sum instead of a product."""

from __future__ import annotations

from collections.abc import Callable

from matbackprop.symbolic.emission.lowering import Lowering
from matbackprop.symbolic.emission.matrix_factors import Factor
from matbackprop.symbolic.emission.operations import (
    UNIT,
    ColMean,
    Mean,
    Minus,
    PermutedColumns,
    PermutedRows,
    Product,
    RowMean,
    Solve,
    full,
    times,
    transposed,
)
from matbackprop.symbolic.expressions.expression import Expr, MatMul, Scale, Size, Transpose
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    ColSum,
    Commutation,
    Diag,
    Identity,
    Inverse,
    Item,
    Kron,
    Named,
    Ones,
    Reshape,
    RowSum,
    Total,
    Trace,
    Vec,
)

_ACTING = (Centering, Commutation, Diag, Inverse, Kron, Ones)
_TAKING = (MatMul, Kron, RowSum, ColSum, Total, Item, Trace)  # those that open products

Value = Callable[[], Expr]
"""What a special factor acts on, as a whole matrix; lowered only if it is needed."""


def acting(lowering: Lowering, factor: Factor, /) -> bool:
    """Whether a factor acts by other means than a product."""
    node = factor.node
    if factor.lowered or not isinstance(node, _ACTING):
        return False
    if isinstance(node, Ones):
        return ONE in node.shape  # a vector of ones sums or repeats
    # An inverse that is wanted for itself may as well serve in products.
    return not (isinstance(node, Inverse) and _is_wanted(lowering, node))


def _is_wanted(lowering: Lowering, node: Expr) -> bool:
    """Whether a node is needed as a matrix, outside of products."""
    return lowering.is_root(node) or any(
        _is_wanted(lowering, parent)
        if isinstance(parent, Transpose | Named | Scale)
        else not isinstance(parent, _TAKING)
        for parent in lowering.parents.get(node, ())
    )


def from_left(lowering: Lowering, f: Factor, right: Factor | None, M: Value, /) -> Expr | None:
    """Return f M; a row or column where it only repeats that; None where a product is best.

    `right` is the factor that M is, if that is a special one too.
    """
    node, other = f.node, right and right.node
    match node:
        case Ones() if isinstance(other, Diag) and f.rows == ONE:
            return transposed(lowering.whole(other.args[0]))
        case Ones() if isinstance(other, Ones):
            return UNIT if f.columns == ONE else Size(f.columns)
        case Diag() if isinstance(other, Ones):
            return lowering.value(node.args[0])
        case Diag():
            return times(lowering.value(node.args[0]), M())
        case Ones() if f.rows == ONE:
            return ColSum(M())
        case Ones():
            return M()
        case Centering():
            value = M()
            return Minus(value, Mean(value) if value.columns == ONE else ColMean(value))
        case Commutation():
            m, n = node.data
            value = M()
            swapped = isinstance(value, Vec) and value.args[0].shape == (m, n)
            return Vec(transposed(value.args[0])) if swapped else PermutedRows(value, m, n)
        case Inverse():
            (A,) = node.args
            value = lowering.whole(A)
            return Solve(transposed(value) if f.flipped else value, M())
        case Kron() if right is None or right.columns == ONE:
            value = M()
            return _kronecker(lowering, f, value) if value.columns == ONE else None
    return None


def from_right(lowering: Lowering, left: Factor | None, f: Factor, M: Value, /) -> Expr | None:
    """Return M f, likewise; `left` is the factor that M is, if that is a special one too."""
    node = f.node
    match node:
        case Diag():
            return times(M(), transposed(lowering.value(node.args[0])))
        case Ones() if f.columns == ONE:
            return RowSum(M())
        case Ones():
            return M()
        case Centering():
            value = M()
            return Minus(value, Mean(value) if value.rows == ONE else RowMean(value))
        case Commutation():
            m, n = node.data
            return PermutedColumns(M(), n, m)
        case Inverse() | Kron():
            turned = left.T if left else None
            found = from_left(lowering, f.T, turned, lambda: transposed(M()))
            return None if found is None else transposed(found)
    return None


def _kronecker(lowering: Lowering, f: Factor, v: Expr) -> Expr:
    """Return (A ⊗ B) v = vec(B V Aᵀ)."""
    A, B = f.operand(0), f.operand(1)
    is_vec = isinstance(v, Vec) and v.args[0].shape == (B.columns, A.columns)
    V = v.args[0] if is_vec else Reshape(v, B.columns, A.columns)
    return Vec(transposed(_applied(lowering, A, transposed(_applied(lowering, B, V)))))


def _applied(lowering: Lowering, f: Factor, M: Expr) -> Expr:
    if isinstance(f.node, Identity):
        return M
    found = from_left(lowering, f, None, lambda: M) if acting(lowering, f) else None
    if found is None:
        found = Product(f.whole(lowering), M)
    return full(found, (f.rows, M.columns))
