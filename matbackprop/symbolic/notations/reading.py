"""Text to expressions and trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matbackprop._validation import check_option
from matbackprop.errors import OptionError
from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.notations.declarations import ShapeLike, declared
from matbackprop.symbolic.notations.elaboration import Elaboration
from matbackprop.symbolic.notations.matlab_words import MATLAB
from matbackprop.symbolic.notations.parser import parsed
from matbackprop.symbolic.notations.r_words import R
from matbackprop.symbolic.notations.tree import Tree
from matbackprop.symbolic.notations.vocabulary import Vocabulary

VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType({"matlab": MATLAB, "r": R})


def read(
    text: str,
    *,
    notation: str = "matlab",
    shapes: Mapping[str, ShapeLike],
    assume: Mapping[str, str | Sequence[str]] = MappingProxyType({}),
    domains: Mapping[str, str] = MappingProxyType({}),
) -> Expr:
    """Return the expression that a text denotes, exactly as written.

    Parameters
    ----------
    text
        An expression; or definitions and an expression that uses them, apart by ``;`` or lines:
        ``S = X'*X; tr(S)``. Without a last expression the last definition is the result.
    notation
        "matlab", that of matrixcalculus.org, or "r", base R. Each states its rule for 1×1
        matrices in its module, `matlab_words` or `r_words`.
    shapes
        The shape of each variable: ``("n", "p")``, ``("n", 1)`` or ``"n"`` for a column, ``()``
        for a scalar, with sizes that are whole numbers, names, or expressions such as "k*p".
        The names of sizes may be used in the text as scalars.
    assume
        What is known of a variable: symmetric, diagonal, orthogonal, spd.
    domains
        Where its check points are drawn: normal, positive, well, spd, pm1, binary, onehot, ….

    Raises
    ------
    ParseError
        If the text is not of the notation; the message points at the character.
    ShapeError
        If shapes do not conform; the message points at the operation.
    OptionError
        If there is no such notation, flag or domain, or a shape is none.

    Examples
    --------
    >>> shapes = {"X": ("n", "p"), "b": "p", "y": "n"}
    >>> L = read("norm2(X*b-y)^2/n", shapes=shapes)
    >>> L is read("norm(X %*% b - y, 'F')^2/n", notation="r", shapes=shapes)
    True
    """
    vocabulary = _vocabulary(notation, "parse")
    _check_text(text, "parse(text, shapes=…)")
    variables = declared(shapes, assume, domains)
    return Elaboration(text, vocabulary, variables).whole(parsed(text, vocabulary.grammar))


def tree_of(text: str, notation: str = "matlab") -> Tree:
    """Return the syntax tree of a text.

    Raises
    ------
    ParseError
        If the text is not of the notation; the message points at the character.

    Examples
    --------
    >>> tree_of("a*b").args
    (Tree(kind='name', text='a', args=()), Tree(kind='name', text='b', args=()))
    """
    _check_text(text, "tree_of(text)")
    return parsed(text, _vocabulary(notation, "tree_of").grammar)


def _check_text(text: object, call: str) -> None:
    if not isinstance(text, str):
        raise OptionError(f'`{call}` needs a text, such as "x\'*A*x"; got {type(text).__name__}.')


def _vocabulary(notation: str, call: str) -> Vocabulary:
    check_option(notation, VOCABULARIES, call=call, name="notation")
    return VOCABULARIES[notation]
