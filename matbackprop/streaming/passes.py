"""The passes over one problem's rows: the first look, all that follow, and the look for a fault."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from matbackprop._typing import Progress
from matbackprop._validation import check_count, check_flag
from matbackprop.errors import DataError
from matbackprop.network.data_moments import DataMoments
from matbackprop.reporting import Terminal
from matbackprop.streaming.block_size import rows_of_sweep, rows_of_temporaries, rows_on_device
from matbackprop.streaming.faults import other_rows
from matbackprop.streaming.host import on_host
from matbackprop.streaming.sources.source import Source
from matbackprop.streaming.works.first_fault import FirstFault
from matbackprop.streaming.works.parts import P, Work
from matbackprop.streaming.works.survey import Survey, SurveyWork


def usable_cores() -> int:
    """Return how many cores this process may use.

    Examples
    --------
    >>> usable_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Manner:
    """How to pass over the rows: the options of `Problem.from_arrays`, and its name.

    Raises
    ------
    OptionError
        If an option is out of its range.
    """

    call: str
    threads: int | None = None
    block_rows: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        check_flag(self.progress, call=self.call, name="progress")
        for name in ("threads", "block_rows"):
            if getattr(self, name) is not None:
                check_count(getattr(self, name), call=self.call, name=name)


class Passes:
    """A source, the manner of passing over it, and how many rows there have to be.

    Attributes
    ----------
    source
        Where the rows are.
    rows
        How many the first look found.
    """

    def __init__(self, source: Source, manner: Manner) -> None:
        self.source = source
        self.rows = 0
        self._call, self._block_rows = manner.call, manner.block_rows
        self._progress = manner.progress
        self._threads = manner.threads or usable_cores()

    def survey(self, *, with_moments: bool) -> Survey:
        """Take the first look, and remember how many rows there were.

        Raises
        ------
        DataError
            If there is no row, an entry is not finite, a weight is negative, or all are 0.
        """
        layout = self.source.layout
        rows = self.rows_a_block(layout.p1, "float64")
        with self._showing("first look at the rows") as show:
            work = SurveyWork(layout.dtype, rows, with_moments)
            survey, self.rows = self.source.total(work, threads=self._threads, progress=show)
        if survey is None:
            raise DataError(f"`{self._call}` needs at least one row; there was none.")
        if not np.isfinite(on_host(survey.probe)) or on_host(survey.negative) > 0:
            self.raise_first_fault()
        weight = float(on_host(survey.weight))
        if weight == 0:
            raise DataError(
                f"`{self._call}` needs a row whose weight is not 0; all {self.rows} weights are."
            )
        if survey.moments is None:
            return replace(survey, weight=weight)
        found = survey.moments.settled()
        pivot, shift, gram = (on_host(a) for a in (found.pivot, found.shift, found.gram))
        moments = DataMoments(self.rows, weight, pivot, shift, gram)
        return replace(survey, weight=weight, moments=moments)

    def total(self, work: Work[P], call: str, /) -> P:
        """Return what comes of all rows.

        Raises
        ------
        DataError
            If they are not as many as there were at the first look.
        """
        with self._showing(call) as show:
            total, rows = self.source.total(work, threads=self._threads, progress=show)
        if total is None or rows != self.rows:
            raise other_rows(call, rows, self.rows)
        return total

    def rows_a_block(self, p2: int, dtype: str, /) -> int:
        """Return how many rows make a block, for p2 columns of H."""
        p1, itemsize = self.source.layout.p1, np.dtype(dtype).itemsize
        if self._block_rows is not None:
            return self._block_rows
        if not self.source.in_memory:
            return rows_on_device(p1, p2, itemsize)
        return rows_of_temporaries(max(p1, p2), itemsize)

    def rows_a_sweep(self, p2: int, dtype: str, /) -> int:
        """Return how many rows make a block of the compiled sweep."""
        p1, itemsize = self.source.layout.p1, np.dtype(dtype).itemsize
        return self._block_rows or rows_of_sweep(p1, p2, itemsize)

    def raise_first_fault(self) -> None:
        """Look for the entry that spoilt a sum, and raise `DataError`; return if there is none."""
        fault, _ = self.source.total(
            FirstFault(), threads=self._threads, progress=lambda done, total, what: None
        )
        if fault is None or not fault.number:
            return
        layout = self.source.layout
        names = {"X": layout.input_names, "y": layout.output_names}.get(fault.name)
        where = f"row {fault.row}"
        if fault.origin:
            where = f"row {fault.row_there} of {fault.origin} (row {fault.row} of all)"
        if fault.column is not None:
            where += f", column {fault.column}" + (f" ({names[fault.column]!r})" if names else "")
        raise DataError(
            f"`{self._call}` needs finite numbers, and weights >= 0; {fault.name} has "
            f"{fault.what} at {where} (counted from 0), {fault.number} such in all. "
            "Drop or impute these rows first."
        )

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Show no bars in this block: something else shows one, and there is room for one."""
        before, self._progress = self._progress, False
        try:
            yield
        finally:
            self._progress = before

    @contextmanager
    def _showing(self, what: str) -> Iterator[Progress]:
        if not self._progress:
            yield lambda done, total, what: None
            return
        with Terminal(sys.stderr).progress(what) as show:
            yield show
