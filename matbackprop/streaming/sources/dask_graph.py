"""Rows of Dask's arrays and data frames: sums are made where the rows lie, and merge on the way."""

# mypy: allow-untyped-calls
# Dask has annotations in places only.

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import numpy as np
from array_api_compat import is_numpy_array

from matbackprop._typing import Array, Progress
from matbackprop._validation import column_names, is_frame, real_array
from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.errors import DataError, DtypeError, MissingExtraError, ShapeError
from matbackprop.streaming.blas_threads import one_blas_thread_each
from matbackprop.streaming.prediction import predicted
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.sources.arrays import (
    check_same_library,
    check_shapes,
    common_dtype,
    kind_of,
)
from matbackprop.streaming.sources.source import Layout
from matbackprop.streaming.works.mapped import RowMap
from matbackprop.streaming.works.parts import P, Work

if TYPE_CHECKING:
    import dask.array as da

COLUMNS = ("X", "y", "weights")

FAN_IN = 8
"""So many parts are merged at a time: P partitions need about P/7 merges, each of little memory."""


class DaskSource:
    """Partitions of X, y and weights, each a block of rows.

    Parameters
    ----------
    columns
        X, y and weights, if any, by these names: all of them Dask arrays, one chunk wide and of
        the same chunks of rows, or all of them data frames and series.
    layout
        Their shapes, dtype and names.
    in_memory
        Whether their blocks are NumPy's.
    sizes
        How many rows each partition has; None where nobody knows yet.
    call
        What the user called, for messages.
    """

    def __init__(
        self,
        columns: dict[str, Any],
        layout: Layout,
        *,
        in_memory: bool,
        sizes: tuple[int, ...] | None,
        call: str,
    ) -> None:
        self.layout, self.in_memory = layout, in_memory
        self._columns, self._sizes, self._call = columns, sizes, call

    def total(self, work: Work[P], /, *, threads: int, progress: Progress) -> tuple[P | None, int]:
        """Return the merged parts of all rows, and how many rows there were.

        The number of threads is for Dask's scheduler to decide, and Dask has displays of its own:
        `dask.diagnostics.ProgressBar`, and the dashboard of `distributed`.
        """
        found: _Found = self.graph(work).compute()
        if self._sizes is None:  # from now on a message can tell where a partition begins
            self._sizes = found.sizes
        return found.part, sum(found.sizes)

    def graph(self, work: Work[Any], /) -> da.Array:
        """Return what `total` computes: a Dask array whose only block is what was found.

        One task a partition, and a tree of merges in the order of the rows: the result is the
        same to the last bit whichever worker did what, and how many times.
        """
        import dask.array as da

        starts = None if self._sizes is None else (0, *accumulate(self._sizes))
        task = _Pass(work, self.layout, starts, self._call)
        return da.reduction(
            self._mapped(task, [*self._columns], 1, object),
            chunk=_part,
            combine=_merged,
            aggregate=_merged,
            axis=0,
            split_every=FAN_IN,
            concatenate=False,
            dtype=object,
            meta=np.empty(0, dtype=object),
        )

    def predicted(self, row_map: RowMap, outcome: int, rows: int, /) -> da.Array:
        """Return ŷ of all rows, lazily: a Dask array (N,) where `outcome` is 1, else (N, q)."""
        q, dtype = row_map.Gamma2.shape[1], row_map.W.dtype
        fitted = self._mapped(_Prediction(row_map, self._call), ["X"], q, dtype)
        return fitted[:, 0] if outcome == 1 else fitted

    def _mapped(self, task: _Task, names: list[str], width: int, dtype: Any) -> da.Array:
        """Return the array whose blocks are what the task makes of each partition.

        The task, which has the parameters in it, is a node of its own and enters the graph once.
        Dask's blockwise forms leave it free to make one node of what makes some rows and what is
        done with them, so that rows which are not kept never wait in memory.
        """
        import dask.array as da
        from dask.delayed import delayed

        name = f"{type(task).__name__.strip('_').lower()}-{uuid4().hex}"
        once = delayed(task, name=f"parameters-of-{name}", traverse=False)
        meta = np.empty((0, width), dtype=dtype)
        X, *others = (self._columns[name] for name in names)
        if not isinstance(X, da.Array):
            return X.map_partitions(
                _on_frames, *others, task=once, token=name, meta=meta, enforce_metadata=False
            )
        numbers = da.map_blocks(
            _number, chunks=((1,) * X.numblocks[0],), dtype=int, meta=np.empty(0, dtype=int)
        )
        # All columns share one index across, though they differ in width: Dask would otherwise
        # hand over lists of blocks, or copies.
        indexed = [argument for a in (X, numbers, *others) for argument in (a, "ij"[: a.ndim])]
        return da.blockwise(
            _on_arrays,
            "ij",
            *(once, None, *indexed),
            adjust_chunks={"j": width},
            align_arrays=False,
            name=name,
            dtype=dtype,
            meta=meta,
        )


