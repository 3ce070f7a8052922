"""What is known of an expression without evaluating it."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from matbackprop.symbolic.expressions.construct import make, transpose
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Size,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Centering,
    Diag,
    Identity,
    Inverse,
    Kron,
    MatrixPower,
    Named,
    Zeros,
)
from matbackprop.symbolic.simplification.order import kind_of_broadcast

Fact = Callable[[Expr], bool]


def remembered(fact: Fact, /) -> Fact:
    """Make a fact be worked out once for each node."""
    known: WeakKeyDictionary[Expr, bool] = WeakKeyDictionary()

    def lookup(node: Expr) -> bool:
        if node not in known:
            known[node] = fact(node)
        return known[node]

    return lookup


def unfolded(node: Expr, /) -> Expr:
    """Return the normal form with every name replaced by what it stands for."""
    done: dict[Expr, Expr] = {}
    for inner in node.nodes():
        args = tuple(done[arg] for arg in inner.args)
        done[inner] = args[0] if isinstance(inner, Named) else make(type(inner), args, inner.data)
    return done[node]


@remembered
def is_symmetric(node: Expr) -> bool:
    """Whether Aᵀ = A for sure."""
    match node:
        case Variable():
            return "symmetric" in node.flags
        case Identity() | Centering() | Diag():
            return True
        case Zeros() | Broadcast(args=(Expr(shape=()),)):
            return node.rows == node.columns
        case Scale(args=(_, matrix)):
            return is_symmetric(matrix)
        case Named():
            return not node.is_scalar and is_symmetric(unfolded(node))
        case Inverse() | MatrixPower() | Apply() | Power():
            return not node.is_scalar and is_symmetric(node.args[0])
        case Hadamard() | Kron() if not node.is_scalar:
            return all(is_symmetric(arg) for arg in node.args)
        case Sum() if not node.is_scalar and node.rows == node.columns:
            return all(map(is_symmetric, node.args)) or {transpose(a) for a in node.args} == set(
                node.args
            )
        case MatMul() if node.rows == node.columns:
            pairs = zip(node.args, reversed(node.args), strict=True)
            return all(transpose(a) is b for a, b in pairs)
    return False


def is_orthogonal(node: Expr, /) -> bool:
    """Whether QᵀQ = I for sure."""
    return isinstance(node, Variable) and "orthogonal" in node.flags


@remembered
def is_positive(node: Expr) -> bool:
    """Whether every entry is > 0 for sure."""
    match node:
        case Number():
            return node.value > 0
        case Size():
            return True
        case Apply():
            return node.name in {"exp", "sigmoid", "softplus", "normal_cdf", "normal_pdf", "cosh"}
        case Power(args=(base, _)):
            return is_positive(base)
        case Sum():
            return any(map(is_positive, node.args)) and all(map(is_nonnegative, node.args))
        case Hadamard() | Scale() | Broadcast() | Named() | Transpose():
            return all(map(is_positive, node.args))
    return False


@remembered
def is_nonnegative(node: Expr) -> bool:
    """Whether every entry is ≥ 0 for sure."""
    match node:
        case Number():
            return node.value >= 0
        case Apply(data=("abs" | "relu" | "step",)):
            return True
        case Power(args=(base, Number() as exponent)):
            whole = exponent.value.denominator == 1
            return is_nonnegative(base) or (whole and exponent.value.numerator % 2 == 0)
        case Sum() | Hadamard() | Scale() | Broadcast() | Named() | Transpose():
            return all(map(is_nonnegative, node.args))
    return is_positive(node)


@remembered
def is_centred(node: Expr) -> bool:
    """Whether each column sums to 0 for sure: 1ᵀM = 0."""
    match node:
        case Centering() | Zeros():
            return True
        case Named():
            return is_centred(unfolded(node))
        case MatMul():
            return is_centred(node.args[0])
        case Scale(args=(_, matrix)):
            return is_centred(matrix)
        case Sum() if not node.is_scalar:
            return all(map(is_centred, node.args))
        case Hadamard() if not node.is_scalar:  # scaling columns keeps their sums 0
            rest = [arg for arg in node.args if kind_of_broadcast(arg) != "row"]
            return len(rest) == 1 and is_centred(rest[0])
        case Broadcast(args=(arg,)):
            return kind_of_broadcast(node) == "column" and is_centred(arg)
        case Transpose(args=(arg,)):
            return kills_ones(arg)
    return False


@remembered
def kills_ones(node: Expr) -> bool:
    """Whether each row sums to 0 for sure: M1 = 0."""
    match node:
        case Centering() | Zeros():
            return True
        case MatMul():
            return kills_ones(node.args[-1])
        case Named():
            return kills_ones(unfolded(node))
        case Scale(args=(_, arg)):
            return kills_ones(arg)
        case Sum() if not node.is_scalar:
            return all(map(kills_ones, node.args))
        case Hadamard() if not node.is_scalar:
            rest = [arg for arg in node.args if kind_of_broadcast(arg) != "column"]
            return len(rest) == 1 and kills_ones(rest[0])
        case Transpose(args=(arg,)):
            return is_centred(arg)
    return False
