"""How names and sizes are written: Gamma1 as Γ₁, Xhat as X̂, mu_x as μ with the subscript x."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

from matbackprop.symbolic.dimension import Dim, Monomial
from matbackprop.symbolic.writing.forms import Digits, Form, Product, Scripted, Symbol
from matbackprop.symbolic.writing.products import subtotal

GREEK: Mapping[str, str] = MappingProxyType(
    {
        "alpha": "α",
        "beta": "β",
        "gamma": "γ",
        "delta": "δ",
        "varepsilon": "ε",
        "zeta": "ζ",
        "eta": "η",
        "theta": "θ",
        "iota": "ι",
        "kappa": "κ",
        "lambda": "λ",
        "mu": "μ",
        "nu": "ν",
        "xi": "ξ",
        "pi": "π",
        "rho": "ρ",
        "sigma": "σ",
        "tau": "τ",
        "upsilon": "υ",
        "phi": "φ",
        "chi": "χ",
        "psi": "ψ",
        "omega": "ω",
        "Gamma": "Γ",
        "Delta": "Δ",
        "Theta": "Θ",
        "Lambda": "Λ",
        "Xi": "Ξ",
        "Pi": "Π",
        "Sigma": "Σ",
        "Upsilon": "Υ",
        "Phi": "Φ",
        "Psi": "Ψ",
        "Omega": "Ω",
    }
)
"""The letters that have a LaTeX command, by its name."""

# As programmers shorten them, since `lambda` is a word of Python.
_SHORT = {"lam": "lambda", "epsilon": "varepsilon", "eps": "varepsilon"}

_ACCENT = re.compile(r"(?P<stem>.+?)_?(?P<accent>hat|bar|tilde|dot)")
_PARTS = re.compile(r"(?P<stem>[^\W\d_]+?|[^_]+?)_?(?P<number>\d+)?(?:_(?P<rest>.+))?")


def symbol(name: str, /) -> Symbol:
    """Return the letter that a name means, with its accent and subscripts.

    Examples
    --------
    >>> symbol("Gamma1")
    Symbol(stem='Gamma', accent='', below=(Digits(text='1'),), face='plain')
    >>> symbol("Xhat").accent
    'hat'
    """
    parts = _PARTS.fullmatch(name)
    if parts is None:
        return Symbol(name)
    below: list[Form] = [Digits(parts["number"])] if parts["number"] else []
    rest = parts["rest"] or ""
    accent = rest if rest in {"hat", "bar", "tilde", "dot"} else ""
    if rest and not accent:
        below.append(Digits(rest) if rest.isdigit() else symbol(rest))
    stem = _SHORT.get(parts["stem"], parts["stem"])
    accented = _ACCENT.fullmatch(stem)
    if accented and not accent and stem not in GREEK:
        letter = _SHORT.get(accented["stem"], accented["stem"])
        if len(letter) == 1 or letter in GREEK:
            stem, accent = letter, accented["accent"]
    if accent and len(stem) > 1 and stem not in GREEK:
        return Symbol(stem, "", (*below, Symbol(accent)))
    return Symbol(stem, accent, tuple(below))


def dimension(dim: Dim, /) -> Form:
    """Return a size: n, 6, kp, n + 1."""
    terms = [(c < 0, _monomial(m, -c if c < 0 else c)) for m, c in dim.terms]
    if not terms:
        return Product(coefficient=Fraction(0))
    if len(terms) > 1:
        return subtotal(terms)
    ((negative, only),) = terms
    return Product(negative=True, above=(only,)) if negative else only


def _monomial(names: Monomial, coefficient: int | Fraction) -> Form:
    factors: list[Form] = []
    for name in dict.fromkeys(names):
        power = Product(coefficient=Fraction(names.count(name)))
        letter = symbol(name)
        factors.append(Scripted(letter, power) if names.count(name) > 1 else letter)
    if coefficient == 1 and len(factors) == 1:
        return factors[0]
    return Product(coefficient=Fraction(coefficient), above=tuple(factors))
