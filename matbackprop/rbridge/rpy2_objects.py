"""Nodes as R objects in this process's memory, through rpy2, and back.

`converter` gives rpy2 these two rules. Call nothing here without rpy2's lock.
"""

from functools import cache
from typing import Any

import numpy as np

from matbackprop.rbridge.nodes import NULL, STORAGE, Kind, Node

_ATTRIBUTES = ("names", "dim", "dimnames", "levels", "class")


@cache
def converter() -> Any:
    """Return the rpy2 converter that knows nodes, and nothing else."""
    import rpy2.rinterface as ri
    from rpy2.robjects.conversion import Converter

    rules = Converter("matbackprop nodes")
    rules.py2rpy.register(Node, to_r)
    rules.rpy2py.register(ri.Sexp, from_r)
    return rules


def to_r(node: Node, /) -> Any:
    """Make the R object of a node."""
    import rpy2.rinterface as ri

    match node.kind:
        case "NULL":
            return ri.NULL
        case "list":
            value: Any = ri.ListSexpVector([to_r(item) for item in node.payload])
        case "character":
            value = ri.StrSexpVector(node.payload)
        case kind:
            vectors: dict[str, Any] = {
                "double": ri.FloatSexpVector,
                "integer": ri.IntSexpVector,
                "logical": ri.BoolSexpVector,
            }
            value = vectors[kind].from_memoryview(np.ascontiguousarray(node.payload).data)
    if not node.attributes:
        return value
    attributes = ri.ListSexpVector([to_r(item) for item in node.attributes.values()])
    named = ri.baseenv["names<-"](attributes, ri.StrSexpVector(list(node.attributes)))
    return ri.baseenv["attributes<-"](value, named)


def from_r(value: Any, /) -> Node:
    """Read an R object.

    Whatever has no form in Python becomes a node of kind "other". To raise here would keep R
    objects alive in the traceback, and they would be released later, without the lock.
    """
    import rpy2.rinterface as ri

    if value.typeof == ri.RTYPES.NILSXP:
        return NULL
    kinds: dict[Any, Kind] = {
        ri.RTYPES.REALSXP: "double",
        ri.RTYPES.INTSXP: "integer",
        ri.RTYPES.LGLSXP: "logical",
        ri.RTYPES.STRSXP: "character",
        ri.RTYPES.VECSXP: "list",
    }
    kind = kinds.get(value.typeof)
    if kind is None:
        return Node("other", (f"a value of type {ri.baseenv['typeof'](value)[0]}",))
    # Text in R can be bytes of no encoding; rpy2 would crash on those.
    if kind == "character" and not (
        all(ri.baseenv["validEnc"](value)) and "bytes" not in ri.baseenv["Encoding"](value)
    ):
        return Node("other", ("text that is not valid in its encoding",))
    return Node(kind, _payload(value, kind), _attributes(value))


def _payload(value: Any, kind: Kind) -> Any:
    import rpy2.rinterface as ri

    if kind == "list":
        return tuple(from_r(item) for item in value)
    if kind == "character":
        return tuple(None if text is ri.NA_Character else str(text) for text in value)
    if not len(value):
        return np.empty(0, dtype=STORAGE[kind])
    # A copy: the memory is R's, and goes when R collects it. Not by way of `memoryview()`: in
    # rpy2 3.6 each one gives up a reference to None that it never had, and before Python 3.12
    # the interpreter dies when the last is gone.
    return np.array(value, dtype=STORAGE[kind]).ravel(order="F")


def _attributes(value: Any) -> dict[str, Node]:
    import rpy2.rinterface as ri

    found = ri.baseenv["attributes"](value)
    if found.typeof == ri.RTYPES.NILSXP:
        return {}
    given = dict(zip(found.names, found, strict=True))
    attributes = {name: from_r(given[name]) for name in _ATTRIBUTES if name in given}
    if "row.names" in given:
        # Asked this way R shows its compact form, which tells automatic names from given ones.
        compact = ri.baseenv[".row_names_info"](value, ri.IntSexpVector([0]))
        attributes["row.names"] = from_r(compact)
    return attributes
