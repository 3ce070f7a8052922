"""Rows in blocks that are made one after the other: from files, a database, a simulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from matbackprop.errors import DataError, DtypeError, ShapeError
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.sources.arrays import ArraySource, array_source
from matbackprop.streaming.sources.local import LocalSource
from matbackprop.streaming.sources.source import Layout, Loader

CALL = "Problem.from_blocks(net, blocks)"


class BlockSource(LocalSource):
    """Blocks (X, y) or (X, y, weights) of an iterable; the first says what all look like."""

    def __init__(self, blocks: Iterable[Any]) -> None:
        if isinstance(blocks, Iterator) or not isinstance(blocks, Iterable):
            what = type(blocks).__name__
            raise DtypeError(
                f"`{CALL}` passes over the blocks many times and needs an object that can be "
                f"iterated again and again; got {what}. Pass a list, or an object of a class "
                "whose `__iter__` begins anew."
            )
        self._blocks = blocks
        first = next(iter(blocks), None)
        if first is None:
            raise DataError(f"`{CALL}` needs at least one block; there was none.")
        source = _source_of(first, 0)
        self.layout, self.in_memory = source.layout, source.in_memory
        self._library = source.library

    def loaders(self) -> Iterator[Loader]:
        """Yield a loader for each block, as the iterable makes it, in the calling thread."""
        start = 0
        for number, block in enumerate(self._blocks):
            source = _source_of(block, number)
            _check_alike(source.layout, self.layout, number)
            if source.library != self._library:
                raise DtypeError(
                    f"`{CALL}` needs blocks of one library; block 0 is of {self._library}, "
                    f"block {number} of {source.library}."
                )
            rows = list(source.pieces())
            yield partial(_shifted, rows, start, f"block {number}")
            start += sum(piece.X.shape[0] for piece in rows)


def _shifted(pieces: list[Rows], start: int, origin: str) -> Iterator[Rows]:
    for piece in pieces:
        yield piece._replace(start=start + piece.start, origin=origin, offset=piece.start)


def _source_of(block: Any, number: int) -> ArraySource:
    call = f"{CALL}, block {number}"
    if not isinstance(block, tuple | list) or len(block) not in (2, 3):
        raise DtypeError(
            f"`{call}` needs each block to be a tuple (X, y) or (X, y, weights); "
            f"got {type(block).__name__}."
        )
    X, y, *weights = block
    return array_source(X, y, weights[0] if weights else None, call=call, empty=True)


def _check_alike(layout: Layout, first: Layout, number: int) -> None:
    if layout.dtype != first.dtype:
        raise DtypeError(
            f"`{CALL}` needs blocks of one dtype; block 0 is {first.dtype}, block {number} is "
            f"{layout.dtype}. Convert them with `.astype`."
        )
    for ours, theirs in (
        (layout.input_names, first.input_names),
        (layout.output_names, first.output_names),
    ):
        if ours and theirs and len(ours) == len(theirs) and ours != theirs:
            raise DataError(
                f"`{CALL}` needs blocks with the same columns in the same order; block 0 has "
                f"{theirs}, block {number} has {ours}."
            )
    if layout.weighted != first.weighted:
        raise ShapeError(
            f"`{CALL}` needs weights in every block or in none; block 0 and block {number} differ."
        )
    if (layout.p1, layout.outcome) != (first.p1, first.outcome):
        shapes = (f"X (n, {one.p1}) and y {_shape(one.outcome)}" for one in (first, layout))
        raise ShapeError(
            f"`{CALL}` needs blocks of one width; block 0 has {next(shapes)}, block {number} has "
            f"{next(shapes)}."
        )


def _shape(outcome: tuple[int, ...]) -> str:
    return "(n,)" if not outcome else f"(n, {outcome[0]})"
