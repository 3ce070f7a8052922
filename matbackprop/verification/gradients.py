"""Comparing whole gradients: R's loops, R's matrix forms, and every Python formulation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import Moments
from matbackprop.network import FORMULATIONS, Gradient, Network, Parameters
from matbackprop.network import magnitudes as sizes_of
from matbackprop.verification.comparison import Comparison, Pair
from matbackprop.verification.problem import Question

Results = Mapping[str, Any]
"""loss, fitted and the gradients, under the names R's functions give them."""

CANCELLING = "terms that cancel"


def question_against_r(
    q: Question, answers: Mapping[str, Any], r: str, tolerance: float
) -> Iterator[Comparison]:
    """Compare, on the question, R's loops with R's matrix forms and every formulation."""
    yield from against_loops(
        answers["question_loops"],
        answers["question_matrix_forms"],
        by_formulation(q.network, q.parameters, q.X, q.y),
        sizes_of(q.network, q.parameters, q.X, q.y),
        group="R loops",
        problem="question",
        r=r,
        tolerance=tolerance,
    )


def against_loops(
    loops: Results,
    matrix_forms: Results,
    formulations: Mapping[str, Results],
    sizes: Mapping[str, Array],
    *,
    group: str,
    problem: str,
    r: str,
    tolerance: float,
) -> Iterator[Comparison]:
    """Compare R's loops with every other computation of the same problem."""
    for candidate, results in {f"{r} matrix forms": matrix_forms, **formulations}.items():
        pair = Pair(group, problem, f"{r} loops", candidate)
        yield from compare_results(pair, loops, results, sizes, tolerance=tolerance)


def by_formulation(
    net: Network, par: Parameters, X: Array, y: Array, *, moments: Moments | None = None
) -> dict[str, Results]:
    """Return the results of every formulation in the table."""
    return {
        f"Python {name}": _results(formulation(net, par, X, y, inputs=True, moments=moments))
        for name, formulation in FORMULATIONS.items()
    }


def compare_results(
    pair: Pair,
    reference: Results,
    candidate: Results,
    sizes: Mapping[str, Array],
    *,
    tolerance: float,
    yardstick: str = CANCELLING,
) -> Iterator[Comparison]:
    """Compare every quantity the reference has, relative to the size of what cancels in it."""
    for quantity, scale in sizes.items():
        if quantity not in reference:  # a numerical derivative has no loss of its own
            continue
        expected, got = reference[quantity], candidate.get(quantity, np.nan)
        if quantity == "loss":  # R has no scalars, only vectors of length one
            expected, got = np.squeeze(expected), np.squeeze(got)
        yield pair.compare(
            quantity, expected, got, scale=scale, tolerance=tolerance, yardstick=yardstick
        )


def _results(g: Gradient) -> Results:
    return {"loss": g.loss, "fitted": g.fitted} | dict(g.blocks())
