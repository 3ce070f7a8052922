"""What all vocabularies share: one spelling a form, parentheses where the level asks for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction

from matbackprop.symbolic.writing.forms import (
    Call,
    Change,
    Digits,
    Entrywise,
    Equation,
    Fence,
    Form,
    Level,
    Product,
    Root,
    Scripted,
    Slope,
    Symbol,
    Terms,
)
from matbackprop.symbolic.writing.names import GREEK
from matbackprop.symbolic.writing.products import number

_PLAIN = 16
"""Denominators up to this are written as fractions; beyond, decimals stay decimals: 0.05."""


class Vocabulary(ABC):
    """A way to spell forms. A subclass says how letters, scripts, fractions, … are spelt."""

    minus: str
    plus: str

    def write(self, form: Form, /, at_least: Level = Level.RELATION) -> str:
        """Return the text of a form, in parentheses if it binds less than its place asks."""
        text = self._spelt(form)
        return text if form.level >= at_least else self._parenthesised(text)

    def _spelt(self, form: Form) -> str:
        match form:
            case Symbol():
                return self._symbol(form)
            case Digits(text=text):
                return self._digits(text)
            case Scripted():
                return self._scripted(form)
            case Root(inside=inside):
                return self._root(inside)
            case Product():
                return (self.minus.strip() if form.negative else "") + self._product(form)
            case Entrywise(items=items):
                return self._entrywise(items)
            case Terms(items=items):
                return self._terms(items)
            case Call():
                return self._call(form)
            case Fence():
                return self._fence(form)
            case Change(of=of):
                return self._change(of)
            case Slope():
                return self._slope(form)
            case Equation(left=left, right=right):
                return self._equation(left, right)

    def _terms(self, items: Sequence[tuple[bool, Form]]) -> str:
        """Spell A − B + C."""
        text = "".join(
            (self.minus if negative else self.plus) + self.write(form, Level.ENTRYWISE)
            for negative, form in items
        )
        if items[0][0]:
            return self.minus.strip() + text.removeprefix(self.minus)
        return text.removeprefix(self.plus)

    def _entrywise(self, items: Sequence[tuple[str, Form]]) -> str:
        """Spell A ⊙ B ⊘ C or A ⊗ B; 1 ⊘ A where the first is a divisor."""
        text = self._digits("1") if items[0][0] == "⊘" else ""
        for sign, form in items:
            text += (self._sign(sign) if text else "") + self.write(form, Level.PRODUCT)
        return text

    def _product(self, form: Product) -> str:
        """Spell a product without its sign: the quotient of the scalars, then the matrices."""
        upper, lower = numbers(form)
        upper, lower, tail = upper + form.above, lower + form.below, form.factors
        if not lower:
            return self._row(upper + tail, Level.ENTRYWISE)
        # ½ xᵀAx, but xᵀAx over xᵀx.
        if form.scalar and not all(isinstance(part, Digits | Symbol) for part in lower):
            upper, tail = upper + tail, ()
        fraction = self._fraction(
            self._row(upper or (Digits("1"),), Level.SUM), self._row(lower, Level.SUM)
        )
        if not tail:
            return fraction
        return fraction + self._space(None, tail[0]) + self._row(tail, Level.PREFIX)

    def _row(self, forms: Sequence[Form], alone: Level) -> str:
        """Spell factors side by side; `alone` is what is asked of a single one."""
        if len(forms) == 1:
            return self.write(forms[0], alone)
        text, last = "", None
        for form in forms:
            text += (self._space(last, form) if text else "") + self.write(form, Level.PREFIX)
            last = form
        return text

    @abstractmethod
    def _space(self, left: Form | None, right: Form) -> str:
        """Return what stands between two factors; `left` is None after a fraction."""

    @abstractmethod
    def _parenthesised(self, text: str) -> str:
        """Put text in parentheses."""

    @abstractmethod
    def _sign(self, sign: str) -> str:
        """Spell ⊙, ⊘ or ⊗."""

    @abstractmethod
    def _symbol(self, form: Symbol) -> str:
        """Spell a letter."""

    @abstractmethod
    def _digits(self, text: str) -> str:
        """Spell a number."""

    @abstractmethod
    def _scripted(self, form: Scripted) -> str:
        """Spell a base with an exponent."""

    @abstractmethod
    def _root(self, inside: Form) -> str:
        """Spell a square root."""

    @abstractmethod
    def _fraction(self, upper: str, lower: str) -> str:
        """Spell a quotient."""

    @abstractmethod
    def _call(self, form: Call) -> str:
        """Spell f(x)."""

    @abstractmethod
    def _fence(self, form: Fence) -> str:
        """Spell |A| or ‖A‖."""

    @abstractmethod
    def _change(self, of: Form) -> str:
        """Spell du."""

    @abstractmethod
    def _slope(self, form: Slope) -> str:
        """Spell ∂u/∂v or ∂²u/∂v∂w."""

    @abstractmethod
    def _equation(self, left: Form | None, right: Form) -> str:
        """Spell a = b."""


def numbers(form: Product, /) -> tuple[tuple[Form, ...], tuple[Form, ...]]:
    """Return the coefficient as what stands above and below the line: 2/3, 0.05, 10⁻⁷."""
    value = form.coefficient
    if value.denominator > _PLAIN and (found := _decimal(value)) is not None:
        digits, power = found
        if power >= -5:
            text = str(digits).zfill(1 - power)
            return (Digits(f"{text[:power]}.{text[power:]}"),), ()
        ten = Scripted(Digits("10"), number(power))
        return ((ten,) if digits == 1 else (Digits(str(digits)), ten)), ()
    bare = not (form.above or form.factors or form.below or value.denominator > 1)
    upper: tuple[Form, ...] = (Digits(str(value.numerator)),)
    lower: tuple[Form, ...] = (Digits(str(value.denominator)),)
    return (
        upper if bare or value.numerator != 1 else (),
        lower if value.denominator != 1 else (),
    )


def _decimal(value: Fraction) -> tuple[int, int] | None:
    """Return whole d and k with value = d·10ᵏ, if there are such."""
    for power in range(1, 325):
        scaled = value * 10**power
        if scaled.denominator == 1:
            return scaled.numerator, -power
    return None


def is_word(form: Form | None, /) -> bool:
    """Whether a factor needs room beside it: dX, tr(A), |A|, a name of several letters."""
    while isinstance(form, Scripted):
        if isinstance(form.base, Change):  # (dX)ᵀ stands in parentheses
            return False
        form = form.base
    if isinstance(form, Symbol):
        return form.face == "word" or (len(form.stem) > 1 and form.stem not in GREEK)
    return isinstance(form, Call | Change | Fence)


def trails(form: Form | None, /) -> bool:
    """Whether a factor ends in a subscript that is a name: what follows seems part of it."""
    if not isinstance(form, Symbol) or form.face != "plain":
        return False
    return any(isinstance(below, Symbol) for below in form.below)


def starts_with_digit(form: Form, /) -> bool:
    """Whether a factor begins with a digit: between two of them stands a dot."""
    while isinstance(form, Scripted):
        form = form.base
    return isinstance(form, Digits) or (isinstance(form, Product) and form.level == Level.ATOM)


def changed(slope: Slope, /) -> tuple[Form, ...]:
    """Return what stands below the line of a derivative."""
    return (slope.by,) if slope.again is None else (slope.by, slope.again)
