"""What sums, products and functions entry by entry become in a program."""

from __future__ import annotations

from functools import reduce

from matbackprop.symbolic.emission.entrywise import COLUMN, ROW, SCALAR, Factors, extent, is_exact
from matbackprop.symbolic.emission.lowering import LOWERED, Lowering, Signed, bare
from matbackprop.symbolic.emission.operations import (
    Inner,
    Minus,
    Plus,
    Raised,
    entry,
    negated,
    raised,
    transposed,
)
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
    Commutation,
    Det,
    Duplication,
    Identity,
    LogDet,
    LogSumExp,
    Named,
    Norm2,
    Ones,
    Softmax,
    Zeros,
)


@LOWERED.rule(Variable, Size, Identity, Centering, Commutation, Duplication)
def _(node: Expr, lowering: Lowering) -> Expr:
    return node


@LOWERED.rule(Number)
def _(node: Number, lowering: Lowering) -> Signed:
    return node.value < 0, Number(abs(node.value))


@LOWERED.rule(Ones, Zeros)
def _(node: Expr, lowering: Lowering) -> Expr:
    return Number(1 if isinstance(node, Ones) else 0)


@LOWERED.rule(Named)
def _(node: Named, lowering: Lowering) -> Expr:
    value = lowering.value(node.args[0])
    return value if isinstance(value, Variable | Number) else Named(node.name, value)


@LOWERED.rule(Apply)
def _(node: Apply, lowering: Lowering) -> Expr | Signed:
    (arg,) = node.args
    stable = _logarithm(bare(arg), lowering) if node.name == "log" else None
    return Apply(node.name, lowering.value(arg)) if stable is None else stable


def _logarithm(arg: Expr, lowering: Lowering) -> Expr | Signed | None:
    """Return log(arg) where the argument itself would overflow or vanish."""
    match arg:
        case Det(args=(A,)):
            return LogDet(lowering.whole(A))
        case Softmax(args=(Z,)):
            value = lowering.whole(Z)
            return Minus(value, LogSumExp(value))
        case Apply(name="sigmoid", args=(t,)):
            return True, Apply("softplus", negated(lowering.value(t)))
        case Sum(args=(first, second)):
            other = second if _is_one(first) else first if _is_one(second) else None
            match other and bare(other):
                case Apply(name="exp", args=(t,)):
                    return Apply("softplus", lowering.value(t))
                case Scale(args=(Number(value=-1), x)) | Hadamard(args=(Number(value=-1), x)):
                    s = bare(x)
                    if isinstance(s, Apply) and s.name == "sigmoid":
                        return True, Apply("softplus", lowering.value(s.args[0]))
    return None


def _is_one(term: Expr) -> bool:
    term = bare(term)
    if isinstance(term, Broadcast):
        return _is_one(term.args[0])
    return isinstance(term, Ones) or (isinstance(term, Number) and term.value == 1)


@LOWERED.rule(Transpose)
def _(node: Transpose, lowering: Lowering) -> Signed:
    negative, value = lowering.signed(node.args[0])
    return negative, transposed(value)


@LOWERED.rule(Broadcast)
def _(node: Broadcast, lowering: Lowering) -> Signed:
    negative, value = lowering.signed(node.args[0])
    return negative, entry(value, node.shape)


@LOWERED.rule(Hadamard, Scale, MatMul)
def _(node: Expr, lowering: Lowering) -> Signed:
    factors = Factors(lowering, node.shape)
    factors.take(node)
    return factors.value()


@LOWERED.rule(Power)
def _(node: Power, lowering: Lowering) -> Expr | Signed:
    base, exponent = node.args
    if not isinstance(exponent, Number):
        return Raised(lowering.value(base), lowering.value(exponent))
    if exponent.value < 0 or is_exact(node):
        factors = Factors(lowering, node.shape)
        factors.take(node)
        return factors.value()
    if exponent.value == 2 and isinstance(base, Norm2) and lowering.once(base):
        M = lowering.whole(base.args[0])
        return Inner(M, M)
    return raised(lowering.value(base), exponent.value)


@LOWERED.rule(Sum)
def _(node: Sum, lowering: Lowering) -> Signed:
    """Add scalars, rows and columns before they meet a matrix."""
    parts: list[list[Signed]] = [[], [], [], []]
    for term in _terms(node, lowering):
        negative, value = lowering.signed(term)
        value = entry(value, node.shape)
        parts[extent(value, node.shape)].append((negative, value))
    sums = {i: _added(part) for i, part in enumerate(parts) if part}
    for beside in (ROW, COLUMN):
        if beside in sums and SCALAR in sums:
            sums[beside] = _plus(sums[beside], sums.pop(SCALAR))
    # The matrix leads: Z − r, not −r + Z.
    return reduce(_plus, (sums[i] for i in sorted(sums, reverse=True)))


def _terms(node: Expr, lowering: Lowering) -> list[Expr]:
    return [
        inner
        for term in node.args
        for inner in (
            _terms(term, lowering) if isinstance(term, Sum) and lowering.once(term) else [term]
        )
    ]


def _added(terms: list[Signed]) -> Signed:
    # A positive term first, so that no minus is needed before it.
    return reduce(_plus, sorted(terms, key=lambda term: term[0]))


def _plus(a: Signed, b: Signed) -> Signed:
    if a[0] == b[0]:
        return a[0], Plus(a[1], b[1])
    positive, other = (b, a) if a[0] else (a, b)
    return False, Minus(positive[1], other[1])
