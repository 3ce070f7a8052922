"""The course code printed below the answers: a forward pass with gaps, and an empty backward."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.answers_network import ANSWERS_SOURCE
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back

# What the lines do, as expressions: two ask for a name that no line has defined, and only
# evaluating them can show it.
_LINES = MappingProxyType(
    {
        "mean": "x.sum(axis=0) / N",
        "centred": "x - means",
        "variance": "(centred**2).sum() / N",
        "normalised": "centred - sqrt(variance + eps)",
        "out": "gamma * normlised + beta",
    }
)
_REPAIRED = MappingProxyType(
    {
        "mean": "x.sum(axis=0) / N",
        "centred": "x - mean",
        "variance": "(centred**2).sum(axis=0) / N",
        "normalised": "centred / sqrt(variance + eps)",
        "out": "gamma * normalised + beta",
    }
)


def _names(b: Batch) -> dict[str, Any]:
    """Collect what a line may refer to at the start."""
    given = {"x": b.X, "N": float(len(b.X)), "gamma": b.gamma, "beta": b.beta, "eps": b.eps}
    return {"sqrt": np.sqrt, **given}


def _evaluated(lines: Mapping[str, str], b: Batch) -> dict[str, Any]:
    """Evaluate one line after the other; stops with NameError at a name that is not there."""
    names = _names(b)
    for name, line in lines.items():
        names[name] = eval(line, {"__builtins__": {}}, names)
    return names


def _line(name: str, b: Batch) -> Any:
    """Evaluate that line as it stands, after repaired ones."""
    return eval(_LINES[name], {"__builtins__": {}}, _before(name, b))


def _before(name: str, b: Batch) -> dict[str, Any]:
    wanted = list(_REPAIRED)[: list(_REPAIRED).index(name)]
    return _evaluated({one: _REPAIRED[one] for one in wanted}, b)


def _layer(X: Array, gamma: Array, beta: Array, eps: float) -> Array:
    """Batch norm by its definition, one column after the other."""
    columns = [
        g * (x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + eps) + shift
        for x, g, shift in zip(X.T, gamma, beta, strict=True)
    ]
    return np.stack(columns, axis=1)


def _by_columns(f: Any, X: Array) -> Array:
    return np.stack([np.asarray(f(x)) for x in X.T], axis=-1)


def _mean(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(_by_columns(np.mean, b.X), lambda: _line("mean", b))


def _means_as_a_row(draw: Draw) -> Trial:
    b = draw.batch()
    N, D = b.X.shape
    as_commented = _by_columns(np.mean, b.X).reshape(1, D)
    return weigh(
        as_commented,
        lambda: _line("mean", b),
        conditioned=(as_commented, lambda: b.X.sum(axis=0, keepdims=True) / N),
    )


def _repairable(name: str, truth: Array, b: Batch) -> Trial:
    return weigh(truth, lambda: _line(name, b), corrected=lambda: _evaluated(_REPAIRED, b)[name])


def _centred(draw: Draw) -> Trial:
    b = draw.batch()
    return _repairable("centred", _by_columns(lambda x: x - np.mean(x), b.X), b)


def _variance(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(
        _by_columns(np.var, b.X),
        lambda: np.full_like(b.gamma, _line("variance", b)),
        corrected=lambda: _evaluated(_REPAIRED, b)["variance"],
    )


def _normalised(draw: Draw) -> Trial:
    b = draw.batch()
    truth = _layer(b.X, np.ones_like(b.gamma), np.zeros_like(b.beta), b.eps)
    return _repairable("normalised", truth, b)


def _output(draw: Draw) -> Trial:
    b = draw.batch()
    return _repairable("out", _layer(*b[:3], b.eps), b)


def _by_root(draw: Draw) -> Trial:
    b = draw.batch(eps=0.0)
    return weigh(
        np.ones_like(b.gamma), lambda: np.var(_evaluated(_REPAIRED, b)["normalised"], axis=0)
    )


def _train(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(
        _layer(*b[:3], b.eps),
        lambda: _evaluated(_LINES, b)["out"],
        corrected=lambda: _evaluated(_REPAIRED, b)["out"],
    )


def _followed(start: Array, batches: Array, momentum: float) -> Array:
    """Apply the course's update once a batch."""
    running = start
    for batch in batches:
        running = momentum * running + (1 - momentum) * batch
    return running


