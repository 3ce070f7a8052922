"""What a source prints, and the experiment that decides whether it is so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop.verification.claims.draw import Draw

Computed = Callable[[], ArrayLike]
"""A formula, evaluated only inside `weigh`: what is printed may not even conform."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One draw: how far the printed formula, and the corrected one, are from the truth.

    Parameters
    ----------
    printed
        Largest difference from the truth, relative to its largest entry in size; infinite where
        the formula does not conform or its code stops.
    conditioned
        The same on a second draw for which the condition of the claim holds; None without one.
    corrected
        The same for the corrected formula; None without one.
    obstacle
        Why the printed formula gave no numbers of the right shape; empty if it did.
    """

    printed: float
    conditioned: float | None = None
    corrected: float | None = None
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """A formula, figure, code fragment or statement that a source prints.

    Parameters
    ----------
    key
        A name for it, unique: "note/product-rule".
    source
        Which source, a key of `SOURCES`.
    place
        Where in the source it stands.
    says
        What it says, in our notation.
    how
        What decides: the truth it is held against, and on what draws.
    experiment
        Makes one draw and weighs what is printed against the truth.
    only_if
        The condition under which it holds, where it does not hold as it stands.
    corrected
        The formula that is right, where the printed one is not.
    """

    key: str
    source: str
    place: str
    says: str
    how: str
    experiment: Callable[[Draw], Trial]
    only_if: str = ""
    corrected: str = ""


def weigh(
    truth: ArrayLike,
    printed: Computed,
    /,
    *,
    corrected: Computed | None = None,
    conditioned: tuple[ArrayLike, Computed] | None = None,
) -> Trial:
    """Measure a printed formula, and its correction, against the truth.

    Parameters
    ----------
    truth
        The right value, found without the printed formula: by a complex step, a definition, R.
    printed
        Evaluates what is printed.
    corrected
        Evaluates the corrected formula, for the same draw.
    conditioned
        Truth and printed formula of a draw in which the condition of the claim holds.

    Examples
    --------
    >>> X, Y = np.ones((2, 3)), np.ones((3, 2))
    >>> trial = weigh(X @ Y, lambda: Y @ X, corrected=lambda: X @ Y)
    >>> trial.printed, trial.corrected, trial.obstacle
    (inf, 0.0, 'has shape (3, 3), the truth (2, 2)')
    """
    error, obstacle = _error(truth, printed)
    return Trial(
        printed=error,
        conditioned=None if conditioned is None else _error(*conditioned)[0],
        corrected=None if corrected is None else _error(truth, corrected)[0],
        obstacle=obstacle,
    )


def _error(truth: ArrayLike, formula: Computed) -> tuple[float, str]:
    expected = np.asarray(truth, dtype=np.float64)
    try:
        value = np.asarray(formula(), dtype=np.float64)
    # The finding itself: shapes that do not conform, a name that a listing never defines, None
    # where it needs a number. Anything else is a defect of the experiment, and is not caught.
    except (ValueError, NameError, TypeError) as error:
        return np.inf, _in_words(error)
    if value.shape != expected.shape:
        return np.inf, f"has shape {value.shape}, the truth {expected.shape}"
    return _deviation(expected, value), ""


def _deviation(expected: Array, value: Array) -> float:
    with np.errstate(invalid="ignore"):
        difference = float(np.abs(value - expected).max(initial=0.0))
    if not np.isfinite(difference):
        return np.inf
    # A truth that vanishes gives no scale; then the difference counts as it is.
    return difference / (float(np.abs(expected).max(initial=0.0)) or 1.0)


def _in_words(error: Exception) -> str:
    first = str(error).splitlines()[0]
    return f"does not run: {type(error).__name__}: {first}"
