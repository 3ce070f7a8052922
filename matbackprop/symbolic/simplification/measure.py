"""How large an expression is: the operations and leaves that its text has, each counted once."""

from __future__ import annotations

from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.nodes import Centering, ColSum, Item, Named, RowSum
from matbackprop.symbolic.simplification.order import kind_of_broadcast

REPEATED = {"row": 2, "column": 2, "scalar": 0}  # ones(n)*r, diag(c)*…, and a bare s


def cost(root: Expr, /) -> int:
    """Return the number of unique operations and leaves in the text of an expression."""
    seen: set[Expr] = set()
    stack = [root]
    count = 0
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        count += _own(node)
        stack.extend(_operands(node))
    return count


def _own(node: Expr) -> int:
    match node:
        case Sum() | MatMul():
            return len(node.args) - 1
        case Hadamard():
            return len(node.args) - 1 - _is_minus_one(node.args[0]) + _all_below(node)
        case Scale(args=(scalar, _)):
            return 0 if _is_minus_one(scalar) else 1
        case Broadcast():
            return REPEATED[kind_of_broadcast(node)]
        case Item() | Named():
            return 0
        case Transpose(args=(ColSum(),)):
            return 0  # X'*ones(n)
        case RowSum():
            return 2
        case ColSum() | Centering():
            return 3
        case Power(args=(_, Number() as e)):
            # 1/x is part of a quotient; a root is a call; x⁻ᵏ is 1/xᵏ.
            return 0 if e.value == -1 else 1
        case Number():
            return 0 if node.value == -1 else 2 if node.value.denominator != 1 else 1
    return 1


def _operands(node: Expr) -> tuple[Expr, ...]:
    match node:
        case Power(args=(base, Number() as e)):
            whole = e.value.denominator == 1 and abs(e.value) != 1
            return (base, Number(abs(e.value))) if whole else (base,)
    return node.args


def _is_minus_one(node: Expr) -> bool:
    return isinstance(node, Number) and node.value == -1


def _all_below(product: Expr) -> bool:
    """Whether every factor is below the line, so that the 1 above it is written too."""
    return all(
        isinstance(f, Power) and isinstance(f.args[1], Number) and f.args[1].value < 0
        for f in product.args
    )
