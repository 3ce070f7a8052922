"""The torch note's forward pass, written the same way in both halves."""

from __future__ import annotations

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.definition import batch_norm, batch_normalised, mean, variance
from matbackprop.verification.claims.draw import Draw, pulled_back
from matbackprop.verification.claims.torch_note_batch import ChannelBatch, channel_batch, total


def _mean(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(mean(b.x), lambda: total(b.x) / b.m)


def _variance(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(variance(b.x), lambda: total((b.x - b.mu) ** 2) / b.m)


def _normalised(draw: Draw) -> Trial:
    b = channel_batch(draw)
    return weigh(batch_normalised(b.x, b.eps), lambda: (b.x - b.mu) / np.sqrt(b.variance + b.eps))


def _affine(draw: Draw) -> Trial:
    b = channel_batch(draw)
    truth = batch_norm(b.x, b.gamma, b.beta, b.eps)
    return weigh(truth, lambda: b.gamma * b.centred / b.root + b.beta)


def _elements_averaged(b: ChannelBatch) -> Array:
    """1/(∂μ/∂x_i): over how many elements the mean is taken."""
    return 1 / pulled_back(mean, b.x, np.ones_like(b.gamma))


def _batch_size(draw: Draw) -> Trial:
    b, flat = channel_batch(draw, rank=draw.size(3, 5)), channel_batch(draw, rank=2)
    return weigh(
        _elements_averaged(b),
        lambda: np.full(b.x.shape, b.x.shape[0]),
        conditioned=(_elements_averaged(flat), lambda: np.full(flat.x.shape, flat.x.shape[0])),
    )


def _elements(draw: Draw) -> Trial:
    b = channel_batch(draw)
    N, _, *rest = b.x.shape
    return weigh(_elements_averaged(b), lambda: np.full(b.x.shape, N * np.prod(rest)))


_claim = partial(Claim, source="torch note")

FORWARD = (
    _claim(
        key="torch note/mean",
        place="first half, forward pass; second half, list of symbols",
        says="μ = (1/m) Σᵢ xᵢ, in each channel over every axis but the channel's",
        how="the mean of each channel by itself; random ranks 2 to 5",
        experiment=_mean,
    ),
    _claim(
        key="torch note/variance",
        place="first half, forward pass",
        says="σ² = (1/m) Σᵢ (xᵢ − μ)²",
        how="the variance of each channel by itself, over m; random ranks 2 to 5",
        experiment=_variance,
    ),
    _claim(
        key="torch note/normalised",
        place="first half, forward pass; second half, first formula",
        says="x̂ = (x − μ)/√(σ² + ε)",
        how="the definition, each channel by itself; random ranks 2 to 5",
        experiment=_normalised,
    ),
    _claim(
        key="torch note/affine",
        place="first half, forward pass; second half, second formula",
        says="y = γx̂ + β, with one γ and one β a channel",
        how="the definition, each channel by itself; random ranks 2 to 5",
        experiment=_affine,
    ),
    _claim(
        key="torch note/m is the batch size",
        place="first half, under the formula of the variance",
        says="m = N, the size of the batch",
        how="1/(∂μ/∂xᵢ) by complex step: how many elements are averaged; ranks 3 to 5",
        experiment=_batch_size,
        only_if="the data have rank 2, (N, C)",
    ),
    _claim(
        key="torch note/m counts elements",
        place="second half, section 3, under the derivative of μ",
        says="m = N·H·W, the number of elements of a channel",
        how="1/(∂μ/∂xᵢ) by complex step: how many elements are averaged; random ranks 2 to 5, "
        "where H·W, the note's example, stands for whatever axes follow the channel's",
        experiment=_elements,
    ),
)
