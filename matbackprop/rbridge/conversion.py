"""Python values to nodes and back: the one place where the bridge decides what becomes what.

The table stands in the docstring of `matbackprop.rbridge`. Nothing is rounded, dropped or
guessed: a value without a lossless form in R is refused with a message that names it.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DataError, DtypeError, RCallError
from matbackprop.rbridge.frames import (
    categorical,
    categorical_node,
    frame,
    frame_node,
    is_pandas,
    series_node,
)
from matbackprop.rbridge.labelled import Labelled
from matbackprop.rbridge.missing import NA_INTEGER, NA_REAL
from matbackprop.rbridge.nodes import NULL, Node, Strings, character, integer

_LARGEST_EXACT: Final = 2**53


def to_node(value: Any, where: str = "value", /) -> Node:
    """Convert a Python value; `where` names it in messages.

    Raises
    ------
    DtypeError
        If R has no lossless form for a value of this kind.
    DataError
        If an integer fits neither R's 32 bits nor a double, or a text cannot be written in R.

    Examples
    --------
    >>> import numpy as np
    >>> to_node(np.array([[1.0, 2.0], [3.0, 4.0]])).payload
    array([1., 3., 2., 4.])
    """
    match value:
        case None:
            return NULL
        case Labelled():
            return _labelled_node(value, where)
        case dict():
            return _dict_node(value, where)
        case list() | tuple():
            return Node("list", tuple(to_node(v, f"{where}[{i}]") for i, v in enumerate(value)))
        case bool() | int() | float() | str() | np.generic() | np.ndarray():
            return _array_node(value, where)
    if is_pandas(value, "DataFrame"):
        return frame_node(value, where, _array_node)
    if is_pandas(value, "Series"):
        return series_node(value, where, _array_node)
    if is_pandas(value, "Categorical"):
        return categorical_node(value, where)
    raise DtypeError(
        f"R cannot be given {where}: its type is {type(value).__name__}. Pass None, a number, a "
        "text, an array, a list, a dict, a `Labelled`, or a pandas frame, series or categorical."
    )


def from_node(node: Node, /) -> Any:
    """Convert a node to a Python value.

    Raises
    ------
    RCallError
        If the R value has a class, or names, that Python would lose.
    """
    classes = node.strings("class") or ()
    if "data.frame" in classes:
        return frame(node, vector)
    if "factor" in classes:
        return categorical(node)
    if classes:
        raise RCallError(
            f"R returned a value of class {', '.join(map(repr, classes))}, which has no lossless "
            "form in Python. Convert it in R first, for instance with `as.numeric`, "
            "`as.character` or `unclass`."
        )
    if node.kind == "NULL":
        return None
    if node.kind == "other":
        raise RCallError(
            f"R returned {node.payload[0]}, which has no form in Python here. Return NULL, a "
            "vector, an array, a factor, a data.frame or a list."
        )
    if node.kind == "list":
        return _list(node)
    return vector(node)


def vector(node: Node, /) -> Array | Labelled:
    """Convert an atomic node, with its shape and labels."""
    values = _entries(node)
    if node.dim is not None:
        values = values.reshape(node.dim, order="F")
    names = node.strings("names")
    if names is not None:
        return Labelled(values, (names,))
    if "dimnames" in node.attributes:
        labels = node.attributes["dimnames"].payload
        dimnames = tuple(None if d.kind == "NULL" else d.payload for d in labels)
        if any(d is not None for d in dimnames):
            return Labelled(values, dimnames)
    return values


def _entries(node: Node) -> Array:
    if node.kind == "double":
        return np.asarray(node.payload)
    if node.kind == "character":
        return np.array(node.payload, dtype=object if None in node.payload else np.str_)
    missing = node.payload == NA_INTEGER
    entries = node.payload.astype(np.int64 if node.kind == "integer" else np.bool_)
    if not missing.any():
        return np.asarray(entries)
    entries[missing] = 0
    return np.ma.MaskedArray(entries, mask=missing)


def _list(node: Node) -> Any:
    items = [from_node(item) for item in node.payload]
    if node.dim is not None:
        raise RCallError(
            f"R returned a list with dimensions {node.dim}, which has no form in Python. "
            "Return a plain list."
        )
    names = node.strings("names")
    if names is None:
        return items
    odd = sorted({repr(name) for name in names if not name or names.count(name) > 1})
    if odd:
        raise RCallError(
            f"R returned a list whose names cannot be the keys of a dict: {', '.join(odd)} "
            "is empty, missing or repeated. Give each element its own name in R."
        )
    return dict(zip(names, items, strict=True))


def _dict_node(value: Mapping[Any, Any], where: str) -> Node:
    for key in value:
        if not isinstance(key, str) or not key:
            raise DtypeError(
                f"R cannot be given {where}: the key {key!r} of a dict becomes a name in R. "
                "Use texts that are not empty."
            )
    items = tuple(to_node(item, f"{where}[{key!r}]") for key, item in value.items())
    return Node("list", items, {"names": character(_checked(tuple(value), where))})


def _labelled_node(value: Labelled, where: str) -> Node:
    node = _array_node(value.values, where)
    labels = [None if names is None else _checked(names, where) for names in value.dimnames]
    if len(labels) == 1:
        names = {} if labels[0] is None else {"names": character(labels[0])}
        return Node(node.kind, node.payload, names)
    dimnames = tuple(NULL if names is None else character(names) for names in labels)
    return Node(node.kind, node.payload, {**node.attributes, "dimnames": Node("list", dimnames)})


def _array_node(value: Any, where: str) -> Node:
    array = np.ma.asarray(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    flat = array.ravel(order="F")
    mask = np.ma.getmaskarray(flat)
    data = np.ma.getdata(flat)
    dim = {"dim": integer(array.shape)} if array.ndim > 1 else {}
    match data.dtype.kind:
        case "f" if data.dtype.itemsize <= 8:
            payload = data.astype(np.float64)
            payload[mask] = NA_REAL
            return Node("double", payload, dim)
        case "b":
            return Node("logical", _with_na(data, mask), dim)
        case "i" | "u":
            return _integers(data, mask, dim, where)
        case "U" | "T" | "O":
            texts = [None if gone else v for v, gone in zip(data.tolist(), mask, strict=True)]
            return Node("character", _checked(texts, where), dim)
    raise DtypeError(
        f"R cannot be given {where}: an array of dtype {data.dtype} has no lossless form in R "
        "here. Pass float64, int64, bool or text (real and imaginary parts one by one)."
    )


def _with_na(data: Array, mask: Array) -> Array:
    # int64 first: a narrow dtype cannot hold R's NA even for the moment of choosing.
    return np.where(mask, NA_INTEGER, data.astype(np.int64)).astype(np.int32)


def _integers(data: Array, mask: Array, dim: dict[str, Node], where: str) -> Node:
    seen = data[~mask]
    # -2³¹ is R's NA, so R's integers end one short of it.
    if not seen.size or (int(seen.max()) < 2**31 and int(seen.min()) > NA_INTEGER):
        return Node("integer", _with_na(data, mask), dim)
    doubles = data.astype(np.float64)
    # Compared as Python integers: NumPy would round both sides to doubles first.
    for i in np.flatnonzero(~mask & (np.abs(doubles) >= _LARGEST_EXACT)):
        if int(doubles[i]) != int(data[i]):
            raise DataError(
                f"R cannot be given {where}: the integer {int(data[i])} (entry {i}, counted from "
                "0 in column-major order) fits neither R's 32-bit integers nor a double. "
                "Pass it as text, or round it with `astype(float)`."
            )
    doubles[mask] = NA_REAL
    return Node("double", doubles, dim)


def _checked(texts: Any, where: str) -> Strings:
    for text in texts:
        if text is None:
            continue
        if not isinstance(text, str):
            raise DtypeError(
                f"R cannot be given {where}: an array of objects may hold texts and None only, "
                f"but holds {text!r}. Convert it with `np.asarray(..., dtype=float)`."
            )
        if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise DataError(
                f"R cannot be given {where}: the text {text!r} holds a null character or half a "
                "surrogate pair, which R's texts cannot hold. Remove it."
            )
    return tuple(None if text is None else str(text) for text in texts)
