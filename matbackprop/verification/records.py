"""Comparing what a live R computes with what was recorded."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from matbackprop.rbridge import Backend
from matbackprop.verification.comparison import Comparison, Pair, as_results, largest

RECORDED = (
    "question_data",
    "posted_figures",
    "posted_printed",
    "question_loops",
    "question_matrix_forms",
    "question_kronecker",
)
"""The R functions, without arguments, whose results are recorded."""


def answers_of(backend: Backend, /) -> dict[str, Any]:
    """Return what R answers to each of these functions: now, or when it was recorded."""
    return {function: backend.call(function) for function in RECORDED}


def against_records(
    answers: Mapping[str, Any], recorded: Mapping[str, Any], r: str, tolerance: float
) -> Iterator[Comparison]:
    """Compare every recorded quantity with R's fresh one: numbers to rounding, texts exactly."""
    for function, answer in answers.items():
        fresh, kept = as_results(answer), as_results(recorded[function])
        pair = Pair("recorded results", function, r, "recorded earlier")
        for quantity in dict.fromkeys([*fresh, *kept]):
            one, two = fresh.get(quantity), kept.get(quantity)
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
                    scale=largest(one),
                    tolerance=tolerance,
                    yardstick="largest entry",
                )
