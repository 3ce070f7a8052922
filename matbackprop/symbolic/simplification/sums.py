"""Normal form of sums and multiples: like terms collected, numbers in front, one order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import gcd
from typing import Any

from matbackprop.symbolic.expressions.construct import (
    add,
    apply,
    broadcast,
    centering,
    colsum,
    hadamard,
    matmul,
    number,
    power,
    rowsum,
    scale,
    size,
    transpose,
    vec,
    zero,
)
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Number,
    Scale,
    Size,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.nodes import Apply, Identity, Vec
from matbackprop.symbolic.expressions.tables import NORMAL_FORM
from matbackprop.symbolic.simplification.order import (
    UNIT,
    is_zero,
    key,
    kind_of_broadcast,
    split,
)

Args = tuple[Expr, ...]

COMPLEMENTARY = {"sigmoid", "normal_cdf"}


@NORMAL_FORM.rule(Sum)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Collect like terms; take out the numeric content, so that a − b and b − a are multiples."""
    shape = args[0].shape
    collected: dict[Expr, Fraction] = {}
    for coefficient, core in _terms(args, Fraction(1)):
        collected[core] = collected.get(core, Fraction(0)) + coefficient
    terms = {core: c for core, c in collected.items() if c}
    if shape:
        terms = _with_one_constant(terms)
        terms = _with_one_repeated(_centred(terms))
    terms = _with_complements(terms)
    if not terms:
        return zero(shape)
    if len(terms) == 1:
        ((core, coefficient),) = terms.items()
        return scale(number(coefficient), core)
    if shape and all(isinstance(core, Transpose) for core in terms):
        inner = add(*(scale(number(c), core.args[0]) for core, c in terms.items()))
        return NORMAL_FORM[Transpose]((inner,), ())
    if shape and all(isinstance(core, Vec) for core in terms):
        inner_shapes = {core.args[0].shape for core in terms}
        if len(inner_shapes) == 1:
            return vec(add(*(scale(number(c), core.args[0]) for core, c in terms.items())))
    ordered = sorted(terms, key=key)
    content = _content(ordered, terms)
    total = Sum(*(_times(terms[core] / content, core) for core in ordered))
    return total if content == 1 else _times(content, total)


