"""Comparing what a live R computes with what was recorded."""

from collections.abc import Iterator

import numpy as np

from matbackprop.rbridge import Backend
from matbackprop.verification.comparison import Comparison, Pair

RECORDED = (
    "question_data",
    "posted_figures",
    "posted_printed",
    "question_loops",
    "question_matrix_forms",
)


def against_records(live: Backend, recorded: Backend, tolerance: float) -> Iterator[Comparison]:
    """Compare every recorded quantity with R's fresh one: numbers to rounding, texts exactly."""
    for function in RECORDED:
        fresh, kept = live.call(function), recorded.call(function)
        pair = Pair("recorded results", function, f"R ({live.engine.name})", "recorded earlier")
        for quantity in dict.fromkeys([*fresh, *kept]):
            one, two = fresh.get(quantity, np.nan), kept.get(quantity, np.nan)
            if np.asarray(one).dtype.kind == "U":
                differ = int(np.asarray(one).tolist() != np.asarray(two).tolist())
                yield pair.compare(
                    quantity, 0, differ, scale=1, tolerance=0, yardstick="printed lines"
                )
            else:
                yield pair.compare(
                    quantity,
                    one,
                    two,
                    scale=np.abs(one).max(),
                    tolerance=tolerance,
                    yardstick="largest entry",
                )
