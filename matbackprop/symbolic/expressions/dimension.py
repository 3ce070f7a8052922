"""Dimensions: n, p, 6, k·p, n(n+1)/2. Polynomials in size symbols."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from matbackprop.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Iterator

Monomial: TypeAlias = tuple[str, ...]
DimLike: TypeAlias = "Dim | int | Fraction | str"

_OPERATORS: dict[type[ast.operator], Callable[[Dim, Dim], Dim]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


class Dim:
    """A dimension: a polynomial in size symbols, kept with like terms collected.

    Examples
    --------
    >>> Dim.of("k") * Dim.of("p") + 1
    Dim('k*p+1')
    >>> Dim.of("n*(n+1)/2").evaluate({"n": 3})
    6
    """

    __slots__ = ("__dict__", "terms")

    def __init__(self, terms: Mapping[Monomial, int | Fraction], /) -> None:
        # The longest monomials first, so that n² + n prints as one writes it.
        kept = [(m, int(c) if c.denominator == 1 else c) for m, c in terms.items() if c]
        self.terms = tuple(sorted(kept, key=lambda term: (-len(term[0]), term[0])))

    @classmethod
    def of(cls, value: DimLike, /) -> Dim:
        """Return the dimension that a whole number, a name or an expression in names denotes."""
        if isinstance(value, Dim):
            return value
        if isinstance(value, int | Fraction) and not isinstance(value, bool):
            return cls({(): value})
        if isinstance(value, str):
            try:
                return _parsed(ast.parse(value.replace("^", "**"), mode="eval").body)
            except (SyntaxError, ValueError):
                pass
        raise OptionError(
            f"A dimension is a whole number, a name or an expression such as 'k*p'; got {value!r}."
        )

    def __add__(self, other: DimLike) -> Dim:
        total = dict(self.terms)
        for monomial, coefficient in Dim.of(other).terms:
            total[monomial] = total.get(monomial, 0) + coefficient
        return Dim(total)

    def __sub__(self, other: DimLike) -> Dim:
        return self + Dim.of(other) * -1

    def __mul__(self, other: DimLike) -> Dim:
        product: dict[Monomial, int | Fraction] = {}
        for m1, c1 in self.terms:
            for m2, c2 in Dim.of(other).terms:
                monomial = tuple(sorted(m1 + m2))
                product[monomial] = product.get(monomial, 0) + c1 * c2
        return Dim(product)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, int | str):
            other = Dim.of(other)
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.terms)

    @property
    def value(self) -> int | None:
        """The number, where no symbol is left in it."""
        if not self.terms:
            return 0
        monomial, coefficient = self.terms[0]
        return int(coefficient) if monomial == () else None

    @property
    def symbols(self) -> frozenset[str]:
        """The size symbols in it."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    @property
    def has_a_product(self) -> bool:
        """Whether a product of sizes is in it, such as k·p, which may be said to be 6."""
        return any(len(monomial) > 1 for monomial, _ in self.terms)

    @property
    def has_a_number(self) -> bool:
        """Whether a number is in it, such as 6, or the 6 of 6·k."""
        return any(
            coefficient.denominator == 1 and (coefficient != 1 or not monomial)
            for monomial, coefficient in self.terms
        )

    def evaluate(self, sizes: Mapping[str, int], /) -> int:
        """Return the number for given sizes of the symbols.

        Raises
        ------
        OptionError
            If it is not whole, as n/2 for odd n.
        """
        total: int | Fraction = 0
        for monomial, coefficient in self.terms:
            total += coefficient * prod(sizes[name] for name in monomial)
        if total.denominator != 1:
            where = ", ".join(f"{name} = {sizes[name]}" for name in sorted(self.symbols))
            raise OptionError(f"A dimension is a whole number; {self} is {total} at {where}.")
        return int(total)

    def __str__(self) -> str:
        return self.text()

    def text(self, times: str = "*") -> str:
        """Write it out, with `times` between factors."""
        parts = []
        for monomial, coefficient in self.terms:
            factors = [*([str(abs(coefficient))] if abs(coefficient) != 1 or not monomial else [])]
            factors += monomial
            parts.append(("-" if coefficient < 0 else "+") + times.join(factors))
        return "".join(parts).removeprefix("+") or "0"

    def __repr__(self) -> str:
        return f"Dim({str(self)!r})"


def _parsed(node: ast.expr) -> Dim:
    match node:
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return Dim({(): value})
        case ast.Name(id=name):
            return Dim({(name,): 1})
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _parsed(operand) * -1
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_parsed(left), _parsed(right))
        case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=int(whole))) if whole:
            return Dim({m: Fraction(c) / whole for m, c in _parsed(left).terms})
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            result = Dim({(): 1})
            for _ in range(power):
                result = result * _parsed(left)
            return result
    raise ValueError


_required: ContextVar[set[tuple[Dim, Dim]] | None] = ContextVar("_required", default=None)


def same(a: Dim, b: Dim, /) -> bool:
    """Whether two dimensions conform.

    A product of sizes conforms with a number: where kron(A, X) of k·p rows meets a matrix of 6,
    the reader means k·p = 6. That is noted for `requirements`, and holds at every check point.
    """
    if a is b or a.terms == b.terms:
        return True
    if (a.has_a_number or b.has_a_number) and (a.has_a_product or b.has_a_product):
        found = _required.get()
        if found is not None:
            found.add((a, b))
        return True
    return False


@contextmanager
def requirements() -> Iterator[set[tuple[Dim, Dim]]]:
    """Collect the equalities that the shapes checked inside the block rely on."""
    found: set[tuple[Dim, Dim]] = set()
    token = _required.set(found)
    try:
        yield found
    finally:
        _required.reset(token)
