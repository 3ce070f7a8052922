"""Rows of Parquet files, read a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.errors import DataError, DtypeError, MissingExtraError, OptionError
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.sources.arrays import common_dtype
from matbackprop.streaming.sources.local import LocalSource
from matbackprop.streaming.sources.source import Layout, Loader

BATCH_BYTES = 2**23
"""So much of a row group is turned into arrays at a time."""


class ParquetSource(LocalSource):
    """Some columns of files; a stretch is a row group."""

    def __init__(
        self,
        files: Sequence[Any],
        inputs: tuple[str, ...],
        outputs: tuple[str, ...],
        weights: str | None,
        layout: Layout,
    ) -> None:
        self._files, self._inputs, self._outputs, self._weights = files, inputs, outputs, weights
        self.layout = layout
        self.stretches = sum(metadata.num_row_groups for _, metadata in files)
        width = len(inputs) + len(outputs) + 1
        self._batch = max(BATCH_BYTES // (8 * width) // 512 * 512, 512)

    def loaders(self) -> Iterator[Loader]:
        """Yield a loader for each row group of each file."""
        start = 0
        for path, metadata in self._files:
            for group in range(metadata.num_row_groups):
                yield partial(self._load, path, metadata, group, start)
                start += metadata.row_group(group).num_rows

    def _load(self, path: Path, metadata: Any, group: int, start: int) -> Iterator[Rows]:
        import pyarrow as pa

        try:
            yield from self._read(path, metadata, group, start)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(
                f"`Problem.from_parquet` cannot read {path} any more: {error}. If the file has "
                "changed, make the problem anew."
            ) from error

    def _read(self, path: Path, metadata: Any, group: int, start: int) -> Iterator[Rows]:
        import pyarrow.parquet as pq

        named = [] if self._weights is None else [self._weights]
        columns = list(dict.fromkeys([*self._inputs, *self._outputs, *named]))
        offset = 0
        with pq.ParquetFile(path, metadata=metadata, pre_buffer=False) as file:
            for batch in file.iter_batches(
                batch_size=self._batch, row_groups=[group], columns=columns, use_threads=False
            ):
                X = self._matrix(batch, self._inputs)
                y = self._matrix(batch, self._outputs)
                yield Rows(
                    X,
                    y if self.layout.outcome else y[:, 0],
                    self._matrix(batch, named)[:, 0] if named else None,
                    start + offset,
                    f"row group {group} of {path.name}",
                    offset,
                )
                offset += len(X)

    def _matrix(self, batch: Any, names: Sequence[str]) -> Array:
        matrix = np.empty((batch.num_rows, len(names)), dtype=self.layout.dtype)
        for j, name in enumerate(names):
            # A missing entry becomes NaN, which the survey finds and names.
            matrix[:, j] = batch.column(name).to_numpy(zero_copy_only=False)
        return matrix


def parquet_source(
    files: str | Path | Sequence[str | Path],
    inputs: Sequence[str],
    outputs: str | Sequence[str],
    weights: str | None,
    /,
    *,
    call: str,
) -> ParquetSource:
    """Return a source of Parquet files, or raise one clear error; only their footers are read."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(
            f"`{call}` needs pyarrow, which is not installed: pip install 'matbackprop[parquet]'."
        ) from error
    named = tuple(inputs) if not isinstance(inputs, str) else (inputs,)
    results = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    if not named or not results:
        raise OptionError(f"`{call}` needs the name of at least one input and one output.")
    columns = dict.fromkeys([*named, *results, *([] if weights is None else [weights])])
    opened, kinds = [], []
    for path in _paths(files, call):
        try:
            metadata = pq.read_metadata(path)
        except (OSError, pa.ArrowInvalid) as error:
            raise DataError(f"`{call}` cannot read {path}: {error}") from error
        schema = metadata.schema.to_arrow_schema()
        for name in columns:
            if name not in schema.names:
                raise DataError(
                    f"`{call}` finds no column {name!r} in {path}; it has "
                    f"{', '.join(map(repr, schema.names))}."
                )
            kinds.append(_kind(schema.field(name).type, name, path, call))
        opened.append((path, metadata))
    outcome = () if isinstance(outputs, str) else (len(results),)
    layout = Layout(len(named), outcome, common_dtype(kinds), weights is not None, named, results)
    return ParquetSource(opened, named, results, weights, layout)


def _kind(dtype: Any, name: str, path: Path, call: str) -> str:
    import pyarrow.types as types

    if types.is_float32(dtype):
        return "float32"
    if types.is_floating(dtype) or types.is_integer(dtype) or types.is_boolean(dtype):
        return "float64"
    raise DtypeError(
        f"`{call}` needs real numbers; column {name!r} of {path} has type {dtype}. "
        "Leave it out, or encode it in numbers first."
    )


def _paths(files: str | Path | Sequence[str | Path], call: str) -> list[Path]:
    if not isinstance(files, str | Path | Sequence):
        raise DtypeError(
            f"`{call}` needs files to be a path, or several; got {type(files).__name__}."
        )
    given = [files] if isinstance(files, str | Path) else list(files)
    paths: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            paths += sorted(path.glob("*.parquet"))
        elif path.exists():
            paths.append(path)
        else:
            raise DataError(f"`{call}` finds no file or folder {path}.")
    if not paths:
        raise DataError(f"`{call}` finds no `*.parquet` in {', '.join(map(str, given))}.")
    return paths
