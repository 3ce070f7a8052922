"""What the course-style listings are held against: definitions, and complex steps through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Trial, weigh
from matbackprop.verification.claims.course_note_replica import Cache, Kept, Pulled, forward
from matbackprop.verification.claims.definition import (
    affine,
    batch_norm,
    batch_normalised,
    decaying_average,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back


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
        truth = pulled_back(lambda X: batch_norm(X, b.gamma, b.beta, b.eps), b.X, b.dY)
        return weigh(truth, lambda: self.run(b, memory(draw, b, "train")).dX)

    def train_gamma_beta(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂γ and ∂L/∂β in train mode."""
        b = draw.batch()
        Xhat = batch_normalised(b.X, b.eps)
        truth = (
            pulled_back(lambda gamma: affine(Xhat, gamma, b.beta), b.gamma, b.dY),
            pulled_back(lambda beta: affine(Xhat, b.gamma, beta), b.beta, b.dY),
        )
        return weigh(truth, lambda: self.run(b, memory(draw, b, "train"))[1:3])

    def train_moments(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂σ² and ∂L/∂μ around *any* μ: at the mean a part of the latter vanishes."""
        b = draw.batch()
        mu = mean(b.X)[0] + draw.matrix(b.X.shape[1])
        var, dXhat = variance(b.X, mu)[0], b.dY * b.gamma
        Xhat = normalised(b.X, mu, var, b.eps)
        cache = self.cache(Kept(b.X, b.gamma, Xhat, mu, var, b.beta, b.eps), "train")
        truth = (
            pulled_back(lambda v: normalised(b.X, mu, v, b.eps), var, dXhat),
            pulled_back(lambda m: normalised(b.X, m, variance(b.X, m), b.eps), mu, dXhat),
        )
        return weigh(truth, lambda: self.backward(b.dY, cache)[3:5])

    def test_X(self, draw: Draw) -> Trial:
        """Weigh ∂L/∂X in test mode, where the moments are given and constant."""
        b = draw.batch()
        kept = memory(draw, b, "test")
        mu, var = kept["running_mean"], kept["running_var"]
        truth = pulled_back(
            lambda X: affine(normalised(X, mu, var, b.eps), b.gamma, b.beta), b.X, b.dY
        )
        return weigh(
            truth,
            lambda: self.run(b, dict(kept)).dX,
            corrected=lambda: b.dY * b.gamma / np.sqrt(var + b.eps),
        )


def output_in_train(draw: Draw) -> Trial:
    """Weigh Y in train mode."""
    b = draw.batch()
    truth = batch_norm(b.X, b.gamma, b.beta, b.eps)
    return weigh(truth, lambda: forward(*b[:3], memory(draw, b, "train"))[0])


def output_in_test(draw: Draw) -> Trial:
    """Weigh Y in test mode."""
    b = draw.batch()
    kept = memory(draw, b, "test")
    Xhat = normalised(b.X, kept["running_mean"], kept["running_var"], b.eps)
    return weigh(affine(Xhat, b.gamma, b.beta), lambda: forward(*b[:3], kept)[0])


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
    """Weigh the running statistics: weight (1 − m)mᵏ for a batch k steps ago, m^T at the start."""
    series = batches(draw)
    kept = memory(draw, series[0], "train")
    m, (means, variances) = kept["momentum"], moments(series)
    truth = (
        decaying_average(kept["running_mean"], means, m),
        decaying_average(kept["running_var"], variances, m),
    )
    return weigh(truth, lambda: after(series, dict(kept)))


def moments(series: Sequence[Batch]) -> tuple[list[Array], list[Array]]:
    """Return the mean and the variance of each batch's columns."""
    return [mean(b.X)[0] for b in series], [variance(b.X)[0] for b in series]


def from_nothing(draw: Draw) -> Trial:
    """Weigh the running statistics, started from none, where all batches are alike."""
    b = draw.batch()
    m, T = float(draw.rng.uniform(0.6, 0.95)), draw.size()
    truth = (mean(b.X)[0], variance(b.X)[0])

    def averages() -> Array:
        return np.array(after([b] * T, {"mode": "train", "momentum": m}))

    return weigh(truth, averages, conditioned=(truth, lambda: averages() / (1 - m**T)))


def without_statistics(draw: Draw) -> Trial:
    """Weigh Y in test mode without running statistics: both moments are zeros."""
    b = draw.batch()
    nothing = np.zeros(b.X.shape[1])
    truth = affine(normalised(b.X, nothing, nothing, b.eps), b.gamma, b.beta)
    return weigh(truth, lambda: forward(*b[:3], {"mode": "test", "eps": b.eps})[0])


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
