"""`matbackprop bench`: how fast and how compact, on this machine."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matbackprop._typing import Progress
from matbackprop._validation import check_option
from matbackprop.bench import (
    bench_engines,
    bench_layers,
    bench_offsets,
    bench_symbolic,
    fastest_other,
)
from matbackprop.errors import MissingExtraError, OptionError
from matbackprop.plots import plot_times
from matbackprop.reporting import Terminal, as_json, check_writable, readable

if TYPE_CHECKING:
    import pandas as pd


def _offsets(*, repeats: int, progress: Progress) -> pd.DataFrame:
    return bench_offsets(progress=progress)


BENCHMARKS: Mapping[str, Callable[..., pd.DataFrame]] = MappingProxyType(
    {
        "layers": bench_layers,
        "symbolic": bench_symbolic,
        "engines": bench_engines,
        "offsets": _offsets,
    }
)
"""What there is to measure."""

_PICTURES = (".png", ".svg", ".pdf")


def bench(
    what: Annotated[
        str, typer.Argument(metavar="[layers|symbolic|engines|offsets]", help="What to measure.")
    ] = "layers",
    repeats: Annotated[
        int | None, typer.Option(metavar="K", help="How many rounds; by default 15.")
    ] = None,
    shape: Annotated[
        list[str] | None,
        typer.Option(
            metavar="N,p1,p2",
            help="engines: rows, inputs and hidden nodes; again for another shape.",
        ),
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(metavar="[float64|float32]", help="engines: of all numbers.")
    ] = None,
    engines: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="engines: only this one and ours; again for another."),
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option("--memory/--no-memory", help="engines: whether to measure memory, too."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="engines: draw the times against N (.png, .svg, .pdf)."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Time batch norm, measure the symbolic derivatives, or time all ways to a gradient.

    layers: forward plus backward, in train mode. A ratio below 1 is faster
    than torch. Only engines that are installed take part: the extras are
    `fast` (numba) and `torch`.

    symbolic: sixty derivatives, each with the size of its result beside that
    of the ideal form, and the time it takes to derive; then a network with
    batch norm, and its emitted code beside the closed form written by hand.

    engines: the gradient of a network with batch norm on all rows, in one
    pass, beside torch, JAX, autograd and R. A ratio above 1 is slower than
    ours. Memory is what is needed beyond the data, at the most.

    offsets: the relative error of that gradient, for data of unit spread
    whose mean is 0 to a million.

    Exit status: 0 it ran, 2 it could not run.
    """
    check_option(what, BENCHMARKS, call="matbackprop bench", name="what")
    options: dict[str, Any] = {"shape": shape, "dtype": dtype, "engines": engines}
    options |= {"memory": memory, "plot": plot}
    given = {name: value for name, value in options.items() if value not in (None, [])}
    if given and what != "engines":
        raise OptionError(
            f"`matbackprop bench {what}` has no --{next(iter(given))}: it is an option of "
            "`matbackprop bench engines`."
        )
    if what == "offsets" and repeats is not None:
        raise OptionError(
            "`matbackprop bench offsets` has no --repeats: an error is the same each time."
        )
    _check_picture(plot)
    measure = BENCHMARKS[what]
    if shape:
        measure = partial(measure, [_read_shape(text) for text in shape])
    for name in ("shape", "plot"):
        given.pop(name, None)
    with Terminal(sys.stderr).progress("warming up") as progress:
        frame = measure(repeats=15 if repeats is None else repeats, progress=progress, **given)
    if plot is not None:
        figure: Any = plot_times(frame).figure
        figure.savefig(plot)
    if json:
        rows = frame.astype(object).where(frame.notna(), None)  # no torch, no ratio
        print(as_json({"rows": rows.to_dict("records")}))
    else:
        _SHOWN[what](frame)
        if plot is not None:
            Terminal().say(f"wrote {plot}")
    return 0


def _read_shape(text: str) -> tuple[int, int, int]:
    try:
        N, p1, p2 = (int(size) for size in text.split(","))
    except ValueError:
        N = p1 = p2 = 0
    if min(N, p1, p2) < 1:
        raise OptionError(
            f"`matbackprop bench engines` cannot read --shape {text!r}. Write three positive "
            "integers, the numbers of rows, inputs and hidden nodes: `--shape 200000,50,100`."
        )
    return N, p1, p2


def _show_layers(frame: pd.DataFrame) -> None:
    frame.insert(0, "case", frame.pop("shape") + ", " + frame.pop("dtype"))
    if frame["ratio"].isna().all():
        Terminal().say("torch is not installed, so there is no ratio to it: pip install torch")
        del frame["ratio"]
    Terminal().table(frame, title="Forward plus backward, medians", by="case")


def _show_symbolic(frame: pd.DataFrame) -> None:
    title = "Nodes of the result and of the ideal form; time to derive"
    Terminal().table(frame.convert_dtypes(), title=title, by="part")


def _show_engines(frame: pd.DataFrame) -> None:
    terminal = Terminal()
    best = fastest_other(frame)
    for rows in (frame, best):
        rows.insert(0, "case", rows["shape"] + ", " + rows["dtype"])
    shown = frame.drop(columns=["shape", "dtype", "note", "ratio_q25", "ratio_q75"])
    shown.insert(4, "quartiles", frame.apply(_quartiles, axis=1))
    if shown["peak_mib"].isna().all():
        del shown["peak_mib"]
    terminal.table(shown.convert_dtypes(), title="One gradient of all rows, medians", by="case")
    for engine, rows in frame.groupby("engine", sort=False):
        notes = rows.groupby("note", sort=False)["case"].agg("; ".join)
        for note, cases in notes.drop("", errors="ignore").items():
            where = f" ({cases})" if len(notes) > 1 else ""
            terminal.say(f"{engine}{where}: {note}", style="dim")
    for row in best.to_dict("records"):
        terminal.say(
            f"{row['case']}: {row['ratio']:.1f} times as fast as the fastest of "
            f"{', '.join(row['of'])}: {row['engine']} (quartiles {_quartiles(row)})",
            style="bold",
        )


def _show_offsets(frame: pd.DataFrame) -> None:
    table = frame.pivot(index=["dtype", "offset"], columns="engine", values="error").reset_index()
    Terminal().table(table, title="Largest relative error of the gradient", by="dtype")


_SHOWN: Mapping[str, Callable[[pd.DataFrame], None]] = MappingProxyType(
    {
        "layers": _show_layers,
        "symbolic": _show_symbolic,
        "engines": _show_engines,
        "offsets": _show_offsets,
    }
)


def _quartiles(row: Mapping[Any, Any] | pd.Series[Any]) -> str:
    q25, q75 = row["ratio_q25"], row["ratio_q75"]
    return "" if math.isnan(q25) else f"{readable(q25)}-{readable(q75)}"


def _check_picture(path: Path | None) -> None:
    """Raise now, before long work, if there can be no picture of this name later."""
    if path is None:
        return
    check_option(
        path.suffix.lower(), _PICTURES, call="matbackprop bench engines", name="ending of --plot"
    )
    check_writable(path)
    if find_spec("matplotlib") is None:
        raise MissingExtraError(
            "`matbackprop bench engines --plot` needs matplotlib, which is not installed: "
            "pip install 'matbackprop[plots]'."
        )
