"""Small whole numbers for the size symbols of expressions, such that all their shapes conform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, count, product
from math import prod
from typing import TypeAlias

from matbackprop.errors import ShapeError
from matbackprop.symbolic.expressions.dimension import Dim, requirements
from matbackprop.symbolic.expressions.expression import Expr

USUAL = {"n": 6, "N": 6, "p": 3, "q": 4, "m": 5, "k": 2}
"""n observations exceed p variables, and no two sizes agree by accident."""

OTHERS = (5, 4, 3, 2, 7, 8, 9, 10, 11, 12)
MOST = 12

Sizes: TypeAlias = dict[str, int]


def size_choices(nodes: Iterable[Expr], /) -> Iterator[Sizes]:
    """Yield sizes for all symbols in the nodes: the usual ones, then those in reverse order.

    Where shapes conform only if, say, k·p = 6, or a dimension is n − p or n/2, the sizes are
    those nearest to these that make it so, and every dimension a whole positive number.

    Parameters
    ----------
    nodes
        Every node of the expressions.

    Raises
    ------
    ShapeError
        If no sizes up to 12 do.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> x = Variable("x", (Dim.of("k"), Dim.of("d")))
    >>> list(size_choices([x]))
    [{'k': 2, 'd': 5}, {'k': 5, 'd': 2}]
    """
    lengths: dict[Dim, None] = {}
    others: dict[Dim, None] = {}
    with requirements() as equal:
        for node in nodes:
            lengths.update(dict.fromkeys(type(node).shape_of(node.args, node.data)))
            others.update(dict.fromkeys(dim for dim in node.data if isinstance(dim, Dim)))
    conditions = [
        *(_Condition(f"{a.text('·')} = {b.text('·')}", a - b, lambda x: x == 0) for a, b in equal),
        *(_Condition(f"{dim.text('·')} ≥ 1", dim, _is_length) for dim in lengths),
        *(_Condition(f"whole {dim.text('·')}", dim, _is_whole) for dim in others),
    ]
    symbols = dict.fromkeys(name for dim in (*lengths, *others) for name in sorted(dim.symbols))
    usual = _usual(list(symbols))
    reverse = dict(zip(usual, reversed(usual.values()), strict=True))
    first = _nearest(usual, conditions)
    yield first
    second = _nearest(reverse, conditions)
    if second != first:
        yield second


class _Condition:
    """What a dimension must be."""

    def __init__(self, text: str, dim: Dim, holds: Callable[[Fraction], bool]) -> None:
        self.text, self.dim, self.holds = text, dim, holds

    def __call__(self, sizes: Sizes) -> bool:
        terms = self.dim.terms
        return self.holds(Fraction(sum(c * prod(sizes[name] for name in m) for m, c in terms)))


def _is_whole(x: Fraction) -> bool:
    return x.denominator == 1


def _is_length(x: Fraction) -> bool:
    return x >= 1 and _is_whole(x)


def _usual(symbols: list[str]) -> Sizes:
    sizes: Sizes = {}
    for name in symbols:
        if name in USUAL and USUAL[name] not in sizes.values():
            sizes[name] = USUAL[name]
    for name in symbols:
        if name not in sizes:
            free = (size for size in chain(OTHERS, count(MOST + 1)) if size not in sizes.values())
            sizes[name] = next(free)
    return {name: sizes[name] for name in symbols}


def _nearest(start: Sizes, conditions: list[_Condition]) -> Sizes:
    """Return `start` with as few sizes changed, or made equal, as the conditions allow."""
    broken = [condition for condition in conditions if not condition(start)]
    if not broken:
        return start
    for some in (broken, conditions):
        bound = sorted({name for condition in some for name in condition.dim.symbols})
        fitting = [
            sizes
            for values in product(range(1, MOST + 1), repeat=len(bound))
            if all(c(sizes := start | dict(zip(bound, values, strict=True))) for c in conditions)
        ]
        if fitting:
            return min(fitting, key=lambda sizes: _strangeness(sizes, start))
    raise ShapeError(
        f"The shapes conform only with {' and '.join(sorted(c.text for c in broken))}, which no "
        f"sizes up to {MOST} satisfy. Check the numbers among the shapes."
    )


def _strangeness(sizes: Sizes, start: Sizes) -> tuple[int, int, int]:
    values = list(sizes.values())
    steps = [abs(sizes[name] - start[name]) for name in start if sizes[name] != start[name]]
    return len(values) - len({*values}) + values.count(1), len(steps), sum(steps)
