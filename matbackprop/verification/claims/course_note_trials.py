"""What the course-style listings are held against: definitions, and complex steps through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Trial, weigh
from matbackprop.verification.claims.course_note_replica import Cache, Kept, Pulled, forward
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back


def normalised(X: Array, mean: Array, var: Array, eps: float) -> Array:
    """Return X̂ for given moments."""
    return (X - mean) / np.sqrt(var + eps)


def variance(X: Array, mean: Array) -> Array:
    """Return the mean square of each column around `mean`; analytic, as `np.var` is not."""
    return ((X - mean) ** 2).mean(axis=0)


def batch_normalised(X: Array, eps: float) -> Array:
    """Return X̂ for the batch's own moments."""
    mean = X.mean(axis=0)
    return normalised(X, mean, variance(X, mean), eps)


def by_columns(batch: Batch) -> Array:
    """Return Y in train mode, from each column's mean and sum of squares."""
    X, gamma, beta, _, eps = batch
    N, D = X.shape
    Y = np.empty_like(X)
    for j in range(D):
        centred = X[:, j] - sum(X[:, j]) / N
        Y[:, j] = gamma[j] * centred / (centred @ centred / N + eps) ** 0.5 + beta[j]
    return Y


def memory(draw: Draw, batch: Batch, mode: str) -> dict[str, Any]:
    """Return a `bn_param` with running statistics of its own."""
    D = batch.X.shape[1]
    return {
        "mode": mode,
        "eps": batch.eps,
        "momentum": float(draw.rng.uniform(0.6, 0.95)),
        "running_mean": draw.matrix(D),
        "running_var": draw.positive(D),
    }


