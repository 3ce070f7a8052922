"""The table of layouts, and the forms laid out so far."""

from __future__ import annotations

from collections.abc import Callable

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Differential
from matbackprop.symbolic.expressions.tables import RuleTable
from matbackprop.symbolic.writing.forms import Form, Scripted, Symbol
from matbackprop.symbolic.writing.names import Symbols, dimension

LAYOUT: RuleTable[Callable[..., Form]] = RuleTable("layout")
"""layout(node, forms): the form of a node, given those of all nodes below it."""


class Forms(dict[Expr, Form]):
    """The forms of nodes, and which of these `hold` a differential: it is written last.

    `symbols` says how names are written.
    """

    def __init__(self, symbols: Symbols) -> None:
        super().__init__()
        self.symbols = symbols
        self.holding: set[Expr] = set()

    def add(self, node: Expr) -> None:
        """Lay out a node whose operands are laid out."""
        if isinstance(node, Differential) or not self.holding.isdisjoint(node.args):
            self.holding.add(node)
        self[node] = LAYOUT[type(node)](node, self)

    def in_order(self, args: tuple[Expr, ...]) -> list[Expr]:
        """Return factors that commute, differentials last."""
        return sorted(args, key=self.holding.__contains__)


def ones(n: Dim, /, *, row: bool = False) -> Form:
    """Return 1 with its size, or 1ᵀ."""
    column = Symbol("1", below=(dimension(n),), face="bold")
    return Scripted(column, transposed=True) if row else column


def outer_ones(m: Dim, n: Dim, /) -> list[Form]:
    """Return the factors of the m×n matrix of ones, 11ᵀ; none where it is 1×1."""
    rows = [ones(m)] if m != ONE else []
    return rows + ([ones(n, row=True)] if n != ONE else [])
