"""What the two course-style listings do, faults included, in few lines of our own.

The NumPy functions and the torch class go forward alike; they differ in what they keep for the
backward pass, and in how that is written. Nothing here is code to use.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from matbackprop._typing import Array

Cache = tuple[Any, ...] | None


class Kept(NamedTuple):
    """What a forward pass knows, for the backward one."""

    X: Array
    gamma: Array
    Xhat: Array
    mean: Array
    var: Array
    beta: Array
    eps: float


def forward(X: Array, gamma: Array, beta: Array, bn_param: dict[str, Any]) -> tuple[Array, Kept]:
    """Return the output; as the listings do, write both averages back into the dictionary.

    Examples
    --------
    >>> memory = {"mode": "train"}
    >>> forward(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), memory)[0].round(3).tolist()
    [[-1.0], [1.0]]
    >>> memory["running_mean"].round(3), memory["running_var"].round(3)
    (array([0.2]), array([0.1]))
    """
    mode, eps, m = bn_param["mode"], bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    nothing = np.zeros(X.shape[1], dtype=X.dtype)
    averages = [bn_param.get(name, nothing) for name in ("running_mean", "running_var")]
    if mode == "train":
        mean, var = X.mean(axis=0), X.var(axis=0)
        averages = [m * old + (1 - m) * new for old, new in zip(averages, (mean, var), strict=True)]
    elif mode == "test":
        mean, var = averages
    else:
        raise ValueError(f"no such mode: {mode}")
    bn_param["running_mean"], bn_param["running_var"] = averages
    Xhat = (X - mean) / np.sqrt(var + eps)
    return gamma * Xhat + beta, Kept(X, gamma, Xhat, mean, var, beta, eps)


def numpy_cache(kept: Kept, mode: str) -> Cache:
    """Return what the NumPy function hands on: seven values, and in test mode nothing."""
    return tuple(kept) if mode == "train" else None


def torch_cache(kept: Kept, mode: str) -> Cache:
    """Return what the torch class hands on: eight values, and in test mode seven."""
    return (*kept, np.sqrt(kept.var + kept.eps)) if mode == "train" else tuple(kept)


class Pulled(NamedTuple):
    """What a backward pass computes on its way."""

    dX: Array
    dgamma: Array
    dbeta: Array
    dvar: Array
    dmean: Array


def numpy_backward(dY: Array, cache: Any) -> Pulled:
    """Return the gradients by the NumPy function's formulas."""
    X, gamma, Xhat, mean, var, _, eps = cache
    dXhat, centred, spread = dY * gamma, X - mean, var + eps
    dvar = (dXhat * centred * -0.5 * spread**-1.5).sum(axis=0)
    dmean = (dXhat * -1 / np.sqrt(spread)).sum(axis=0) + dvar * (-2 * centred).mean(axis=0)
    dX = dXhat / np.sqrt(spread) + dvar * 2 * centred / len(X) + dmean / len(X)
    return Pulled(dX, (dY * Xhat).sum(axis=0), dY.sum(axis=0), dvar, dmean)


def torch_backward(dY: Array, cache: Any) -> Pulled:
    """Return the gradients by the torch class's formulas."""
    X, gamma, Xhat, mean, _, _, _, std = cache
    dXhat = dY * gamma
    dvar = (-0.5 * dXhat * Xhat / std**2).sum(axis=0)
    dmean = -dXhat.sum(axis=0) / std + dvar * (-2 * (X - mean)).mean(axis=0)
    dX = dXhat / std + dmean / len(X) + dvar * 2 * (X - mean) / len(X)
    return Pulled(dX, (dY * Xhat).sum(axis=0), dY.sum(axis=0), dvar, dmean)
