"""The factors of a matrix product, opened up so that each can be applied in its own way."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop.symbolic.emission.lowering import Lowering, bare
from matbackprop.symbolic.emission.operations import full, transposed
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Scale,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    Commutation,
    Diag,
    Identity,
    Inverse,
    Item,
    Kron,
    MatrixPower,
    Named,
    Ones,
)

_STRUCTURED = (Centering, Commutation, Diag, Inverse, Kron)
_SYMMETRIC = (Centering, Diag, Identity)
_UNROLLED = 3  # A³x is quicker as A(A(Ax))


@dataclass(frozen=True, slots=True)
class Factor:
    """A factor: a node, or a value that is lowered already; perhaps transposed."""

    node: Expr
    flipped: bool = False
    lowered: bool = False

    @property
    def rows(self) -> Dim:
        """How many rows."""
        return self.node.columns if self.flipped else self.node.rows

    @property
    def columns(self) -> Dim:
        """How many columns."""
        return self.node.rows if self.flipped else self.node.columns

    @property
    def T(self) -> Factor:
        """The transpose."""
        return self if self.lowered else factor(self.node, not self.flipped)

    def operand(self, i: int, /) -> Factor:
        """Return operand i of the node, transposed with it."""
        return factor(self.node.args[i], self.flipped)

    def whole(self, lowering: Lowering, /) -> Expr:
        """Return the value as a matrix."""
        value = full(self.node, self.node.shape) if self.lowered else lowering.whole(self.node)
        return transposed(value) if self.flipped else value


Opened = tuple[list[Expr], list[Factor]]
"""The scalars and the matrix factors of a product."""


def factor(node: Expr, flipped: bool, /) -> Factor:
    """Return a factor, said to be transposed only where that makes a difference."""
    if flipped and isinstance(node, Ones):
        return Factor(Ones(node.columns, node.rows))
    if flipped and isinstance(node, Commutation):
        return Factor(Commutation(*reversed(node.data)))
    return Factor(node, flipped and not _is_symmetric(node))


def _is_symmetric(node: Expr) -> bool:
    """Whether a factor is symmetric by its kind, or by what is assumed of its variable."""
    while isinstance(node, Inverse | MatrixPower | Named):
        (node,) = node.args
    assumed = isinstance(node, Variable) and "symmetric" in node.flags
    return assumed or isinstance(node, _SYMMETRIC)


def opened(
    lowering: Lowering, node: Expr, /, *, flipped: bool = False, top: bool = False
) -> Opened:
    """Open a product, and those within it that are used nowhere else; `top` opens it anyway."""
    return _opened(lowering, node, flipped, top or lowering.once(node))


def _opened(lowering: Lowering, node: Expr, flipped: bool, alone: bool) -> Opened:
    inside = bare(node)
    if isinstance(inside, Identity):
        return [], []
    if isinstance(inside, _STRUCTURED):
        return [], [factor(inside, flipped)]
    parts: list[Expr]
    match node:
        case Transpose():
            below = node.args[0]
            return _opened(lowering, below, not flipped, alone and lowering.once(below))
        case Ones():
            vectors = [Factor(Ones(node.rows, 1)), Factor(Ones(1, node.columns))]
            kept = [vector for vector in vectors if vector.node.shape != (ONE, ONE)]
            return [], [vector.T for vector in reversed(kept)] if flipped else kept
        case Broadcast():
            return _repeated(lowering, node, flipped, alone)
        case Scale() if alone:
            s, M = node.args
            scalars, factors = opened(lowering, M, flipped=flipped)
            return [s, *scalars], factors
        case MatMul() if alone:
            parts = list(node.args)
        case MatrixPower() if alone and node.power <= _UNROLLED:
            return [], [factor(node.args[0], flipped)] * node.power
        case Hadamard() if alone and (split := _split(node)):
            parts = split
        case _:
            return [], [factor(node, flipped)]
    opened_parts = [
        opened(lowering, part, flipped=flipped) for part in (reversed(parts) if flipped else parts)
    ]
    return (
        [scalar for scalars, _ in opened_parts for scalar in scalars],
        [found for _, factors in opened_parts for found in factors],
    )


def _repeated(lowering: Lowering, node: Expr, flipped: bool, alone: bool) -> Opened:
    """Open s11ᵀ, c1ᵀ and 1r, so that the ones become sums of what they meet."""
    (arg,) = node.args
    _, ones = _opened(lowering, Ones(*node.shape), False, True)
    if arg.is_scalar or arg.shape == (ONE, ONE):
        scalars, factors = [arg if arg.is_scalar else Item(arg)], ones
    else:
        scalars, factors = _opened(lowering, arg, False, alone and lowering.once(arg))
        if arg.columns == ONE != node.columns:
            factors = [*factors, ones[-1]]
        elif arg.rows == ONE != node.rows:
            factors = [ones[0], *factors]
    return scalars, [f.T for f in reversed(factors)] if flipped else factors


def _split(node: Hadamard) -> list[Expr]:
    """Return diag(c), M, diag(r) for a product of M with repeated columns and rows, else []."""
    columns: list[Expr] = []
    rows: list[Expr] = []
    rest: list[Expr] = []
    for arg in node.args:
        inner = arg.args[0] if isinstance(arg, Broadcast) else None
        if inner is not None and inner.shape == (node.rows, ONE) != node.shape:
            columns.append(Diag(inner))
        elif inner is not None and inner.shape == (ONE, node.columns) != node.shape:
            rows.append(Diag(Transpose(inner)))
        else:
            rest.append(arg)
    if not rest or len(rest) == len(node.args):
        return []
    return [*columns, rest[0] if len(rest) == 1 else Hadamard(*rest), *rows]
