"""`matbackprop bench`: how fast and how compact, on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from matbackprop._validation import check_option
from matbackprop.bench import bench_layers, bench_symbolic
from matbackprop.reporting import Terminal, as_json

if TYPE_CHECKING:
    import pandas as pd

BENCHMARKS: Mapping[str, Callable[..., pd.DataFrame]] = MappingProxyType(
    {"layers": bench_layers, "symbolic": bench_symbolic}
)
"""What there is to measure."""


def bench(
    what: Annotated[
        str, typer.Argument(metavar="[layers|symbolic]", help="What to measure.")
    ] = "layers",
    repeats: Annotated[int, typer.Option(metavar="K", help="How many rounds.")] = 15,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Time batch norm beside torch's own, or measure the symbolic derivatives.

    layers: forward plus backward, in train mode. A ratio below 1 is faster
    than torch. Only engines that are installed take part: the extras are
    `fast` (numba) and `torch`.

    symbolic: sixty derivatives, each with the size of its result beside that
    of the ideal form, and the time it takes to derive; then a network with
    batch norm, and its emitted code beside the closed form written by hand.

    Exit status: 0 it ran, 2 it could not run.
    """
    check_option(what, BENCHMARKS, call="matbackprop bench", name="what")
    with Terminal(sys.stderr).progress("warming up") as progress:
        frame = BENCHMARKS[what](repeats=repeats, progress=progress)
    if json:
        rows = frame.astype(object).where(frame.notna(), None)  # no torch, no ratio
        print(as_json({"rows": rows.to_dict("records")}))
    elif what == "layers":
        _show_layers(frame)
    else:
        _show_symbolic(frame)
    return 0


def _show_layers(frame: pd.DataFrame) -> None:
    frame.insert(0, "case", frame.pop("shape") + ", " + frame.pop("dtype"))
    if frame["ratio"].isna().all():
        Terminal().say("torch is not installed, so there is no ratio to it: pip install torch")
        del frame["ratio"]
    Terminal().table(frame, title="Forward plus backward, medians", by="case")


def _show_symbolic(frame: pd.DataFrame) -> None:
    title = "Nodes of the result and of the ideal form; time to derive"
    Terminal().table(frame.convert_dtypes(), title=title, by="part")
