"""`matbackprop check`: whether the gradient in a file is right, and if not, what is wrong."""

from __future__ import annotations

import re
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from matbackprop._validation import check_count, check_option
from matbackprop.checking import Diagnosis
from matbackprop.checking.python_functions import check_file_gradient
from matbackprop.checking.r_functions import check_r_gradient
from matbackprop.checking.values_files import read_known, read_values
from matbackprop.cli.delivery import deliver
from matbackprop.cli.network_option import network_with_data
from matbackprop.errors import MissingExtraError, OptionError
from matbackprop.rbridge import RWarning
from matbackprop.reporting import Terminal, check_targets, html_page

_PICTURES = (".png", ".pdf", ".svg")


def check(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="FILE.R or FILE.py, with the two functions."),
    ],
    at: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Where to check: .json or .rds with the arguments by name, or .csv, one vector.",
            show_default=False,
        ),
    ],
    loss: Annotated[str, typer.Option(metavar="F", help="The function with one number.")] = "value",
    gradient: Annotated[str, typer.Option(metavar="G", help="Its gradient.")] = "gradient",
    wrt: Annotated[
        list[str] | None,
        typer.Option(
            metavar="a,b",
            help="Which arguments are parameters; the others are held fixed. By default those "
            "in the list that the gradient returns.",
        ),
    ] = None,
    known: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What may explain a mistake: .json, .rds or .csv."),
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help='The loss is that of y = a(b(X Gamma1)) Gamma2: "relu ddof=1 eps=0 sse"; all its '
            "quantities are then known. X and y are arguments, or known.",
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(help="How R is run: rpy2, rscript, or auto: the first that works.")
    ] = "auto",
    seed: Annotated[
        int | None, typer.Option(metavar="S", help="Seed of the second point and of directions.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a row for each entry.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the report as one page.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw both gradients: .png, .pdf, .svg.")
    ] = None,
) -> int:
    """Check a gradient in R or Python code, yours or generated, and say what is wrong with it.

    Code from `derive --emit r` or `--emit numpy` is checked without --loss and --gradient.

    Exit status: 0 the gradient is right, 1 it is not, 2 it could not be checked.
    """
    _check_targets(csv, html, plot)
    language = file.suffix.lower()
    if language not in (".r", ".py"):
        raise OptionError(
            f"`check FILE` reads R (FILE.R) and Python (FILE.py); got {file}. Name it so."
        )
    options: dict[str, Any] = {"wrt": _names(wrt)}
    if seed is not None:
        seed = check_count(seed, call="check", name="seed", at_least=0)
        options["rng"] = np.random.default_rng(seed)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", RWarning)
        point = read_values(at, engine=engine)
        facts = {} if known is None else read_known(known, engine=engine)
        if network is not None:
            options["network"] = network_with_data(network, facts, point)
        try:
            if language == ".py":
                found = check_file_gradient(file, loss, gradient, point, facts, **options)
            else:
                found = check_r_gradient(
                    file, loss, gradient, point, facts, engine=engine, **options
                )
        finally:
            _tell(heard)
    if plot is not None:
        from matbackprop import plots

        figure: Any = plots.plot_check(found).figure
        figure.savefig(plot)
    return deliver(found, json=json, csv=csv, html=html, page=_page, show=_show)


def _show(found: Diagnosis, terminal: Terminal) -> None:
    verdict, _, rest = str(found).partition("\n")
    terminal.say(verdict, style="bold green" if found.ok else "bold red")
    terminal.say(rest)


def _page(found: Diagnosis) -> str:
    import pandas as pd

    blocks = pd.DataFrame(found.to_dict()["blocks"])
    lines = [line for line in re.split(r"\n\s*\n", str(found)) if "not judged  max" not in line]
    return html_page("matbackprop check", lines, blocks, [("Every entry", found.to_frame())])


def _tell(heard: list[warnings.WarningMessage]) -> None:
    """Write warnings as R would, on the stream for messages: a line of code tells nothing here."""
    for text in dict.fromkeys(str(warning.message) for warning in heard):
        print(f"matbackprop: warning: {text}", file=sys.stderr)


def _names(wrt: list[str] | None) -> tuple[str, ...] | None:
    return tuple(name for name in re.split(r"[,;\s]+", ",".join(wrt or ())) if name) or None


def _check_targets(csv: Path | None, html: Path | None, plot: Path | None) -> None:
    check_targets(csv, html, plot, call="check --csv FILE --html FILE --plot FILE")
    if plot is None:
        return
    check_option(plot.suffix.lower(), _PICTURES, call="check", name="ending of --plot")
    if find_spec("matplotlib") is None:
        raise MissingExtraError(
            "`check --plot` needs matplotlib, which is not installed: "
            "pip install 'matbackprop[plots]'."
        )
