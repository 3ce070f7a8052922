"""What the spelling of an expression is in both notations; each adds its own words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import reduce
from typing import Any, ClassVar, TypeAlias

from matbackprop.symbolic.expressions.dimension import Dim
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
    Variable,
    times,
)
from matbackprop.symbolic.expressions.nodes import Differential, Named
from matbackprop.symbolic.expressions.tables import RuleTable
from matbackprop.symbolic.notations.parts import Fractional, Parts, parts_of, uniform
from matbackprop.symbolic.notations.tree import Tree, call, name, number, operator

Rule: TypeAlias = Callable[[Any, Any], Tree]
Term: TypeAlias = tuple[bool, Tree]
"""A term of a sum: whether it is taken away, and what."""

PI = Fraction(repr(math.pi))  # as `Number` makes it
SIMPLE = 1000
MOST_PLAIN_DIGITS = 15
DIVISORS = (2, 4, 8)
"""Of the fractions that end as decimals, 1/2, 1/4 and 1/8 are written as quotients."""

COMMON: RuleTable[Rule] = RuleTable("spelling")


class Speller:
    """One expression being spelled: what it is made of, and how its nodes were spelled so far."""

    table: ClassVar[RuleTable[Rule]]

    def __init__(self, root: Expr) -> None:
        self.nodes = dict.fromkeys(root.nodes())
        self.uses = Counter(arg for node in self.nodes for arg in node.args)
        self._known: dict[Expr, Tree] = {}

    def root(self, expr: Expr, /) -> Tree:
        """Return the tree of a whole expression."""
        # From the leaves up, so that the stack stays flat; a sum in a sum is part of it.
        for node in expr.nodes():
            if not (isinstance(node, Sum) and self.opens(node)):
                self.spell(node)
        return self.spell(expr)

    def spell(self, expr: Expr, /) -> Tree:
        """Return the tree of a node."""
        tree = self._known.get(expr)
        if tree is None:
            kind = type(expr)
            rule = self.table[kind] if kind in self.table else COMMON[kind]
            tree = self._known[expr] = rule(self, expr)
        return tree

    def opens(self, expr: Expr, /) -> bool:
        """Whether its parts may be spelled in line: they are used in one place only."""
        return self.uses.get(expr, 0) <= 1

    def product(self, parts: Parts, expr: Expr, /) -> Tree:
        """Return a product without its sign."""
        raise NotImplementedError

    def total(self, terms: list[Expr], expr: Expr, /) -> Tree:
        """Return a sum."""
        raise NotImplementedError

    def repeated(self, scalar: Tree, expr: Expr, /) -> Tree:
        """Return a scalar repeated to the shape of `expr`."""
        raise NotImplementedError

    def signed(self, expr: Expr, /) -> Term:
        """Return a term without its sign, and whether that is a minus."""
        if not _is_product(expr):
            return False, self.spell(expr)
        minus, parts = self.signed_parts(expr)
        return minus, self.product(parts, expr)

    def signed_parts(self, expr: Expr, /) -> tuple[bool, Parts]:
        """Return the parts of a product with a coefficient above 0, and whether a minus is left."""
        parts = parts_of(expr, self.uses)
        if parts.coefficient >= 0:
            return False, parts
        parts.coefficient = -parts.coefficient
        for factors in (parts.full.above, parts.scalars.above):
            for at, factor in enumerate(factors):
                if isinstance(factor, Sum) and self.opens(factor):
                    terms = self.terms_of(factor)
                    if any(self.signed(term)[0] for term in terms):  # −(a − b) is b − a
                        factors[at] = Sum(*(times(Number(-1), term) for term in terms))
                        return False, parts
        return True, parts

    def line(self, parts: Parts, /) -> tuple[Tree | None, Tree | None]:
        """Return the scalars of a product above and below the line, where there are any."""
        rational, circles = in_pi(parts.coefficient)
        p, q = abs(rational.numerator), rational.denominator
        above, below = self._all(parts.scalars)
        above = [name("pi")] * (circles == 1) + above
        below = [name("pi")] * (circles == -1) + below
        if q != 1 and _ends(q) and (p != 1 or q not in DIVISORS):
            above = [number(decimal(Fraction(p, q))), *above]
        else:
            above = [number(decimal(Fraction(p))), *above] if p != 1 else above
            below = [number(decimal(Fraction(q))), *below] if q != 1 else below
        return folded("*", above), folded("*", below)

    def _all(self, factors: Fractional) -> tuple[list[Tree], list[Tree]]:
        above = [self.spell(factor) for factor in factors.above]
        return above, [self.spell(factor) for factor in factors.below]

    def flat(self, product: MatMul, /) -> tuple[tuple[Expr, ...], set[Expr]]:
        """Return the factors, and the products that stood first and were taken apart."""
        first, *rest = product.args
        apart: set[Expr] = set()
        while isinstance(first, MatMul) and self.opens(first):
            apart.add(first)
            first, *rest = *first.args, *rest
        return (first, *rest), apart

    def terms_of(self, expr: Expr, /) -> list[Expr]:
        """Return the terms of a sum, those of sums in it included."""
        found: list[Expr] = []
        waiting = [expr]
        while waiting:
            term = waiting.pop()
            if isinstance(term, Sum) and (term is expr or self.opens(term)):
                waiting.extend(reversed(term.args))
            else:
                found.append(term)
        return found


def added(terms: Iterable[Term], /) -> Tree:
    """Return a sum: first what is added, then what is taken away."""
    ordered = sorted(terms, key=lambda term: term[0])
    (minus, total), *rest = ordered
    total = operator("-", total) if minus else total
    for minus, term in rest:
        total = operator("-" if minus else "+", total, term)
    return total


def folded(sign: str, trees: Iterable[Tree], /) -> Tree | None:
    """Return the operands with an operator between them; None for none."""
    found = list(trees)
    return reduce(lambda a, b: operator(sign, a, b), found) if found else None


def size_tree(dim: Dim, /) -> Tree:
    """Return the tree of a dimension."""
    terms: list[Term] = []
    for monomial, coefficient in dim.terms:
        exact = Fraction(coefficient)
        factors = [name(symbol) for symbol in monomial]
        if abs(exact.numerator) != 1 or not factors:
            factors = [number(abs(exact.numerator)), *factors]
        tree = folded("*", factors) or number(1)
        if exact.denominator != 1:
            tree = operator("/", tree, number(exact.denominator))
        terms.append((exact < 0, tree))
    return added(terms) if terms else number(0)


def number_tree(value: Fraction, /) -> Tree:
    """Return the tree of a number, exactly."""
    size, circles = in_pi(abs(value))
    if _ends(size.denominator):
        tree = number(decimal(size))
    else:
        tree = operator("/", *(number(decimal(Fraction(part))) for part in size.as_integer_ratio()))
    if circles == 1:
        tree = operator("*", tree, name("pi")) if size != 1 else name("pi")
    elif circles == -1:
        tree = operator("/", tree, name("pi"))
    return operator("-", tree) if value < 0 else tree


def in_pi(value: Fraction, /) -> tuple[Fraction, int]:
    """Return r and k where the number is a simple r times πᵏ, k being 1 or −1; else k = 0."""
    if value.denominator > SIMPLE:
        for rational, circles in ((value / PI, 1), (value * PI, -1)):
            if rational.denominator <= SIMPLE and abs(rational.numerator) <= SIMPLE:
                return rational, circles
    return value, 0


def decimal(value: Fraction, /) -> str:
    """Write a number whose decimals end, exactly; a long whole one as 1.25e20."""
    places = 0
    while value.denominator != 1:
        value *= 10
        places += 1
    digits = str(value.numerator)
    if not places and len(digits) > MOST_PLAIN_DIGITS:
        decimals = digits[1:].rstrip("0")
        return f"{digits[0]}{'.' * bool(decimals)}{decimals}e{len(digits) - 1}"
    if not places:
        return digits
    if places - len(digits) > 5:
        return f"{digits}e-{places}"
    digits = digits.rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def _ends(denominator: int) -> bool:
    for prime in (2, 5):
        while denominator % prime == 0:
            denominator //= prime
    return denominator == 1


def _is_product(expr: Expr) -> bool:
    match expr:
        case Scale() | Hadamard() | Broadcast():
            return True
        case Power(args=(_, Number() as exponent)):
            return exponent.value < 0
        case Number():
            return expr.value < 0
    return False


@COMMON.rule(Variable, Named)
def _(speller: Speller, node: Variable | Named) -> Tree:
    return name(node.name)


@COMMON.rule(Differential)
def _(speller: Speller, node: Differential) -> Tree:
    (arg,) = node.args
    return (
        name(f"d{arg.name}") if isinstance(arg, Variable | Named) else call("d", speller.spell(arg))
    )


@COMMON.rule(Number)
def _(speller: Speller, node: Number) -> Tree:
    return number_tree(node.value)


@COMMON.rule(Size)
def _(speller: Speller, node: Size) -> Tree:
    return size_tree(node.dim)


@COMMON.rule(Scale, Hadamard, Broadcast)
def product(speller: Speller, node: Expr) -> Tree:
    """Return a product, the sign of its coefficient in front."""
    minus, tree = speller.signed(node)
    return operator("-", tree) if minus else tree


@COMMON.rule(Sum)
def _(speller: Speller, node: Sum) -> Tree:
    terms = speller.terms_of(node)
    values = [uniform(term) for term in terms] if node.shape else []
    if values and all(value is not None for value in values):
        scalars = [speller.signed(value) for value in values if value is not None]
        return speller.repeated(added(scalars), node)
    return speller.total(terms, node)


def bare(speller: Speller, term: Expr, /) -> Term:
    """Return a term of a sum; a scalar that is added to every entry stands alone."""
    value = uniform(term) if term.shape else None
    return speller.signed(term if value is None else value)
