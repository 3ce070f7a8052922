"""The second answer: batch norm's gradient in ten small steps, forward and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import affine, batch_normalised, mean, variance
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back

_claim = partial(Claim, source="answers")

Nodes = Mapping[str, Array]

# The computation graph. X and the centred data feed two branches each; every branch is a node
# of its own, so that a derivative can be taken along one of them alone.
_GRAPH: Mapping[str, Callable[[Nodes, Batch], Array]] = {
    "X": lambda v, b: b.X,
    "X below": lambda v, b: v["X"],
    "mu": lambda v, b: v["X below"].mean(axis=0),
    "X above": lambda v, b: v["X"],
    "centred": lambda v, b: v["X above"] - v["mu"],
    "centred below": lambda v, b: v["centred"],
    "squares": lambda v, b: v["centred below"] ** 2,
    "variance": lambda v, b: v["squares"].mean(axis=0),
    "root": lambda v, b: np.sqrt(v["variance"] + b.eps),
    "inverse": lambda v, b: 1 / v["root"],
    "centred above": lambda v, b: v["centred"],
    "Xhat": lambda v, b: v["centred above"] * v["inverse"],
    "gamma": lambda v, b: b.gamma,
    "scaled": lambda v, b: v["gamma"] * v["Xhat"],
    "beta": lambda v, b: b.beta,
    "out": lambda v, b: v["scaled"] + v["beta"],
}


def _values(b: Batch, given: Nodes) -> dict[str, Array]:
    """Evaluate the graph, with some nodes given instead of computed."""
    v: dict[str, Array] = {}
    for name, value in _GRAPH.items():
        v[name] = given[name] if name in given else value(v, b)
    return v


def _truth(b: Batch, node: str) -> Array:
    """∂L/∂node by complex step through everything that follows it."""
    at = _values(b, {})[node]
    return pulled_back(lambda v: _values(b, {node: v})["out"], at, b.dY)


def _steps_forward(b: Batch) -> dict[str, Array]:
    """Evaluate the answer's forward pass, sums and powers as it has them."""
    mu = b.X.sum(axis=0) / len(b.X)
    centred = b.X - mu
    squares = centred**2
    variance = squares.sum(axis=0) / len(b.X)
    root = np.sqrt(variance + b.eps)
    inverse = 1 / root
    Xhat = centred * inverse
    return {
        "mu": mu,
        "centred": centred,
        "squares": squares,
        "variance": variance,
        "root": root,
        "inverse": inverse,
        "Xhat": Xhat,
        "scaled": b.gamma * Xhat,
        "out": b.gamma * Xhat + b.beta,
    }


def _steps_backward(b: Batch) -> dict[str, Array]:
    """Evaluate the answer's backward pass from what its forward pass kept; by node of the graph."""
    kept, ones = _steps_forward(b), np.ones_like(b.dY)
    d = {"beta": b.dY.sum(axis=0), "scaled": b.dY}
    d["gamma"] = (d["scaled"] * kept["Xhat"]).sum(axis=0)
    d["Xhat"] = d["scaled"] * b.gamma
    d["inverse"] = (d["Xhat"] * kept["centred"]).sum(axis=0)
    d["centred above"] = d["Xhat"] * kept["inverse"]
    d["root"] = -d["inverse"] / kept["root"] ** 2
    d["variance"] = d["root"] / (2 * np.sqrt(kept["variance"] + b.eps))
    d["squares"] = ones / len(b.X) * d["variance"]
    d["centred below"] = 2 * kept["centred"] * d["squares"]
    d["X above"] = d["centred above"] + d["centred below"]
    d["mu"] = -(d["centred above"] + d["centred below"]).sum(axis=0)
    d["X below"] = ones / len(b.X) * d["mu"]
    d["X"] = d["X above"] + d["X below"]
    return d


def _defined(b: Batch) -> dict[str, Array]:
    """Every value of the forward pass by its definition, one column after the other."""
    Xhat, none = batch_normalised(b.X, b.eps), np.zeros_like(b.beta)
    mu, var = mean(b.X)[0], variance(b.X)[0]
    centred = np.column_stack([x - m for x, m in zip(b.X.T, mu, strict=True)])
    return {
        "mu": mu,
        "centred": centred,
        "squares": centred**2,
        "variance": var,
        "root": np.sqrt(var + b.eps),
        "inverse": (var + b.eps) ** -0.5,
        "Xhat": Xhat,
        "scaled": affine(Xhat, b.gamma, none),
        "out": affine(Xhat, b.gamma, b.beta),
    }


