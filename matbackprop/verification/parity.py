"""The main job: R runs the loops, Python the matrix forms, and every number is compared."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from matbackprop._validation import check_count
from matbackprop._version import __version__
from matbackprop.errors import OptionError, RUnavailableError
from matbackprop.rbridge import Backend, connect
from matbackprop.rbridge.connection import EngineName
from matbackprop.verification.comparison import Comparison
from matbackprop.verification.derivatives import question_against_differences
from matbackprop.verification.gradients import question_against_r
from matbackprop.verification.posted_figures import against_posted
from matbackprop.verification.problem import as_question
from matbackprop.verification.random_problems import draw, random_against_r
from matbackprop.verification.records import against_records, answers_of
from matbackprop.verification.report import Report

Progress = Callable[[int, int, str], None]
"""Called with how many parts are done, of how many, and what is being done."""

_Parts = Iterator[tuple[str, Iterator[Comparison]]]

_CHUNK = 10  # random problems in one call to R: few calls, and still a moving progress bar


def verify(
    engine: EngineName = "auto",
    *,
    random: int = 0,
    seed: int = 0,
    tolerance: float = 1e-12,
    reference: Path | str | None = None,
    progress: Progress = lambda done, total, what: None,
) -> Report:
    """Compare R, Python, numerical derivatives and the posted figures, number by number.

    Parameters
    ----------
    engine
        "rpy2", "rscript", "recorded", or "auto": the first of these that works.
    random
        How many random problems to send to R besides the question's own; needs a live R.
    seed
        Their seed.
    tolerance
        Largest difference between two exact computations that matches, relative to the size of
        the terms that cancel in the quantity. (Posted figures are held to their last digit,
        central differences to 1e-8.)
    reference
        A folder of R files to use instead of those that ship with the package.
    progress
        Called before each part of the work.

    Returns
    -------
    A `Report`; `report.ok` tells whether everything matches.

    Raises
    ------
    RUnavailableError
        If R cannot be used as asked.
    OptionError
        If an option is out of range.

    Examples
    --------
    >>> report = verify("recorded")
    >>> report.ok, len(report.comparisons) > 100
    (True, True)
    """
    call = "verify(engine, random=, seed=, tolerance=)"
    check_count(random, call=call, name="random", at_least=0)
    check_count(seed, call=call, name="seed", at_least=0)
    if not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
        raise OptionError(f"`{call}` needs a finite tolerance >= 0; got {tolerance!r}.")
    backend = connect(engine, reference=reference)
    if random and not backend.engine.live:
        raise RUnavailableError(
            f"`verify(random={random})` sends new problems to R, and only recorded results are "
            f"at hand ({backend.engine.r_version}). Install R, see `matbackprop r-info`, or "
            "leave random problems out."
        )
    rng = np.random.default_rng(seed)
    parts = [*_question_parts(backend, tolerance, reference)]
    for start in range(0, random, _CHUNK):
        chunk = [draw(index, rng) for index in range(start, min(start + _CHUNK, random))]
        comparisons = random_against_r(chunk, backend, tolerance)
        parts.append((f"random problems, {start} of {random} done", comparisons))
    rows: list[Comparison] = []
    for done, (what, comparisons) in enumerate(parts):
        progress(done, len(parts), what)
        rows.extend(comparisons)  # the work is done here, part by part
    progress(len(parts), len(parts), "done")
    run: dict[str, str | int | float] = {
        "matbackprop": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "random": random,
        "seed": seed,
        "tolerance": tolerance,
    }
    return Report(backend.engine, tuple(rows), run)


def _question_parts(backend: Backend, tolerance: float, reference: Path | str | None) -> _Parts:
    answers, r = answers_of(backend), f"R ({backend.engine.name})"
    q = as_question(answers["question_data"])
    yield "posted figures", against_posted(q, answers, r, tolerance)
    yield "R loops against Python", question_against_r(q, answers, r, tolerance)
    yield "numerical derivatives", question_against_differences(q, tolerance)
    if backend.engine.live:
        recorded = answers_of(connect("recorded", reference=reference))
        yield "recorded results", against_records(answers, recorded, r, tolerance)
