"""The course code below the answers, the rest: running statistics, test mode, the way back.

Its dictionary, its choice of a mode and what it stores are the course note's, and so are the
experiments on them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims import course_note_trials as trials
from matbackprop.verification.claims.answers_course_replica import (
    REPAIRED,
    UPDATE,
    as_it_stands,
    evaluated,
    value_of,
)
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.course_note_replica import forward
from matbackprop.verification.claims.definition import (
    affine,
    batch_norm,
    decaying_average,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back

_claim = partial(Claim, source="answers")


def _running_averages(draw: Draw) -> Trial:
    steps, D = draw.sizes(2)
    momentum = float(draw.rng.uniform(0.5, 0.99))
    start, batches = draw.matrix(D), draw.matrix(steps, D)

    def followed() -> Array:
        running = start
        for batch in batches:
            running = value_of(UPDATE, momentum=momentum, running=running, batch=batch)
        return running

    return weigh(decaying_average(start, list(batches), momentum), followed)


def _running_variance(draw: Draw) -> Trial:
    b = draw.batch()
    momentum, start = float(draw.rng.uniform(0.5, 0.99)), draw.positive(b.X.shape[1])

    def updated(batch: Any) -> Any:
        return value_of(UPDATE, momentum=momentum, running=start, batch=batch)

    return weigh(
        decaying_average(start, [variance(b.X)[0]], momentum),
        lambda: updated(as_it_stands("variance", b)),
        corrected=lambda: updated(evaluated(REPAIRED, b)["variance"]),
    )


def _torch7(draw: Draw) -> Trial:
    b = draw.batch()
    N, D = b.X.shape
    start, tau = draw.positive(2, D), float(draw.rng.uniform(0.05, 0.4))
    theirs = np.stack([mean(b.X)[0], variance(b.X)[0] * N / (N - 1)])
    truth = tau * theirs + (1 - tau) * start

    def ours(momentum: float, unbiased: float) -> Array:
        lines = evaluated(REPAIRED, b)
        batch = np.stack([lines["mean"], unbiased * lines["variance"]])
        return np.asarray(value_of(UPDATE, momentum=momentum, running=start, batch=batch))

    return weigh(
        truth, lambda: ours(tau, 1.0), conditioned=(truth, lambda: ours(1 - tau, N / (N - 1)))
    )


def _zeros(draw: Draw) -> Trial:
    b = draw.batch()
    stored: dict[str, Any] = {"mode": "test"}

    def looked_up() -> list[Any]:
        forward(b.X, b.gamma, b.beta, stored)
        return [stored["running_mean"], stored["running_var"]]

    return weigh(np.zeros((2, b.X.shape[1])), looked_up)


def _shapes(draw: Draw) -> Trial:
    b = draw.batch()
    N, D = b.X.shape
    stored: dict[str, Any] = {"mode": "train"}
    forward(b.X, b.gamma, b.beta, stored)
    statistics = [stored["running_mean"], stored["running_var"]]
    found = [evaluated(REPAIRED, b)["out"], *statistics, *_gradients(b)]
    return weigh([n for part in found for n in part.shape], lambda: [N, D, D, D, N, D, D, D])


def _gradients(b: Batch) -> tuple[Array, Array, Array]:
    """∂L/∂x, ∂L/∂γ, ∂L/∂β by complex step."""
    X, gamma, beta, dY, eps = b
    return (
        pulled_back(lambda v: batch_norm(v, gamma, beta, eps), X, dY),
        pulled_back(lambda v: batch_norm(X, v, beta, eps), gamma, dY),
        pulled_back(lambda v: batch_norm(X, gamma, v, eps), beta, dY),
    )


def _in_one(parts: tuple[Array, ...]) -> Array:
    return np.concatenate([part.ravel() for part in parts])


def _from_cache(cache: tuple[Array, ...], gamma: Array, dY: Array) -> Array:
    """Evaluate the closed form from what a forward pass would keep."""
    Xhat, inverse = cache
    dgamma, dbeta = (dY * Xhat).sum(axis=0), dY.sum(axis=0)
    dX = (dY - dbeta / len(dY) - Xhat * dgamma / len(dY)) * gamma * inverse
    return _in_one((dX, dgamma, dbeta))


def _worth_keeping(b: Batch) -> tuple[Array, Array]:
    lines = evaluated(REPAIRED, b)
    return lines["normalised"], 1 / np.sqrt(lines["variance"] + b.eps)


def _cache(draw: Draw) -> Trial:
    b = draw.batch()
    nothing: Any = None  # what the listing leaves in its cache
    return weigh(
        _in_one(_gradients(b)),
        lambda: _from_cache(nothing, b.gamma, b.dY),
        corrected=lambda: _from_cache(_worth_keeping(b), b.gamma, b.dY),
    )


def _test_mode(draw: Draw) -> Trial:
    b = draw.batch()
    means, variances = draw.matrix(b.X.shape[1]), draw.positive(b.X.shape[1])
    return weigh(
        affine(normalised(b.X, means, variances, b.eps), b.gamma, b.beta),
        lambda: None,
        corrected=lambda: b.gamma * (b.X - means) / np.sqrt(variances + b.eps) + b.beta,
    )


def _backward(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(
        _in_one(_gradients(b)),
        lambda: (None, None, None),
        corrected=lambda: _from_cache(_worth_keeping(b), b.gamma, b.dY),
    )


_COURSE = "second answer, course code"
_TRAIN = f"{_COURSE}, forward, train mode"
_DOC = f"{_COURSE}, forward, docstring"
_CLOSED = (
    "∂L/∂x = (∂L/∂y − 1 mean(∂L/∂y) − x̂ diag(∂L/∂γ)/N) diag(γ/√(σ² + ε)), "
    "∂L/∂γ = diag(x̂ᵀ ∂L/∂y), ∂L/∂β = 1ᵀ ∂L/∂y"
)

COURSE_MODES = (
    _claim(
        key="answers/course running averages",
        place=f"{_DOC}; train mode, running mean",
        says="running ← m running + (1 − m) batch: an average that decays exponentially",
        how="Σₖ (1 − m)mᵏ (batch k steps ago) + m^T start, after T batches",
        experiment=_running_averages,
    ),
    _claim(
        key="answers/course running variance",
        place=f"{_TRAIN}, running variance",
        says="running ← m running + (1 − m)σ², with the one σ² of all columns",
        how="the same update with the variance of each column by itself",
        experiment=_running_variance,
        corrected="running ← m running + (1 − m)σ², σ² by columns",
    ),
    _claim(
        key="answers/course running averages from nothing",
        place=f"{_DOC}, running averages; the zeros of the look-up",
        says="from an empty dictionary, the running statistics are averages of the batches', as "
        "they are called",
        how="the same batch T times: its average is that batch's mean and variance; the lines of "
        "train mode repaired",
        experiment=trials.from_nothing,
        only_if="they are divided by 1 − m^T; as they are, the start at 0 pulls them towards 0",
    ),
    _claim(
        key="answers/course torch7 averages too",
        place=f"{_DOC}, last remark",
        says="torch7's running statistics are the same averages",
        how="torch7's update, written out: weight τ for the batch, divisor N − 1; against the "
        "course's, its variance repaired",
        experiment=_torch7,
        only_if="its momentum is τ = 1 − m, and the variance is multiplied by N/(N − 1)",
    ),
    _claim(
        key="answers/course zeros of the look-up",
        place=f"{_COURSE}, forward, look-up and last lines",
        says="where running statistics are missing, zeros of shape (D,) take their place, and are "
        "stored",
        how="an empty dictionary after a pass in test mode",
        experiment=_zeros,
    ),
    _claim(
        key="answers/course statistics in test mode",
        place=f"{_COURSE}, forward, test mode and last lines",
        says="test mode stores the running statistics back as they were",
        how="the dictionary before and after",
        experiment=trials.statistics_in_test,
    ),
    _claim(
        key="answers/course unknown mode",
        place=f"{_COURSE}, forward, last branch",
        says="a mode that is neither train nor test is a ValueError",
        how="another mode: 1 if that is what comes",
        experiment=trials.unknown_mode,
    ),
    _claim(
        key="answers/course missing mode",
        place=f"{_DOC}, list of keys",
        says="the key mode is required",
        how="a dictionary without it: 1 if a KeyError comes",
        experiment=trials.missing_mode,
    ),
    _claim(
        key="answers/course stability",
        place=f"{_DOC}, list of keys: ε",
        says="ε keeps a constant column from being divided by 0",
        how="a constant column, with the default ε: its x̂ is 0; the lines of train mode repaired",
        experiment=trials.constant_column,
    ),
    _claim(
        key="answers/course shapes",
        place=f"{_COURSE}, both docstrings",
        says="out and ∂L/∂x are (N, D), the running statistics, ∂L/∂γ and ∂L/∂β (D,)",
        how="the repaired lines, the dictionary after them, and complex steps; N ≠ D",
        experiment=_shapes,
    ),
    _claim(
        key="answers/course cache",
        place=f"{_DOC} and last line",
        says="the cache that is returned serves the backward pass (it is left empty)",
        how="gradients from that cache, against a complex step through the layer",
        experiment=_cache,
        corrected="cache = (x̂, 1/√(σ² + ε)), with which " + _CLOSED,
    ),
    _claim(
        key="answers/course test mode",
        place=f"{_COURSE}, forward, test mode",
        says="running statistics normalise new rows (nothing is computed, the output is None)",
        how="the definition, one column after the other, with random running statistics",
        experiment=_test_mode,
        corrected="γ(x − running μ)/√(running σ² + ε) + β",
    ),
    _claim(
        key="answers/course backward",
        place=f"{_COURSE}, backward",
        says="returns ∂L/∂x, ∂L/∂γ, ∂L/∂β (nothing is computed, all three are None)",
        how="complex step through the layer",
        experiment=_backward,
        corrected=_CLOSED,
    ),
)