def _compared(truth: Nodes, found: Callable[[], Nodes], names: Sequence[str]) -> Trial:
    """Weigh several quantities as one, the shape of each being right."""

    def flat() -> Array:
        values = found()
        for name in names:
            if values[name].shape != truth[name].shape:
                raise ValueError(f"{name} has shape {values[name].shape}")
        return np.concatenate([values[name].ravel() for name in names])

    return weigh(np.concatenate([truth[name].ravel() for name in names]), flat)


def _forward(*names: str) -> Callable[[Draw], Trial]:
    def experiment(draw: Draw) -> Trial:
        b = draw.batch()
        return _compared(_defined(b), lambda: _steps_forward(b), names)

    return experiment


def _backward(*names: str) -> Callable[[Draw], Trial]:
    def experiment(draw: Draw) -> Trial:
        b = draw.batch()
        truth = {name: _truth(b, name) for name in names}
        return _compared(truth, lambda: _steps_backward(b), names)

    return experiment


def _forward_step(title: str, steps: str, says: str, *names: str) -> Claim:
    return _claim(
        key=f"answers/staged {title}",
        place=f"second answer, forward, {steps}",
        says=says,
        how="the definition, one column after the other; N ≠ D",
        experiment=_forward(*names),
    )


def _backward_step(title: str, steps: str, says: str, *names: str) -> Claim:
    return _claim(
        key=f"answers/staged {title}",
        place=f"second answer, backward, {steps}",
        says=says,
        how="complex step through what follows in the graph, on that branch alone; the code run "
        "from the start, so that every step before is right too",
        experiment=_backward(*names),
    )


SECOND_ANSWER = (
    _forward_step("centring", "steps 1, 2", "μ = (1/N) Σᵢ xᵢ by columns, x − 1μ", "mu", "centred"),
    _forward_step(
        "variance", "steps 3, 4", "σ² = (1/N) Σᵢ (xᵢ − μ)² by columns", "squares", "variance"
    ),
    _forward_step("inverse root", "steps 5, 6", "√(σ² + ε) and its inverse", "root", "inverse"),
    _forward_step(
        "output",
        "steps 7, 8, 9",
        "x̂ = (x − 1μ)/√(σ² + ε), γx̂, out = γx̂ + β",
        "Xhat",
        "scaled",
        "out",
    ),
    _backward_step("shift", "step 9", "∂L/∂β = Σᵢ ∂L/∂outᵢ; ∂L/∂(γx̂) = ∂L/∂out", "beta", "scaled"),
    _backward_step("scale", "step 8", "∂L/∂γ = Σᵢ ∂L/∂outᵢ x̂ᵢ; ∂L/∂x̂ = γ ∂L/∂out", "gamma", "Xhat"),
    _backward_step(
        "product",
        "step 7",
        "∂L/∂(1/s) = Σᵢ ∂L/∂x̂ᵢ (xᵢ − μ); on the upper branch ∂L/∂(x − μ) = ∂L/∂x̂ /s",
        "inverse",
        "centred above",
    ),
    _backward_step("inverse", "step 6", "∂L/∂s = −(1/s²) ∂L/∂(1/s)", "root"),
    _backward_step("root", "step 5", "∂L/∂σ² = ½ (1/√(σ² + ε)) ∂L/∂s", "variance"),
    _backward_step("mean of squares", "step 4", "∂L/∂(x − μ)² = (1/N) 1 ∂L/∂σ²", "squares"),
    _backward_step(
        "square",
        "step 3",
        "on the lower branch ∂L/∂(x − μ) = 2(x − μ) ∂L/∂(x − μ)²",
        "centred below",
    ),
    _backward_step(
        "difference",
        "step 2",
        "the two branches add up to ∂L/∂x, μ fixed; ∂L/∂μ = −Σᵢ of that sum",
        "X above",
        "mu",
    ),
    _backward_step("mean", "step 1", "through μ alone ∂L/∂x = (1/N) 1 ∂L/∂μ", "X below"),
    _backward_step("sum", "step 0", "∂L/∂x is the sum of the last two", "X"),
)
