"""What a page about a derivation says, before it is spelt: lines, their rules, the proof."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop.symbolic.writing.forms import Form


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
        What is derived: "Gradient with respect to X".
    given
        The source, and what the names in it stand for.
    lines
        The steps that follow.
    result
        The result, with its large repeated parts named, and what these names stand for.
    proof
        The certificate, as a sentence.
    """

    title: str
    given: tuple[Line, ...]
    lines: tuple[Line, ...]
    result: tuple[Line, ...]
    proof: str


READING = (
    "⊙ and ⊘ multiply and divide entry by entry, and functions act so; vec stacks columns; "
    "a gradient G has the shape of its variable: dL = tr(GᵀdX)."
)
"""How the signs are to be read."""


def joined(lines: tuple[Line, ...], /) -> list[tuple[Form | None, Line]]:
    """Return the lines with their left sides, None where it is that of the line above."""
    previous: Form | None = None
    found: list[tuple[Form | None, Line]] = []
    for line in lines:
        found.append((None if line.left == previous else line.left, line))
        previous = line.left
    return found
