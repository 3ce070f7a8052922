"""`matbackprop verify`: R against Python against differences, number by number."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matbackprop.cli.delivery import deliver
from matbackprop.reporting import Terminal, check_targets, html_page
from matbackprop.verification import Report
from matbackprop.verification import verify as run

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 20


def verify(
    engine: Annotated[
        str, typer.Option(help="rpy2, rscript, recorded, or auto: the first that works.")
    ] = "auto",
    random: Annotated[
        int | None,
        typer.Option(metavar="K", help="Send K random problems to R; by default 16 if R is live."),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the random problems.")] = 0,
    tolerance: Annotated[
        float,
        typer.Option(
            help="Largest difference between exact computations, relative to the terms that "
            "cancel. (Posted figures are held to their last digit, central differences to 1e-8.)"
        ),
    ] = 1e-12,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row for each comparison.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as one page.")
    ] = None,
) -> int:
    """Compare R's loops, Python's matrix forms, derivatives and posted figures.

    Exit status: 0 all match, 1 a mismatch, 2 it could not run.
    """
    check_targets(csv, html, call="verify --csv FILE --html FILE")
    # While JSON goes to standard output, people still see progress on the other stream.
    with Terminal(sys.stderr).progress("starting R") as progress:
        report = run(engine, random=random, seed=seed, tolerance=tolerance, progress=progress)  # type: ignore[arg-type]
    return deliver(report, json=json, csv=csv, html=html, page=_page, show=_show)


def _show(report: Report, terminal: Terminal) -> None:
    terminal.say(_engine_line(report))
    for name, why in report.engine.passed_over:
        terminal.say(f"  passed over {name}: {why}", style="dim")
    summary = report.summary().drop(columns=["mismatches", "yardstick"])
    terminal.table(_briefly(summary, report), by="group")
    wrong = report.mismatches()
    if wrong:
        shown = _wrong_rows(report).drop(columns=["group", "shape", "yardstick", "verdict"])
        first = _briefly(shown.head(_SHOWN), report)
        terminal.table(first, title="What does not match", by="problem")
        if len(shown) > _SHOWN:
            more = len(shown) - _SHOWN
            terminal.say(f"... {more} more; --csv FILE or --html FILE has them all")
    terminal.say(_verdict(report), style="bold red" if wrong else "bold green")


def _wrong_rows(report: Report) -> pd.DataFrame:
    frame = report.to_frame()
    return frame[frame["verdict"] != "match"]


def _briefly(frame: pd.DataFrame, report: Report) -> pd.DataFrame:
    """Leave out which engine R is: the first line says it, and a table has to be narrow."""
    return frame.replace(f"R \\({report.engine.name}\\)", "R", regex=True)


def _engine_line(report: Report) -> str:
    engine = report.engine
    if engine.live:
        return f"R runs live through {engine.name} ({engine.detail}): {engine.r_version}"
    return f"R's results are RECORDED, not run now; made by {engine.r_version} ({engine.detail})"


def _verdict(report: Report) -> str:
    total, wrong = len(report.comparisons), len(report.mismatches())
    how = "" if report.engine.live else ", with recorded R results"
    if wrong:
        return f"{wrong} of {total} comparisons do NOT match{how}."
    return f"All {total} comparisons match{how}."


def _page(report: Report) -> str:
    frame = report.to_frame()
    details = [
        (str(group), rows.drop(columns="group"))
        for group, rows in frame.groupby("group", sort=False)
    ]
    if not report.ok:
        details.insert(0, ("What does not match", _wrong_rows(report)))
    run_line = ", ".join(f"{name} {value}" for name, value in report.run.items())
    lines = [_verdict(report), _engine_line(report), f"Run: {run_line}."]
    lines += [f"Passed over {name}: {why}" for name, why in report.engine.passed_over]
    return html_page("matbackprop verify", lines, report.summary(), details)
