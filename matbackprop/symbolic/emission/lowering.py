"""From an expression to operations: which product comes first, what is never formed.

A lowered value may be smaller than its node: a scalar, row or column stands for the matrix that
repeats it until something needs that matrix whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from matbackprop.symbolic.emission.operations import full, negated
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.expressions.tables import RuleTable

Signed = tuple[bool, Expr]
"""Whether a minus stands before it; the value without that minus."""

LOWERED: RuleTable[Callable[..., Expr | Signed]] = RuleTable("code")
"""lowered(node, lowering): the operations that compute a node, perhaps under a minus."""


class Lowering:
    """The operations for some expressions together; each node is lowered once."""

    def __init__(self, roots: Iterable[Expr], /) -> None:
        self.nodes = list(dict.fromkeys(node for root in roots for node in root.nodes()))
        self.parents: dict[Expr, list[Expr]] = {}
        for node in self.nodes:
            for arg in node.args:
                self.parents.setdefault(arg, []).append(node)
        self._roots = Counter(roots)
        self._done: dict[Expr, Signed] = {}
        # Operands first, so that no rule recurses deeply.
        for node in self.nodes:
            self.signed(node)

    def is_root(self, node: Expr, /) -> bool:
        """Whether a node is itself one of the results."""
        return node in self._roots

    def once(self, node: Expr, /) -> bool:
        """Whether a node is used a single time, so that it may vanish into what uses it."""
        return len(self.parents.get(node, ())) + self._roots[node] <= 1

    def signed(self, node: Expr, /) -> Signed:
        """Return the value of a node, perhaps smaller, and the minus before it."""
        if node not in self._done:
            found = LOWERED[type(node)](node, self)
            self._done[node] = found if isinstance(found, tuple) else (False, found)
        return self._done[node]

    def value(self, node: Expr, /) -> Expr:
        """Return the value of a node, perhaps as a scalar, row or column that is repeated."""
        negative, value = self.signed(node)
        return negated(value) if negative else value

    def whole(self, node: Expr, /) -> Expr:
        """Return the value of a node in its full shape."""
        return full(self.value(node), node.shape)


def bare(node: Expr, /) -> Expr:
    """Return what a name stands for."""
    while isinstance(node, Named):
        (node,) = node.args
    return node
