"""Loss and gradient in a Python file, called by the names of their arguments."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from matbackprop.checking.named_arguments import ANY_MORE, check_named
from matbackprop.checking.records import Diagnosis
from matbackprop.errors import FunctionError, MatBackpropError, OptionError
from matbackprop.rbridge.user_functions import existing_file


class PythonFile:
    """A Python file, loaded as a module; while it loads, its folder is on the path.

    Raises
    ------
    DataError
        If there is no such file.
    FunctionError
        If it does not load; the message says what Python raised, and where.
    """

    def __init__(self, path: str | os.PathLike[str], /) -> None:
        self.path = existing_file(path, wanted="a Python file")
        self._module = _loaded(self.path)
        self.functions: Mapping[str, tuple[str, ...]] = {
            name: _arguments(f)
            for name, f in vars(self._module).items()
            if inspect.isfunction(f) and not name.startswith("_")
        }

    def function(self, name: str, /, *, fixed: Mapping[str, Any]) -> Callable[[Any], Any]:
        """Return a function of a dict of arguments, or of one argument.

        Raises
        ------
        OptionError
            If the file has no such function; the message lists those it has.
        """
        f = getattr(self._module, name, None)
        if not callable(f):
            has = ", ".join(f"{n}({', '.join(a)})" for n, a in self.functions.items())
            raise OptionError(
                f"{self.path} has no function {name!r}; it has {has or 'no function at all'}. "
                "Pass the name of one of its functions."
            )

        def call(point: Any) -> Any:
            # Copies: a function that changes its data would be given other data the next time.
            held = copy.deepcopy(dict(fixed))
            try:
                return f(**held, **point) if isinstance(point, Mapping) else f(point)
            except MatBackpropError:
                raise
            except Exception as error:
                raise FunctionError(f"`{name}()` {_stopped(self.path, error)}") from error

        return call


def _loaded(path: Path) -> ModuleType:
    specification = importlib.util.spec_from_file_location(f"matbackprop_checks_{path.stem}", path)
    if specification is None or specification.loader is None:
        raise OptionError(f"Cannot load {path}: wanted a Python file, whose name ends in .py.")
    module = importlib.util.module_from_spec(specification)
    kept = list(sys.path)
    sys.path.insert(0, str(path.parent))
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        specification.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        sys.modules.pop(module.__name__, None)
        raise FunctionError(f"The file {_stopped(path, error)}") from error
    finally:
        sys.path[:] = kept
    return module


def _arguments(f: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(f).parameters.values()
    return tuple(ANY_MORE if p.kind is p.VAR_KEYWORD else p.name for p in parameters)


def _stopped(path: Path, error: BaseException) -> str:
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f", line {line}" if line else ""
    return f"of {path.name} stopped in Python: {type(error).__name__}: {error} ({path}{where})"


def check_file_gradient(
    file: str | os.PathLike[str],
    loss: str,
    gradient: str,
    at: Any,
    known: Mapping[str, Any] | None = None,
    *,
    wrt: Sequence[str] | str | None = None,
    network: Any = None,
    rng: np.random.Generator | None = None,
) -> Diagnosis:
    """Check a gradient in a Python file, as `check_r_gradient` does with one in an R file.

    The functions are called by keyword with the names in `at`, or, if that is one array, with it
    alone.
    """
    source = PythonFile(file)
    return check_named(
        source,
        loss,
        gradient,
        at,
        known or {},
        wrt=wrt,
        call=f"check {source.path.name}",
        title=f"gradient, {gradient}() against {loss}() of {source.path.name}",
        network=network,
        rng=rng,
    )
