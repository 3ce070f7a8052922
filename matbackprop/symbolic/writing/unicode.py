"""Unicode, for the terminal."""

from __future__ import annotations

import re

from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.writing.forms import (
    Call,
    Change,
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
)

_ABOVE = str.maketrans("0123456789−n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻ⁿ")
_BELOW = str.maketrans("0123456789+−aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ")
_ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307"}


class Unicode(Vocabulary):
    """Spells forms on one line, with the signs of Unicode."""

    minus = " − "
    plus = " + "

    def _space(self, left: Form | None, right: Form) -> str:
        if starts_with_digit(right) or (isinstance(left, Digits) and _is_bold(right)):
            return "·"
        return " " if is_word(left) or is_word(right) or self._trails(left) else ""

    def _trails(self, left: Form | None) -> bool:
        """Whether a subscript without a small form ends here, which more letters would join."""
        return isinstance(left, Symbol) and "_" in self._symbol(left)

    def _parenthesised(self, text: str) -> str:
        return f"({text})"

    def _sign(self, sign: str) -> str:
        return f" {sign} "

    def _symbol(self, form: Symbol) -> str:
        if form.face == "word":
            return form.stem
        letter = GREEK.get(form.stem, form.stem) + _ACCENTS.get(form.accent, "")
        return letter + self._below(form.below)

    def _below(self, forms: tuple[Form, ...]) -> str:
        """Spell subscripts: small letters where Unicode has them all, else after `_`."""
        text = ",".join(self.write(form) for form in forms).replace(" ", "")
        if not text:
            return ""
        small = text.translate(_BELOW)
        if not set(text) & set(small):
            return small
        return f"_{text}" if re.fullmatch(r"[\w\u0300-\u0307]+", text) else f"_({text})"

    def _digits(self, text: str) -> str:
        return text

    def _scripted(self, form: Scripted) -> str:
        base = self.write(form.base, Level.ATOM)
        if form.transposed:
            return base + ("⁻ᵀ" if form.exponent is not None else "ᵀ")
        text = self.write(form.exponent) if form.exponent is not None else ""
        small = text.translate(_ABOVE)
        if not form.entrywise and not set(text) & set(small):
            return base + small
        mark = "^⊙" if form.entrywise else "^"
        return base + mark + (text if re.fullmatch(r"\w+", text) else f"({text})")

    def _root(self, inside: Form) -> str:
        return f"√{self.write(inside, Level.ATOM)}"

    def _product(self, form: Product) -> str:
        # One line: everything, then what it is divided by.
        upper, lower = numbers(form)
        upper, lower = upper + form.above + form.factors, lower + form.below
        if not lower:
            return self._row(upper, Level.ENTRYWISE)
        divisor = self._row(lower, Level.PREFIX)
        if len(lower) > 1:
            divisor = self._parenthesised(divisor)
        return self._fraction(self._row(upper or (Digits("1"),), Level.PRODUCT), divisor)

    def _fraction(self, upper: str, lower: str) -> str:
        return f"{upper}/{lower}"

    def _call(self, form: Call) -> str:
        return plain(form.name) + self._below(form.below) + f"({self.write(form.inside)})"

    def _fence(self, form: Fence) -> str:
        bar = "‖" if form.double else "|"
        name = plain(form.name) + (" " if form.name else "")
        return f"{name}{bar}{self.write(form.inside)}{bar}{self._below(form.below)}"

    def _change(self, of: Form) -> str:
        bare = isinstance(of, Scripted | Change) or (isinstance(of, Fence) and not of.name)
        space = " " if is_word(of) and not bare else ""
        return f"d{space}{self.write(of, Level.ATOM)}"

    def _slope(self, form: Slope) -> str:
        lower = "".join("∂" + self.write(by, Level.SCRIPT) for by in changed(form))
        upper = self.write(form.of, Level.ATOM)
        return f"∂²{upper}/({lower})" if form.again else f"∂{upper}/{lower}"

    def _equation(self, left: Form | None, right: Form) -> str:
        before = self.write(left, Level.SUM) + " " if left is not None else ""
        return f"{before}= {self.write(right, Level.SUM)}"


def _is_bold(form: Form) -> bool:
    while isinstance(form, Scripted):
        form = form.base
    return isinstance(form, Symbol) and form.face == "bold"


def plain(name: str, /) -> str:
    r"""Return the name of a function without LaTeX: `\operatorname{tr}` is tr."""
    name = re.sub(r"\\operatorname\{(.*?)\}", r"\1", name)
    name = name.replace(r"\mathcal{R}", "ℛ").replace("^{-1}", "⁻¹").replace("'", "′")
    return re.sub(r"\\([A-Za-z]+)", lambda match: GREEK.get(match[1], match[1]), name)


UNICODE = Unicode()


def to_unicode(expr: Expr | Form, /) -> str:
    """Return an expression on one line of Unicode.

    Raises
    ------
    MissingRuleError
        If a kind of node has no layout.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> X, b = (Variable(name, (Dim.of("n"), Dim.of(m))) for name, m in [("X", "n"), ("b", 1)])
    >>> print(to_unicode(2 * (X @ b).T))
    2(Xb)ᵀ
    """
    return UNICODE.write(form_of(expr) if isinstance(expr, Expr) else expr)
