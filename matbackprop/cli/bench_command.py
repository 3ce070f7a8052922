"""`matbackprop bench`: how fast, beside torch, on this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from matbackprop.bench import bench_layers
from matbackprop.reporting import Terminal, as_json


def bench(
    repeats: Annotated[int, typer.Option(metavar="K", help="How many rounds.")] = 15,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> int:
    """Time batch norm forward plus backward, in train mode, beside torch's own.

    A ratio below 1 is faster than torch. Only engines that are installed
    take part: the extras are `fast` (numba) and `torch`.

    Exit status: 0 it ran, 2 it could not run.
    """
    with Terminal(sys.stderr).progress("warming up") as progress:
        frame = bench_layers(repeats=repeats, progress=progress)
    if json:
        rows = frame.astype({"ratio": object}).where(frame.notna(), None)  # no torch, no ratio
        print(as_json({"rows": rows.to_dict("records")}))
    else:
        frame.insert(0, "case", frame.pop("shape") + ", " + frame.pop("dtype"))
        if frame["ratio"].isna().all():
            Terminal().say("torch is not installed, so there is no ratio to it: pip install torch")
            del frame["ratio"]
        Terminal().table(frame, title="Forward plus backward, medians", by="case")
    return 0
