"""How names and sizes are written: Gamma1 as Γ₁, Xhat as X̂, mu_x as μ with the subscript x."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType

from matbackprop.symbolic.expressions.dimension import Dim, Monomial
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

_COMMANDS = {letter: command for command, letter in GREEK.items()}

# As programmers shorten them, since `lambda` is a word of Python.
_SHORT = {"lam": "lambda", "epsilon": "varepsilon", "eps": "varepsilon", **_COMMANDS}

_ACCENT = re.compile(r"(?P<stem>.+?)_?(?P<accent>hat|bar|tilde|dot)")
_PARTS = re.compile(r"(?P<stem>[^\W\d_]+?|[^_]+?)_?(?P<number>\d+)?(?:_(?P<rest>.+))?")
_ODD = re.compile(r"^_|__|_$")  # beside x and x_y, the names x_ and x__y are others


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
    if parts is None or _ODD.search(name):
        return verbatim(name)
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


def verbatim(name: str, /) -> Symbol:
    """Return a name as it stands."""
    return Symbol(name, face="word")


class Symbols(dict[str, Symbol]):
    """What names are written as: no two alike.

    Of names that mean one symbol the first is written so, others as they stand. Those given come
    first, whatever their order, then others as they are asked for.

    Examples
    --------
    >>> found = Symbols(["sigma_2", "sigma2"])
    >>> found["sigma2"] == symbol("sigma2"), found["sigma_2"]
    (True, Symbol(stem='sigma_2', accent='', below=(), face='word'))
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__()
        # λ before lambda: only the latter can be written otherwise.
        for name in sorted({*names}, key=lambda name: (name.isascii(), len(name), name)):
            self[name]

    def __missing__(self, name: str) -> Symbol:
        wanted = symbol(name)
        self[name] = verbatim(name) if wanted in self.values() else wanted
        return self[name]


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
