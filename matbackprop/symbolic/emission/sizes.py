"""Where a function gets its sizes from: the shapes of its arguments, or arguments of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matbackprop.symbolic.emission.program import Program
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.nodes import Diag

Place = tuple[Variable, int]
"""The rows (0) or columns (1) of an argument."""


class Sizes:
    """The sizes of one signature.

    Attributes
    ----------
    shown
        The place that shows a size symbol, by symbol.
    whole
        A place that shows a dimension as it is, such as the k·p rows of a matrix.
    given
        The symbols that nothing shows, which are arguments.
    """

    def __init__(self, arguments: Sequence[Variable], programs: Iterable[Program], /) -> None:
        places = [
            (dim, (variable, axis))
            for variable in arguments
            for axis, dim in enumerate(variable.shape)
        ]
        self.whole: dict[Dim, Place] = {}
        for dim, place in places:
            self.whole.setdefault(dim, place)
        self.shown = {
            symbol: place
            for dim, place in self.whole.items()
            for symbol in dim.symbols
            if dim == symbol
        }
        self.given = sorted(
            {
                symbol
                for program in programs
                for dim in _dimensions(program)
                if not self.has(dim)
                for symbol in dim.symbols - self.shown.keys()
            }
        )

    def has(self, dim: Dim, /) -> bool:
        """Whether the arrays show a dimension."""
        return dim in self.whole or dim.symbols <= self.shown.keys()

    def shows(self, dim: Dim, /) -> bool:
        """Whether a dimension is one size symbol, which the arrays show."""
        return any(dim == symbol for symbol in dim.symbols & self.shown.keys())

    def knows(self, dim: Dim, /) -> bool:
        """Whether a dimension can be told from the arguments."""
        return self.has(dim) or dim.symbols <= {*self.shown, *self.given}


def _dimensions(program: Program) -> Iterable[Dim]:
    for node in program.nodes:
        yield from (item for item in node.data if isinstance(item, Dim))
        if isinstance(node, Diag):
            yield node.rows
