"""`matbackprop claims`: what the sources print, and which of it is so."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from matbackprop.cli.delivery import deliver
from matbackprop.reporting import Terminal, check_targets, html_page
from matbackprop.verification.claims import SOURCES, ClaimsReport, check_claims

_ENOUGH_FOR_A_TABLE = 110  # columns; below, formulas would be cut into pieces
_SOURCES = ", ".join(f'"{name}"' for name in SOURCES)


def claims(
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Only this source: {_SOURCES}.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(help="Who answers for R: recorded, rpy2, rscript, or auto."),
    ] = "recorded",
    draws: Annotated[
        int, typer.Option(metavar="K", help="How many random draws decide each claim.")
    ] = 5,
    seed: Annotated[int, typer.Option(metavar="S", help="Their seed.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row for each claim.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table as one page.")
    ] = None,
) -> int:
    """Check each formula, figure and code fragment that the sources print.

    Each is decided by an experiment, run now: it holds, fails, or holds
    only under a condition. What is right instead is tested too.

    Exit status: 0 all are decided and all corrections hold, 1 not so,
    2 it could not run.
    """
    check_targets(csv, html, call="claims --csv FILE --html FILE")
    with Terminal(sys.stderr).progress("reading") as progress:
        report = check_claims(
            engine,  # type: ignore[arg-type]
            source=source,
            draws=draws,
            seed=seed,
            progress=progress,
        )
    return deliver(report, json=json, csv=csv, html=html, page=_page, show=_show)


def _show(report: ClaimsReport, terminal: Terminal) -> None:
    if terminal.width < _ENOUGH_FOR_A_TABLE:
        _list(report, terminal)
    else:
        terminal.table(report.table(), by="source")
    terminal.table(report.summary())
    terminal.say(_verdict(report), style="bold green" if report.ok else "bold red")


def _verdict(report: ClaimsReport) -> str:
    open_ones = report.undecided()
    if open_ones:
        keys = ", ".join(row.key for row in open_ones)
        return f"{len(open_ones)} of {len(report.findings)} claims are NOT decided: {keys}."
    return (
        f"All {len(report.findings)} claims are decided, by {_draws(report)} each, "
        "and every correction holds."
    )


def _list(report: ClaimsReport, terminal: Terminal) -> None:
    for source, rows in report.table().groupby("source", sort=False):
        terminal.say(f"\n{source}", style="bold")
        for row in rows.astype(str).to_dict("records"):
            terminal.say(f"\n  {row['place']}", style="dim")
            terminal.say(f"  {row['says']}")
            error = f" ({row['error']})" if row["error"] else ""
            terminal.say(f"  {row['verdict']}{error}", tone=row["verdict"])
            if row["instead"]:
                terminal.say(f"  instead: {row['instead']}")


def _draws(report: ClaimsReport) -> str:
    draws = report.run["draws"]
    return "one draw" if draws == 1 else f"{draws} draws"


def _page(report: ClaimsReport) -> str:
    frame = report.table(details=True)
    details = [
        (f"{name}: {SOURCES[str(name)]}", rows.drop(columns="source"))
        for name, rows in frame.groupby("source", sort=False)
    ]
    run = ", ".join(f"{name} {value}" for name, value in report.run.items())
    lines = [
        _verdict(report),
        "Errors, of what is printed and of what was tested in its place, are relative to the "
        "largest entry of the truth, the largest over all draws.",
        f"Run: {run}.",
    ]
    return html_page("matbackprop claims", lines, report.summary(), details, unfolded=True)
