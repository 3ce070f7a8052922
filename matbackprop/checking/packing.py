"""A point in the structure its user gave it, as named blocks and as one vector, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import real_array
from matbackprop.errors import DtypeError, ShapeError

Blocks = Mapping[str, Array]
"""Arrays by name, in the order of the point; the name of a lone array is ""."""


class Packing:
    """How a point is built: an array, or a dict, tuple, list or dataclass of such, nested at will.

    Examples
    --------
    >>> packing = Packing({"W": np.ones((2, 3)), "b": np.zeros(3)}, call="check_gradient")
    >>> packing.names, packing.size
    (('W', 'b'), 9)
    >>> packing.build(np.arange(9.0))["b"]
    array([6., 7., 8.])
    """

    def __init__(self, at: Any, /, *, call: str, first: int = 0) -> None:
        self.template = at
        self.first = first  # where indices begin: 0 in Python, 1 in R
        self.call = call
        arrays = {
            name: real_array(leaf, call=call, name=f"at {name}".rstrip()).astype(
                np.float64, copy=False
            )
            for name, leaf in _leaves(at, "")
        }
        if len(arrays) < sum(1 for _ in _leaves(at, "")):
            raise ShapeError(
                f"`{call}` needs a name of its own for each parameter; got {', '.join(arrays)}, "
                "one of them twice. Rename it."
            )
        if not arrays or not any(array.size for array in arrays.values()):
            raise ShapeError(f"`{call}` needs at least one parameter in `at`; got {at!r}.")
        self.names = tuple(arrays)
        self.shapes = {name: array.shape for name, array in arrays.items()}
        stops = np.cumsum([array.size for array in arrays.values()])
        self.slices = {
            name: slice(int(stop) - array.size, int(stop))
            for (name, array), stop in zip(arrays.items(), stops, strict=True)
        }
        self.size = int(stops[-1])
        self.theta = self.vector(arrays)

    def vector(self, blocks: Blocks, /) -> Array:
        """Return the blocks one after another, each by its rows (NumPy's order)."""
        return np.concatenate([np.ravel(blocks[name]) for name in self.names])

    def blocks(self, theta: Array, /) -> dict[str, Array]:
        """Cut a vector into blocks; they are views of it."""
        return {name: theta[self.slices[name]].reshape(self.shapes[name]) for name in self.names}

    def build(self, theta: Array, /) -> Any:
        """Return the point in the structure that its user knows."""
        return _rebuilt(self.template, iter(self.blocks(theta).values()))

    def entry(self, position: int, /) -> str:
        """Name an entry of the vector as its user would: W[1, 2]."""
        for name, part in self.slices.items():
            if part.start <= position < part.stop:
                index = np.unravel_index(position - part.start, self.shapes[name])
                return f"{name or 'at'}{[int(i) + self.first for i in index] if index else ''}"
        raise IndexError(position)

    def read(self, value: Any, /, *, what: str) -> dict[str, Array]:
        """Return a gradient's arrays by name, whatever their shapes; it is built as the point is.

        A dict or a record is read by names, and a record may have more of them.

        Raises
        ------
        ShapeError
            If a name is missing or unknown, or the number of parts is not that of the point.
        DtypeError
            If a part is not real numbers.
        """
        found = dict(_paired(self.template, value, "", f"`{self.call}`: {what}"))
        return {
            name: real_array(
                found[name], call=self.call, name=f"{what} {name}".rstrip(), finite=False
            )
            for name in self.names
        }


def is_leaf(value: Any, /) -> bool:
    """Tell an array, or what becomes one, from a structure of arrays."""
    if isinstance(value, Mapping | tuple) or _is_record(value):
        return False
    # A list of numbers is an array; a list of arrays is a structure.
    return not isinstance(value, list) or _is_plain(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(part) for part in value)
    return isinstance(value, bool | int | float | complex | np.generic)


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _join(path: str, name: Any, *, index: bool = False) -> str:
    if index:
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else str(name)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if value is None and path:
        return
    if is_leaf(value):
        yield path, value
    elif _is_record(value):
        for name in _parameters(value):
            yield from _leaves(getattr(value, name), _join(path, name))
    elif isinstance(value, Mapping):
        for name, part in value.items():
            yield from _leaves(part, _join(path, name))
    else:
        for k, part in enumerate(value):
            yield from _leaves(part, _join(path, k, index=True))


def _parameters(record: Any) -> list[str]:
    """Return which fields of a record are parameters: not None, texts, flags or functions."""
    fields = {f.name: getattr(record, f.name) for f in dataclasses.fields(record) if f.init}
    return [
        name
        for name, value in fields.items()
        if not (value is None or isinstance(value, str | bytes | bool) or callable(value))
    ]


def _rebuilt(template: Any, parts: Iterator[Array]) -> Any:
    if template is None:
        return None
    if is_leaf(template):
        part = next(parts)
        return part[()] if part.ndim == 0 else part
    if _is_record(template):
        fields = {name: getattr(template, name) for name in _parameters(template)}
        return dataclasses.replace(
            template, **{name: _rebuilt(value, parts) for name, value in fields.items()}
        )
    if isinstance(template, Mapping):
        return {name: _rebuilt(value, parts) for name, value in template.items()}
    values = [_rebuilt(value, parts) for value in template]
    if hasattr(template, "_fields"):  # a named tuple
        return type(template)(*values)
    return values if isinstance(template, list) else tuple(values)


def _paired(template: Any, value: Any, path: str, what: str) -> Iterator[tuple[str, Any]]:
    if template is None and path:
        return
    place = f"{what} {path}".rstrip()
    if is_leaf(template):
        if isinstance(value, Mapping) or _is_record(value):
            raise DtypeError(
                f"{place} needs to be an array, as the point is; got a {type(value).__name__}."
            )
        yield path, value
        return
    if _is_record(template):
        names = _parameters(template)
        parts = [(name, getattr(template, name)) for name in names]
        yield from _by_name(parts, value, path, what, more=True)
    elif isinstance(template, Mapping):
        more = _is_record(value)
        yield from _by_name(list(template.items()), value, path, what, more=more)
    else:
        if not isinstance(value, list | tuple) or len(value) != len(template):
            came = f"{len(value)}" if isinstance(value, list | tuple) else type(value).__name__
            raise ShapeError(
                f"{place} needs a tuple of {len(template)} parts, as the point has; got {came}."
            )
        for k, (inner, part) in enumerate(zip(template, value, strict=True)):
            yield from _paired(inner, part, _join(path, k, index=True), what)


def _by_name(
    parts: list[tuple[Any, Any]], value: Any, path: str, what: str, *, more: bool
) -> Iterator[tuple[str, Any]]:
    place = f"{what} {path}".rstrip()
    names = ", ".join(str(name) for name, _ in parts)
    if isinstance(value, Mapping):
        has = {name: value[name] for name in value}
    elif _is_record(value):
        has = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    else:
        raise ShapeError(
            f"{place} needs the parts {names}, as the point has them: a dict, or a record with "
            f"these names; got {type(value).__name__}"
            f"{f' of shape {np.shape(value)}' if hasattr(value, 'shape') else ''}."
        )
    missing = [str(name) for name, _ in parts if has.get(name) is None]
    unknown = [] if more else [str(name) for name in has if name not in dict(parts)]
    if missing or unknown:
        said = [f"lacks {', '.join(missing)}"] if missing else []
        said += [f"has {', '.join(unknown)}, which the point has not"] if unknown else []
        raise ShapeError(f"{place} needs the parts {names}; it {' and '.join(said)}.")
    for name, inner in parts:
        yield from _paired(inner, has[name], _join(path, name), what)
