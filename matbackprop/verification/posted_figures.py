"""Comparing the posted figures with R's rerun and with Python's replica, digit by digit."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from matbackprop.verification.comparison import Comparison, Pair, as_results, largest
from matbackprop.verification.posted_text import POSTED
from matbackprop.verification.problem import Question
from matbackprop.verification.replica import posted_figures

_GROUP, _PROBLEM = "posted figures", "question"


def against_posted(
    q: Question, answers: Mapping[str, Any], r: str, tolerance: float
) -> Iterator[Comparison]:
    """Compare numbers to every printed digit, and R's printout line by line."""
    rerun, printed = (as_results(answers[f"posted_{name}"]) for name in ("figures", "printed"))
    replica = posted_figures(q)
    for who, computed in {r: rerun, "Python replica": replica}.items():
        pair = Pair(_GROUP, _PROBLEM, "as posted", who)
        for name, figure in POSTED.items():
            yield pair.compare(
                name,
                figure.numbers,
                figure.rounded(computed.get(name)),
                scale=largest(figure.numbers),
                tolerance=0,
                yardstick="printed digits",
            )
    pair = Pair(_GROUP, _PROBLEM, "as posted", f"{r}, printed")
    for name, figure in POSTED.items():
        differing = figure.differing_lines(np.ravel(printed.get(name, [])).tolist())
        yield pair.compare(name, 0, differing, scale=1, tolerance=0, yardstick="printed lines")
    pair = Pair(_GROUP, _PROBLEM, r, "Python replica")
    for name in POSTED:
        yield pair.compare(
            name,
            rerun.get(name),
            replica[name],
            scale=largest(replica[name]),
            tolerance=tolerance,
            yardstick="largest entry",
        )
