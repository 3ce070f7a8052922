"""Writes operations in a language, by a rule for each kind, with parentheses where they matter."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from matbackprop.symbolic.emission.operations import LARGEST_WHOLE
from matbackprop.symbolic.emission.sizes import Place, Sizes
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Expr, Number
from matbackprop.symbolic.expressions.tables import RuleTable

SUM, MATMUL, TERM, UNARY, POWER, ATOM = range(6)
"""How tightly a text holds together. In R, `%*%` binds more tightly than `*`, but reads alike."""

Text = tuple[str, int]
Rules = RuleTable[Callable[..., Text]]

GLUE = "\N{NO-BREAK SPACE}"
"""A space at which a line is not broken: after an operator, so that it leads its line."""

WIDTH = 96


@dataclass(frozen=True, slots=True)
class Helper:
    """A small function that stands before the functions that call it."""

    name: str
    text: str
    needs: tuple[str, ...] = ()
    scipy: bool = False


@dataclass(slots=True)
class Printer:
    """What is known while a function is written: the names in it, and what it turns out to use."""

    rules: Rules
    arguments: Mapping[str, str]
    sizes: Sizes
    size_names: Mapping[str, str]
    place_text: Callable[[str, Place], str]
    divides: str
    names: dict[Expr, str] = field(default_factory=dict)
    used_sizes: list[str] = field(default_factory=list)
    used_helpers: list[str] = field(default_factory=list)

    def __call__(self, node: Expr, level: int = SUM, /) -> str:
        """Return the text of an operand, in parentheses if it is looser than `level`."""
        text, own = (self.names[node], ATOM) if node in self.names else self.spelled(node)
        return text if own >= level else f"({text})"

    def spelled(self, node: Expr, /) -> Text:
        """Return the text of a node itself, even if it has a name."""
        return self.rules[type(node)](node, self)

    def inline(self, node: Expr, kind: type[Expr], /) -> bool:
        """Whether an operand of that kind is written out where it is used."""
        return isinstance(node, kind) and node not in self.names

    def helper(self, name: str, /) -> str:
        """Return the name of a helper, and note that it is used."""
        if name not in self.used_helpers:
            self.used_helpers.append(name)
        return name

    def size(self, dim: Dim, /) -> Text:
        """Return a dimension in the names of the sizes."""
        if not dim.symbols <= self.size_names.keys():
            variable, axis = self.sizes.whole[dim]
            return self.place_text(self.arguments[variable.name], (variable, axis)), ATOM
        # Sizes are whole, so that n(n+1)/2 is (n * n + n) // 2 as an array's shape must be.
        divisor = lcm(*(coefficient.denominator for _, coefficient in dim.terms))
        text, level = self._polynomial(dim * divisor)
        if divisor == 1:
            return text, level
        return f"{text if level > SUM else f'({text})'} {self.divides}{GLUE}{divisor}", TERM

    def _polynomial(self, dim: Dim) -> Text:
        text, level = "", ATOM
        for monomial, coefficient in dim.terms:
            for symbol in monomial:
                if symbol not in self.used_sizes:
                    self.used_sizes.append(symbol)
            factors = [self.size_names[symbol] for symbol in monomial]
            if abs(coefficient) != 1 or not monomial:
                factors.insert(0, str(abs(coefficient)))
            term = f" *{GLUE}".join(factors)
            if text:
                text, level = f"{text} {'-' if coefficient < 0 else '+'}{GLUE}{term}", SUM
            else:
                text = f"-{term}" if coefficient < 0 else term
                level = TERM if len(factors) > 1 else (UNARY if coefficient < 0 else ATOM)
        return text or "0", level

    def shape(self, *dims: Dim) -> str:
        """Return sizes, with commas between them."""
        return f",{GLUE}".join(self.size(dim)[0] for dim in dims)


def power_text(base: str, power: str, sign: str, /) -> Text:
    """Return a power, with spaces about `**` unless both sides are short."""
    plain = all(side.replace(".", "").replace("_", "").isalnum() for side in (base, power))
    return f"{base}{sign}{power}" if plain else f"{base} {sign}{GLUE}{power}", POWER


def number_text(node: Number, /) -> Text:
    """Return a rational number: as a decimal where that is exact or short, else as a quotient."""
    value = node.value
    level = UNARY if value < 0 else ATOM
    if max(abs(value.numerator), value.denominator) >= LARGEST_WHOLE:
        return _float_text(value), level
    if value.denominator == 1:
        return str(value.numerator), level
    if node is Number(float(value)):
        return repr(float(value)), level
    return f"{value.numerator} /{GLUE}{value.denominator}", TERM


def _float_text(value: Fraction) -> str:
    """Return the nearest float; 1e999 is how both languages read what is beyond all floats."""
    try:
        return repr(float(value))
    except OverflowError:
        return "-1e999" if value < 0 else "1e999"


def statement(start: str, text: str, indent: int, step: int, /, *, end: str = "") -> list[str]:
    """Return the lines of `start` and an expression, the expression in parentheses if too long."""
    margin = " " * indent
    line = f"{margin}{start}{text}{end}".replace(GLUE, " ")
    if len(line) <= WIDTH:
        return [line]
    inner = " " * (indent + step)
    lines = textwrap.wrap(
        text,
        WIDTH,
        initial_indent=inner,
        subsequent_indent=inner,
        break_long_words=False,
        break_on_hyphens=False,
    )
    broken = [f"{margin}{start}(", *lines, f"{margin}){end}"]
    return [line.replace(GLUE, " ") for line in broken]
