"""Tables, words and progress in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from matbackprop.reporting.texts import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

_STYLES = {"match": "green", "MISMATCH": "bold red"}


class Terminal:
    """Writes tables and words to one stream; where that is no terminal, without colours.

    Parameters
    ----------
    stream
        Where to write; standard output by default.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        from rich.console import Console

        stream = stream or sys.stdout
        # Piped into a file or a pager, a table keeps its columns instead of being cut at 80.
        self._console = Console(
            file=stream, highlight=False, width=None if stream.isatty() else 140
        )

    def say(self, text: str, /, *, style: str | None = None) -> None:
        """Write a line of text, taken literally."""
        self._console.print(text, style=style, markup=False)

    def table(self, frame: pd.DataFrame, /, *, title: str | None = None) -> None:
        """Write a frame as a table: numbers to the right, verdicts in colour."""
        from pandas.api.types import is_numeric_dtype
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        for column in frame.columns:
            numeric = is_numeric_dtype(frame[column])
            table.add_column(column.replace("_", " "), justify="right" if numeric else "left")
        for row in frame.itertuples(index=False):
            cells = [readable(cell) for cell in row]
            table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in cells))
        self._console.print(table)

    @contextmanager
    def progress(self) -> Iterator[Callable[[int, int, str], None]]:
        """Show a bar while work lasts, and give the function that moves it.

        The bar is only drawn on a terminal, and is gone when the work is done.
        """
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
        with Progress(
            *columns, console=self._console, transient=True, disable=not self._console.is_terminal
        ) as bar:
            task = bar.add_task("starting R")

            def move(done: int, total: int, what: str) -> None:
                bar.update(task, completed=done, total=total, description=what)

            yield move
