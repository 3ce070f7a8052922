"""R values as plain data: what conversion makes, and what every carrier carries.

Python values meet R only through `Node`, so the two live backends cannot disagree: one carries
nodes as R objects in memory, the other as R source text one way and as JSON the other.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from matbackprop.rbridge.missing import NA_INTEGER

Kind = Literal["NULL", "double", "integer", "logical", "character", "list", "other"]
Numbers = NDArray[np.float64] | NDArray[np.int32]
Strings = tuple[str | None, ...]

STORAGE: Final[Mapping[str, Any]] = {
    "double": np.float64,
    "integer": np.int32,
    "logical": np.int32,
}


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One R value.

    Attributes
    ----------
    kind
        R's storage type.
    payload
        double: flat float64, in column-major order. integer, logical: flat int32, where
        -2³¹ is NA. character: strings, None is NA. list: nodes. NULL: empty.
        other: what it is, in words; never sent, and refused when it comes.
    attributes
        R's attributes by name; of these the bridge carries `names`, `dim`, `dimnames`,
        `levels`, `row.names` and `class`.
    """

    kind: Kind
    payload: Any = ()
    attributes: Mapping[str, "Node"] = field(default_factory=dict)

    @property
    def dim(self) -> tuple[int, ...] | None:
        """Extent of each dimension; None for a plain vector."""
        dim = self.attributes.get("dim")
        return None if dim is None else tuple(int(n) for n in dim.payload)

    def strings(self, attribute: str, /) -> Strings | None:
        """Return the strings of a character attribute, None where it is absent."""
        node = self.attributes.get(attribute)
        return None if node is None or node.kind == "NULL" else node.payload


NULL: Final = Node("NULL")


def character(strings: Iterable[str | None], /) -> Node:
    """R's `c("...", NA, ...)`."""
    return Node("character", tuple(strings))


def integer(numbers: Iterable[int], /) -> Node:
    """R's `c(1L, ...)`, for numbers known to fit."""
    return Node("integer", np.array(tuple(numbers), dtype=np.int32))


def row_names(names: Strings | None, rows: int, /) -> Node:
    """R's `row.names`: given ones, or in R's compact form ``c(NA, -rows)``."""
    if names is not None:
        return character(names)
    return integer((NA_INTEGER, -rows) if rows else ())
