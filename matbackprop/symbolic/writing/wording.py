"""Words with formulas among them: captions that every vocabulary spells in its own way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Self

from matbackprop.symbolic.writing.forms import Form
from matbackprop.symbolic.writing.latex import to_latex
from matbackprop.symbolic.writing.unicode import to_unicode

FORMULAS: Mapping[str, str] = MappingProxyType(
    {
        "vec(A dX B) = (Bᵀ ⊗ A) vec dX": (
            r"\operatorname{vec}(A \, \mathrm{d} X \, B) = (B^\top \otimes A)"
            r" \operatorname{vec} \mathrm{d} X"
        ),
        "vec(U ⊙ V) = diag(vec U) vec V": (
            r"\operatorname{vec}(U \odot V) = \operatorname{diag}(\operatorname{vec} U)"
            r" \operatorname{vec} V"
        ),
        "vec(Uᵀ) = K vec U": r"\operatorname{vec}(U^\top) = K \operatorname{vec} U",
        "tr(Gᵀ(A ⊗ B)) = vec(A)ᵀR(G)vec(B)": (
            r"\operatorname{tr}(G^\top (A \otimes B)) ="
            r" \operatorname{vec}(A)^\top R(G) \operatorname{vec}(B)"
        ),
        "d‖E‖² = 2 tr(Eᵀ dE)": (
            r"\mathrm{d} \lVert E \rVert^2 = 2 \operatorname{tr}(E^\top \mathrm{d} E)"
        ),
        "d log(1 + eᶻ) = σ(z) ⊙ dz": (r"\mathrm{d} \log(1 + e^z) = \sigma(z) \odot \mathrm{d} z"),
        "tr(AᵀB) = vec(A)ᵀvec(B)": (
            r"\operatorname{tr}(A^\top B) = \operatorname{vec}(A)^\top \operatorname{vec}(B)"
        ),
        "tr(AᵀB)": r"\operatorname{tr}(A^\top B)",
        "tr(11ᵀ(·))": r"\operatorname{tr}(\mathbf{1} \mathbf{1}^\top (\cdot))",
        "(·)1": r"(\cdot) \mathbf{1}",
        "1ᵀ(·)": r"\mathbf{1}^\top (\cdot)",
        "1×1": r"1 \times 1",
        "⊗": r"\otimes",
        "⊙": r"\odot",
        "⊘": r"\oslash",
    }
)
"""The formulas in the names of rules, and in LaTeX."""

_FORMULA = re.compile("|".join(map(re.escape, FORMULAS)))


class Wording(str):
    r"""Words and formulas: a string of Unicode, of which `parts` are still strings and forms.

    Examples
    --------
    >>> from matbackprop.symbolic.writing.forms import Change, Symbol
    >>> words = Wording("what stands before ", Change(Symbol("mu")))
    >>> print(words, in_markdown(words), sep=", ")
    what stands before dμ, what stands before $\mathrm{d} \mu$
    """

    parts: tuple[str | Form, ...]
    """The words and the formulas, in turn."""

    def __new__(cls, *parts: str | Form) -> Self:
        """Join strings, among them other wordings, and formulas."""
        texts = (part if isinstance(part, str) else to_unicode(part) for part in parts)
        words = super().__new__(cls, "".join(texts))
        words.parts = tuple(piece for part in parts for piece in _pieces(part))
        return words


def listed(parts: Iterable[str], separator: str = "; ") -> Wording:
    """Return strings, with or without formulas, one after the other."""
    pieces = [piece for part in parts for piece in (separator, part)]
    return Wording(*pieces[1:])


def in_markdown(words: str, /) -> str:
    """Return words with their formulas in LaTeX, between dollars."""
    return "".join(
        _FORMULA.sub(lambda match: f"${FORMULAS[match[0]]}$", part)
        if isinstance(part, str)
        else f"${to_latex(part)}$"
        for part in _pieces(words)
    )


def sentence(words: str, /) -> Wording:
    """Return words with a capital letter in front, unless a formula stands there."""
    first, *others = _pieces(words) or ("",)
    if isinstance(first, str) and not _FORMULA.match(first):
        first = first[:1].upper() + first[1:]
    return Wording(first, *others)


def _pieces(part: str | Form) -> tuple[str | Form, ...]:
    return part.parts if isinstance(part, Wording) else (part,)
