"""Expressions to text."""

from __future__ import annotations

from functools import partial

from matbackprop._validation import check_option
from matbackprop.errors import OptionError
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.expressions.nodes import Named
from matbackprop.symbolic.expressions.tables import TEXT
from matbackprop.symbolic.notations.matlab_spelling import POLICIES, MatlabSpeller
from matbackprop.symbolic.notations.printer import printed
from matbackprop.symbolic.notations.r_spelling import RSpeller
from matbackprop.symbolic.notations.reading import VOCABULARIES
from matbackprop.symbolic.notations.tree import ASSIGN, SEQUENCE, Tree, count_nodes, name, operator


def write(expr: Expr, notation: str = "matlab", *, definitions: bool = False) -> str:
    """Return the text of an expression; `read` gives an expression of the same value.

    Parameters
    ----------
    expr
        An expression. A 1×1 matrix and the number in it are written alike.
    notation
        "matlab" or "r".
    definitions
        Whether the definitions of the names in it are written before it.

    Raises
    ------
    OptionError
        If there is no such notation, or two definitions to be written have one name.

    Examples
    --------
    >>> from matbackprop.symbolic.notations import read
    >>> L = read("S = X'*X; log(det(S))/2", shapes={"X": ("n", "p")})
    >>> write(L, definitions=True)
    "S = X'*X; log(det(S))/2"
    >>> print(write(L, "r", definitions=True))
    S <- t(X) %*% X
    log(det(S)) / 2
    """
    check_option(notation, VOCABULARIES, call="write", name="notation")
    grammar = VOCABULARIES[notation].grammar
    tree = spelled(expr, notation)
    if not definitions:
        return printed(tree, grammar)
    found: dict[str, Expr] = {}
    for node in (node for node in expr.nodes() if isinstance(node, Named)):
        if found.setdefault(node.name, node.args[0]) is not node.args[0]:
            raise OptionError(
                f"`write(expr, definitions=True)` found two definitions of {node.name}; "
                "give them different names."
            )
    defined = [
        operator(ASSIGN, name(label), spelled(body, notation)) for label, body in found.items()
    ]
    last = [] if isinstance(expr, Named) else [tree]
    elements = [*defined, *last]
    tree = elements[0] if len(elements) == 1 else operator(SEQUENCE, *elements)
    return printed(tree, grammar)


def spelled(expr: Expr, notation: str = "matlab") -> Tree:
    """Return the syntax tree of an expression; in the matlab notation the smallest found."""
    if notation == "r":
        return RSpeller(expr).root(expr)
    trees = (MatlabSpeller(expr, policy).root(expr) for policy in POLICIES)
    return min(trees, key=count_nodes)


TEXT.update({notation: partial(write, notation=notation) for notation in VOCABULARIES})
