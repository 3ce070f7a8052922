"""What a teacher calls the rules, and the moves under the trace that bring dX to the end."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

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
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Named,
    Norm1,
    Norm2,
    Ones,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
    Zeros,
)

_CONSTANTS = (Number, Size, Zeros, Ones, Identity, Centering, Commutation, Duplication)

RULE_NAMES: Mapping[type[Expr], str] = MappingProxyType(
    {
        **dict.fromkeys(_CONSTANTS, "a constant"),
        Variable: "the variable",
        Named: "the definition",
        Sum: "the sum rule",
        Scale: "the product rule, for a scalar factor",
        MatMul: "the product rule",
        Hadamard: "the product rule, entry by entry",
        Power: "the power rule",
        Apply: "the chain rule, entry by entry",
        Transpose: "the transpose",
        Broadcast: "a repeated row or column",
        Item: "the entry of a 1×1 matrix",
        Inverse: "the inverse",
        MatrixPower: "the power of a matrix",
        Det: "Jacobi's formula for the determinant",
        LogDet: "the log-determinant",
        Trace: "the trace is linear",
        Total: "the sum of entries is linear",
        RowSum: "the row sums are linear",
        ColSum: "the column sums are linear",
        Norm2: "the norm",
        Norm1: "the sum of absolute values",
        Softmax: "the softmax",
        LogSumExp: "the log-sum-exp",
        Diag: "the diagonal matrix is linear",
        DiagVec: "the diagonal is linear",
        Kron: "the product rule for ⊗",
        Vec: "vec is linear",
        Reshape: "the reshape is linear",
        Rearrange: "the rearrangement is linear",
        Assemble: "the inverse rearrangement is linear",
    }
)
"""The name of the differential of each kind of node."""

MOVE_NAMES: Mapping[type[Expr], str] = MappingProxyType(
    {
        Named: "inserting the definition",
        Sum: "linearity of the trace",
        Scale: "moving a scalar out of the trace",
        MatMul: "cyclic property of the trace",
        Hadamard: "moving a Hadamard factor",
        Power: "moving a Hadamard factor",
        Apply: "moving a Hadamard factor",
        Transpose: "transposing under the trace",
        Broadcast: "summing over what was repeated",
        Item: "a scalar is its own trace",
        Inverse: "cyclic property of the trace",
        MatrixPower: "cyclic property of the trace",
        Det: "moving a scalar out of the trace",
        LogDet: "moving a scalar out of the trace",
        Trace: "moving a scalar out of the trace",
        Total: "a sum of entries is tr(11ᵀ(·))",
        RowSum: "row sums are (·)1, and the trace is cyclic",
        ColSum: "column sums are 1ᵀ(·), and the trace is cyclic",
        Norm2: "moving a scalar out of the trace",
        Norm1: "moving a scalar out of the trace",
        Softmax: "moving a Hadamard factor",
        LogSumExp: "moving a Hadamard factor",
        Diag: "a diagonal matrix meets only the diagonal",
        DiagVec: "a diagonal matrix meets only the diagonal",
        Kron: "tr(Gᵀ(A ⊗ B)) = vec(A)ᵀR(G)vec(B), with R Van Loan's rearrangement",
        Vec: "tr(AᵀB) = vec(A)ᵀvec(B)",
        Reshape: "tr(AᵀB) = vec(A)ᵀvec(B)",
        Rearrange: "rearranging both keeps tr(AᵀB)",
        Assemble: "rearranging both keeps tr(AᵀB)",
    }
)
"""The name of the move by which tr(Gᵀ d(node)) becomes tr((pullback)ᵀ d(operand))."""


def rule_name(node: Expr, /) -> str:
    """Return what a teacher calls the differential of this node.

    Raises
    ------
    KeyError
        For a kind without rules, such as `Differential`.

    Examples
    --------
    >>> x = Variable("x", ())
    >>> rule_name(Apply("tanh", x)), rule_name(x**-1), rule_name(x * x)
    ('the derivative of tanh', 'the reciprocal', 'the product rule')
    """
    match node:
        case Apply():
            return f"the derivative of {node.name}"
        case Power(args=(_, Number(value=Fraction(numerator=-1, denominator=1)))):
            return "the reciprocal"
        case Power(args=(_, Number(value=Fraction(numerator=1, denominator=2)))):
            return "the square root"
        case Hadamard(shape=()):
            return "the product rule"
    return RULE_NAMES[type(node)]


def move_name(node: Expr, /) -> str:
    """Return the name of the move that the pullback of this node makes under the trace.

    Raises
    ------
    KeyError
        For a kind without a pullback.

    Examples
    --------
    >>> x = Variable("x", ())
    >>> move_name(x.T)
    'transposing under the trace'
    """
    return MOVE_NAMES[type(node)]
