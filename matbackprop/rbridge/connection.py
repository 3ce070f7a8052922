"""`connect`: open the backend asked for, or the first that works."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from matbackprop._validation import check_option
from matbackprop.errors import RUnavailableError
from matbackprop.rbridge.engine import Backend
from matbackprop.rbridge.recorded_backend import RecordedBackend, open_recorded
from matbackprop.rbridge.rpy2_backend import Rpy2Backend, open_rpy2
from matbackprop.rbridge.rscript_backend import RscriptBackend, open_rscript

EngineName = Literal["auto", "rpy2", "rscript", "recorded"]
ENGINES: Final[tuple[EngineName, ...]] = ("rpy2", "rscript", "recorded")
"""In the order in which "auto" tries them: fastest first, live before recorded."""


def connect(
    engine: EngineName = "auto",
    *,
    reference: Path | str | None = None,
    timeout: float = 600.0,
) -> Backend:
    """Open a way to R.

    Parameters
    ----------
    engine
        "rpy2" (in this process), "rscript" (a process for each call), "recorded" (results that
        R gave earlier), or "auto": the first of these that works. `Backend.engine` says which
        it is and why those before it were passed over.
    reference
        Folder of R files with an all.R; the one that ships with the package by default.
    timeout
        Seconds after which "rscript" stops a call.

    Raises
    ------
    RUnavailableError
        If the engine, or for "auto" every engine, cannot be used; the message says what to run.
    OptionError
        If there is no such engine, the folder lacks an all.R, or the timeout is not positive.

    Examples
    --------
    >>> backend = connect("recorded")
    >>> backend.engine.live
    False
    >>> backend.call("question_data")["X"].shape
    (10, 7)
    """
    check_option(engine, ("auto", *ENGINES), call="connect", name="engine")
    passed_over: list[tuple[str, str]] = []
    for name in ENGINES if engine == "auto" else (engine,):
        try:
            backend = _open(name, reference, timeout)
        except RUnavailableError as error:
            if engine != "auto":
                raise
            passed_over.append((name, str(error)))
            continue
        return replace(backend, engine=replace(backend.engine, passed_over=tuple(passed_over)))
    reasons = "; ".join(f"{name}: {why}" for name, why in passed_over)
    raise RUnavailableError(f'`connect("auto")` found no usable engine. {reasons}')


def _open(
    name: EngineName, reference: Path | str | None, timeout: float
) -> Rpy2Backend | RscriptBackend | RecordedBackend:
    openers: dict[str, Callable[[], Rpy2Backend | RscriptBackend | RecordedBackend]] = {
        "rpy2": lambda: open_rpy2(reference=reference),
        "rscript": lambda: open_rscript(reference=reference, timeout=timeout),
        "recorded": lambda: open_recorded(reference=reference),
    }
    return openers[name]()