@NORMAL_FORM.rule(Scale)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Gather scalars in front: s(tM) = (st)M, and 0, 1 as one expects."""
    scalar, matrix = args
    if is_zero(scalar) or is_zero(matrix):
        return zero(matrix.shape)
    if scalar is UNIT:
        return matrix
    if isinstance(matrix, Scale):
        return scale(hadamard(scalar, matrix.args[0]), matrix.args[1])
    if kind_of_broadcast(matrix) == "scalar":
        return broadcast(hadamard(scalar, matrix.args[0]), matrix.shape)
    return Scale(scalar, matrix)


@NORMAL_FORM.rule(Size)
def _(args: Args, data: tuple[Any, ...]) -> Expr:
    """Write a dimension as a polynomial of single sizes, so that n·p is n times p."""
    (dim,) = data
    if dim.value is not None:
        return number(dim.value)
    terms = []
    for monomial, coefficient in dim.terms:
        sizes = [Size(Dim.of(name)) for name in monomial]
        terms.append(hadamard(number(coefficient), *sizes))
    return add(*terms)


def _terms(args: Args, outer: Fraction) -> Iterator[tuple[Fraction, Expr]]:
    """Yield coefficient and core of each term, the sums in ±(a + b) opened."""
    for arg in args:
        if is_zero(arg):
            continue
        coefficient, core = split(arg)
        if isinstance(core, Sum) and abs(coefficient) == 1:
            yield from _terms(core.args, outer * coefficient)
        elif isinstance(core, Transpose) and isinstance(core.args[0], Sum) and len(args) > 1:
            flipped = tuple(transpose(term) for term in core.args[0].args)
            yield from _terms(flipped, outer * coefficient)
        else:
            yield outer * coefficient, core


def _with_one_constant(terms: dict[Expr, Fraction]) -> dict[Expr, Fraction]:
    """Merge the repeated scalars: (s + t)·11ᵀ is one term."""
    constants = [core for core in terms if kind_of_broadcast(core) == "scalar"]
    if len(constants) < 2:
        return terms
    scalar = add(*(scale(number(terms[core]), core.args[0]) for core in constants))
    rest = {core: c for core, c in terms.items() if core not in constants}
    if not is_zero(scalar):
        coefficient, core = split(broadcast(scalar, constants[0].shape))
        rest[core] = coefficient
    return rest


def _with_one_repeated(terms: dict[Expr, Fraction]) -> dict[Expr, Fraction]:
    """Merge repeated columns, and rows: c1ᵀ + d1ᵀ is (c + d)1ᵀ."""
    for kind in ("column", "row"):
        found: dict[Expr, Expr] = {}
        for core, coefficient in terms.items():
            front, inner = core.args if isinstance(core, Scale) else (UNIT, core)
            if kind_of_broadcast(inner) == kind:
                found[core] = scale(hadamard(number(coefficient), front), inner.args[0])
        if len(found) > 1:
            merged = broadcast(add(*found.values()), next(iter(found)).shape)
            rest = {core: c for core, c in terms.items() if core not in found}
            for c, core in _terms((merged,), Fraction(1)):
                rest[core] = rest.get(core, Fraction(0)) + c
            terms = {core: c for core, c in rest.items() if c}
    return terms


def _with_complements(terms: dict[Expr, Fraction]) -> dict[Expr, Fraction]:
    """Write 1 − σ(−t) as σ(t), and 1 − Φ(−t) as Φ(t)."""
    for core, c in terms.items():
        if not (isinstance(core, Apply) and core.name in COMPLEMENTARY):
            continue
        (t,) = core.args
        one = broadcast(UNIT, core.shape)
        if split(t)[0] < 0 and terms.get(one) == -c:
            rest = {x: k for x, k in terms.items() if x not in (core, one)}
            image = apply(core.name, scale(number(-1), t))
            rest[image] = rest.get(image, Fraction(0)) - c
            return _with_complements({x: k for x, k in rest.items() if k})
    return terms


def _centred(terms: dict[Expr, Fraction]) -> dict[Expr, Fraction]:
    """Recognise I − 11ᵀ/n, and M − 1·mean(M): both are the centring matrix at work."""
    for core, coefficient in terms.items():
        mean = core.args[1] if isinstance(core, Scale) else core
        if not isinstance(mean, Broadcast):
            continue
        for other, c in terms.items():
            for of_columns in (True, False):
                n = other.rows if of_columns else other.columns
                if other is core or _mean(other, n, of_columns) is not _times(
                    -coefficient / c, core
                ):
                    continue
                if isinstance(other, Identity):
                    centred = centering(n)
                else:
                    pair = (centering(n), other) if of_columns else (other, centering(n))
                    centred = matmul(*pair)
                rest = [(t, x) for x, t in terms.items() if x not in (core, other)]
                merged = dict[Expr, Fraction]()
                for t, x in [*rest, *_terms((centred,), c)]:
                    merged[x] = merged.get(x, Fraction(0)) + t
                return _centred({x: t for x, t in merged.items() if t})
    return terms


def _mean(matrix: Expr, n: Dim, of_columns: bool) -> Expr:
    sums = colsum(matrix) if of_columns else rowsum(matrix)
    return scale(power(size(n), -1), broadcast(sums, matrix.shape))


def _content(ordered: list[Expr], terms: dict[Expr, Fraction]) -> Fraction:
    """Return the common numeric factor, negative where the sum reads better negated."""
    values = [terms[core] for core in ordered]
    if all(v.denominator == 1 for v in values):
        content = Fraction(gcd(*(v.numerator for v in values)))
    elif len({abs(v) for v in values}) == 1:
        content = abs(values[0])
    else:
        content = Fraction(1)
    positive = sum(v > 0 for v in values)
    if 2 * positive != len(values):
        return content if 2 * positive > len(values) else -content
    constants = [core for core in ordered if kind_of_broadcast(core) == "scalar"]
    leading = constants[0] if constants else ordered[-1]
    return content if terms[leading] > 0 else -content


def _times(coefficient: Fraction, core: Expr) -> Expr:
    return scale(Number(coefficient), core)
