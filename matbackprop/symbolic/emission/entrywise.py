"""Products entry by entry: scalars, rows and columns are multiplied before they meet a matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from itertools import combinations
from weakref import WeakKeyDictionary

from matbackprop.symbolic.emission.chains import Chain, chain
from matbackprop.symbolic.emission.lowering import Lowering, Signed
from matbackprop.symbolic.emission.operations import LARGEST_WHOLE, UNIT, entry, over, times
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
)
from matbackprop.symbolic.expressions.graph import ONE, Shape

SCALAR, ROW, COLUMN, FULL = range(4)

_PAIRS: WeakKeyDictionary[Lowering, Counter[frozenset[Expr]]] = WeakKeyDictionary()


def extent(value: Expr, shape: Shape, /) -> int:
    """Tell what part of a shape a value covers before it is repeated."""
    if not value.shape or not shape:
        return SCALAR
    if value.rows == ONE != shape[0]:
        return ROW
    return COLUMN if value.columns == ONE != shape[1] else FULL


class Factors:
    """The factors of a product of one shape, above and below the fraction bar."""

    def __init__(self, lowering: Lowering, shape: Shape, /) -> None:
        self.lowering, self.shape = lowering, shape
        self.coefficient = Fraction(1)
        self.above: list[Expr] = []
        self.below: list[Expr] = []
        self._chains: dict[Expr, Chain] = {}

    def take(self, node: Expr, /, *, alone: bool = True) -> None:
        """Take in a factor, opening it and what within it is used nowhere else."""
        match node:
            case Number():
                self.coefficient *= node.value
            case Hadamard() | Scale() | Broadcast() if alone or isinstance(node, Broadcast):
                args, pair = _paired(self.lowering, node)
                for arg in args:
                    # Others use the pair too, so it stays a product of its own.
                    opens = alone and arg is not pair and self.lowering.once(arg)
                    self.take(arg, alone=opens)
            case Power(args=(Number() as base, Number() as exponent)) if is_exact(node):
                self.coefficient *= base.value**exponent.value.numerator
            case Power(args=(base, Number() as exponent)) if exponent.value < 0:
                self.put(self.lowering.value(raised_node(base, -exponent.value)), below=True)
            case MatMul() if alone:
                self.take_chain(*chain(self.lowering, node, top=True))
            case _:
                negative, value = self.lowering.signed(node)
                self.coefficient *= -1 if negative else 1
                self.put(value)

    def take_chain(self, scalars: Iterable[Expr], links: Chain, /) -> None:
        """Take in a matrix product."""
        for scalar in scalars:
            self.take(scalar, alone=self.lowering.once(scalar))
        value = links.value()
        self._chains[value] = links
        self.put(value)

    def put(self, value: Expr, /, *, below: bool = False) -> None:
        """Put in a lowered value."""
        (self.below if below else self.above).append(entry(value, self.shape))

    def scalars(self) -> Factors:
        """Return the scalar factors, taken out of this product."""
        taken = Factors(self.lowering, ())
        taken.coefficient, self.coefficient = self.coefficient, Fraction(1)
        for mine, theirs in ((self.above, taken.above), (self.below, taken.below)):
            theirs += [value for value in mine if not value.shape]
            mine[:] = [value for value in mine if value.shape]
        return taken

    def value(self) -> Signed:
        """Return the product."""
        top, bottom = _as_numbers(abs(self.coefficient))
        above, below = self._part(SCALAR)
        scalar = (_product([*top, above]), _product([*bottom, below]))
        small = [part for kind in (ROW, COLUMN) if (part := self._part(kind)) != (UNIT, UNIT)]
        if small:  # the scalar is cheapest beside a row or a column
            above, below = small[0]
            small[0] = (_product([scalar[0], above]), _product([scalar[1], below]))
        elif scalar != (UNIT, UNIT):
            small = [] if self._scale(_quotient(*scalar)) else [scalar]
        # A full matrix meets as few operands as possible: each costs a pass over its entries.
        matrix, divisor = self._part(FULL)
        result = _product(_quotient(a, b) for a, b in small if a is not UNIT)
        result = over(times(result, matrix), divisor)
        for a, b in small:
            if a is UNIT:
                result = over(result, b)
        return self.coefficient < 0, result

    def _part(self, kind: int) -> tuple[Expr, Expr]:
        above, below = (
            _product(value for value in values if extent(value, self.shape) == kind)
            for values in (self.above, self.below)
        )
        return above, below

    def _scale(self, scalar: Expr) -> bool:
        """Hide a scalar in a small factor of a matrix product, if there is one."""
        for i, value in enumerate(self.above):
            scaled = self._chains[value].scaled(scalar) if value in self._chains else None
            if scaled is not None:
                self.above[i] = scaled
                return True
        return False


def _paired(lowering: Lowering, node: Expr, /) -> tuple[list[Expr], Expr | None]:
    """Return the operands, two that other products have in common as one, and that one."""
    args = list(node.args)
    if not isinstance(node, Hadamard):
        return args, None
    pairs = [pair for pair in combinations(args, 2) if _is_common(lowering, pair)]
    if not pairs:
        return args, None
    pair = max(pairs, key=lambda pair: _common_pairs(lowering)[frozenset(pair)])
    # In one order, so that the product is the same node for all who use it.
    ordered = sorted(pair, key=lambda arg: arg.digest)
    if len(args) == 2:
        return ordered, None
    for arg in pair:
        args.remove(arg)
    product = Hadamard(*ordered)
    return [product, *args], product


def _is_common(lowering: Lowering, pair: Iterable[Expr]) -> bool:
    return _common_pairs(lowering)[frozenset(pair)] > 1


def _common_pairs(lowering: Lowering) -> Counter[frozenset[Expr]]:
    """Return in how many products two matrices are multiplied entry by entry."""
    if lowering not in _PAIRS:
        _PAIRS[lowering] = Counter(
            frozenset(pair)
            for node in lowering.nodes
            if isinstance(node, Hadamard) and node.shape
            for pair in set(combinations(node.args, 2))
            if not any(isinstance(arg, Broadcast) for arg in pair) and pair[0] is not pair[1]
        )
    return _PAIRS[lowering]


def raised_node(base: Expr, power: Fraction) -> Expr:
    """Return a power as a node, the base itself for the power 1."""
    return base if power == 1 else Power(base, power)


def is_exact(node: Power, /) -> bool:
    """Whether a power is a rational number, and not too long a one."""
    match node.args:
        case Number(value=base), Number(value=power):
            return bool(base) and power.denominator == 1 and abs(power) < 64
    return False


def _product(values: Iterable[Expr]) -> Expr:
    start: Expr = UNIT
    return reduce(times, values, start)


def _quotient(above: Expr, below: Expr) -> Expr:
    if isinstance(above, Number) and isinstance(below, Number):
        return Number(above.value / below.value)
    return over(above, below)


def _as_numbers(value: Fraction) -> tuple[list[Expr], list[Expr]]:
    # 0.5 and 0.001 read better as they are, 1/3 and 2/7 as quotients.
    if max(value.numerator, value.denominator) >= LARGEST_WHOLE:
        return [Number(value)], []
    if Fraction(repr(float(value))) == value:
        return [Number(value)], []
    return [Number(value.numerator)], [Number(value.denominator)]
