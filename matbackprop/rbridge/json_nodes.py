"""Nodes from the typed JSON that `to_json` in the R reference folder writes.

Everything is checked, because recorded files can be edited by hand; the message says where in
the document the fault lies.
"""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from matbackprop.errors import DataError
from matbackprop.rbridge.missing import NA_BITS, NA_INTEGER
from matbackprop.rbridge.nodes import NULL, STORAGE, Node, character, integer, row_names

_SPECIAL: Final = {"NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf}


def node_from_json(document: Any, where: str = "$", /) -> Node:
    """Read one node of a parsed JSON document.

    Raises
    ------
    DataError
        If the document is not what `to_json` writes; `where` tells the place.

    Examples
    --------
    >>> node_from_json({"type": "double", "dim": [1, 2], "values": [0.5, "Inf"]}).payload
    array([0.5, inf])
    """
    if document is None:
        return NULL
    kind = document.get("type") if isinstance(document, dict) else None
    match kind:
        case "double" | "integer" | "logical" | "character":
            return _vector(document, where)
        case "list":
            return _list(document, where)
        case "factor":
            return _factor(document, where)
        case "data.frame":
            return _frame(document, where)
    raise _fault(where, 'null or an object with a known "type"', document)


def _vector(document: Mapping[str, Any], where: str) -> Node:
    kind = document["type"]
    values = _items(document, "values", where)
    payload: Any = (
        _texts(document, "values", where) if kind == "character" else _numbers(kind, values, where)
    )
    attributes: dict[str, Node] = {}
    if document.get("dim") is not None:
        dim = _items(document, "dim", where)
        if any(type(n) is not int or n < 0 for n in dim) or math.prod(dim) != len(values):
            raise _fault(f"{where}.dim", f"extents whose product is {len(values)}", dim)
        attributes["dim"] = integer(dim)
        if document.get("dimnames") is not None:
            attributes["dimnames"] = _dimnames(document, dim, where)
    elif document.get("names") is not None:
        attributes["names"] = _names(document, len(values), where)
    return Node(kind, payload, attributes)


def _dimnames(document: Mapping[str, Any], dim: list[int], where: str) -> Node:
    entries = _items(document, "dimnames", where)
    if len(entries) != len(dim):
        raise _fault(f"{where}.dimnames", f"{len(dim)} entries", entries)
    nodes = []
    for i, (labels, length) in enumerate(zip(entries, dim, strict=True)):
        place = f"{where}.dimnames[{i}]"
        nodes.append(NULL if labels is None else _names({"names": labels}, length, place))
    return Node("list", tuple(nodes))


def _list(document: Mapping[str, Any], where: str) -> Node:
    items = _items(document, "values", where)
    nodes = tuple(node_from_json(item, f"{where}.values[{i}]") for i, item in enumerate(items))
    named = document.get("names") is not None
    return Node("list", nodes, {"names": _names(document, len(nodes), where)} if named else {})


def _factor(document: Mapping[str, Any], where: str) -> Node:
    levels = _texts(document, "levels", where)
    codes = _numbers("integer", _items(document, "values", where), where)
    valid = (codes == NA_INTEGER) | ((codes >= 1) & (codes <= len(levels)))
    if not valid.all():
        raise _fault(f"{where}.values", f"codes from 1 to {len(levels)}", codes[~valid].tolist())
    classes = ["ordered", "factor"] if document.get("ordered") else ["factor"]
    attributes = {"levels": character(levels), "class": character(classes)}
    return Node("integer", codes, attributes)


def _frame(document: Mapping[str, Any], where: str) -> Node:
    items = _items(document, "columns", where)
    columns = tuple(node_from_json(c, f"{where}.columns[{i}]") for i, c in enumerate(items))
    given = _texts(document, "row_names", where) if document.get("row_names") is not None else None
    rows = len(given) if given is not None else len(columns[0].payload) if columns else 0
    if any(len(column.payload) != rows for column in columns):
        lengths = [len(column.payload) for column in columns]
        raise _fault(f"{where}.columns", f"columns of {rows} entries", lengths)
    attributes = {
        "names": _names(document, len(columns), where),
        "class": character(["data.frame"]),
        "row.names": row_names(given, rows),
    }
    return Node("list", columns, attributes)


def _numbers(kind: str, values: list[Any], where: str) -> Any:
    allowed = {"double": (int, float), "integer": (int,), "logical": (bool,)}[kind]
    special = {"NA": NA_INTEGER} if kind != "double" else {"NA": math.nan, **_SPECIAL}
    numbers = np.empty(len(values), dtype=STORAGE[kind])
    for i, value in enumerate(values):
        # By type, not isinstance: JSON's true must not pass for an integer.
        if type(value) in allowed and (kind != "integer" or abs(value) < 2**31):
            numbers[i] = value
        elif isinstance(value, str) and value in special:
            numbers[i] = special[value]
        else:
            raise _fault(f"{where}.values[{i}]", f"a {kind} value", value)
    if kind == "double":
        numbers.view(np.uint64)[[i for i, v in enumerate(values) if v == "NA"]] = NA_BITS
    return numbers


def _names(document: Mapping[str, Any], length: int, where: str) -> Node:
    names = _texts(document, "names", where)
    if len(names) != length:
        raise _fault(f"{where}.names", f"{length} names", list(names))
    return character(names)


def _texts(document: Mapping[str, Any], key: str, where: str) -> tuple[str | None, ...]:
    items = _items(document, key, where)
    for i, item in enumerate(items):
        if not (item is None or isinstance(item, str)):
            raise _fault(f"{where}.{key}[{i}]", "a string or null", item)
    return tuple(items)


def _items(document: Mapping[str, Any], key: str, where: str) -> list[Any]:
    items = document.get(key)
    if not isinstance(items, list):
        raise _fault(f"{where}.{key}", "a list", items)
    return items


def _fault(where: str, wanted: str, got: Any) -> DataError:
    shown = repr(got)
    return DataError(
        f"at {where} the JSON should hold {wanted}, but holds "
        f"{shown if len(shown) <= 60 else shown[:57] + '...'}"
    )
