"""Large subexpressions that occur twice get a name, listed after "where"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Number,
    Scale,
    Size,
    Transpose,
    rebuilt,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Item, Named
from matbackprop.symbolic.writing.chains import flat, paired_up
from matbackprop.symbolic.writing.unicode import to_unicode

_ENOUGH = 60
"""Characters up to which a formula is read as it stands."""

_LARGE = 8
"""Characters from which a repeated part is worth a name."""

_LETTERS = {"matrix": "HMTQUVW", "vector": "huvwgz", "scalar": "cskrt"}


@dataclass(frozen=True, slots=True)
class Listing:
    """An expression, and what the names in it stand for, each before it is used."""

    body: Expr
    definitions: tuple[Named, ...]


def with_definitions(expr: Expr, /, taken: Collection[str] = ()) -> Listing:
    """Return an expression with the large repeated parts of what is long named; all definitions.

    Named intermediates are among the definitions; they keep their names, and what they stand for
    is treated alike. What several products share counts as a part of each. New names are not
    among those that are `taken`.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.expressions.nodes import Apply
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> n = Dim.of("n")
    >>> A, B, C, D = (Variable(name, (n, n)) for name in "ABCD")
    >>> H = Apply("tanh", A @ B + C)
    >>> found = with_definitions((H * C) @ (H + D @ A).T + H @ (A + B) + Apply("exp", C) @ D)
    >>> print(to_unicode(found.body))
    (H₁ ⊙ C)(H₁ + DA)ᵀ + H₁(A + B) + exp(C) D
    >>> [(named.name, to_unicode(named.args[0])) for named in found.definitions]
    [('H1', 'tanh(AB + C)')]
    """
    if _parts_of_the_long(expr):
        grouped = paired_up(expr)
        repeated = {node for node, uses in _uses(grouped).items() if uses > 1 and _nameable(node)}
        repeated &= _parts_of_the_long(grouped)
        expr = flat(_named(grouped, repeated, taken)) if repeated else expr
    return Listing(expr, tuple(node for node in expr.nodes() if isinstance(node, Named)))


def by_name(expr: Expr, source: Expr, /) -> Expr:
    """Return an expression with what the source calls by a name called so wherever it occurs."""
    names = [node for node in source.nodes() if isinstance(node, Named) and node.args[0].args]
    return rebuilt(
        expr, {**{node.args[0]: node for node in names}, **{node: node for node in names}}
    )


def _uses(root: Expr) -> Counter[Expr]:
    """Count in how many places each node is written."""
    uses = Counter({root: 1})
    for node in reversed(list(root.nodes())):
        for arg in node.args:
            # Not Hᵀ gets the name, but H: each place of 2Hᵀ is one of H.
            uses[arg] += uses[node] if _transparent(node) else 1
    return uses


def _transparent(node: Expr) -> bool:
    number = isinstance(node, Scale) and isinstance(node.args[0], Number | Size)
    return number or isinstance(node, Transpose | Broadcast | Item)


def _nameable(node: Expr) -> bool:
    return bool(node.args) and not isinstance(node, Named) and not _transparent(node)


def _named(root: Expr, repeated: set[Expr], taken: Collection[str]) -> Expr:
    names = {*taken, *root.variables()}
    names |= {node.name for node in root.nodes() if isinstance(node, Named)}
    names |= {name for node in root.nodes() for dim in node.shape for name in dim.symbols}
    initials = {name[0] for name in names}
    letters = {
        kind: next((letter for letter in choice if letter not in initials), f"{choice[0]}_")
        for kind, choice in _LETTERS.items()
    }
    numbers: Counter[str] = Counter()
    done: dict[Expr, Expr] = {}
    for node in root.nodes():
        new = node.with_args(tuple(done[arg] for arg in node.args))
        if node in repeated and len(to_unicode(new)) >= _LARGE:
            letter = letters[_kind(node)]
            numbers[letter] += 1
            new = Named(f"{letter}{numbers[letter]}", new)
        done[node] = new
    return done[root]


def _kind(node: Expr) -> str:
    if node.is_scalar or node.shape == (ONE, ONE):
        return "scalar"
    return "vector" if ONE in node.shape else "matrix"


def _parts_of_the_long(root: Expr) -> set[Expr]:
    """Return all nodes that are written in long formulas: the whole, or what names stand for."""
    places: dict[Expr, int] = {}  # where each node's text has letters, counted without writing it
    formulas = [root]
    for node in root.nodes():
        short = isinstance(node, Named) or not node.args
        places[node] = 1 if short else sum(places[arg] for arg in node.args)
        formulas += node.args if isinstance(node, Named) else []
    parts: set[Expr] = set()
    pending = [
        formula
        for formula in formulas
        if places[formula] > _ENOUGH or len(to_unicode(formula)) > _ENOUGH
    ]
    while pending:
        node = pending.pop()
        if node not in parts:
            parts.add(node)
            pending += [] if isinstance(node, Named) else node.args
    return parts