def _decayed(start: Array, batches: Array, momentum: float) -> Array:
    """Average with weights that decay exponentially with age."""
    ages = np.arange(len(batches))[::-1]
    weights = (1 - momentum) * momentum**ages
    return momentum ** len(batches) * start + weights @ batches


def _running_averages(draw: Draw) -> Trial:
    steps, D = draw.sizes(2)
    momentum = float(draw.rng.uniform(0.5, 0.99))
    start, batches = draw.matrix(D), draw.matrix(steps, D)
    return weigh(_decayed(start, batches, momentum), lambda: _followed(start, batches, momentum))


def _running_variance(draw: Draw) -> Trial:
    b = draw.batch()
    momentum, start = float(draw.rng.uniform(0.5, 0.99)), draw.positive(b.X.shape[1])
    update = "momentum * running + (1 - momentum) * variance"

    def updated(variance: Any) -> Any:
        names = {"momentum": momentum, "running": start, "variance": variance}
        return eval(update, {"__builtins__": {}}, names)

    return weigh(
        _decayed(start, _by_columns(np.var, b.X)[None], momentum),
        lambda: updated(_line("variance", b)),
        corrected=lambda: updated(_evaluated(_REPAIRED, b)["variance"]),
    )


def _gradients(b: Batch) -> Array:
    """∂L/∂x, ∂L/∂γ, ∂L/∂β by complex step, one after the other."""
    X, gamma, beta, dY, eps = b
    parts = (
        pulled_back(lambda v: _layer(v, gamma, beta, eps), X, dY),
        pulled_back(lambda v: _layer(X, v, beta, eps), gamma, dY),
        pulled_back(lambda v: _layer(X, gamma, v, eps), beta, dY),
    )
    return np.concatenate([part.ravel() for part in parts])


def _from_cache(cache: tuple[Array, ...], gamma: Array, dY: Array) -> Array:
    """Evaluate the closed form from what a forward pass would keep."""
    Xhat, inverse = cache
    dgamma, dbeta = (dY * Xhat).sum(axis=0), dY.sum(axis=0)
    dX = (dY - dbeta / len(dY) - Xhat * dgamma / len(dY)) * gamma * inverse
    return np.concatenate([dX.ravel(), dgamma, dbeta])


def _cache(draw: Draw) -> Trial:
    b = draw.batch()
    repaired = _evaluated(_REPAIRED, b)
    kept = (repaired["normalised"], 1 / np.sqrt(repaired["variance"] + b.eps))
    nothing: Any = None  # what the listing leaves in its cache
    return weigh(
        _gradients(b),
        lambda: _from_cache(nothing, b.gamma, b.dY),
        corrected=lambda: _from_cache(kept, b.gamma, b.dY),
    )


def _test_mode(draw: Draw) -> Trial:
    b = draw.batch()
    means, variances = draw.matrix(b.X.shape[1]), draw.positive(b.X.shape[1])
    truth = [
        [
            g * (x - m) / np.sqrt(v + b.eps) + shift
            for x, m, v, g, shift in zip(row, means, variances, b.gamma, b.beta, strict=True)
        ]
        for row in b.X
    ]
    return weigh(
        truth,
        lambda: None,
        corrected=lambda: b.gamma * (b.X - means) / np.sqrt(variances + b.eps) + b.beta,
    )


def _backward(draw: Draw) -> Trial:
    b = draw.batch()
    repaired = _evaluated(_REPAIRED, b)
    kept = (repaired["normalised"], 1 / np.sqrt(repaired["variance"] + b.eps))
    return weigh(
        _gradients(b),
        lambda: (None, None, None),
        corrected=lambda: _from_cache(kept, b.gamma, b.dY),
    )


_COURSE = "second answer, course code"
_TRAIN = f"{_COURSE}, forward, train mode"
_DEFINED = "the definition, one column after the other; the lines before it repaired"
_CLOSED = (
    "∂L/∂x = (∂L/∂y − 1 mean(∂L/∂y) − x̂ diag(∂L/∂γ)/N) diag(γ/√(σ² + ε)), "
    "∂L/∂γ = diag(x̂ᵀ ∂L/∂y), ∂L/∂β = 1ᵀ ∂L/∂y"
)

