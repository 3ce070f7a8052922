"""Comparing whole gradients: R's loops, R's matrix forms, and every Python formulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.network import FORMULATIONS, Gradient, magnitudes
from matbackprop.verification.comparison import Comparison, Pair, as_results
from matbackprop.verification.problem import Problem

Results = Mapping[str, Any]
"""loss, fitted and the gradients, under the names R's functions give them."""

CANCELLING = "terms that cancel"

R_GRADIENTS = {
    "loops": "network_loops",
    "matrix forms": "network_gradient",
    "Kronecker forms": "kronecker_gradient",
}
"""R's three ways to the gradient, and their functions; the first is the reference."""


def by_formulation(problem: Problem, /) -> dict[str, Results]:
    """Return the results of every formulation in the table."""
    return {
        f"Python {name}": _results(
            formulation(*problem.point, inputs=True, moments=problem.moments)
        )
        for name, formulation in FORMULATIONS.items()
    }


def sizes_of(problem: Problem, /) -> dict[str, Array]:
    """Return the size of the terms that cancel in each quantity."""
    return magnitudes(*problem.point, moments=problem.moments)


def against_loops(
    problem: Problem,
    by_r: Mapping[str, Any],
    formulations: Mapping[str, Results],
    *,
    group: str,
    r: str,
    tolerance: float,
) -> Iterator[Comparison]:
    """Compare R's loops with every other computation of the same problem.

    Parameters
    ----------
    problem
        What was computed.
    by_r
        R's answers under the names of `R_GRADIENTS`.
    formulations
        Python's results by formulation.
    """
    loops, *others = R_GRADIENTS
    candidates = {f"{r} {name}": as_results(by_r[name]) for name in others} | {**formulations}
    sizes = sizes_of(problem)
    for candidate, results in candidates.items():
        pair = Pair(group, problem.title, f"{r} {loops}", candidate)
        yield from compare_results(
            pair, as_results(by_r[loops]), results, sizes, quantities=sizes, tolerance=tolerance
        )


def compare_results(
    pair: Pair,
    reference: Results,
    candidate: Results,
    sizes: Mapping[str, Array],
    *,
    quantities: Iterable[str],
    tolerance: float,
    yardstick: str = CANCELLING,
) -> Iterator[Comparison]:
    """Compare these quantities, all of them: one that either side lacks is a mismatch."""
    for quantity in quantities:
        expected, got = reference.get(quantity), candidate.get(quantity)
        if quantity == "loss":  # R has no scalars, only vectors of length one
            expected, got = (np.squeeze(np.asarray(value)) for value in (expected, got))
        yield pair.compare(
            quantity,
            expected,
            got,
            scale=sizes[quantity],
            tolerance=tolerance,
            yardstick=yardstick,
        )


def _results(g: Gradient) -> Results:
    return {"loss": g.loss, "fitted": g.fitted} | dict(g.blocks())