class Listing(NamedTuple):
    """One of the two listings: what its forward pass hands on, and its backward pass."""

    cache: Callable[[Kept, str], Cache]
    backward: Callable[[Array, Any], Pulled]

    def run(self, batch: Batch, bn_param: dict[str, Any]) -> Pulled:
        """Go forward and back."""
        _, kept = forward(batch.X, batch.gamma, batch.beta, bn_param)
        return self.backward(batch.dY, self.cache(kept, bn_param["mode"]))

    def train_X(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂X in train mode."""
        b = draw.batch()
        truth = pulled_back(lambda X: b.gamma * batch_normalised(X, b.eps) + b.beta, b.X, b.dY)
        return weigh(truth, lambda: self.run(b, memory(draw, b, "train")).dX)

    def train_gamma_beta(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂γ and ∂L/∂β in train mode."""
        b = draw.batch()
        Xhat = batch_normalised(b.X, b.eps)
        truth = (
            pulled_back(lambda gamma: gamma * Xhat + b.beta, b.gamma, b.dY),
            pulled_back(lambda beta: b.gamma * Xhat + beta, b.beta, b.dY),
        )
        return weigh(truth, lambda: self.run(b, memory(draw, b, "train"))[1:3])

    def train_moments(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂σ² and ∂L/∂μ around *any* μ: at the mean a part of the latter vanishes."""
        b = draw.batch()
        mean = b.X.mean(axis=0) + draw.matrix(b.X.shape[1])
        var, dXhat = variance(b.X, mean), b.dY * b.gamma
        Xhat = normalised(b.X, mean, var, b.eps)
        cache = self.cache(Kept(b.X, b.gamma, Xhat, mean, var, b.beta, b.eps), "train")
        truth = (
            pulled_back(lambda v: normalised(b.X, mean, v, b.eps), var, dXhat),
            pulled_back(lambda m: normalised(b.X, m, variance(b.X, m), b.eps), mean, dXhat),
        )
        return weigh(truth, lambda: self.backward(b.dY, cache)[3:5])

    def test_X(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂X in test mode, where the moments are given and constant."""
        b = draw.batch()
        kept = memory(draw, b, "test")
        mean, var = kept["running_mean"], kept["running_var"]
        return weigh(
            pulled_back(lambda X: b.gamma * normalised(X, mean, var, b.eps) + b.beta, b.X, b.dY),
            lambda: self.run(b, dict(kept)).dX,
            corrected=lambda: b.dY * b.gamma / np.sqrt(var + b.eps),
        )


def output_in_train(draw: Draw) -> Trial:
    """Weigh Y in train mode."""
    b = draw.batch()
    return weigh(by_columns(b), lambda: forward(*b[:3], memory(draw, b, "train"))[0])


def output_in_test(draw: Draw) -> Trial:
    """Weigh Y in test mode."""
    b = draw.batch()
    kept = memory(draw, b, "test")
    sd = np.sqrt(kept["running_var"] + b.eps)
    truth = [b.gamma * ((row - kept["running_mean"]) / sd) + b.beta for row in b.X]
    return weigh(truth, lambda: forward(*b[:3], kept)[0])


def batches(draw: Draw) -> list[Batch]:
    """Draw some batches of one width."""
    first = draw.batch()
    N, D = first.X.shape
    return [first, *(first._replace(X=draw.matrix(N, D) + 1) for _ in range(draw.size()))]


def after(series: Sequence[Batch], bn_param: dict[str, Any]) -> tuple[Array, Array]:
    """Return the running statistics after a series of batches in train mode."""
    for b in series:
        forward(b.X, b.gamma, b.beta, bn_param)
    return bn_param["running_mean"], bn_param["running_var"]


def decaying(draw: Draw) -> Trial:
    """Weigh the running statistics: weight (1 − m)mᵏ for a batch k steps ago, mᵀ at the start."""
    series = batches(draw)
    kept = memory(draw, series[0], "train")
    m, ages = kept["momentum"], range(len(series))[::-1]
    start, T = (kept["running_mean"], kept["running_var"]), len(series)
    truth = tuple(
        m**T * old
        + sum(
            (1 - m) * m**k * [sum(b.X) / len(b.X), np.var(b.X, axis=0)][i]
            for k, b in zip(ages, series, strict=True)
        )
        for i, old in enumerate(start)
    )
    return weigh(truth, lambda: after(series, dict(kept)))


def from_nothing(draw: Draw) -> Trial:
    """Weigh the running statistics, started from none, where all batches are alike."""
    b = draw.batch()
    m, T = float(draw.rng.uniform(0.6, 0.95)), draw.size()
    truth = (b.X.mean(axis=0), np.var(b.X, axis=0))

    def averages() -> Array:
        return np.array(after([b] * T, {"mode": "train", "momentum": m}))

    return weigh(truth, averages, conditioned=(truth, lambda: averages() / (1 - m**T)))


def without_statistics(draw: Draw) -> Trial:
    """Weigh the output without running statistics: in test mode, and if conditioned in train."""
    b = draw.batch()
    neutral = [b.gamma * row / np.sqrt(1 + b.eps) + b.beta for row in b.X]
    return weigh(
        neutral,
        lambda: forward(*b[:3], {"mode": "test", "eps": b.eps})[0],
        conditioned=(by_columns(b), lambda: forward(*b[:3], {"mode": "train", "eps": b.eps})[0]),
    )


def statistics_in_test(draw: Draw) -> Trial:
    """Weigh the running statistics after a pass in test mode: as before."""
    b = draw.batch()
    kept = memory(draw, b, "test")
    before = (kept["running_mean"].copy(), kept["running_var"].copy())

    def later() -> tuple[Array, Array]:
        forward(*b[:3], kept)
        return kept["running_mean"], kept["running_var"]

    return weigh(before, later)


def unknown_mode(draw: Draw) -> Trial:
    """Weigh whether a mode that is neither train nor test is a ValueError: 1 if so."""
    return weigh(1, lambda: _raised(draw, {"mode": "eval"}) is ValueError)


def missing_mode(draw: Draw) -> Trial:
    """Weigh whether a dictionary without a mode is a KeyError: 1 if so."""
    return weigh(1, lambda: _raised(draw, {"eps": 1e-5}) is KeyError)


def _raised(draw: Draw, bn_param: dict[str, Any]) -> type[Exception] | None:
    try:
        forward(*draw.batch()[:3], bn_param)
    except (ValueError, KeyError) as error:
        return type(error)
    return None


def constant_column(draw: Draw) -> Trial:
    """Weigh X̂ where a column is constant: there it is 0."""
    b = draw.batch()
    X = b.X.copy()
    X[:, 0] = X[0, 0]
    _, kept = forward(X, b.gamma, b.beta, {"mode": "train"})
    return weigh(np.zeros(len(X)), lambda: kept.Xhat[:, 0])
