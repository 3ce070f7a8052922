"""The syntax tree that both notations share: what was written, before it means anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["name", "number", "string", "call", "operator"]

SEQUENCE, ASSIGN = ";", "="


@dataclass(frozen=True, slots=True)
class Tree:
    """A node of the text: a name, a number, a quoted string, a call, or an operator.

    Attributes
    ----------
    kind, text
        What it is, and the name, the digits, the function or the operator.
    args
        What a call or an operator stands over: one for ``-a`` and ``a'``, two for ``a*b``.
    at
        The position of its first character (of an operator: of the operator) in the text it was
        read from; it does not tell nodes apart.
    """

    kind: Kind
    text: str
    args: tuple[Tree, ...] = ()
    at: int = field(default=-1, compare=False, repr=False)

    def is_operator(self, arity: int, /) -> bool:
        """Whether it is an operator over so many operands."""
        return self.kind == "operator" and len(self.args) == arity


def name(text: str, /) -> Tree:
    """Return a name."""
    return Tree("name", text)


def number(text: str | int, /) -> Tree:
    """Return a number."""
    return Tree("number", str(text))


def string(text: str, /) -> Tree:
    """Return a quoted string."""
    return Tree("string", text)


def call(function: str, /, *args: Tree) -> Tree:
    """Return a call."""
    return Tree("call", function, args)


def operator(text: str, /, *args: Tree) -> Tree:
    """Return an operator over one or two operands."""
    return Tree("operator", text, args)


def count_nodes(tree: Tree, /) -> int:
    """Return the number of different nodes: the size by which results are compared.

    Equal subtrees count once. A name, a number and a string are one node each; so is an
    operator, a minus of either kind included; a call is one beside its arguments, so that
    ``ones(n)`` is two. Definitions count what they define; ``;`` and ``=`` count nothing.

    Examples
    --------
    >>> from matbackprop.symbolic.notations import tree_of
    >>> count_nodes(tree_of("2*X'*(X*b-y)"))
    9
    """
    numbered: dict[tuple[str, str, tuple[int, ...]], int] = {}
    known: dict[int, int] = {}  # by identity: a tree that shares its parts is walked once
    for node in _bottom_up(tree):
        parts = tuple(known[id(arg)] for arg in _counted(node))
        key = (node.kind, node.text, parts)
        known[id(node)] = parts[0] if _is_definition(node) else numbered.setdefault(key, len(known))
    sequences = sum(key[:2] == ("operator", SEQUENCE) for key in numbered)
    return len(numbered) - sequences


def _bottom_up(tree: Tree) -> Iterator[Tree]:
    seen: set[int] = set()
    stack = [(tree, False)]
    while stack:
        node, entered = stack.pop()
        if entered:
            yield node
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((arg, False) for arg in _counted(node))


def _is_definition(node: Tree) -> bool:
    return node.kind == "operator" and node.text == ASSIGN


def _counted(node: Tree) -> tuple[Tree, ...]:
    return node.args[1:] if _is_definition(node) else node.args