def dask_source(X: Any, y: Any, weights: Any, /, *, call: str) -> DaskSource:
    """Return a source of Dask's arrays or data frames, or raise one clear error.

    Only what Dask knows of them is looked at; nothing is computed.
    """
    try:
        import dask.array as da
    except ImportError as error:
        raise MissingExtraError(
            f"`{call}` needs dask, which is not installed: pip install 'matbackprop[dask]'."
        ) from error
    given = {name: v for name, v in zip(COLUMNS, (X, y, weights), strict=True) if v is not None}
    metas = {name: _meta(value, call, name) for name, value in given.items()}
    check_same_library(metas, call)
    names = column_names(X._meta), column_names(y._meta)
    if any(isinstance(value, da.Array) for value in given.values()):
        given = {name: _as_array(value, metas[name], call, name) for name, value in given.items()}
        shapes = {name: array.shape for name, array in given.items()}
        given, sizes = _aligned(given, call)
    else:
        shapes = {name: meta.shape for name, meta in metas.items()}
        _check_shapes(shapes, call)
        _check_partitions({name: frame.npartitions for name, frame in given.items()}, call)
        sizes = None
    layout = Layout(
        p1=shapes["X"][1],
        outcome=tuple(shapes["y"][1:]),
        dtype=common_dtype([kind_of(meta) for meta in metas.values()]),
        weighted=weights is not None,
        input_names=names[0],
        output_names=names[1],
    )
    return DaskSource(given, layout, in_memory=is_numpy_array(metas["X"]), sizes=sizes, call=call)


def _meta(value: Any, call: str, name: str) -> AnyArray:
    """Return an array without rows that tells library and dtype; that of a frame is as wide."""
    import dask.array as da
    from dask.base import is_dask_collection

    framed = is_dask_collection(value) and hasattr(value, "to_dask_array")
    if not framed and not isinstance(value, da.Array):
        kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
        raise DtypeError(
            f"`{call}` needs Dask's arrays, data frames or series; got {name} a {kind}. Arrays in "
            "memory go to `Problem.from_arrays`, or through `dask.array.from_array`."
        )
    meta = _numbers(value._meta, call, name)
    if kind_of(meta) == "other":
        raise DtypeError(
            f"`{call}` needs real numbers in {name}; got dtype {meta.dtype}. Of complex numbers "
            "pass the real part."
        )
    return meta


def _as_array(value: Any, meta: AnyArray, call: str, name: str) -> da.Array:
    if not hasattr(value, "map_partitions"):
        return value
    return value.map_partitions(_numbers, call, name, meta=meta, enforce_metadata=False)


def _aligned(
    given: dict[str, da.Array], call: str
) -> tuple[dict[str, da.Array], tuple[int, ...] | None]:
    """Return arrays one chunk wide, of the same partitions, and how many rows these have.

    Where sizes are not known only the numbers of partitions can be compared, and the rows when
    they are there.
    """
    shapes = {name: array.shape for name, array in given.items()}
    known = not any(math.isnan(n) for shape in shapes.values() for n in shape[:1])
    _check_shapes(shapes if known else {name: (0, *s[1:]) for name, s in shapes.items()}, call)
    for name, shape in shapes.items():
        if any(math.isnan(n) for n in shape[1:]):
            raise ShapeError(
                f"`{call}` needs to know how many columns {name} has; got shape {shape}. Call "
                f"`{name}.compute_chunk_sizes()` first."
            )
    rows = given["X"].chunks[0]
    if known and sum(rows) == 0:
        raise DataError(f"`{call}` needs at least one row; X has shape {shapes['X']}.")
    across = {1: -1} | ({0: rows} if known else {})
    given = {
        name: array.rechunk({axis: across[axis] for axis in across if axis < array.ndim})
        for name, array in given.items()
    }
    _check_partitions({name: array.numblocks[0] for name, array in given.items()}, call)
    return given, None if any(map(math.isnan, rows)) else rows


def _check_shapes(shapes: dict[str, tuple[int, ...]], call: str) -> None:
    check_shapes(shapes["X"], shapes["y"], shapes.get("weights"), call)


