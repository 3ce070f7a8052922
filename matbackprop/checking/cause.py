"""A cause: one mistake in words, before it is known how much of an error it explains."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop._typing import Array
from matbackprop.checking.records import Kind


@dataclass(frozen=True, slots=True)
class Cause:
    """One mistake that a gradient may have.

    Attributes
    ----------
    kind
        Its name.
    sentence, remedy
        What is wrong, and what to do.
    evidence
        What was measured, where that is more than agreement.
    key
        What tells it from other mistakes, the same at every point and for every parameter.
    fitted
        Whether a number in it is nothing known: it must then hold at another point too.
    """

    kind: Kind
    sentence: str
    remedy: str
    evidence: str = ""
    key: str = ""
    fitted: bool = False  # whether a number in it is nothing known, only fitted

    @property
    def identity(self) -> tuple[str, str]:
        """What two findings of the same mistake share."""
        return self.kind, self.key or self.sentence


@dataclass(frozen=True, slots=True, eq=False)
class Base:
    """What a gradient would be with some mistakes in it, up to the constants yet to be fitted."""

    causes: tuple[Cause, ...]
    value: Array
    error: Array  # what may be wrong with it for the numerical derivative's sake
    cost: float
