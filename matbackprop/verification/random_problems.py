"""Random problems of varied shape and options, sent to R at full precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import BatchNorm, Moments
from matbackprop.network import (
    ACTIVATIONS,
    Network,
    Parameters,
    leaky_relu,
    magnitudes,
    moments,
)
from matbackprop.rbridge import Backend
from matbackprop.verification.comparison import Comparison
from matbackprop.verification.derivatives import against_differences
from matbackprop.verification.gradients import against_loops, by_formulation

_GROUP = "random problems"


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A network with parameters and data; R has the slope of "leaky_relu" as an argument."""

    title: str
    activation: str
    slope: float
    network: Network
    parameters: Parameters
    X: Array
    y: Array
    moments: Moments | None

    def r_arguments(self) -> dict[str, Any]:
        """Return the arguments of R's `network_loops` and `network_gradient`."""
        net, par, norm = self.network, self.parameters, self.network.batch_norm
        arguments = {
            "X": self.X,
            "y": self.y,
            "Gamma1": par.Gamma1,
            "Gamma2": par.Gamma2,
            "activation": self.activation,
            "slope": self.slope,
            "batch_norm": norm is not None,
            "loss": net.loss,
        }
        if norm is not None:
            arguments |= {"gamma": par.gamma, "beta": par.beta, "ddof": norm.ddof, "eps": norm.eps}
        if self.moments is not None:
            arguments |= {"mu": self.moments.mu, "sigma": self.moments.sigma}
        return arguments


def draw(index: int, rng: np.random.Generator) -> Problem:
    """Draw a problem; activations take turns, everything else is random."""
    activation = [*ACTIVATIONS][index % len(ACTIVATIONS)]
    slope = float(rng.choice([0.01, 0.2, -1.5]))
    N, p1, p2 = int(rng.integers(1, 21)), int(rng.integers(1, 7)), int(rng.integers(1, 6))
    q = [None, 1, 2, 3][int(rng.integers(4))]
    norm = None
    if N > 1 and rng.random() < 0.75:
        ddof = int(rng.integers(min(N, 4)))
        norm = BatchNorm(ddof, float(rng.choice([0.0, 1e-5, 0.1, 1.0])))
    a = leaky_relu(slope) if activation == "leaky_relu" else activation
    net = Network(a, norm, "mse" if rng.random() < 0.5 else "sse")
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
    return Problem(title, activation, slope, net, par, X, y, kept)


def random_against_r(
    problems: list[Problem], backend: Backend, tolerance: float
) -> Iterator[Comparison]:
    """Compare R's loops, R's matrix forms, every formulation and numerical derivatives."""
    arguments = [problem.r_arguments() for problem in problems]
    by_loops = backend.call("many", function_name="network_loops", problems=arguments)
    by_matrices = backend.call("many", function_name="network_gradient", problems=arguments)
    for problem, loops, matrix_forms in zip(problems, by_loops, by_matrices, strict=True):
        net, par, X, y = problem.network, problem.parameters, problem.X, problem.y
        formulations = by_formulation(net, par, X, y, moments=problem.moments)
        sizes = magnitudes(net, par, X, y, moments=problem.moments)
        yield from against_loops(
            loops,
            matrix_forms,
            formulations,
            sizes,
            group=_GROUP,
            problem=problem.title,
            r=f"R ({backend.engine.name})",
            tolerance=tolerance,
        )
        yield from against_differences(
            formulations,
            sizes,
            net,
            par,
            X,
            y,
            group=_GROUP,
            problem=problem.title,
            tolerance=tolerance,
            moments=problem.moments,
        )
