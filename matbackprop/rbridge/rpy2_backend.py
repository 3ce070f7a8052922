"""R inside this process, through rpy2; its start-up and the discipline of its calls.

R has one thread. It is started in Python's main thread only: started elsewhere it takes over
signals that Python needs, and `%%R` cells fail. Once started, any thread may call: each call
holds rpy2's lock from the first argument converted to the last result read, and has a converter
context of its own, so the rules of the calling thread are left alone.
"""

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matbackprop.errors import RUnavailableError
from matbackprop.rbridge.answer import call_text, read_answer
from matbackprop.rbridge.conversion import to_node
from matbackprop.rbridge.engine import Engine
from matbackprop.rbridge.installation import find_installation, refuse_old_r, unavailable
from matbackprop.rbridge.nodes import Node, character
from matbackprop.rbridge.reference import checked_reference
from matbackprop.rbridge.rpy2_objects import converter

_DRIVER = Path(__file__).with_name("driver.R")


@dataclass(frozen=True, slots=True)
class Rpy2Backend:
    """Calls the R in this process, one call at a time."""

    engine: Engine
    reference: Path
    driver: Any
    process: int

    def call(self, function: str, /, **arguments: Any) -> Any:
        """Run `function` of the reference folder in this process's R."""
        from rpy2.rinterface_lib.openrlib import rlock

        call = call_text(function, arguments)
        if os.getpid() != self.process:
            # A thread of the parent may have held R's lock when it forked, and here nobody
            # would ever give it back.
            raise RUnavailableError(
                f"`{call}`: R was started in process {self.process}, of which this one is a fork. "
                'Use `connect("rscript")` here, or the "spawn" start method of multiprocessing.'
            )
        sent = (
            character([str(self.reference)]),
            character([function]),
            to_node(arguments, call),
        )
        with rlock, _interruptible(), converter().context() as rules:
            told: Node = rules.rpy2py(self.driver["answer"](*map(rules.py2rpy, sent)))
        return read_answer(told, call)


def open_rpy2(*, reference: Path | str | None) -> Rpy2Backend:
    """Start R in this process, or join the one that runs.

    Raises
    ------
    RUnavailableError
        If rpy2 cannot start R, whatever it raised; or R is not running yet and this is not the
        main thread.
    """
    folder = checked_reference(reference, holding="all.R")
    if not _running() and threading.current_thread() is not threading.main_thread():
        raise RUnavailableError(
            '`connect("rpy2")` was called in the thread '
            f"{threading.current_thread().name!r} before R was started; R can be started in the "
            "main thread only. Call `connect` once in the main thread first, or use "
            'engine="rscript".'
        )
    home = os.environ.get("R_HOME")
    if home and not (Path(home) / "library" / "base").is_dir():
        # Some versions of rpy2 hand it to R, which then ends the whole process.
        raise unavailable("rpy2", f"R_HOME={home} is not the home of an R: it lacks library/base")
    try:
        version, driver = _start()
    # Not only ImportError: no R_HOME is a RuntimeError, a wrong one FileNotFoundError, and an
    # rpy2 that does not fit this R raises cffi's own error, a plain Exception.
    except Exception as error:
        raise unavailable("rpy2", f"{type(error).__name__}: {error}") from error
    refuse_old_r("rpy2", version)
    detail = f"rpy2 {find_rpy2_version()}"
    engine = Engine("rpy2", live=True, r_version=version, detail=detail)
    return Rpy2Backend(engine, folder, driver, os.getpid())


def find_rpy2_version() -> str:
    """Return the version of the rpy2 distribution that is installed."""
    return find_installation().rpy2.get("rpy2", "of unknown version")


def _running() -> bool:
    embedded = sys.modules.get("rpy2.rinterface_lib.embedded")
    return embedded is not None and bool(embedded.isinitialized())


def _start() -> tuple[str, Any]:
    with contextlib.ExitStack() as quiet:
        if not _running():
            # rpy2 warns about each environment variable that R sets.
            quiet.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
            quiet.enter_context(_output_to_stderr())
        import rpy2.rinterface as ri
        import rpy2.robjects  # noqa: F401  (starts R)
        from rpy2.rinterface_lib.openrlib import rlock

        with rlock:
            driver = ri.baseenv["new.env"](parent=ri.baseenv)
            ri.baseenv["sys.source"](ri.StrSexpVector([str(_DRIVER)]), envir=driver)
            return str(ri.baseenv["R.version.string"][0]), driver


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    # While R runs, Python hears of Ctrl-C inside a callback of rpy2's, which drops the
    # KeyboardInterrupt. So it is noted here, handed to R, and raised when R has returned.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    from rpy2.rinterface_lib import openrlib

    pressed = False

    def note(signum: int, frame: object) -> None:
        nonlocal pressed
        pressed = True
        openrlib.rlib.R_interrupts_pending = 1

    usual = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if pressed:
            openrlib.rlib.R_interrupts_pending = 0
            raise KeyboardInterrupt


@contextlib.contextmanager
def _output_to_stderr() -> Iterator[None]:
    # A profile that greets the user writes with C's stdio while R starts: only the file
    # descriptor can be turned aside.
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (AttributeError, OSError, ValueError):  # no standard output at all
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
