"""The functions under examination: called with copies, watched, and counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import real_array
from matbackprop.checking.packing import Packing
from matbackprop.errors import DataError, DtypeError, FunctionError, OptionError, ShapeError


class Watched:
    """A function of the point, called with a fresh copy of it each time.

    Whatever the function raises passes through, with a note that says where it was called.
    """

    def __init__(self, f: Callable[[Any], Any], packing: Packing, /, *, name: str) -> None:
        if not callable(f):
            raise OptionError(
                f"`{packing.call}` needs {name} as a function of the point; got {f!r}."
            )
        self._f = f
        self.packing = packing
        self.name = name
        self.evaluations = 0
        self.real_only = bool(getattr(f, "real_only", False))
        self.many: Callable[[list[Any]], Sequence[Any]] | None = getattr(f, "many", None)

    def __call__(self, theta: Array, /) -> Any:
        """Return what the function says of the point θ.

        Raises
        ------
        FunctionError
            If the function changes its argument in place.
        """
        self.evaluations += 1
        own = theta.copy()
        point = self.packing.build(own)
        try:
            # Off the point, where logarithms may end, NumPy need not say so: the value does.
            with np.errstate(all="ignore"):
                value = self._f(point)
        except Exception as error:
            error.add_note(f"(raised by {self.name}, called by `{self.packing.call}`)")
            raise
        self._check_unchanged(theta, own)
        return value

    def of_many(self, thetas: Sequence[Array], /) -> list[Any]:
        """Return what it says of several points: by one call, where the function can do that."""
        if self.many is None:
            return [self(theta) for theta in thetas]
        self.evaluations += len(thetas)
        return list(self.many([self.packing.build(theta.copy()) for theta in thetas]))

    def _check_unchanged(self, theta: Array, own: Array) -> None:
        same = own == theta
        if same.all():
            return
        changed = ~(same | (np.isnan(own) & np.isnan(theta)))
        if changed.any():
            k = int(np.flatnonzero(changed)[0])
            raise FunctionError(
                f"`{self.packing.call}`: {self.name} changes its argument in place: "
                f"{self.packing.entry(k)} was {theta[k]:.6g} and is {own[k]:.6g} after the call. "
                "Whoever calls it again with the same array gets another value. Work on a copy: "
                "`x = x - step` instead of `x -= step`."
            )


_GRAINS = (1e-8, 3e-8, 1e-7, 3e-7, 1e-6)


class Outputs:
    """The values of the function that is differentiated, as an array of one shape.

    Of a loss the shape is (): one number. Of a Jacobian's function it is what came first.
    """

    def __init__(self, f: Watched, /, *, scalar: bool) -> None:
        self.f = f
        self.shape: tuple[int, ...] = ()
        self.eps = float(np.finfo(np.float64).eps)  # float32 where it computes in that
        self._inside: Array | None = None
        self._scalar = scalar

    def __call__(self, theta: Array, /) -> Array:
        """Return the function at θ, which may be complex; NaN where it is outside its domain."""
        try:
            return self.checked(self.f(theta))
        except FunctionError:
            raise
        except (ArithmeticError, ValueError):
            # At the point itself it has been called: only a step away a logarithm may end.
            if self._inside is None or (theta == self._inside).all():
                raise
            return np.full(self.shape, np.nan)

    def of_many(self, thetas: Sequence[Array], /) -> list[Array]:
        """Return the function at several points."""
        return [self.checked(value) for value in self.f.of_many(thetas)]

    @property
    def coarse(self) -> bool:
        """Whether it computes in less than double precision."""
        return self.eps > 1e-10

    def checked(self, value: Any, /) -> Array:
        """Return a value as an array, a loss as one number."""
        try:
            array = np.asarray(value)
        except ValueError:
            array = np.empty(0, dtype=object)
        call, name = self.f.packing.call, self.f.name
        if array.dtype.kind not in "iufc":
            raise DtypeError(
                f"`{call}` needs {name} to return {'a number' if self._scalar else 'numbers'}; "
                f"got {type(value).__name__}{'' if value is None else f' ({array.dtype})'}."
            )
        if not self._scalar:
            return array
        if array.size != 1:
            raise ShapeError(
                f"`{call}` needs a loss that returns one number; {name} returned an array of "
                f"shape {array.shape}. Sum it (`.sum()`, `.mean()`), or check its Jacobian: "
                "`check_jacobian(F, jacobian, at)`."
            )
        return array.reshape(())

    def at_the_point(self, theta: Array, /) -> Array:
        """Return the function at the point itself, where it must be finite."""
        value = self(theta)
        if value.dtype.kind == "c":
            raise DtypeError(
                f"`{self.f.packing.call}` needs {self.f.name} to return real numbers at a real "
                f"point; it returned {value.dtype}. Return the real part."
            )
        self.shape = value.shape
        if value.dtype.kind == "f":
            self.eps = max(self.eps, float(np.finfo(value.dtype).eps))
        if not np.isfinite(value).all():
            bad = value[~np.isfinite(value)].ravel()[0]
            raise DataError(
                f"`{self.f.packing.call}` needs a point where {self.f.name} is finite; at the "
                f"point given it is {bad}. Move the point, or mend the function."
            )
        self._inside = theta.copy()
        return value

    def note_grain(self, theta: Array, direction: Array, /) -> None:
        """Find out whether it computes in float32, though it returns a Python float.

        Along a line the second difference of a smooth function shrinks with the square of the step,
        that of a kink with the step; that of a staircase of single precision does not.
        """
        single = float(np.finfo(np.float32).eps)
        if not self._scalar or self.eps >= single:
            return
        h = direction * np.maximum(1.0, np.abs(theta))
        near = [theta + sign * d * h for d in _GRAINS for sign in (1.0, -1.0)]
        away = [theta + d * h for d in (1.1e-3, -1.3e-3, 1.7e-3)]
        centre, *values = (float(v) for v in self.of_many([theta, *near, *away]))
        if not np.isfinite(values).all():
            return
        with np.errstate(over="ignore"):
            in_single = np.asarray(values, np.float32) == np.asarray(values)
        size = max(abs(centre), *map(abs, values))
        pairs = zip(values[: len(near) : 2], values[1 : len(near) : 2], strict=True)
        bends = [abs(one - 2 * centre + other) for one, other in pairs]
        staircase = max(bends[:3]) > max(0.2 * single * size, max(bends) / 5)
        # Or all values are such as single precision has; of others, one in 500 million is.
        if staircase or (in_single.all() and len(set(values[-len(away) :])) > 1):
            self.eps = single


class Claims:
    """The gradient (or Jacobian) that is checked: its arrays by name, transposed if they came so.

    An array in place of a function is taken as the gradient at the point.
    """

    def __init__(
        self,
        gradient: Any,
        packing: Packing,
        /,
        *,
        name: str,
        shapes: dict[str, tuple[int, ...]] | None = None,
    ) -> None:
        self.packing = packing
        self.name = name
        self.shapes = packing.shapes if shapes is None else shapes
        self._wanted = "in the shape of its parameter"
        if self.shapes is not packing.shapes:
            self._wanted = "with a row for each output and a column for each parameter"
        self.transposed: set[str] = set()
        self.single = False  # whether it computes in float32
        self.f = Watched(gradient, packing, name=name) if callable(gradient) else None
        self._given = gradient

    @property
    def callable(self) -> bool:
        """Whether it can be asked at other points."""
        return self.f is not None

    def __call__(self, theta: Array, /) -> dict[str, Array]:
        """Return the gradient's arrays by name, in the shapes of the parameters."""
        return self._read(self._given if self.f is None else self.f(theta))

    def of_many(self, thetas: Sequence[Array], /) -> list[dict[str, Array]]:
        """Return the gradient at several points."""
        if self.f is None:
            return [self._read(self._given) for _ in thetas]
        if self.f.many is None:
            return [self(theta) for theta in thetas]
        return [self._read(value) for value in self.f.of_many(thetas)]

    def _read(self, value: Any) -> dict[str, Array]:
        if self.shapes is self.packing.shapes:
            found = self.packing.read(value, what=self.name)
        else:
            found = {"": real_array(value, call=self.packing.call, name=self.name, finite=False)}
        self.single = self.single or any(a.dtype == np.float32 for a in found.values())
        return {
            # A copy: a function may return one buffer each time, and fill it anew.
            name: self._conforming(name, array.astype(np.float64, copy=True))
            for name, array in found.items()
        }

    def _conforming(self, name: str, array: Array) -> Array:
        wanted = self.shapes[name]
        place = f"{self.name} {name}".rstrip()
        call = self.packing.call
        if array.shape != wanted:
            if len(wanted) == 2 and array.shape == wanted[::-1]:
                self.transposed.add(name)
                array = array.T
            else:
                raise ShapeError(
                    f"`{call}` needs {place} {self._wanted}, {wanted}; "
                    f"got {array.shape}. {_remedy(array, wanted)}"
                )
        if not np.isfinite(array).all():
            index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise DataError(
                f"`{call}` needs a finite gradient; {place} has {array[index]} at "
                f"{list(index) if index else 'the point'}. Move the point, or mend the function."
            )
        return array


def _remedy(array: Array, wanted: tuple[int, ...]) -> str:
    conforming = f"{wanted}"
    if len(wanted) == 2 and wanted[0] != wanted[1]:
        conforming += f" or, transposed, {wanted[::-1]}"
    size = int(np.prod(wanted))
    if array.size != size:
        return (
            f"Shapes that conform: {conforming}, {size} entries; {array.size} came. "
            "There is one entry for each entry of the parameter."
        )
    if array.ndim == 1:
        return (
            f"Shapes that conform: {conforming}. If it is vec of it, columns stacked as R "
            f'does, return `g.reshape({wanted}, order="F")`; by rows `g.reshape({wanted})`.'
        )
    return f"Shapes that conform: {conforming}. Return `g.reshape({wanted})`."
