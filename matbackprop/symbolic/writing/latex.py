"""LaTeX."""

from __future__ import annotations

from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.writing.forms import (
    Call,
    Digits,
    Fence,
    Form,
    Level,
    Product,
    Scripted,
    Slope,
    Symbol,
)
from matbackprop.symbolic.writing.layout import form_of
from matbackprop.symbolic.writing.names import GREEK
from matbackprop.symbolic.writing.vocabulary import (
    Vocabulary,
    changed,
    is_word,
    numbers,
    starts_with_digit,
    trails,
)

_SIGNS = {"⊙": r" \odot ", "⊘": r" \oslash ", "⊗": r" \otimes "}


class Latex(Vocabulary):
    """Spells forms in LaTeX with amsmath."""

    minus = " - "
    plus = " + "

    def _space(self, left: Form | None, right: Form) -> str:
        if starts_with_digit(right):
            return r" \cdot "
        # TeX makes room before an operator name itself, but not after its parenthesis.
        first = right.base if isinstance(right, Scripted) else right
        named = isinstance(first, Call) and first.name.startswith("\\")
        apart = is_word(left) or (is_word(right) and not named) or trails(left)
        return r" \, " if apart else " "

    def _parenthesised(self, text: str) -> str:
        return rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def _sign(self, sign: str) -> str:
        return _SIGNS[sign]

    def _symbol(self, form: Symbol) -> str:
        return letter(form) + self._below(form.below)

    def _below(self, forms: tuple[Form, ...]) -> str:
        """Spell subscripts."""
        text = ",".join(self.write(form) for form in forms)
        if len(text) > 1:
            text = f"{{{text}}}"
        return f"_{text}" if text else ""

    def _digits(self, text: str) -> str:
        return text

    def _scripted(self, form: Scripted) -> str:
        base = self.write(form.base, Level.ATOM)
        above = r"\odot " if form.entrywise else ""
        if form.transposed:
            above += "-" if form.exponent is not None else ""
            above += r"\top"
        elif form.exponent is not None:
            above += self._inline(form.exponent)
        return f"{base}^{above}" if above == r"\top" or len(above) == 1 else f"{base}^{{{above}}}"

    def _inline(self, form: Form) -> str:
        """Spell an exponent: a numeric fraction without a line of its own."""
        if isinstance(form, Product) and not (form.above or form.below or form.factors):
            upper, lower = numbers(form)
            texts = [
                self._row(part, Level.SUM) for part in (upper or (Digits("1"),), lower) if part
            ]
            return ("-" if form.negative else "") + "/".join(texts)
        return self.write(form)

    def _root(self, inside: Form) -> str:
        return rf"\sqrt{{{self.write(inside)}}}"

    def _fraction(self, upper: str, lower: str) -> str:
        return rf"\frac{{{upper}}}{{{lower}}}"

    def _call(self, form: Call) -> str:
        return form.name + self._below(form.below) + self._parenthesised(self.write(form.inside))

    def _fence(self, form: Fence) -> str:
        bar = "Vert" if form.double else "vert"
        inside = self.write(form.inside)
        return rf"{form.name}\l{bar} {inside} \r{bar}{self._below(form.below)}"

    def _change(self, of: Form) -> str:
        space = r"\, " if isinstance(of, Call | Symbol) and is_word(of) else " "
        return rf"\mathrm{{d}}{space}{self.write(of, Level.ATOM)}"

    def _slope(self, form: Slope) -> str:
        upper = r"\partial" + ("^2 " if form.again else " ") + self.write(form.of, Level.ATOM)
        lower = " ".join(r"\partial " + self.write(by, Level.SCRIPT) for by in changed(form))
        return self._fraction(upper, lower)

    def _equation(self, left: Form | None, right: Form) -> str:
        before = self.write(left, Level.SUM) if left is not None else ""
        return f"{before} = {self.write(right, Level.SUM)}".strip()


def letter(form: Symbol) -> str:
    """Spell the letter itself, with its accent."""
    stem = form.stem
    if form.face == "bold":
        return rf"\mathbf{{{stem}}}"
    if form.face == "word":
        word = stem.replace("_", r"\_")
        return rf"\mathrm{{{word}}}"
    if stem in GREEK:
        stem = f"\\{stem}"
    elif len(stem) > 1:
        stem = rf"\mathrm{{{stem}}}"
    return rf"\{form.accent}{{{stem}}}" if form.accent else stem


LATEX = Latex()


def to_latex(expr: Expr | Form, /) -> str:
    r"""Return an expression in LaTeX.

    Needs amsmath. Elementwise functions stand before their argument; ⊙ and ⊘ are the product
    and the quotient entry by entry, and :math:`X^{\odot 2}` the square entry by entry.

    Raises
    ------
    MissingRuleError
        If a kind of node has no layout.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> X, b = (Variable(name, (Dim.of("n"), Dim.of(m))) for name, m in [("X", "n"), ("b", 1)])
    >>> print(to_latex(2 * (X @ b).T))
    2 (X b)^\top
    """
    return LATEX.write(form_of(expr) if isinstance(expr, Expr) else expr)
