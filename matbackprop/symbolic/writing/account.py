"""What a page about a derivation says, before it is spelt: lines, their rules, the proof."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.writing.forms import Equation, Form
from matbackprop.symbolic.writing.unicode import plain, to_unicode
from matbackprop.symbolic.writing.wording import sentence


@dataclass(frozen=True, slots=True)
class Line:
    """left = right, by a rule; where `stage` is given, the gradient of a named part."""

    left: Form
    right: Form
    rule: str = ""
    stage: Form | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A derivation, laid out.

    Attributes
    ----------
    title
        What is derived: "Gradient with respect to X". It and the rules may be a `Wording`.
    given
        The source, and what the names in it stand for.
    lines
        The steps that follow, but for the last.
    result
        The last step, which is the result, with its large repeated parts named; and what those
        of its names stand for that are not given.
    proof
        The certificate, as a sentence.
    """

    title: str
    given: tuple[Line, ...]
    lines: tuple[Line, ...]
    result: tuple[Line, ...]
    proof: str


_SIGNS = {" ⊙ ": "⊙ multiplies", " ⊘ ": "⊘ divides", "^⊙": "powers marked ⊙ are taken"}

_FUNCTIONS = tuple(f"{plain(function.latex)}(" for function in FUNCTIONS.values())


def reading(account: Account, /) -> str:
    """Return how the signs in it are to be read, a sentence; empty if all are plain."""
    lines = (*account.given, *account.lines, *account.result)
    text = "\n".join(to_unicode(Equation(line.left, line.right)) for line in lines)
    acting = [says for sign, says in _SIGNS.items() if sign in text]
    acting += ["functions act"] if acting and any(name in text for name in _FUNCTIONS) else []
    facts = []
    if acting:
        *others, last = acting
        facts.append(f"{', '.join(others)}{' and ' * bool(others)}{last} entry by entry")
    facts += ["vec stacks columns"] if "vec(" in text else []
    facts += ["vech those of the lower triangle"] if "vech(" in text else []
    return f"{sentence('; '.join(facts))}." if facts else ""


def joined(lines: tuple[Line, ...], /) -> list[tuple[Form | None, Line]]:
    """Return the lines with their left sides, None where it is that of the line above."""
    previous: Form | None = None
    found: list[tuple[Form | None, Line]] = []
    for line in lines:
        found.append((None if line.left == previous else line.left, line))
        previous = line.left
    return found
