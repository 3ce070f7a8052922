"""Errors that point at the character."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matbackprop.errors import MatBackpropError, OptionError, ShapeError

_BEFORE, _AFTER = 60, 30


class ParseError(MatBackpropError, ValueError):
    """A text that is not an expression of its notation.

    Attributes
    ----------
    text
        What was read.
    position
        Where in it the mistake stands, from 0.
    """

    def __init__(self, message: str, text: str, position: int) -> None:
        super().__init__(message + pointer(text, position))
        self.text = text
        self.position = position


def pointer(text: str, position: int, /) -> str:
    """Return the line of the text that holds the position, and a caret under it.

    Of a long line only the part around the position is shown.
    """
    start = text.rfind("\n", 0, position) + 1
    line = text[start:].partition("\n")[0].replace("\t", " ")
    column = position - start
    left = max(0, column - _BEFORE)
    right = min(len(line), column + _AFTER)
    head = "…" if left else ""
    tail = "…" if right < len(line) else ""
    caret = " " * (len(head) + column - left) + "^"
    return f"\n  {head}{line[left:right]}{tail}\n  {caret}"


@contextmanager
def pointing(text: str, position: int, /) -> Iterator[None]:
    """Let an error about an operation say where in the text the operation stands."""
    try:
        yield
    except ShapeError as error:
        raise ShapeError(f"{error}{pointer(text, position)}") from None
    except OptionError as error:
        raise ParseError(str(error), text, position) from None
