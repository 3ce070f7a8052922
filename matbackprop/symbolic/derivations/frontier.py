"""dL = Σ tr(Gᵤᵀ du) over the parts u of L that are not yet taken apart."""

from __future__ import annotations

from collections import Counter

from matbackprop.symbolic import rules
from matbackprop.symbolic.derivations.pairing import paired
from matbackprop.symbolic.derivations.shortcuts import shortcut
from matbackprop.symbolic.expressions.construct import add, hadamard, number, scale, zero
from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    Scale,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import Differential, Item, Named
from matbackprop.symbolic.expressions.tables import DIFFERENTIAL, PULLBACK
from matbackprop.symbolic.sweeps import dependents


class Frontier:
    """The parts not yet taken apart, with what stands before their differentials."""

    def __init__(self, L: Expr, X: Variable) -> None:
        self.X = X
        self.order = {node: place for place, node in enumerate(L.nodes())}
        self.changing = dependents(L, [X])
        self.G: dict[Expr, Expr] = {L: number(1)} if L in self.changing else {}

    def head(self) -> Expr | None:
        """Return the part nearest to L; None when only X is left."""
        return max((u for u in self.G if u is not self.X), key=self.order.__getitem__, default=None)

    def carry(self, u: Expr) -> list[str]:
        """Carry what stands before du back to the operands of u; name the moves on the way."""
        G, moves = self.G.pop(u), []
        if (short := shortcut(u)) is not None:
            slope = short.slope
            before = scale(G, slope) if u.is_scalar and slope.shape else hadamard(G, slope)
            return self._receive(short.part, before)
        for i, operand in enumerate(u.args):
            if operand in self.changing:
                moves += self._receive(operand, PULLBACK[type(u)](u, G, i))
        return moves

    def _receive(self, u: Expr, G: Expr) -> list[str]:
        # Through a transpose or a constant factor at once: no line is worth it.
        if isinstance(u, Transpose | Item):
            moves = self._receive(u.args[0], PULLBACK[type(u)](u, G, 0))
            return [rules.move_name(u), *moves] if isinstance(u, Transpose) else moves
        if isinstance(u, Scale) and is_small(u, self.changing):
            return self._receive(u.args[1], PULLBACK[Scale](u, G, 1))
        self.G[u] = add(self.G[u], G) if u in self.G else G
        return []

    def form(self, differentiated: Expr | None = None) -> Expr:
        """Return the sum, with one part replaced by its differential if one is given."""
        terms = []
        for u in sorted(self.G, key=self.order.__getitem__):
            d = differential(u, self.changing) if u is differentiated else Differential(u)
            terms.append(paired(self.G[u], d))
        if not terms:
            return number(0)
        return terms[0] if len(terms) == 1 else Sum(*terms)

    def gradient(self) -> Expr:
        """Return ∂L/∂X, when only X is left."""
        return self.G[self.X] if self.G else zero(self.X.shape)


def differential(u: Expr, changing: set[Expr], /) -> Expr:
    """Return du, a term for each operand that changes, in their order."""
    if (short := shortcut(u)) is not None:
        d_part = Differential(short.part)
        return paired(short.slope, d_part) if u.is_scalar else hadamard(short.slope, d_part)
    terms = []
    for i, operand in enumerate(u.args):
        if operand in changing:
            d = [Differential(operand) if j == i else None for j in range(len(u.args))]
            terms.append(DIFFERENTIAL[type(u)](u, *d))
    equal = Counter(map(_in_any_order, terms))
    terms = [scale(number(k), term) if k > 1 else term for term, k in equal.items()]
    return terms[0] if len(terms) == 1 else Sum(*terms)


def _in_any_order(term: Expr) -> Expr:
    """Return an entrywise product as one node, whatever the order: C ⊙ dC is dC ⊙ C."""
    if not isinstance(term, Hadamard):
        return term
    return Hadamard(*sorted(term.args, key=lambda factor: isinstance(factor, Differential)))


def is_small(u: Expr, changing: set[Expr], /) -> bool:
    """Whether a step is too small for a line: one operand changes, and only passes through."""
    if isinstance(u, Transpose | Item | Named):
        return True
    if sum(arg in changing for arg in u.args) > 1:
        return False
    scaled = isinstance(u, Scale) and u.args[1] in changing
    return scaled or isinstance(u, Sum) or (isinstance(u, Hadamard) and u.is_scalar)


def small_rules(u: Expr, /) -> list[str]:
    """Return what a small step is called, if it is worth a word."""
    return [] if isinstance(u, Item | Named) else [rules.rule_name(u)]
