"""Derivations for the terminal: formulas in Unicode to the left, rules to the right."""

from __future__ import annotations

import textwrap
import unicodedata

from matbackprop.symbolic.writing.account import Account, Line, joined
from matbackprop.symbolic.writing.unicode import to_unicode

_MARGIN = "  "
_LEAST = 48
"""Narrower than this no formula is broken: it would be in crumbs."""

_ROOM = 27
"""Columns that are kept for the rules."""


def terminal_page(account: Account, /, width: int = 88) -> str:
    """Return the derivation in lines of at most `width`, unless a formula cannot be broken."""
    width = max(width, _LEAST)
    steps, result = _rows((*account.given, *account.lines)), _rows(account.result[:1])
    # Rules stand in a column, beside formulas that end before it and else below them.
    beside = [_width(row) for row, _ in steps + result if _width(row) < width - _ROOM]
    column = max(beside, default=9) + 3
    text = [account.title, ""]
    for formula, rule in [*steps, ("", ""), *result]:
        notes = textwrap.wrap(rule, width - column, break_on_hyphens=False)
        if _width(formula) < width - _ROOM:
            first, *notes = notes or [""]
            text.append((formula + " " * (column - _width(formula)) + first).rstrip())
        else:
            text += _wrapped(formula, width, " " * 8)
        text += [" " * column + note for note in notes]
    for place, line in enumerate(account.result[1:]):
        word = " " * 6 if place else "where "
        formula = f"{_MARGIN}{word}{to_unicode(line.left)} = {to_unicode(line.right)}"
        text += _wrapped(formula, width, " " * 8)
    text += ["", *textwrap.wrap(f"{account.proof}.", width), ""]
    return "\n".join(text)


def _rows(lines: tuple[Line, ...]) -> list[tuple[str, str]]:
    """Return each line and its rule, equal signs of one left side below each other."""
    rows = []
    indent = ""
    for left, line in joined(lines):
        if left is not None:
            before = to_unicode(left)
            indent = " " * _width(before)
        start = indent if left is None else before
        rows.append((f"{_MARGIN}{start} = {to_unicode(line.right)}", line.rule))
    return rows


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    """Break a line at its spaces."""
    start = text[: len(text) - len(text.lstrip())]
    return textwrap.wrap(
        text.strip(),
        width,
        initial_indent=start,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width(text: str) -> int:
    """Return how many columns a text takes: accents take none."""
    return sum(not unicodedata.combining(letter) for letter in text)
