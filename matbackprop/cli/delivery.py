"""Where a report goes: to files, to standard output, and into the exit status."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from matbackprop.reporting import Terminal, as_json, write_csv, write_text

if TYPE_CHECKING:
    import pandas as pd


class Deliverable(Protocol):
    """What `verify` and `claims` report."""

    @property
    def ok(self) -> bool:
        """Whether everything holds."""

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each thing that was checked."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON."""


R = TypeVar("R", bound=Deliverable)


def deliver(
    report: R,
    /,
    *,
    json: bool,
    csv: Path | None,
    html: Path | None,
    page: Callable[[R], str],
    show: Callable[[R, Terminal], None],
) -> int:
    """Write the files that were asked for, print JSON or show a table, and return the status."""
    if csv is not None:
        write_csv(report.to_frame(), csv)
    if html is not None:
        write_text(page(report), html)
    if json:
        print(as_json(report.to_dict()))
    else:
        show(report, Terminal())
    return 0 if report.ok else 1
