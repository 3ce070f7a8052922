"""Products of many matrices, bracketed so that they are cheap."""

from __future__ import annotations

from math import prod
from weakref import WeakKeyDictionary

from matbackprop.symbolic.emission.actions import acting, from_left, from_right
from matbackprop.symbolic.emission.lowering import Lowering
from matbackprop.symbolic.emission.matrix_factors import Factor, opened
from matbackprop.symbolic.emission.operations import Product, full, inner, times, transposed
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Expr, MatMul, Scale, Transpose
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    ColSum,
    Diag,
    DiagVec,
    Identity,
    Inverse,
    Item,
    Kron,
    Ones,
    RowSum,
    Total,
    Trace,
)

_TYPICAL = {"n": 1000, "N": 1000}  # rows of data
_OTHERWISE = 10
_FORMING = 4  # how much dearer an inverse is than a solve, so that the solve is preferred
_OUTER = 4  # how much smaller than the product a factor must be to take in its scalar

_PRODUCTS: WeakKeyDictionary[Lowering, dict[tuple[Factor, ...], Expr]] = WeakKeyDictionary()
_OPENING = (ColSum, Item, MatMul, RowSum, Scale, Total, Trace, Transpose)


class Chain:
    """A product of matrices. Interval (i, j) of it is the product of factors i, …, j − 1."""

    def __init__(self, lowering: Lowering, factors: list[Factor], /) -> None:
        self.lowering, self.factors = lowering, factors
        self._costs: dict[tuple[int, int], tuple[float, int]] = {}

    def value(self) -> Expr:
        """Return the product; a row or column where it only repeats that."""
        return self._value(0, len(self.factors))

    def scaled(self, scalar: Expr, /) -> Expr | None:
        """Return the product times a scalar, where a factor is much smaller than the product."""
        areas = [_size(f.rows) * _size(f.columns) for f in self.factors]
        i = areas.index(min(areas))
        least = self.factors[i]
        if areas[i] * _OUTER > self._area(0, len(areas)) or acting(self.lowering, least):
            return None
        value = times(scalar, least.whole(self.lowering))
        factors = [*self.factors[:i], Factor(value, lowered=True), *self.factors[i + 1 :]]
        return Chain(self.lowering, factors).value()

    def trace(self) -> Expr:
        """Return the trace: an inner product of two parts of the cycle of factors."""
        k = len(self.factors)
        if k == 1:
            return self._trace(0, 1)
        ring = Chain(self.lowering, self.factors * 2)
        _, i, j = min(
            [(ring._best(i, i + k)[0] + _size(ring.factors[i].rows), i, i + k) for i in range(k)]
            + [
                (ring._formed(i, j) + ring._formed(j, i + k) + ring._area(i, j), i, j)
                for i in range(k)
                for j in range(i + 1, k)
            ]
        )
        return ring._trace(i, j) if j == i + k else ring._inner(i, j, i + k)

    def diagonal(self) -> Expr:
        """Return the diagonal, as a column, without the product."""
        k = len(self.factors)
        if k == 1:
            return DiagVec(self._whole(0, 1))
        split = min(
            range(1, k),
            key=lambda s: self._formed(0, s) + self._formed(s, k) + self._area(0, s),
        )
        return RowSum(times(self._whole(0, split), transposed(self._whole(split, k))))

    def _trace(self, i: int, j: int) -> Expr:
        value = self._whole(i, j)
        return Item(value) if value.shape == (ONE, ONE) else Trace(value)

    def _inner(self, i: int, j: int, end: int) -> Expr:
        for (a, b), (c, d) in [((i, j), (j, end)), ((j, end), (i, j))]:
            node = self.factors[a].node
            if b == a + 1 and isinstance(node, Diag):
                rest = Chain(self.lowering, self.factors[c:d])
                return inner(self.lowering.whole(node.args[0]), rest.diagonal())
        return inner(transposed(self._whole(i, j)), self._whole(j, end))

    def _shape(self, i: int, j: int) -> tuple[Dim, Dim]:
        return (self.factors[i].rows, self.factors[j - 1].columns)

    def _area(self, i: int, j: int) -> float:
        m, n = self._shape(i, j)
        return _size(m) * _size(n)

    def _special(self, i: int, j: int) -> Factor | None:
        alone = j == i + 1 and acting(self.lowering, self.factors[i])
        return self.factors[i] if alone else None

    def _formed(self, i: int, j: int) -> float:
        """Return the cost of an interval as a matrix in its own right."""
        special = self._special(i, j)
        if special is None or isinstance(special.node, Diag):
            return self._best(i, j)[0]
        area = self._area(i, j)
        return _FORMING * area**1.5 if isinstance(special.node, Inverse) else area

    def _best(self, i: int, j: int) -> tuple[float, int]:
        """Return the least cost of an interval, and where it is split for that."""
        if j == i + 1:
            return 0.0, i
        if (i, j) not in self._costs:
            self._costs[i, j] = min(
                (self._best(i, s)[0] + self._best(s, j)[0] + self._joining(i, s, j), s)
                for s in range(i + 1, j)
            )
            if self._known(i, j):
                self._costs[i, j] = 0.0, i
        return self._costs[i, j]

    def _joining(self, i: int, s: int, j: int) -> float:
        """Return the cost of multiplying the intervals (i, s) and (s, j)."""
        m, n = (_size(dim) for dim in self._shape(i, j))
        k = _size(self.factors[s].rows)
        left, right = self._special(i, s), self._special(s, j)
        if left and right and isinstance(left.node, Ones | Diag) and isinstance(right.node, Ones):
            return max(m, k, n)
        if left and right and isinstance(left.node, Ones) and isinstance(right.node, Diag):
            return k
        for special, others in ((left, n), (right, m)):
            if special is None:
                continue
            match special.node:
                case Inverse():
                    return k**3 + k * k * others
                case Kron(args=(a, b)) if others == 1:
                    return _size(a.columns) * _size(b.rows) * (_size(a.rows) + _size(b.columns))
                case Kron():
                    return _size(special.rows) * _size(special.columns) + m * k * n
                case Ones():
                    return m * k * n
                case _:
                    return m * n
        return m * k * n

    def _known(self, i: int, j: int) -> Expr | None:
        """Return the value of an interval that is a node of its own elsewhere."""
        if j - i == len(self.factors):
            return None
        table = _products(self.lowering)
        key = tuple(self.factors[i:j])
        if key in table:
            return self.lowering.value(table[key])
        key = tuple(f.T for f in reversed(key))
        return transposed(self.lowering.value(table[key])) if key in table else None

    def _value(self, i: int, j: int) -> Expr:
        if j == i + 1:
            return self.factors[i].whole(self.lowering)
        known = self._known(i, j)
        if known is not None:
            return known
        s = self._best(i, j)[1]
        left, right = self._special(i, s), self._special(s, j)
        found = None
        # Of two that act, one acts whose partner is easily formed, as a vector of ones is.
        right_first = (
            left is not None
            and isinstance(left.node, Ones)
            and not (right and isinstance(right.node, Ones | Diag))
        )
        if left and not (right and right_first):
            found = from_left(self.lowering, left, right, lambda: self._whole(s, j))
        if right and found is None:
            found = from_right(self.lowering, left, right, lambda: self._whole(i, s))
        if left and found is None and right_first:
            found = from_left(self.lowering, left, right, lambda: self._whole(s, j))
        if found is not None:
            return found
        return Product(self._whole(i, s), self._whole(s, j))

    def _whole(self, i: int, j: int) -> Expr:
        return full(self._value(i, j), self._shape(i, j))


