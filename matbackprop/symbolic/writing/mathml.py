"""MathML, which a browser draws by itself: no script, no font, no network."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

from matbackprop.symbolic.expressions.expression import Expr
from matbackprop.symbolic.writing.forms import (
    Call,
    Fence,
    Form,
    Level,
    Scripted,
    Slope,
    Symbol,
)
from matbackprop.symbolic.writing.layout import form_of
from matbackprop.symbolic.writing.names import GREEK
from matbackprop.symbolic.writing.unicode import plain
from matbackprop.symbolic.writing.vocabulary import (
    Vocabulary,
    changed,
    is_word,
    starts_with_digit,
    trails,
)

_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙"}
_BOLD = {"0": "𝟎", "1": "𝟏"}
# Around scripts a stretched parenthesis is larger than what it holds.
_OPEN, _CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'
_THIN = '<mspace width="0.17em"/>'


class MathML(Vocabulary):
    """Spells forms as elements of MathML Core."""

    minus = "<mo>−</mo>"
    plus = "<mo>+</mo>"

    def _space(self, left: Form | None, right: Form) -> str:
        if starts_with_digit(right):
            return "<mo>·</mo>"
        return _THIN if is_word(left) or is_word(right) or trails(left) else ""

    def _parenthesised(self, text: str) -> str:
        return f"<mrow>{_OPEN}{text}{_CLOSE}</mrow>"

    def _sign(self, sign: str) -> str:
        return f"<mo>{sign}</mo>"

    def _symbol(self, form: Symbol) -> str:
        letter = escape(form.stem if form.face == "word" else GREEK.get(form.stem, form.stem))
        if form.face == "bold":
            text = f"<mn>{_BOLD[letter]}</mn>"
        else:
            # TeX sets capital Greek upright; MathML slants every single letter.
            upright = ' mathvariant="normal"' if "Α" <= letter <= "Ω" else ""
            text = f"<mi{upright}>{letter}</mi>"
        if form.accent:
            mark = f'<mo stretchy="false">{_ACCENTS[form.accent]}</mo>'
            text = f'<mover accent="true">{text}{mark}</mover>'
        return self._under(text, form.below)

    def _under(self, text: str, forms: tuple[Form, ...]) -> str:
        """Put subscripts to a spelt letter."""
        return f"<msub>{_row(text)}{self._listed(forms)}</msub>" if forms else text

    def _listed(self, forms: tuple[Form, ...]) -> str:
        """Spell subscripts, with commas between."""
        return _row('<mo lspace="0" rspace="0">,</mo>'.join(map(self.write, forms)))

    def _digits(self, text: str) -> str:
        return f"<mn>{text}</mn>"

    def _scripted(self, form: Scripted) -> str:
        above = "<mo>⊙</mo>" if form.entrywise else ""
        if form.transposed:
            above += "<mo>−</mo>" if form.exponent is not None else ""
            above += '<mo lspace="0" rspace="0">⊤</mo>'
        elif form.exponent is not None:
            above += self.write(form.exponent)
        base = form.base
        if isinstance(base, Symbol) and base.below:  # both at the letter, not one after the other
            letter = self._symbol(replace(base, below=()))
            return f"<msubsup>{letter}{self._listed(base.below)}{_row(above)}</msubsup>"
        if isinstance(base, Fence) and base.below and not base.name:
            last = f"{self._listed(base.below)}{_row(above)}"
            return self._fenced(base, f"<msubsup>{_bar(base)}{last}</msubsup>")
        if base.level < Level.ATOM:
            # At the closing parenthesis, as TeX does: else it floats above the whole.
            return f"<mrow>{_OPEN}{self._spelt(base)}<msup>{_CLOSE}{_row(above)}</msup></mrow>"
        return f"<msup>{_row(self.write(base, Level.ATOM))}{_row(above)}</msup>"

    def _root(self, inside: Form) -> str:
        return f"<msqrt>{self.write(inside)}</msqrt>"

    def _fraction(self, upper: str, lower: str) -> str:
        return f"<mfrac>{_row(upper)}{_row(lower)}</mfrac>"

    def _call(self, form: Call) -> str:
        bare = plain(form.name)
        name = f"<mi>{bare.removesuffix('⁻¹')}</mi>"
        if bare.endswith("⁻¹"):
            name = f"<msup>{name}<mrow><mo>−</mo><mn>1</mn></mrow></msup>"
        inside = self._parenthesised(self.write(form.inside))
        return f"<mrow>{self._under(name, form.below)}{inside}</mrow>"

    def _fence(self, form: Fence) -> str:
        name = f"<mi>{plain(form.name)}</mi>" if form.name else ""
        return f"<mrow>{name}{self._fenced(form, self._under(_bar(form), form.below))}</mrow>"

    def _fenced(self, form: Fence, last: str) -> str:
        """Spell |A|, given the last bar with its scripts."""
        return f"<mrow>{_bar(form, 'prefix')}{self.write(form.inside)}{last}</mrow>"

    def _change(self, of: Form) -> str:
        space = _THIN if isinstance(of, Call | Fence | Symbol) and is_word(of) else ""
        return f'<mrow><mi mathvariant="normal">d</mi>{space}{self.write(of, Level.ATOM)}</mrow>'

    def _slope(self, form: Slope) -> str:
        sign = '<mo lspace="0" rspace="0">∂</mo>'
        upper = f"<msup>{sign}<mn>2</mn></msup>" if form.again else sign
        lower = "".join(sign + self.write(by, Level.SCRIPT) for by in changed(form))
        return self._fraction(upper + self.write(form.of, Level.ATOM), lower)

    def _equation(self, left: Form | None, right: Form) -> str:
        before = self.write(left, Level.SUM) if left is not None else ""
        return f"{before}<mo>=</mo>{self.write(right, Level.SUM)}"


def _bar(form: Fence, place: str = "postfix") -> str:
    return f'<mo form="{place}" stretchy="false">{"‖" if form.double else "|"}</mo>'


def _row(text: str) -> str:
    """Make one element of several, as scripts and fractions need."""
    return text if re.fullmatch(r"<(m[ino])\b[^<]*</\1>", text) else f"<mrow>{text}</mrow>"


MATHML = MathML()


def to_mathml(expr: Expr | Form, /, *, display: bool = False) -> str:
    """Return an expression as a `<math>` element.

    Raises
    ------
    MissingRuleError
        If a kind of node has no layout.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> to_mathml(Variable("Gamma1", ()))
    '<math><msub><mi mathvariant="normal">Γ</mi><mn>1</mn></msub></math>'
    """
    form = form_of(expr) if isinstance(expr, Expr) else expr
    mode = ' display="block"' if display else ""
    return f"<math{mode}>{MATHML.write(form)}</math>"
