"""Comparing gradients with numerical derivatives, which know no formula."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import Moments
from matbackprop.differences import central_difference, complex_step
from matbackprop.network import (
    ACTIVATIONS,
    Network,
    Parameters,
    magnitudes,
    objective,
    objective_of_inputs,
)
from matbackprop.verification.comparison import Comparison, Pair
from matbackprop.verification.gradients import (
    CANCELLING,
    Results,
    by_formulation,
    compare_results,
)
from matbackprop.verification.problem import Question

# A central difference inherits the rounding of the whole loss, also in an entry that is small:
# it is measured against the largest entry. On 400 random problems it stayed below 2e-10.
CENTRAL_TOLERANCE = 1e-8


def question_against_differences(q: Question, tolerance: float) -> Iterator[Comparison]:
    """Compare every formulation on the question's data, under every activation."""
    for activation in ACTIVATIONS:
        net = dataclasses.replace(q.network, activation=activation)
        yield from against_differences(
            by_formulation(net, q.parameters, q.X, q.y),
            magnitudes(net, q.parameters, q.X, q.y),
            net,
            q.parameters,
            q.X,
            q.y,
            group="derivatives",
            problem=f"question, {activation}",
            tolerance=tolerance,
        )


def against_differences(
    formulations: Mapping[str, Results],
    sizes: Mapping[str, Array],
    net: Network,
    par: Parameters,
    X: Array,
    y: Array,
    *,
    group: str,
    problem: str,
    tolerance: float,
    moments: Moments | None = None,
) -> Iterator[Comparison]:
    """Compare results with a complex step where the activation is analytic, else differences.

    The tolerance for central differences is `CENTRAL_TOLERANCE` at least.
    """
    R, R_of_X = (f(net, par, X, y, moments=moments) for f in (objective, objective_of_inputs))
    theta = par.to_vector()
    if net.a.analytic:
        name, yardstick = "complex step", CANCELLING
        dtheta, dX = complex_step(R, theta), complex_step(R_of_X, X)
    else:
        name, yardstick = "central differences", f"largest of the {CANCELLING}"
        dtheta, dX = central_difference(R, theta).value, central_difference(R_of_X, X).value
        sizes = {quantity: np.full_like(size, size.max()) for quantity, size in sizes.items()}
        tolerance = max(tolerance, CENTRAL_TOLERANCE)
    shaped = Parameters.from_vector(dtheta, like=par)
    blocks = {field.name: getattr(shaped, field.name) for field in dataclasses.fields(Parameters)}
    reference = {quantity: block for quantity, block in blocks.items() if block is not None}
    for candidate, results in formulations.items():
        yield from compare_results(
            Pair(group, problem, name, candidate),
            reference | {"X": dX},
            results,
            sizes,
            tolerance=tolerance,
            yardstick=yardstick,
        )
