"""A program: what is computed once, under which name, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

from matbackprop.symbolic.emission import arithmetic, reductions  # noqa: F401  (enter the rules)
from matbackprop.symbolic.emission.lowering import Lowering
from matbackprop.symbolic.expressions.expression import Expr, Number, Size, Transpose, Variable
from matbackprop.symbolic.expressions.nodes import Named

Output: TypeAlias = "Expr | Mapping[str, Output]"
"""What a function returns: a value, or values by name."""

_LONGEST = 7  # operations in one statement

_ATOMS = (Variable, Number, Size)
_FREE = (*_ATOMS, Transpose)  # never worth a name


class Program:
    """The statements that compute some outputs together.

    Attributes
    ----------
    roots
        What computes each output, by the output.
    statements
        The operations that get a name, in an order in which they can be computed.
    """

    def __init__(self, outputs: Iterable[Expr], /) -> None:
        wanted = list(dict.fromkeys(outputs))
        lowering = Lowering(wanted)
        self.roots = {output: lowering.whole(output) for output in wanted}
        self.nodes = list(dict.fromkeys(n for root in self.roots.values() for n in root.nodes()))
        self._named: set[Expr] = set()
        self._name_what_repeats()
        self._name_what_is_long()
        self.statements = [node for node in self.nodes if node in self._named]

    def _name_what_repeats(self) -> None:
        uses = Counter(self.roots.values())
        for node in reversed(self.nodes):  # what uses a node comes before it
            named = isinstance(node, Named) or (uses[node] > 1 and not isinstance(node, _FREE))
            if named:
                self._named.add(node)
            for arg in node.args:
                uses[arg] += 1 if named else uses[node]

    def _name_what_is_long(self) -> None:
        lengths: dict[Expr, int] = {}
        for node in self.nodes:
            args = [arg for arg in node.args if arg not in self._named]
            while sum(lengths[arg] for arg in args) >= _LONGEST:
                longest = max(args, key=lambda arg: lengths[arg])
                inner = longest.args[0] if isinstance(longest, Transpose) else longest
                self._named.add(inner)
                args.remove(longest)
            lengths[node] = sum(lengths[arg] for arg in args) + (not isinstance(node, _FREE))


def leaves(output: Output, /) -> list[Expr]:
    """Return the expressions in an output, in order."""
    if isinstance(output, Expr):
        return [output]
    return [leaf for part in output.values() for leaf in leaves(part)]
