"""A user's own R functions, called from Python: at many points by one call of R."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from matbackprop._validation import check_option
from matbackprop.errors import DataError, OptionError, RCallError, RUnavailableError
from matbackprop.rbridge.connection import connect
from matbackprop.rbridge.engine import Backend, RWarning

LIVE_ENGINES: Final = ("auto", "rpy2", "rscript")
_TOOLS = Path(__file__).with_name("user_code")
# An R process reads its arguments as source text, some twenty characters for each number.
_NUMBERS_A_CALL = 200_000


class RFile:
    """A file of R functions, and the R that runs them.

    Each call of R loads the file anew, in the folder where it lies and in an environment of its
    own: it may attach packages, source and read files beside it, print, and keep state, which
    lasts as long as one call.

    Parameters
    ----------
    path
        The file.
    engine
        "rpy2", "rscript", or "auto": the first of these that works.

    Raises
    ------
    DataError
        If there is no such file.
    OptionError
        If the engine is none of these: recorded results know nothing of a user's functions.
    RUnavailableError
        If the engine cannot be used.
    RCallError
        If R cannot parse or run the file; the message is R's own.

    Examples
    --------
    ::

        file = RFile("loss.R")
        file.functions                         # {"loss": ("beta", "X", "y"), …}
        loss = file.function("loss", fixed={"X": X, "y": y})
        loss({"beta": beta})
        loss.many([{"beta": beta}, {"beta": 2 * beta}])      # one call of R
    """

    def __init__(self, path: str | os.PathLike[str], /, *, engine: str = "auto") -> None:
        self.path = existing_file(path, wanted="a file of R functions")
        self.backend = open_live(engine)
        self.calls = 0
        self.functions: Mapping[str, tuple[str, ...]] = {}
        self._warned: set[str] = set()
        self._run("", (), {})

    def function(self, name: str, /, *, fixed: Mapping[str, Any] | None = None) -> RFunction:
        """Return one of its functions; the arguments in `fixed` are added to each call.

        Raises
        ------
        OptionError
            If the file has no such function; the message lists those it has.
        """
        if name not in self.functions:
            has = ", ".join(f"{f}({', '.join(a)})" for f, a in self.functions.items())
            raise OptionError(
                f"{self.path} has no function {name!r}; it has {has or 'no function at all'}. "
                "Pass the name of one of its functions."
            )
        return RFunction(self, name, dict(fixed or {}))

    def call(self, name: str, points: Sequence[Any], fixed: Mapping[str, Any], /) -> list[Any]:
        """Call a function at each of the points; see `RFunction.many`."""
        values: list[Any] = []
        size = max(1, sum(map(_numbers, _values(points[0])))) if points else 1
        step = max(1, _NUMBERS_A_CALL // size)
        for start in range(0, len(points), step):
            values += self._run(name, points[start : start + step], fixed)
        return values

    def _run(self, name: str, points: Sequence[Any], fixed: Mapping[str, Any]) -> list[Any]:
        self.calls += 1
        sent = [point if isinstance(point, Mapping) else [point] for point in points]
        told = self.backend.call(
            "evaluate", file=str(self.path), name=name, points=sent, fixed=dict(fixed) or None
        )
        what = f"`{name}()` of {self.path.name}" if name else f"{self.path.name}"
        found = told_value(told, what, heard=self._warned)
        self.functions = {
            str(function): tuple(map(str, arguments))
            for function, arguments in dict(found["functions"] or {}).items()
        }
        return list(found["values"] or ())


@dataclass(frozen=True, slots=True)
class RFunction:
    """A function of an R file, its data held fixed.

    Attributes
    ----------
    file, name
        The file, and the name it has there.
    fixed
        Arguments by name, the same in every call.
    real_only
        True: complex numbers are not sent to it.
    first_index
        1: where R's indices begin, for messages.
    """

    file: RFile
    name: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    real_only: bool = True
    first_index: int = 1

    def __call__(self, point: Any, /) -> Any:
        """Return its value: `point` is a dict of arguments by name, or one argument."""
        return self.many([point])[0]

    def many(self, points: Sequence[Any], /) -> list[Any]:
        """Return its value at each point, in one call of R (in a few, if there is much to send).

        Numbers come back without names; integers and logicals become doubles. The state of
        R's random numbers goes on from point to point.

        Raises
        ------
        RCallError
            If R stops, at whichever point; the message is R's own.
        """
        return self.file.call(self.name, points, self.fixed)


def read_rds(path: str | os.PathLike[str], /, *, engine: str = "auto") -> Any:
    """Return the object in an .rds file: a list by its names, numbers as arrays.

    Raises
    ------
    DataError
        If there is no such file.
    RCallError
        If R cannot read it, or what it holds has no form in Python.
    """
    file = existing_file(path, wanted="an .rds file")
    return told_value(open_live(engine).call("read_rds", file=str(file)), f"readRDS of {path}")


def open_live(engine: str, /) -> Backend:
    """Open an R that runs now, with the tools of this module."""
    check_option(engine, LIVE_ENGINES, call="check_r_gradient", name="engine")
    if engine != "auto":
        return connect(engine, reference=_TOOLS)  # type: ignore[arg-type]
    try:
        return connect("rpy2", reference=_TOOLS)
    except RUnavailableError as error:
        return _rscript_after(error)


def told_value(told: Any, what: str, /, *, heard: set[str] | None = None) -> Any:
    """Return what R told, after passing on its warnings; those in `heard` are not repeated.

    Raises
    ------
    RCallError
        If R stopped.
    """
    heard = set() if heard is None else heard
    for message in map(str, told["warnings"]):
        if message not in heard:
            heard.add(message)
            warnings.warn(RWarning(f"R warned in {what}: {message}"), stacklevel=2)
    if told["error"] is not None:
        raise RCallError(f"{what} stopped in R: {told['error'][0]}")
    return told["value"]


def existing_file(path: str | os.PathLike[str], /, *, wanted: str) -> Path:
    """Return the whole path of a file, or raise `DataError` if there is none."""
    file = Path(path)
    if not file.is_file():
        came = "a folder" if file.is_dir() else "there is no such file"
        beside = sorted(p.name for p in file.parent.glob(f"*{file.suffix}") if p.is_file())
        shown = f" {file.parent} has {', '.join(beside[:8])}." if beside and file.suffix else ""
        raise DataError(f"Cannot read {file}: {came}; wanted {wanted}.{shown} Mend the path.")
    return file.resolve()


def _rscript_after(error: RUnavailableError) -> Backend:
    try:
        return connect("rscript", reference=_TOOLS)
    except RUnavailableError as other:
        raise RUnavailableError(
            f'`check_r_gradient(engine="auto")` found no R. rpy2: {error}; rscript: {other}'
        ) from other


def _values(point: Any) -> list[Any]:
    return list(point.values()) if isinstance(point, Mapping) else [point]


def _numbers(value: Any) -> int:
    if isinstance(value, Mapping | list | tuple):
        return sum(map(_numbers, _values(value) if isinstance(value, Mapping) else value))
    return int(getattr(value, "size", 1))
