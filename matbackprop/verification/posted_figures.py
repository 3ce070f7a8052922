"""Comparing the posted figures with R's rerun and with Python's replica, digit by digit."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from matbackprop.verification.comparison import Comparison, Pair
from matbackprop.verification.posted_text import POSTED
from matbackprop.verification.problem import Question
from matbackprop.verification.replica import posted_figures

_GROUP, _PROBLEM = "posted figures", "question"


def against_posted(
    q: Question, answers: Mapping[str, Any], r: str, tolerance: float
) -> Iterator[Comparison]:
    """Compare numbers to every printed digit, and R's printout to every printed line."""
    replica = "Python replica"
    figures = {r: answers["posted_figures"], replica: posted_figures(q)}
    for who, computed in figures.items():
        pair = Pair(_GROUP, _PROBLEM, "as posted", who)
        for name, figure in POSTED.items():
            yield pair.compare(
                name,
                figure.numbers,
                figure.rounded(computed[name]),
                scale=np.abs(figure.numbers).max(),
                tolerance=0,
                yardstick="printed digits",
            )
    printed = answers["posted_printed"]
    pair = Pair(_GROUP, _PROBLEM, "as posted", f"{r}, printed")
    for name, figure in POSTED.items():
        # The question shows only some lines of its largest figure, always in order.
        lines = iter(printed[name])
        missing = sum(line not in lines for line in figure.lines)
        yield pair.compare(name, 0, missing, scale=1, tolerance=0, yardstick="printed lines")
    pair = Pair(_GROUP, _PROBLEM, r, replica)
    for name, value in figures[r].items():
        yield pair.compare(
            name,
            value,
            figures[replica][name],
            scale=np.abs(value).max(),
            tolerance=tolerance,
            yardstick="largest entry",
        )
