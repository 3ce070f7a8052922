"""What a formula looks like, whatever it is spelt in: letters, scripts, products, fences."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction
from typing import ClassVar, TypeAlias


class Level(IntEnum):
    """How tightly a form binds; a part that binds less than its place asks is parenthesised."""

    RELATION = 0
    SUM = 1
    ENTRYWISE = 2  # ⊙, ⊘ and ⊗: mixed, they need parentheses
    PRODUCT = 3
    PREFIX = 4  # dX
    SCRIPT = 5
    ATOM = 6


@dataclass(frozen=True, slots=True)
class Symbol:
    """A letter, with an accent and subscripts: X, Γ₁, X̂, Iₙ. `face` is plain, bold, script or word.

    A word is a name as it stands.
    """

    stem: str
    accent: str = ""
    below: tuple[Form, ...] = ()
    face: str = "plain"

    level: ClassVar[Level] = Level.ATOM


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits as they stand."""

    text: str

    level: ClassVar[Level] = Level.ATOM


@dataclass(frozen=True, slots=True)
class Scripted:
    """A base with what stands above it: Xᵀ, A⁻¹, A⁻ᵀ, x², X^⊙2.

    `exponent` is a form or None; `transposed` adds ᵀ; `entrywise` puts ⊙ before the exponent.
    """

    base: Form
    exponent: Form | None = None
    transposed: bool = False
    entrywise: bool = False

    level: ClassVar[Level] = Level.SCRIPT


@dataclass(frozen=True, slots=True)
class Root:
    """√x."""

    inside: Form

    level: ClassVar[Level] = Level.SCRIPT


@dataclass(frozen=True, slots=True)
class Product:
    """±c · above/below · factors: numbers and scalars in front, then matrices in their order.

    `scalar` says that the factors make a number (xᵀAx): then they belong above the line.
    """

    negative: bool = False
    coefficient: Fraction = Fraction(1)
    above: tuple[Form, ...] = ()
    below: tuple[Form, ...] = ()
    factors: tuple[Form, ...] = ()
    scalar: bool = False

    @property
    def level(self) -> Level:
        """How tightly it binds."""
        if self.negative:
            return Level.SUM
        whole = self.coefficient.denominator == 1 and not (self.above or self.below or self.factors)
        return Level.ATOM if whole else Level.PRODUCT


@dataclass(frozen=True, slots=True)
class Entrywise:
    """A ⊙ B ⊘ C, or A ⊗ B: items, each with the sign before it; a first ⊘ means 1 ⊘ A."""

    items: tuple[tuple[str, Form], ...]

    level: ClassVar[Level] = Level.ENTRYWISE


@dataclass(frozen=True, slots=True)
class Terms:
    """A − B + C: at least two terms, each with whether it is subtracted."""

    items: tuple[tuple[bool, Form], ...]

    level: ClassVar[Level] = Level.SUM


@dataclass(frozen=True, slots=True)
class Call:
    r"""f(x). `name` is LaTeX, such as \tanh or \operatorname{tr}; `below` are subscripts."""

    name: str
    inside: Form
    below: tuple[Form, ...] = ()

    level: ClassVar[Level] = Level.ATOM


@dataclass(frozen=True, slots=True)
class Fence:
    """|A| or ‖A‖ with a subscript; `name` may stand before it, as in log|A|."""

    double: bool
    inside: Form
    below: tuple[Form, ...] = ()
    name: str = ""

    level: ClassVar[Level] = Level.ATOM


@dataclass(frozen=True, slots=True)
class Change:
    """du."""

    of: Form

    level: ClassVar[Level] = Level.PREFIX


@dataclass(frozen=True, slots=True)
class Slope:
    """∂u/∂v; with `again` ∂²u/∂v∂w."""

    of: Form
    by: Form
    again: Form | None = None

    level: ClassVar[Level] = Level.SCRIPT


@dataclass(frozen=True, slots=True)
class Equation:
    """a = b; where `left` is None, a line that goes on from the one above."""

    left: Form | None
    right: Form

    level: ClassVar[Level] = Level.RELATION


Form: TypeAlias = (
    Symbol
    | Digits
    | Scripted
    | Root
    | Product
    | Entrywise
    | Terms
    | Call
    | Fence
    | Change
    | Slope
    | Equation
)
