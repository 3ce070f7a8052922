"""An expression in messages: as the user may have written it, and never long."""

from __future__ import annotations

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Size,
    Sum,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import Apply, Differential, Inverse, Named
from matbackprop.symbolic.expressions.tables import TEXT, MissingRuleError

LONGEST = 300
"""Characters of a text, at most."""

_BETWEEN: dict[type[Expr], str] = {Sum: " + ", MatMul: " @ ", Hadamard: " * ", Scale: " * "}
_CALLED: dict[type[Expr], str] = {Inverse: "inv", Differential: "d"}


def plain(root: Expr, /) -> str:
    """Return the expression as text of at most about `LONGEST` characters.

    It is written as in MATLAB; what is too large for that, or has no notation, with Python's
    operators, and cut.

    Examples
    --------
    >>> x = Variable("x", (Dim.of("n"), Dim.of(1)))
    >>> plain(Apply("log", x.T @ x))
    "log(x'*x)"
    """
    write = TEXT.get("matlab")
    if write is not None and _places(root) <= LONGEST:
        try:
            return _shortened(write(root))
        except MissingRuleError:  # the notation has no word for a kind of node
            pass
    texts: dict[Expr, str] = {}
    for node in root.nodes():
        # Shortened node by node: the text of a graph can be exponentially longer than the graph.
        texts[node] = _shortened(_spelled(node, [texts[arg] for arg in node.args]))
    return texts[root]


def _places(root: Expr) -> int:
    """Return how many nodes the graph has when it is written out as a tree."""
    places: dict[Expr, int] = {}
    for node in root.nodes():
        places[node] = 1 + sum(places[arg] for arg in node.args)
    return places[root]


def _spelled(node: Expr, args: list[str]) -> str:
    match node:
        case Variable():
            return node.name
        case Named():
            return node.name
        case Number():
            return str(node.value)
        case Size():
            return str(node.dim)
        case Apply():
            return f"{node.name}({args[0]})"
        case Transpose():
            return f"{_bound(node.args[0], args[0])}.T"
        case Power():
            base, exponent = (_bound(*pair) for pair in zip(node.args, args, strict=True))
            return f"{base}**{exponent}"
    if type(node) in _BETWEEN:
        bound = [_bound(*pair) for pair in zip(node.args, args, strict=True)]
        return _BETWEEN[type(node)].join(bound)
    sizes = [str(item) for item in node.data if isinstance(item, Dim | int)]
    return f"{_CALLED.get(type(node), type(node).__name__)}({', '.join([*args, *sizes])})"


def _bound(node: Expr, text: str) -> str:
    loose = type(node) in _BETWEEN or isinstance(node, Power)
    if isinstance(node, Number):
        loose = node.value < 0 or node.value.denominator > 1
    return f"({text})" if loose else text


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"
