"""The second look at the entries, once a sum has told that one of them cannot be used."""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.streaming.rows import Rows


class Fault(NamedTuple):
    """The first entry that cannot be used, and how many there are; none if `number` is 0."""

    number: int = 0
    what: str = ""  # "NaN", "an infinite value", "a negative entry"
    name: str = ""  # "X", "y", "weights"
    row: int = 0  # of all rows, counted from 0
    row_there: int = 0  # of those of the same origin
    column: int | None = None
    origin: str = ""

    def merge(self, other: Fault, /) -> Fault:
        """Return the first of both, with the number of both."""
        first = self if self.number else other
        return first._replace(number=self.number + other.number)


class FirstFault:
    """Look for NaN, infinities and negative weights."""

    def __call__(self, chunk: Rows, /) -> Fault:
        """Return the first fault in some rows."""
        faults = [_not_finite(chunk, chunk.X, "X"), _not_finite(chunk, chunk.y, "y")]
        if chunk.weights is not None:
            faults.append(_not_finite(chunk, chunk.weights, "weights"))
            if not array_namespace(chunk.weights).isdtype(chunk.weights.dtype, "bool"):
                faults.append(_first(chunk, chunk.weights < 0, "weights", "a negative entry"))
        found = sorted((fault for fault in faults if fault.number), key=lambda fault: fault.row)
        return found[0]._replace(number=sum(f.number for f in found)) if found else Fault()


def _not_finite(chunk: Rows, array: AnyArray, name: str) -> Fault:
    xp = array_namespace(array)
    if not xp.isdtype(array.dtype, "real floating"):
        return Fault()
    fault = _first(chunk, ~xp.isfinite(array), name, "NaN")
    if not fault.number:
        return fault
    row = fault.row - chunk.start
    entry = array[row] if fault.column is None else array[row, fault.column]
    return fault if bool(xp.isnan(entry)) else fault._replace(what="an infinite value")


def _first(chunk: Rows, bad: AnyArray, name: str, what: str) -> Fault:
    where = array_namespace(bad).nonzero(bad)
    count = int(where[0].shape[0])
    if not count:
        return Fault()
    column = int(where[1][0]) if len(where) == 2 else None
    row = int(where[0][0])
    return Fault(count, what, name, chunk.start + row, chunk.offset + row, column, chunk.origin)
