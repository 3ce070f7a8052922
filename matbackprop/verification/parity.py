"""The main job: R runs the loops, Python the matrix forms, and every number is compared."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from numbers import Real
from pathlib import Path

import numpy as np

from matbackprop._typing import Progress
from matbackprop._validation import check_count
from matbackprop._version import __version__
from matbackprop.errors import OptionError, RUnavailableError
from matbackprop.network import ACTIVATIONS
from matbackprop.rbridge import Backend, connect
from matbackprop.rbridge.connection import EngineName
from matbackprop.verification.comparison import Comparison, as_results
from matbackprop.verification.derivatives import against_differences
from matbackprop.verification.gradients import against_loops, by_formulation
from matbackprop.verification.posted_figures import against_posted
from matbackprop.verification.problem import Problem, as_question
from matbackprop.verification.random_problems import draw, random_against_r
from matbackprop.verification.records import against_records, answers_of
from matbackprop.verification.report import Report

_Parts = Iterator[tuple[str, Iterator[Comparison]]]

RANDOM_PROBLEMS = 16  # twice through the activations
_CHUNK = 16  # random problems in one call to R: few calls, and still a moving progress bar


def verify(
    engine: EngineName = "auto",
    *,
    random: int | None = None,
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
        How many random problems to send to R besides the question's own; needs a live R. By
        default `RANDOM_PROBLEMS` where R is live, and none where it is recorded.
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
    if random is not None:
        check_count(random, call=call, name="random", at_least=0)
    check_count(seed, call=call, name="seed", at_least=0)
    real = isinstance(tolerance, Real) and not isinstance(tolerance, bool)
    if not real or not 0 <= tolerance < math.inf:
        raise OptionError(f"`{call}` needs a finite tolerance >= 0; got {tolerance!r}.")
    backend = connect(engine, reference=reference)
    live, r = backend.engine.live, f"R ({backend.engine.name})"
    if random and not live:
        raise RUnavailableError(
            f"`verify(random={random})` sends new problems to R, and only recorded results are "
            f"at hand ({backend.engine.r_version}). Install R, see `matbackprop r-info`, or "
            "leave random problems out."
        )
    K = (RANDOM_PROBLEMS if live else 0) if random is None else random
    rng = np.random.default_rng(seed)
    parts = [*_question_parts(backend, r, tolerance, reference)]
    for start in range(0, K, _CHUNK):
        chunk = [draw(index, rng) for index in range(start, min(start + _CHUNK, K))]
        parts.append(
            (f"random problem {start + 1} of {K}", random_against_r(chunk, backend, r, tolerance))
        )
    rows: list[Comparison] = []
    for done, (what, comparisons) in enumerate(parts):
        progress(done, len(parts), what)
        rows.extend(comparisons)
    progress(len(parts), len(parts), "done")
    run: dict[str, str | int | float] = {
        "matbackprop": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "random": K,
        "seed": seed,
        "tolerance": float(tolerance),
    }
    return Report(backend.engine, tuple(rows), run)


def _question_parts(
    backend: Backend, r: str, tolerance: float, reference: Path | str | None
) -> _Parts:
    answers = answers_of(backend)
    q = as_question(as_results(answers["question_data"]))
    yield "posted figures", against_posted(q, answers, r, tolerance)
    problem = Problem("question", q.network, q.parameters, q.X, q.y)
    by_r = {
        "loops": answers["question_loops"],
        "matrix forms": answers["question_matrix_forms"],
        "Kronecker forms": answers["question_kronecker"],
    }
    yield (
        "R loops against Python",
        against_loops(
            problem, by_r, by_formulation(problem), group="R loops", r=r, tolerance=tolerance
        ),
    )
    for activation in ACTIVATIONS:
        problem = q.with_activation(activation)
        yield (
            f"numerical derivatives, {activation}",
            against_differences(
                problem, by_formulation(problem), group="derivatives", tolerance=tolerance
            ),
        )
    if backend.engine.live:
        recorded = answers_of(connect("recorded", reference=reference))
        yield "recorded results", against_records(answers, recorded, r, tolerance)
