"""The words of a notation: what each function takes and builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.notations.grammar import Grammar
from matbackprop.symbolic.notations.tree import Tree

Kind = Literal["value", "size", "flag", "string", "any"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a function takes in one place: "any" is a flag or a value."""

    name: str
    kind: Kind
    optional: bool


@dataclass(frozen=True, slots=True)
class Word:
    """A function of a notation.

    `build` gets a value for each parameter: an expression, a `Dim` for a size, a bool for a
    flag, a str for a string, and None for what was left out.
    """

    usage: str
    parameters: tuple[Parameter, ...]
    build: Callable[..., Expr]


class Values(Protocol):
    """What the words may ask the reader of a text."""

    def value(self, tree: Tree, /) -> Expr:
        """Return what a tree stands for."""
        ...

    def definition(self, name: str, /) -> Tree | None:
        """Return what a name was defined as."""
        ...


class Vocabulary:
    """The operators and functions of a notation, and its rule for 1×1 matrices.

    Attributes
    ----------
    grammar
        How it is written.
    words, operators
        The functions by name; the operators by sign and number of operands.
    instead
        What to write for a word of another language.
    prepare
        Fit the operands of an operator to each other before it is built.
    entry
        Apply the 1×1 rule to an operand or a result.
    finish
        Apply it to the whole expression.
    """

    def __init__(
        self,
        grammar: Grammar,
        *,
        instead: Mapping[str, str],
        prepare: Callable[[Values, Tree, tuple[Expr, ...]], tuple[Expr, ...]],
        entry: Callable[[Expr], Expr],
        finish: Callable[[Expr], Expr],
    ) -> None:
        self.grammar = grammar
        self.instead = instead
        self.prepare = prepare
        self.entry = entry
        self.finish = finish
        self.words: dict[str, Word] = {}
        self.operators: dict[tuple[str, int], Callable[..., Expr]] = {}

    def word(self, *usages: str) -> Callable[[Callable[..., Expr]], Callable[..., Expr]]:
        """Enter the decorated function under each usage: ``"reshape(v, rows: size, c?: size)"``."""

        def enter(build: Callable[..., Expr]) -> Callable[..., Expr]:
            for usage in usages:
                name, _, rest = usage.rstrip(")").partition("(")
                found = tuple(_parameter(part) for part in rest.split(",") if part.strip())
                said = ", ".join(p.name + ("=…" if p.optional else "") for p in found)
                self.words[name] = Word(f"{name}({said})", found, build)
            return build

        return enter

    def operator(self, *signs: str, arity: int = 2) -> Callable[[Any], Any]:
        """Enter the decorated function as the meaning of these operators."""

        def enter(build: Callable[..., Expr]) -> Callable[..., Expr]:
            for sign in signs:
                self.operators[sign, arity] = build
            return build

        return enter


def _parameter(text: str) -> Parameter:
    name, _, kind = (part.strip() for part in text.partition(":"))
    return Parameter(name.rstrip("?"), cast("Kind", kind or "value"), name.endswith("?"))
