"""Random problems of varied shape and options, sent to R at full precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from matbackprop.batchnorm import BatchNorm
from matbackprop.network import ACTIVATIONS, Network, Parameters, leaky_relu, moments
from matbackprop.rbridge import Backend
from matbackprop.verification.comparison import Comparison
from matbackprop.verification.derivatives import against_differences
from matbackprop.verification.gradients import R_GRADIENTS, against_loops, by_formulation
from matbackprop.verification.problem import Problem

_GROUP = "random problems"
_SLOPES = (0.01, 0.2, -1.5)


def draw(index: int, rng: np.random.Generator) -> Problem:
    """Draw a problem; activations take turns, everything else is random."""
    N, p1, p2 = int(rng.integers(1, 21)), int(rng.integers(1, 7)), int(rng.integers(1, 6))
    q = [None, 1, 2, 3][int(rng.integers(4))]
    norm = None
    if N > 1 and rng.random() < 0.75:
        ddof = int(rng.integers(min(N, 4)))
        norm = BatchNorm(ddof, float(rng.choice([0.0, 1e-5, 0.1, 1.0])))
    activation = ACTIVATIONS[[*ACTIVATIONS][index % len(ACTIVATIONS)]]
    if activation.name == "leaky_relu":
        activation = leaky_relu(float(rng.choice(_SLOPES)))
    net = Network(activation, norm, "mse" if rng.random() < 0.5 else "sse")
    par = Parameters.random(p1, p2, rng=rng, q=q, batch_norm=norm is not None)
    X = rng.standard_normal((N, p1)) * rng.uniform(0.2, 5) + rng.uniform(-2, 2, p1)
    y = rng.standard_normal(N if q is None else (N, q))
    kept = None
    if norm is not None and rng.random() < 0.25:
        kept = moments(net, par, rng.standard_normal((30, p1)))
    shape = f"N={N}, p1={p1}, p2={p2}, q={q or 'vector'}"
    how = f"ddof={norm.ddof}, eps={norm.eps:g}" if norm else "no batch norm"
    title = f"{index + 1}: {net.a.name}, {shape}, {how}, {net.loss}"
    if kept is not None:
        title += ", fixed moments"
    return Problem(title, net, par, X, y, kept)


def random_against_r(
    problems: Sequence[Problem], backend: Backend, r: str, tolerance: float
) -> Iterator[Comparison]:
    """Compare R's loops with R's other forms, every formulation and numerical derivatives."""
    arguments = [r_arguments(problem) for problem in problems]
    answers = {
        name: backend.call("many", function_name=function, problems=arguments)
        for name, function in R_GRADIENTS.items()
    }
    for i, problem in enumerate(problems):
        by_r = {name: results[i] for name, results in answers.items()}
        formulations = by_formulation(problem)
        yield from against_loops(
            problem, by_r, formulations, group=_GROUP, r=r, tolerance=tolerance
        )
        yield from against_differences(problem, formulations, group=_GROUP, tolerance=tolerance)


def r_arguments(problem: Problem, /) -> dict[str, Any]:
    """Return a problem as the arguments of R's `network_loops` and its equals."""
    net, par, norm = problem.network, problem.parameters, problem.network.batch_norm
    name, _, slope = net.a.name.rstrip(")").partition("(")  # leaky_relu(0.2)
    arguments: dict[str, Any] = {
        "X": problem.X,
        "y": problem.y,
        "Gamma1": par.Gamma1,
        "Gamma2": par.Gamma2,
        "activation": name,
        "batch_norm": norm is not None,
        "loss": net.loss,
    }
    if slope:
        arguments["slope"] = float(slope)
    if norm is not None:
        arguments |= {"gamma": par.gamma, "beta": par.beta, "ddof": norm.ddof, "eps": norm.eps}
    if problem.moments is not None:
        arguments |= {"mu": problem.moments.mu, "sigma": problem.moments.sigma}
    return arguments
