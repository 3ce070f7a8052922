"""A function under examination: counts its calls and refuses what cannot be differentiated."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError

Function: TypeAlias = Callable[[Array], Any]
"""A function of one array that returns a scalar or an array."""


class Probe:
    """Calls f near x and returns vec(f), a fresh array of shape (outputs,).

    The first call, at x itself, settles the shape of the output; later ones must agree.
    """

    def __init__(self, f: Function, x: Array, /, *, call: str, complex_valued: bool = False):
        if not callable(f):
            raise OptionError(f"`{call}` needs a function f of one array; got {f!r}.")
        if x.size == 0:
            raise ShapeError(f"`{call}` needs at least one entry in x; got shape {x.shape}.")
        self._f = f
        self._call = call
        self._complex = complex_valued
        self.evaluations = 0
        self.resolution = float(np.finfo(np.float64).eps)
        self._shape: tuple[int, ...] | None = None
        # A copy, here and in every later call, because f may write into its argument.
        self.centre = self(np.array(x, np.complex128 if complex_valued else np.float64), "x", 0.0)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of f(x); () for a scalar."""
        assert self._shape is not None  # set by the call in __init__
        return self._shape

    def __call__(self, point: Array, along: str, step: float) -> Array:
        """Return vec(f(point)); `along` and `step` say where that is, for the messages."""
        self.evaluations += 1
        output = np.asarray(self._f(point))
        place = "at x" if step == 0.0 else f"at a step of {step:.3g} along {along}"
        self._check_kind(output, place)
        if self._shape is None:
            self._shape = output.shape
            if output.dtype.kind in "fc":  # float32 output cannot carry float64's digits
                self.resolution = float(np.finfo(output.dtype).eps)
        elif output.shape != self._shape:
            raise ShapeError(
                f"`{self._call}` needs f to return one shape everywhere; it returned "
                f"{self._shape} at x and {output.shape} {place}."
            )
        if not np.isfinite(output).all():
            self._refuse(output, place)
        return np.array(output.reshape(-1, order="F"), np.complex128 if self._complex else float)

    def _check_kind(self, output: Array, place: str) -> None:
        kind = output.dtype.kind
        if kind not in "biufc":
            raise DtypeError(
                f"`{self._call}` needs f to return numbers, a scalar or an array; "
                f"{place} it returned dtype {output.dtype}."
            )
        if self._complex and kind != "c":
            raise DtypeError(
                f"`{self._call}` needs f to be analytic; given complex input it returned "
                f"dtype {output.dtype}, so the imaginary part, which carries the derivative, "
                "was dropped (by `abs`, `.real`, a norm, a comparison?). "
                "Use `central_difference(f, x)`."
            )
        if not self._complex and kind == "c":
            raise DtypeError(
                f"`{self._call}` needs f to return real numbers; {place} it returned dtype "
                f"{output.dtype}. Return the real part."
            )

    def _refuse(self, output: Array, place: str) -> None:
        bad = np.argwhere(~np.isfinite(output))[0]
        index = tuple(int(i) for i in bad)
        where = f"entry {list(index)} of f" if index else "f"
        remedy = (
            "Move x to where f is finite."
            if place == "at x"
            else "If f is defined only close to x, pass a smaller `step`."
        )
        raise DataError(
            f"`{self._call}` needs finite values of f; {where} is {output[index]} {place}. {remedy}"
        )


def entry_name(index: tuple[int, ...], /) -> str:
    """Name an entry of x in messages: x[2, 0], or x when it is a scalar."""
    return f"x{list(index)}" if index else "x"
