"""Running the experiments: every claim, on several draws."""

from __future__ import annotations

import platform
import zlib

import numpy as np

from matbackprop._typing import Progress
from matbackprop._validation import check_count, check_option
from matbackprop._version import __version__
from matbackprop.rbridge import connect
from matbackprop.rbridge.connection import EngineName
from matbackprop.verification.claims.answers import ANSWERS
from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.course_note import COURSE_NOTE
from matbackprop.verification.claims.differential_forms import DIFFERENTIAL_FORMS
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.findings import ClaimsReport, Finding
from matbackprop.verification.claims.question import QUESTION
from matbackprop.verification.claims.sources import SOURCES
from matbackprop.verification.claims.torch_note import TORCH_NOTE
from matbackprop.verification.records import answers_of

CLAIMS: tuple[Claim, ...] = (*QUESTION, *ANSWERS, *DIFFERENTIAL_FORMS, *COURSE_NOTE, *TORCH_NOTE)
"""Every claim, in the order of the sources."""


def check_claims(
    engine: EngineName = "recorded",
    *,
    source: str | None = None,
    draws: int = 5,
    seed: int = 0,
    progress: Progress = lambda done, total, what: None,
) -> ClaimsReport:
    """Run the experiment of every claim, and return what was found.

    Parameters
    ----------
    engine
        Who answers for R, in the claims about printed figures: "rpy2", "rscript", "auto", or
        "recorded".
    source
        Only the claims of this source, a key of `SOURCES`.
    draws
        How many random draws each experiment makes.
    seed
        Their seed. Each claim has a generator of its own, so that adding one changes no other.
    progress
        Called before each claim.

    Raises
    ------
    OptionError
        If an option is unknown or out of range.
    RUnavailableError
        If R cannot be used as asked.

    Examples
    --------
    >>> report = check_claims(source="course note", draws=2)
    >>> report.ok, {row.source for row in report.findings}
    (True, {'course note'})
    """
    call = "check_claims(engine, source=, draws=, seed=)"
    check_count(draws, call=call, name="draws")
    check_count(seed, call=call, name="seed", at_least=0)
    if source is not None:
        check_option(source, SOURCES, call=call, name="source")
    backend = connect(engine)
    answers = answers_of(backend)
    claims = [claim for claim in CLAIMS if source in (None, claim.source)]
    findings = []
    for done, claim in enumerate(claims):
        progress(done, len(claims), claim.key)
        rng = np.random.default_rng([seed, zlib.crc32(claim.key.encode())])
        draw = Draw(rng, answers)
        findings.append(Finding.of(claim, [claim.experiment(draw) for _ in range(draws)]))
    progress(len(claims), len(claims), "done")
    run: dict[str, str | int] = {
        "matbackprop": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "draws": draws,
        "seed": seed,
        "engine": f"{backend.engine.name}, {backend.engine.r_version}",
    }
    return ClaimsReport(tuple(findings), run)
