"""What an expression is evaluated at: an array for each variable, a number for each size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DtypeError, OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim

if TYPE_CHECKING:
    from matbackprop.symbolic.expressions.expression import Variable

_CALL = "evaluate(values)"


@dataclass(frozen=True, slots=True)
class Bindings:
    """Arrays by name of their variable, and sizes by their symbol."""

    arrays: Mapping[str, Any]
    sizes: Mapping[str, int]

    def size(self, dim: Dim, /) -> int:
        """Return the number that a dimension is here.

        Raises
        ------
        OptionError
            If a size in it has no value.
        """
        missing = sorted(dim.symbols - self.sizes.keys())
        if missing:
            raise OptionError(
                f"`{_CALL}` needs the size {missing[0]}, which no matrix shows: "
                f'add "{missing[0]}": … to the values.'
            )
        return dim.evaluate(self.sizes)


def bind(variables: Mapping[str, Variable], values: Mapping[str, Any], /) -> Bindings:
    """Return the values as arrays of the shapes that the variables were given."""
    missing = [name for name in variables if name not in values]
    if missing:
        raise OptionError(
            f"`{_CALL}` needs a value for {', '.join(missing)}; got {', '.join(values) or 'none'}."
        )
    arrays = {name: _array(variable, values[name]) for name, variable in variables.items()}
    sizes = {
        name: int(value)
        for name, value in values.items()
        if name not in variables and np.ndim(value) == 0
    }
    shown: dict[str, str] = {}
    for name, variable in variables.items():
        for dim, length in zip(variable.shape, arrays[name].shape, strict=True):
            if len(dim.terms) == 1 and dim.terms[0][1] == 1 and len(dim.terms[0][0]) == 1:
                symbol = dim.terms[0][0][0]
                if sizes.setdefault(symbol, length) != length:
                    raise ShapeError(
                        f"`{_CALL}` needs one value of the size {symbol}; {name} of shape "
                        f"{arrays[name].shape} says {length}, "
                        f"{shown.get(symbol, 'the values')} says {sizes[symbol]}."
                    )
                shown.setdefault(symbol, name)
    given = Bindings(arrays, sizes)
    for name, variable in variables.items():
        wanted = tuple(given.size(dim) for dim in variable.shape)
        if arrays[name].shape != wanted:
            raise ShapeError(
                f"`{_CALL}` needs {name} of shape {wanted}; got {arrays[name].shape}."
                + _hint(wanted)
            )
    return given


def _array(variable: Variable, value: Any) -> Array:
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise DtypeError(f"`{_CALL}` needs numbers in {variable.name}; got dtype {array.dtype}.")
    if array.ndim != len(variable.shape):
        wanted = "×".join(map(str, variable.shape)) or "a scalar"
        raise ShapeError(
            f"`{_CALL}` needs {variable.name} as {wanted}; got shape {array.shape}."
            + (" Write a column vector as `v.reshape(-1, 1)`." if array.ndim == 1 else "")
        )
    return array if array.dtype.kind in "fc" else array.astype(np.float64)


def _hint(wanted: tuple[int, ...]) -> str:
    return " Write a column vector as `v.reshape(-1, 1)`." if wanted[-1:] == (1,) else ""
