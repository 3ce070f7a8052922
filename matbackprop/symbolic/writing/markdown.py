"""Derivations in Markdown with formulas between dollars: MyST, and Jupyter."""

from __future__ import annotations

from matbackprop.symbolic.writing.account import READING, Account, Line
from matbackprop.symbolic.writing.forms import Form, Terms
from matbackprop.symbolic.writing.latex import to_latex
from matbackprop.symbolic.writing.unicode import to_unicode

_LONGEST = 90
"""Characters of a line, in Unicode, from which a sum is broken into several."""


def markdown_page(account: Account, /) -> str:
    """Return the derivation: what is given, each step under its rule, the result, the proof."""
    parts = [f"**{account.title}**, given", _block(aligned(account.given))]
    for line in account.lines:
        rule = f"*{line.rule}:*"
        stage = "" if line.stage is None else f"Stage ${to_latex(line.stage)}$: "
        parts += [stage + rule, _block(aligned((line,)))]
    parts += ["**Result**", _block(aligned(account.result)), f"{account.proof}.", READING]
    return "\n\n".join(parts) + "\n"


def aligned(lines: tuple[Line, ...], /) -> str:
    r"""Return equations in LaTeX, one below the other; a single short one stands alone.

    Definitions, which are all lines but the first, follow "where".
    """
    rows: list[str] = []
    for place, line in enumerate(lines):
        left = (r"\text{where } " if place == 1 else "") + to_latex(line.left)
        first, *others = _pieces(line.right)
        rows.append(f"{left} &= {first}")
        rows += [rf"&\quad {other}" for other in others]
    if len(rows) == 1:
        return rows[0].replace("&=", "=")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _pieces(form: Form) -> list[str]:
    """Return a long sum in pieces, each but the first beginning with its sign."""
    if not isinstance(form, Terms) or len(to_unicode(form)) <= _LONGEST:
        return [to_latex(form)]
    pieces: list[list[tuple[bool, Form]]] = [[]]
    length = 0
    for negative, term in form.items:
        size = len(to_unicode(term)) + 3  # and its sign
        if pieces[-1] and length + size > _LONGEST:
            pieces.append([])
            length = 0
        pieces[-1].append((negative, term))
        length += size
    texts = [to_latex(Terms(tuple(piece))) for piece in pieces]
    signs = ["" if piece[0][0] else "+ " for piece in pieces]
    return [texts[0], *(s + text for s, text in zip(signs[1:], texts[1:], strict=True))]


def _block(formula: str) -> str:
    return f"$$\n{formula}\n$$"
