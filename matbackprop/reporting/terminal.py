"""Tables, words and progress in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from matbackprop.reporting.texts import TONES, readable

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_STYLES = {"good": "green", "mixed": "yellow", "bad": "bold red"}


class Terminal:
    """Writes tables and words to one stream; where that is no terminal, without colours.

    Parameters
    ----------
    stream
        Where to write; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console

        class _Console(Console):
            def on_broken_pipe(self) -> None:
                raise  # rich would exit with 1, which means a mismatch here

        stream = stream or sys.stdout
        # Piped into a file or a pager, a table keeps its columns instead of being cut at 80.
        self._console = _Console(
            file=stream, highlight=False, width=None if stream.isatty() else 140
        )

    @property
    def width(self) -> int:
        """How many columns there are to write in."""
        return self._console.width

    def say(self, text: str, /, *, style: str | None = None, tone: str = "") -> None:
        """Write a line of text, taken literally; in the colour of a verdict, with its `tone`."""
        style = style or _style(tone) or None
        # Through a pipe nothing is wrapped: a line may be a command to copy.
        whole = not self._console.is_terminal
        self._console.print(text, style=style, markup=False, soft_wrap=whole)

    def table(
        self, frame: pd.DataFrame, /, *, title: str | None = None, by: str | None = None
    ) -> None:
        """Write a frame as a table: numbers to the right, verdicts in colour.

        With `by`, the values of that column become headings between the rows they share. A cell
        that is `pandas.NA` is left empty; NaN is written, for it may be a finding.
        """
        from pandas import NA
        from pandas.api.types import is_numeric_dtype
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1)
        )
        columns = [column for column in frame.columns if column != by]
        for column in columns:
            numeric = is_numeric_dtype(frame[column])
            # A number is never cut, a name never shortened: names fold over several lines.
            table.add_column(
                column.replace("_", " "),
                justify="right" if numeric else "left",
                no_wrap=numeric,
                overflow="fold",
            )
        groups = [("", frame)] if by is None else frame.groupby(by, sort=False)
        for heading, rows in groups:
            if by is not None:
                table.add_row(Text(str(heading), style="bold"))
            for row in rows[columns].itertuples(index=False):
                cells = ["" if cell is NA else readable(cell) for cell in row]
                table.add_row(*(Text(cell, style=_style(cell)) for cell in cells))
        self._console.print(table)

    @contextmanager
    def progress(self, first: str, /) -> Iterator[Callable[[int, int, str], None]]:
        """Show a bar while work lasts, `first` beside it, and give the function that moves it.

        The bar is only drawn on a terminal, and is gone when the work is done.
        """
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if not self._console.is_terminal:
            yield lambda done, total, what: None
            return
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(first, total=None)

            def move(done: int, total: int, what: str) -> None:
                bar.update(task, completed=done, total=total, description=what)

            yield move


def _style(cell: str) -> str:
    return _STYLES.get(TONES.get(cell, ""), "")
