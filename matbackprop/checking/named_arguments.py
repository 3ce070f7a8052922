"""Functions of named arguments, some of them held fixed: what R files and Python files share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.door import check_gradient
from matbackprop.checking.packing import is_leaf
from matbackprop.checking.records import Diagnosis
from matbackprop.errors import OptionError

ANY_MORE = "..."
"""Among the names of a function's arguments: it takes others too."""


class FunctionFile(Protocol):
    """A file of functions in some language."""

    @property
    def functions(self) -> Mapping[str, tuple[str, ...]]:
        """The functions it has, each with the names of its arguments."""

    def function(self, name: str, /, *, fixed: Mapping[str, Any]) -> Callable[[Any], Any]:
        """Return one of them as a function of a dict of arguments, or of one argument."""


class Followed:
    """A function of a point, followed by a reading of its value; it keeps what `f` can do.

    Only the arguments in `takes` are handed on, where the point is a dict of arguments.
    """

    def __init__(
        self,
        f: Callable[[Any], Any],
        read: Callable[[Any], Any],
        takes: Callable[[Any], Any],
    ) -> None:
        self._f, self._read, self._takes = f, read, takes
        self.real_only = bool(getattr(f, "real_only", False))
        self.first_index = int(getattr(f, "first_index", 0))
        if hasattr(f, "many"):
            self.many = self._of_many

    def __call__(self, point: Any, /) -> Any:
        """Return the value at a point, read."""
        return self._read(self._f(self._takes(point)))

    def _of_many(self, points: Sequence[Any], /) -> list[Any]:
        several: Any = self._f
        return [self._read(v) for v in several.many([self._takes(point) for point in points])]


def check_named(
    file: FunctionFile,
    loss: str,
    gradient: str,
    at: Any,
    known: Mapping[str, Any],
    *,
    wrt: Sequence[str] | str | None,
    call: str,
    title: str,
    network: Any = None,
    rng: np.random.Generator | None = None,
    method: Any = "auto",
    step: float = 1e-2,
) -> Diagnosis:
    """Check the function `gradient` of a file against its function `loss`.

    Parameters
    ----------
    file, loss, gradient
        Where the functions are, and their names there.
    at
        A dict of arguments by name, or the one argument.
    wrt
        The names of the arguments that are parameters; the others are held fixed.
    call, title
        For messages, and for the first line of the report.

    Raises
    ------
    OptionError
        If a name in `wrt` is no argument, if it is needed and missing, or if an argument in
        `at` is taken by neither function.
    """
    named = isinstance(at, Mapping)
    if named:
        _check_taken(at, file, (loss, gradient), call)
    elif wrt:
        raise OptionError(
            f"`{call}` needs no wrt where `at` is one array; got {wrt!r}. Leave it out, or give "
            "the arguments by name."
        )
    names = _parameters(file, loss, gradient, at, wrt, call) if named else ()
    point = {name: at[name] for name in names} if named else at

    held = {key: value for key, value in at.items() if key not in names} if named else {}

    def bound(name: str, read: Callable[[Any], Any]) -> Followed:
        takes = _selection(file, name)
        return Followed(file.function(name, fixed=takes(held)), read, takes)

    found = check_gradient(
        bound(loss, _one_number),
        bound(gradient, lambda value: fitted(_parts(value, names), point)),
        point,
        # Data that are held fixed are known, as X, y and N are in a regression.
        {key: value for key, value in held.items() if _is_real(value)} | dict(known),
        network,
        rng,
        method=method,
        step=step,
    )
    # A lone array is called by the title in the table, where it has to be short.
    return replace(found, title=title) if named else found


def fitted(value: Any, template: Any, /) -> Any:
    """Return a gradient in the shapes of the parameters, where they differ in ones only.

    An n x 1 or 1 x n matrix fits a vector of n numbers, a vector fits a matrix of one row or
    column, one number fits a scalar. Whatever else came is returned as it is.

    Examples
    --------
    >>> fitted(np.ones((3, 1)), np.zeros(3))
    array([1., 1., 1.])
    """
    if isinstance(template, Mapping) and isinstance(value, Mapping):
        return {
            name: fitted(part, template[name]) if name in template else part
            for name, part in value.items()
        }
    if not is_leaf(template) or not is_leaf(value) or value is None:
        return value
    array, wanted = np.asarray(value), np.shape(template)
    if array.dtype.kind not in "biufc" or array.shape == wanted or array.size != np.prod(wanted):
        return value
    one_of_them_is_flat = len(wanted) < 2 or array.ndim < 2
    both_are_vectors = _is_vector(array.shape) and _is_vector(wanted)
    return array.reshape(wanted) if one_of_them_is_flat and both_are_vectors else value


def _is_real(value: Any) -> bool:
    if not is_leaf(value) or value is None:
        return False
    array = np.asarray(value)
    return array.dtype.kind in "iuf" and array.size > 0 and bool(np.isfinite(array).all())


def _is_vector(shape: tuple[int, ...]) -> bool:
    return sum(n != 1 for n in shape) <= 1


def _one_number(value: Any) -> Any:
    array: Array = np.asarray(value) if is_leaf(value) and value is not None else np.empty(0)
    return array.reshape(())[()] if array.size == 1 else value


def _parts(value: Any, names: Sequence[str]) -> Any:
    """Return the parts of a gradient that are asked for; of one parameter, a bare one by name."""
    if isinstance(value, Mapping) and any(name in value for name in names):
        return {name: value[name] for name in names if name in value}
    return {names[0]: value} if len(names) == 1 else value


def _selection(file: FunctionFile, name: str) -> Callable[[Any], Any]:
    takes = file.functions.get(name, (ANY_MORE,))

    def select(point: Any) -> Any:
        if ANY_MORE in takes or not isinstance(point, Mapping):
            return point
        return {key: value for key, value in point.items() if key in takes}

    return select


def _check_taken(
    at: Mapping[str, Any], file: FunctionFile, used: tuple[str, str], call: str
) -> None:
    if not at:
        raise OptionError(f"`{call}` needs at least one argument in `at`; got none.")
    for name in used:
        file.function(name, fixed={})  # it says so, if there is none
    takes = [file.functions[name] for name in used]
    unknown = [key for key in at if not any(key in t or ANY_MORE in t for t in takes)]
    if unknown:
        shown = ", ".join(f"{n}({', '.join(t)})" for n, t in zip(used, takes, strict=True))
        raise OptionError(
            f"`{call}` was given {', '.join(unknown)}, which neither function takes: {shown}. "
            "The names in `at` are the names of their arguments."
        )


def _parameters(
    file: FunctionFile,
    loss: str,
    gradient: str,
    at: Mapping[str, Any],
    wrt: Sequence[str] | str | None,
    call: str,
) -> tuple[str, ...]:
    names = tuple([wrt] if isinstance(wrt, str) else wrt or ())
    unknown = [name for name in names if name not in at]
    if unknown:
        raise OptionError(
            f"`{call}` knows wrt = {', '.join(at)}, the arguments in `at`; "
            f"got {', '.join(unknown)}."
        )
    if names:
        return names
    if len(at) == 1:
        return tuple(at)
    takes = _selection(file, gradient)
    value = file.function(gradient, fixed=takes(at))({})
    if isinstance(value, Mapping) and any(name in at for name in value):
        return tuple(name for name in value if name in at)
    raise OptionError(
        f"`{call}` cannot tell which arguments are the parameters: {gradient}() returned one "
        f"array, and there are {', '.join(at)}. Name the parameters (the others are held fixed): "
        f'wrt="{next(iter(at))}", on the command line --wrt {next(iter(at))}.'
    )
