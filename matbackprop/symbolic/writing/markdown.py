"""Derivations in Markdown with formulas between dollars: MyST, and Jupyter."""

from __future__ import annotations

from dataclasses import replace

from matbackprop.symbolic.writing.account import Account, Line, joined, reading
from matbackprop.symbolic.writing.forms import Form, Product, Symbol, Terms
from matbackprop.symbolic.writing.latex import to_latex
from matbackprop.symbolic.writing.unicode import to_unicode
from matbackprop.symbolic.writing.wording import in_markdown, sentence

_LONGEST = 90
"""Characters of a line, in Unicode, from which a sum is broken into several."""

_INDENT = r"\quad "

_GAP = Symbol("□")
"""Stands for a sum in brackets while what is around it is spelt."""


def markdown_page(account: Account, /) -> str:
    """Return the derivation: what is given, a table of the steps, the result, the proof.

    A line of the table is a rule, and the formula it leads to. The rule comes first: where the
    page is narrow, the end of a long formula is out of sight, but not the reason.
    """
    result = account.result[0]
    rule = f": {in_markdown(result.rule)}" if result.rule else ""
    parts = [f"**{in_markdown(account.title)}**, given", _block(aligned(account.given))]
    parts += [_table(account.lines)] if account.lines else []
    parts += [f"**Result**{rule}", _block(aligned(account.result)), f"{account.proof}."]
    parts += [in_markdown(reading(account))]
    return "\n\n".join(part for part in parts if part) + "\n"


def aligned(lines: tuple[Line, ...], /) -> str:
    r"""Return equations in LaTeX, one below the other; a single short one stands alone.

    Definitions, which are all lines but the first, follow "where".
    """
    rows: list[str] = []
    for place, line in enumerate(lines):
        left = (r"\text{where } " if place == 1 else "") + to_latex(line.left)
        first, *others = _pieces(line.right)
        rows.append(f"{left} &= {first}")
        rows += [f"&{_INDENT}{other}" for other in others]
    if len(rows) == 1:
        return rows[0].replace("&=", "=")
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _table(lines: tuple[Line, ...]) -> str:
    rows = ["| Rule | | |", "|:---|---:|:---|"]
    for left, line in joined(lines):
        rule = in_markdown(sentence(line.rule))
        stage = "" if line.stage is None else f"**Stage** ${to_latex(line.stage)}$: "
        before = "" if left is None else _in_line(to_latex(left))
        first, *others = _pieces(line.right)
        reason = stage + (rule if line.stage is None else in_markdown(line.rule))
        rows.append(f"| {reason} | {before} | {_in_line('= ' + first)} |")
        rows += [f"| | | {_in_line(_INDENT + other)} |" for other in others]
    return "\n".join(rows)


def _pieces(form: Form) -> list[str]:
    """Return a long sum in pieces, each but the first beginning with its sign.

    It may stand alone, or in brackets as a factor of a product.
    """
    if len(to_unicode(form)) <= _LONGEST:
        return [to_latex(form)]
    if isinstance(form, Terms):
        return _broken(form, _LONGEST)
    if isinstance(form, Product):
        for place, factor in enumerate(form.factors):
            if isinstance(factor, Terms):
                return _broken_inside(form, place, factor)
    return [to_latex(form)]


def _broken_inside(product: Product, place: int, terms: Terms) -> list[str]:
    """Return a product in pieces, one of whose factors is a sum in brackets."""
    factors = (*product.factors[:place], _GAP, *product.factors[place + 1 :])
    around = replace(product, factors=factors)
    before, after = to_latex(around).split(_GAP.stem)
    first, *others = _broken(terms, max(_LONGEST - len(to_unicode(around)), _LONGEST // 2))
    if not others or before.count("{") > before.count("}"):  # no fraction is broken
        return [to_latex(product)]
    *between, last = others
    return [rf"{before}\left({first}\right.", *between, rf"\left.{last}\right){after}"]


def _broken(form: Terms, longest: int) -> list[str]:
    """Return a sum in pieces of at most so many characters, if its terms are no longer."""
    pieces: list[list[tuple[bool, Form]]] = [[]]
    length = 0
    for negative, term in form.items:
        size = len(to_unicode(term)) + 3  # and its sign
        if pieces[-1] and length + size > longest:
            pieces.append([])
            length = 0
        pieces[-1].append((negative, term))
        length += size
    texts = [to_latex(Terms(tuple(piece))) for piece in pieces]
    signs = ["" if piece[0][0] else "+ " for piece in pieces]
    return [texts[0], *(s + text for s, text in zip(signs[1:], texts[1:], strict=True))]


def _in_line(formula: str) -> str:
    return rf"$\displaystyle {formula}$"


def _block(formula: str) -> str:
    return f"$$\n{formula}\n$$"