def chain(lowering: Lowering, *nodes: Expr, top: bool = False) -> tuple[list[Expr], Chain]:
    """Return the scalars and the chain of the product of some nodes."""
    scalars: list[Expr] = []
    factors: list[Factor] = []
    for node in nodes:
        s, f = opened(lowering, node, top=top)
        scalars += s
        factors += f
    return scalars, Chain(lowering, factors or [Factor(Identity(nodes[0].rows))])


def _products(lowering: Lowering) -> dict[tuple[Factor, ...], Expr]:
    """Return the products that are computed anyhow, by their factors."""
    if lowering not in _PRODUCTS:
        found: dict[tuple[Factor, ...], Expr] = {}
        for node in lowering.nodes:
            parents = lowering.parents.get(node, ())
            vanishes = lowering.once(node) and any(isinstance(p, _OPENING) for p in parents)
            if isinstance(node, MatMul) and not vanishes:
                scalars, factors = opened(lowering, node, top=True)
                if not scalars:
                    found[tuple(factors)] = node
        _PRODUCTS[lowering] = found
    return _PRODUCTS[lowering]


def _size(dim: Dim) -> float:
    return float(
        sum(
            coefficient * prod(_TYPICAL.get(symbol, _OTHERWISE) for symbol in monomial)
            for monomial, coefficient in dim.terms
        )
    )
