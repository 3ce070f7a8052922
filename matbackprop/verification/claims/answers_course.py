"""The course code printed below the answers, in train mode: a forward pass with gaps."""

from __future__ import annotations

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.answers_course_replica import (
    LINES,
    REPAIRED,
    as_it_stands,
    evaluated,
)
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import (
    batch_norm,
    batch_normalised,
    mean,
    normalised,
    variance,
)
from matbackprop.verification.claims.draw import Batch, Draw

_claim = partial(Claim, source="answers")


def _repairable(name: str, truth: Array, b: Batch) -> Trial:
    return weigh(
        truth, lambda: as_it_stands(name, b), corrected=lambda: evaluated(REPAIRED, b)[name]
    )


def _mean(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(mean(b.X)[0], lambda: as_it_stands("mean", b))


def _means_as_a_row(draw: Draw) -> Trial:
    b = draw.batch()
    truth = mean(b.X)
    return weigh(
        truth,
        lambda: as_it_stands("mean", b),
        conditioned=(truth, lambda: b.X.sum(axis=0, keepdims=True) / len(b.X)),
    )


def _variances_as_a_row(draw: Draw) -> Trial:
    b = draw.batch()
    truth = variance(b.X)

    def over_axis_0() -> Array:
        return (evaluated(REPAIRED, b)["centred"] ** 2).sum(axis=0, keepdims=True) / len(b.X)

    return weigh(truth, lambda: as_it_stands("variance", b), conditioned=(truth, over_axis_0))


def _shape_of_data(draw: Draw) -> Trial:
    b = draw.batch()
    centred = evaluated(REPAIRED, b)["centred"]
    return weigh(
        [*b.X.shape, *b.X.shape],
        lambda: [*np.shape(centred), *np.shape(as_it_stands("normalised", b))],
    )


def _centred(draw: Draw) -> Trial:
    b = draw.batch()
    one = np.ones_like(b.gamma)
    return _repairable("centred", normalised(b.X, mean(b.X), one, 0.0), b)


def _variance(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(
        variance(b.X)[0],
        lambda: np.full_like(b.gamma, as_it_stands("variance", b)),
        corrected=lambda: evaluated(REPAIRED, b)["variance"],
    )


def _uncorrected(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(variance(b.X)[0], lambda: evaluated(REPAIRED, b)["variance"])


def _division(draw: Draw) -> Trial:
    b, bare = draw.batch(), draw.batch(eps=0.0)

    def divisor(batch: Batch) -> Array:
        Xhat = evaluated(REPAIRED, batch)["normalised"]
        # Lengths of columns: a single entry of either may be as good as 0.
        return np.linalg.norm(batch.X - mean(batch.X), axis=0) / np.linalg.norm(Xhat, axis=0)

    def deviation(batch: Batch) -> Array:
        return np.sqrt(variance(batch.X)[0])

    return weigh(
        deviation(b), lambda: divisor(b), conditioned=(deviation(bare), lambda: divisor(bare))
    )


def _normalised(draw: Draw) -> Trial:
    b = draw.batch()
    return _repairable("normalised", batch_normalised(b.X, b.eps), b)


def _output(draw: Draw) -> Trial:
    b = draw.batch()
    return _repairable("out", batch_norm(*b[:3], b.eps), b)


def _train(draw: Draw) -> Trial:
    b = draw.batch()
    return weigh(
        batch_norm(*b[:3], b.eps),
        lambda: evaluated(LINES, b)["out"],
        corrected=lambda: evaluated(REPAIRED, b)["out"],
    )


_COURSE = "second answer, course code"
_TRAIN = f"{_COURSE}, forward, train mode"
_DEFINED = "the definition, one column after the other; the lines before it repaired"

COURSE_TRAIN = (
    _claim(
        key="answers/course mean",
        place=f"{_TRAIN}, means",
        says="μ = (1/N) Σᵢ xᵢ by columns",
        how="the mean of each column by itself",
        experiment=_mean,
    ),
    _claim(
        key="answers/course shape of the means",
        place=f"{_TRAIN}, comment beside the means",
        says="the means have shape (1, D)",
        how="the means by columns, as a matrix with one row",
        experiment=_means_as_a_row,
        only_if="the sum over axis 0 keeps that axis; as it stands the shape is (D,)",
    ),
    _claim(
        key="answers/course shape of the variances",
        place=f"{_TRAIN}, comment beside the variances",
        says="the variances have shape (1, D)",
        how="the variances by columns, as a matrix with one row; the lines before it repaired",
        experiment=_variances_as_a_row,
        only_if="the sum is over axis 0 and keeps that axis; as it stands it is one number",
    ),
    _claim(
        key="answers/course shape of the data",
        place=f"{_TRAIN}, comments beside centring and normalising",
        says="x less its means, and what the normalising line gives, have shape (N, D)",
        how="the shape of x, N ≠ D; the first line with its name repaired, the other as it stands",
        experiment=_shape_of_data,
    ),
    _claim(
        key="answers/course centred",
        place=f"{_TRAIN}, centring",
        says="x less its column means, by a name that no line defines",
        how=_DEFINED,
        experiment=_centred,
        corrected="x − 1μ, with the name under which the means were stored",
    ),
    _claim(
        key="answers/course variance",
        place=f"{_TRAIN}, variances",
        says="σ² = (1/N) Σ of all entries of (x − 1μ)², one number for all columns",
        how=f"{_DEFINED}; the one number is put in every column, as broadcasting would",
        experiment=_variance,
        corrected="σ² = (1/N) Σᵢ (xᵢ − μ)², the sum over axis 0",
    ),
    _claim(
        key="answers/course uncorrected variance",
        place=f"{_COURSE}, forward, docstring; train mode, variances",
        says="the variance divides by N",
        how="the variance of each column by itself, with divisor N; the lines repaired",
        experiment=_uncorrected,
    ),
    _claim(
        key="answers/course division by the deviation",
        place=f"{_TRAIN}, comment: the root of the variance, not the variance",
        says="what the data are divided by is the standard deviation, the root of the variance",
        how="(x − 1μ)/x̂, by the lengths of their columns, against the root of each column's "
        "variance; the lines repaired, since as they stand nothing is divided",
        experiment=_division,
        only_if="ε = 0; else it is √(σ² + ε)",
    ),
    _claim(
        key="answers/course normalised",
        place=f"{_TRAIN}, normalising",
        says="x̂ = (x − 1μ) − √(σ² + ε)",
        how=_DEFINED,
        experiment=_normalised,
        corrected="x̂ = (x − 1μ)/√(σ² + ε)",
    ),
    _claim(
        key="answers/course output",
        place=f"{_TRAIN}, last line",
        says="γx̂ + β, by a name for x̂ that no line defines",
        how=_DEFINED,
        experiment=_output,
        corrected="γx̂ + β, with the name under which x̂ was stored",
    ),
    _claim(
        key="answers/course train mode",
        place=_TRAIN,
        says="the five lines together give batch norm",
        how="the definition, one column after the other; the lines as they stand",
        experiment=_train,
        corrected="γ(x − 1μ)/√(σ² + ε) + β: two names, an axis and a division repaired",
    ),
)