def _check_partitions(numbers: dict[str, int], call: str) -> None:
    if len(set(numbers.values())) > 1:
        which = ", ".join(f"{name} {number}" for name, number in numbers.items())
        raise ShapeError(
            f"`{call}` needs the same partitions everywhere; got {which} of them. Where Dask does "
            "not know how many rows each has it cannot match them: take all from one data frame, "
            "or call `.compute_chunk_sizes()` on the arrays first."
        )


class _Task(Protocol):
    """What is done with a partition, whose number is for messages; data are still as they came."""

    def __call__(self, number: int, X: Any, *others: Any) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What came of some partitions: a part, None where there was no row; the rows of each."""

    part: Any
    sizes: tuple[int, ...]

    def merge(self, other: _Found, /) -> _Found:
        """Return what came of both, `other` following."""
        if self.part is None or other.part is None:
            part = other.part if self.part is None else self.part
        else:
            part = self.part.merge(other.part)
        return _Found(part, self.sizes + other.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class _Pass:
    """A work, and what is to be known of the partitions that it meets."""

    work: Work[Any]
    layout: Layout
    starts: tuple[int, ...] | None
    call: str

    def __call__(self, number: int, X: Any, *others: Any) -> _Found:
        call = f"{self.call}, partition {number}"
        given = dict(zip(COLUMNS, (X, *others), strict=False))
        _check_labels(given, call)
        _check_names(X, self.layout, call)
        given = {name: _numbers(value, call, name) for name, value in given.items()}
        _check_shapes({name: array.shape for name, array in given.items()}, call)
        X, y = given["X"], given["y"]
        found, wanted = (X.shape[1], *y.shape[1:]), (self.layout.p1, *self.layout.outcome)
        if found != wanted:
            raise ShapeError(
                f"`{call}` needs X and y with {wanted} columns, which Dask says they have; got "
                f"{found}. Give `from_delayed`, or what made them, the right shape or meta."
            )
        n = X.shape[0]
        if n == 0:
            return _Found(None, (0,))
        start = 0 if self.starts is None else self.starts[number]
        rows = Rows(X, y, given.get("weights"), start, f"partition {number}")
        with one_blas_thread_each():
            return _Found(self.work(rows), (n,))


@dataclass(frozen=True, slots=True, eq=False)
class _Prediction:
    """ŷ of a partition, in columns."""

    map: RowMap
    call: str

    def __call__(self, number: int, X: Any, *others: Any) -> Array:
        X = _numbers(X, f"{self.call}, partition {number}", "X")
        # X stands for the outcomes, which a prediction does not look at.
        fitted = predicted(self.map, Rows(X, X, None, 0), 2)
        return fitted.astype(self.map.W.dtype, copy=False)


def _on_arrays(task: _Task, X: Any, number: Any, *others: Any) -> Any:
    return task(int(number), X, *others)


def _on_frames(X: Any, *others: Any, task: _Task, partition_info: Any = None) -> Any:
    return task(partition_info["number"], X, *others)


def _number(block_id: tuple[int, ...]) -> Any:
    return block_id[0]


def _part(found: _Found, axis: Any, keepdims: bool) -> _Found:
    return found  # what Dask fuses the whole task of a partition under: its name on the dashboard


def _merged(found: Any, axis: Any, keepdims: bool) -> _Found:
    return reduce(_Found.merge, found if isinstance(found, list) else [found])


def _numbers(value: Any, call: str, name: str) -> AnyArray:
    """Return a partition as an array: NumPy's of float32 or float64, or another library's as is."""
    one = hasattr(value, "to_frame")  # a series: a missing entry becomes NaN in frames only
    if not one and not is_frame(value) and not is_numpy_array(value):
        return value
    array = real_array(value.to_frame() if one else value, call=call, name=name, finite=False)
    # A block that came from another worker may lie at an odd address or in another order. NumPy
    # multiplies such by other routines, and the last bits would tell where a block had been.
    return np.require(array[:, 0] if one else array, requirements=["C", "A"])


def _check_names(X: Any, layout: Layout, call: str) -> None:
    """Refuse a partition whose columns stand in another order: positions would pair them."""
    names = column_names(X)
    if names is not None and names != layout.input_names:
        raise DataError(
            f"`{call}` needs the columns {layout.input_names} of X in this order; it has {names}."
        )


def _check_labels(given: dict[str, Any], call: str) -> None:
    """Refuse frames whose labels differ: arrays would pair their rows by position."""
    labels = {name: value.index for name, value in given.items() if hasattr(value, "to_numpy")}
    for name, others in labels.items():
        if "X" in labels and not labels["X"].equals(others):
            raise DataError(
                f"`{call}` needs X and {name} with the same row labels in the same order; theirs "
                "differ. Take both from one data frame, or drop the labels with "
                "`.to_dask_array()`."
            )
