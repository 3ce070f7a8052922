"""Sums made smaller: a common factor taken out, or products multiplied out so that terms cancel.

Nothing is expanded for its own sake. A rewriting is kept only where the text becomes shorter, so
that rewriting ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from matbackprop.symbolic.expressions.construct import (
    add,
    broadcast,
    hadamard,
    identity,
    kron,
    matmul,
    power,
    scale,
    transpose,
)
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
from matbackprop.symbolic.expressions.nodes import Kron
from matbackprop.symbolic.simplification.measure import cost
from matbackprop.symbolic.simplification.order import factors_of, kind_of_broadcast, split

MOST_TERMS = 12


@dataclass(frozen=True, slots=True)
class View:
    """A term read as a factor and the rest: side tells where the factor stands."""

    side: str
    factor: Expr
    exponent: Fraction
    rest: Expr


def smaller(node: Expr, /) -> Expr:
    """Return a sum with common factors taken out, a product multiplied out, if that is smaller."""
    while isinstance(node, Sum | Hadamard | Scale | MatMul):
        if isinstance(node, Sum):
            candidates = [*_factored(node), *_expanded(node)]
        else:
            candidates = [_taken_out(add(*terms)) for terms in _multiplied_out(node)]
        best = min(candidates, key=cost, default=node)
        # x − xy is a node smaller than x(1 − y), and no better: a product stays one for that.
        if cost(best) >= cost(node) - _has_constant_factor(node):
            break
        node = best
    return node


def _has_constant_factor(product: Expr) -> bool:
    """Whether one of the sums multiplied has a constant term, the 1 of x(1 − y)."""
    return any(
        isinstance(term, Number) or kind_of_broadcast(term) == "scalar"
        for factor in product.args
        if not isinstance(product, Sum) and isinstance(factor, Sum)
        for term in factor.args
    )


def _factored(node: Expr) -> Iterator[Expr]:
    """Yield the sum with each factor that two or more terms share taken out."""
    shared: dict[tuple[str, Expr], list[tuple[int, View]]] = {}
    for index, term in enumerate(node.args):
        for view in views(term):
            shared.setdefault((view.side, view.factor), []).append((index, view))
    for (side, factor), found in shared.items():
        if len({index for index, _ in found}) < 2:
            continue
        exponents = sorted({view.exponent for _, view in found})
        for exponent in {exponents[0], exponents[-1]}:
            inside = dict(found)
            if all(view.exponent == exponent for view in inside.values()):
                left = [view.rest for view in inside.values()]
            else:
                left = [
                    _times(power(factor, view.exponent - exponent), view.rest)
                    for view in inside.values()
                ]
            joined = add(*left)
            out = [t for index, t in enumerate(node.args) if index not in inside]
            yield add(_put_back(side, power(factor, exponent), joined), *out)


def _put_back(side: str, factor: Expr, inside: Expr) -> Expr:
    join: dict[str, Callable[[Expr, Expr], Expr]] = {
        "left": matmul,
        "right": lambda f, x: matmul(x, f),
        "kron left": kron,
        "kron right": lambda f, x: kron(x, f),
    }
    return join.get(side, _times)(factor, inside)


def _times(factor: Expr, inside: Expr) -> Expr:
    return scale(factor, inside) if factor.is_scalar else hadamard(factor, inside)


def views(term: Expr, /) -> Iterator[View]:
    """Yield each reading of a term as a factor times the rest."""
    coefficient, core = split(term)
    number: Expr = Number(coefficient)
    if isinstance(core, Scale):
        scalar, core = core.args
        for base, exponent, rest in _elementwise(scalar):
            yield View("scalar", base, exponent, scale(number, scale(rest, core)))
        number = hadamard(number, scalar)
    side = "scalar" if core.is_scalar else "entries"
    for base, exponent, rest in _elementwise(core):
        yield View(side, base, exponent, scale(number, rest))
    one = Fraction(1)
    if core.is_scalar:
        return
    if isinstance(core, Kron):
        a, b = core.args
        yield View("kron left", a, one, scale(number, b))
        yield View("kron right", b, one, scale(number, a))
    yield from _chain(core, number)


def _chain(core: Expr, number: Expr) -> Iterator[View]:
    one = Fraction(1)
    if isinstance(core, MatMul):
        first, *middle, last = core.args
        yield View("left", first, one, scale(number, matmul(*middle, last)))
        yield View("right", last, one, scale(number, matmul(first, *middle)))
    elif not isinstance(core, Transpose) or core.rows == core.columns:
        yield View("left", core, one, scale(number, identity(core.columns)))
        yield View("right", core, one, scale(number, identity(core.rows)))


def _elementwise(node: Expr) -> Iterator[tuple[Expr, Fraction, Expr]]:
    """Yield base, exponent and the rest for each factor of an elementwise product."""
    factors = factors_of(node)
    for factor in factors:
        rest = [f for f in factors if f is not factor]
        if isinstance(factor, Number):
            continue
        if isinstance(factor, Broadcast):
            for base, exponent, inner in _elementwise(factor.args[0]):
                left = hadamard(broadcast(inner, factor.shape), *rest)
                yield broadcast(base, factor.shape), exponent, left
            continue
        base, exponent = factor, Fraction(1)
        if isinstance(factor, Power) and isinstance(factor.args[1], Number):
            base, exponent = factor.args[0], factor.args[1].value
        yield base, exponent, hadamard(*rest) if rest else power(factor, 0)


def _expanded(node: Expr) -> Iterator[Expr]:
    """Yield the sum with products of sums multiplied out: one of them, or all."""
    opened = {i: ways for i, term in enumerate(node.args) if (ways := _multiplied_out(term))}
    choices = [{i: terms} for i, ways in opened.items() for terms in ways]
    if len(opened) > 1:
        choices.append({i: ways[-1] for i, ways in opened.items()})
    for chosen in choices:
        terms = [t for i, term in enumerate(node.args) for t in chosen.get(i, [term])]
        if len(terms) <= MOST_TERMS:
            flat = add(*terms)
            # Only where something cancelled or merged can the detour pay.
            if not isinstance(flat, Sum) or len(flat.args) < len(terms):
                yield _taken_out(flat)


def _taken_out(node: Expr) -> Expr:
    """Take common factors out of a sum that was multiplied out, without multiplying out again."""
    while isinstance(node, Sum):
        best = min(_factored(node), key=cost, default=node)
        if cost(best) >= cost(node):
            break
        node = best
    return node


def _multiplied_out(term: Expr) -> list[list[Expr]]:
    """Return the terms that a product of sums has: by each sum alone, and at last by all."""
    coefficient, core = split(term)
    scalars: list[Expr] = [Number(coefficient)]
    if isinstance(core, Scale):
        scalars.append(core.args[0])
        core = core.args[1]
    join: Callable[..., Expr] = matmul if isinstance(core, MatMul) else hadamard
    factors = core.args if isinstance(core, MatMul | Hadamard) else (core,)
    opened = [_terms_of(f) for f in factors]
    sums = [i for i, terms in enumerate(opened) if len(terms) > 1]
    outside = hadamard(*scalars)
    ways = [{i} for i in sums] + ([set(sums)] if len(sums) > 1 else [])
    result = []
    for way in ways:
        parts = [opened[i] if i in way else (f,) for i, f in enumerate(factors)]
        result.append([scale(outside, join(*choice)) for choice in product(*parts)])
    return [terms for terms in result if len(terms) <= MOST_TERMS]


def _terms_of(factor: Expr) -> tuple[Expr, ...]:
    """Return the terms of a sum, or of a transposed sum; of anything else itself."""
    match factor:
        case Sum():
            return factor.args
        case Transpose(args=(Sum() as inner,)):
            return tuple(transpose(term) for term in inner.args)
    return (factor,)