COURSE_CODE = (
    Claim(
        key="answers/course mean",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, means",
        says="μ = (1/N) Σᵢ xᵢ by columns",
        how="the mean of each column by itself",
        experiment=_mean,
    ),
    Claim(
        key="answers/course comment on shapes",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, comments beside means and variances",
        says="the means have shape (1, D) (the variances too)",
        how="the means by columns, as a matrix with one row",
        experiment=_means_as_a_row,
        only_if="the sum over axis 0 keeps that axis; as it stands the shape is (D,)",
    ),
    Claim(
        key="answers/course centred",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, centring",
        says="x less its column means, by a name that no line defines",
        how=_DEFINED,
        experiment=_centred,
        corrected="x − 1μ, with the name under which the means were stored",
    ),
    Claim(
        key="answers/course variance",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, variances",
        says="σ² = (1/N) Σ of all entries of (x − 1μ)², one number for all columns",
        how=f"{_DEFINED}; the one number is put in every column, as broadcasting would",
        experiment=_variance,
        corrected="σ² = (1/N) Σᵢ (xᵢ − μ)², the sum over axis 0",
    ),
    Claim(
        key="answers/course divide by the root",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, comment: the root of the variance, not the variance",
        says="x̂ = (x − 1μ)/√σ², not /σ²",
        how="the columns of x̂ then have variance 1, ε = 0",
        experiment=_by_root,
    ),
    Claim(
        key="answers/course normalised",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, normalising",
        says="x̂ = (x − 1μ) − √(σ² + ε)",
        how=_DEFINED,
        experiment=_normalised,
        corrected="x̂ = (x − 1μ)/√(σ² + ε)",
    ),
    Claim(
        key="answers/course output",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, last line",
        says="γx̂ + β, by a name for x̂ that no line defines",
        how=_DEFINED,
        experiment=_output,
        corrected="γx̂ + β, with the name under which x̂ was stored",
    ),
    Claim(
        key="answers/course train mode",
        source=ANSWERS_SOURCE,
        place=_TRAIN,
        says="the five lines together give batch norm",
        how="the definition, one column after the other; the lines as they stand",
        experiment=_train,
        corrected="γ(x − 1μ)/√(σ² + ε) + β: two names, an axis and a division repaired",
    ),
    Claim(
        key="answers/course running averages",
        source=ANSWERS_SOURCE,
        place="second answer, course code, docstring; train mode, running mean",
        says="running ← m running + (1 − m) batch: an average that decays exponentially",
        how="Σₖ (1 − m)mᵏ (batch k steps ago) + mᵀ start, after T batches",
        experiment=_running_averages,
    ),
    Claim(
        key="answers/course running variance",
        source=ANSWERS_SOURCE,
        place=f"{_TRAIN}, running variance",
        says="running ← m running + (1 − m)σ², with the one σ² of all columns",
        how="the same update with the variance of each column by itself",
        experiment=_running_variance,
        corrected="running ← m running + (1 − m)σ², σ² by columns",
    ),
    Claim(
        key="answers/course cache",
        source=ANSWERS_SOURCE,
        place=f"{_COURSE}, forward, docstring and last line",
        says="the cache that is returned serves the backward pass (it is left empty)",
        how="gradients from that cache, against a complex step through the layer",
        experiment=_cache,
        corrected="cache = (x̂, 1/√(σ² + ε)), with which " + _CLOSED,
    ),
    Claim(
        key="answers/course test mode",
        source=ANSWERS_SOURCE,
        place=f"{_COURSE}, forward, test mode",
        says="running statistics normalise new rows (nothing is computed, the output is None)",
        how="the definition, entry by entry, with random running statistics",
        experiment=_test_mode,
        corrected="γ(x − running μ)/√(running σ² + ε) + β",
    ),
    Claim(
        key="answers/course backward",
        source=ANSWERS_SOURCE,
        place=f"{_COURSE}, backward",
        says="returns ∂L/∂x, ∂L/∂γ, ∂L/∂β (nothing is computed, all three are None)",
        how="complex step through the layer",
        experiment=_backward,
        corrected=_CLOSED,
    ),
)
