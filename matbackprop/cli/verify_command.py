"""`matbackprop verify`: R against Python against differences, number by number."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from matbackprop.reporting import Terminal, as_json, html_page, write_csv, write_text
from matbackprop.verification import Report
from matbackprop.verification import verify as run


def verify(
    engine: Annotated[
        str, typer.Option(help="rpy2, rscript, recorded, or auto: the first that works.")
    ] = "auto",
    random: Annotated[int, typer.Option(metavar="K", help="Also send K random problems to R.")] = 0,
    seed: Annotated[int, typer.Option(metavar="S", help="Seed of the random problems.")] = 0,
    tolerance: Annotated[
        float, typer.Option(help="Largest difference, relative to the terms that cancel.")
    ] = 1e-12,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the rows.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one page.")] = None,
) -> None:
    """Compare R's loops, Python's matrix forms, derivatives and posted figures.

    Exit status: 0 all match, 1 a mismatch, 2 it could not run.
    """
    # While JSON goes to standard output, people still see progress on the other stream.
    with Terminal(sys.stderr).progress() as progress:
        report = run(engine, random=random, seed=seed, tolerance=tolerance, progress=progress)  # type: ignore[arg-type]
    if csv is not None:
        write_csv(report.to_frame(), csv)
    if html is not None:
        write_text(_page(report), html)
    if json:
        print(as_json(report.to_dict()))
    else:
        _show(report, Terminal())
    raise typer.Exit(0 if report.ok else 1)


def _show(report: Report, terminal: Terminal) -> None:
    terminal.say(_engine_line(report))
    for name, why in report.engine.passed_over:
        terminal.say(f"  passed over {name}: {why}", style="dim")
    terminal.table(report.summary().drop(columns="yardstick"))
    wrong = report.mismatches()
    if wrong:
        frame = report.to_frame()
        shown = frame[frame["verdict"] != "match"].drop(columns=["yardstick", "verdict"])
        terminal.table(shown.head(20), title="What does not match")
        if len(shown) > 20:
            terminal.say(f"… {len(shown) - 20} more; --csv FILE or --html FILE has them all")
    terminal.say(_verdict(report), style="bold red" if wrong else "bold green")


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
    lines = [_verdict(report), _engine_line(report)]
    lines += [f"Passed over {name}: {why}" for name, why in report.engine.passed_over]
    return html_page("matbackprop verify", lines, report.summary(), details)
