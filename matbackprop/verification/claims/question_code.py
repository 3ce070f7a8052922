"""Claims of the question: what its R functions and lines compute, whatever the figures."""

from collections.abc import Callable
from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.linalg import hadamard, kron
from matbackprop.network import ACTIVATIONS, predict
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw, differential
from matbackprop.verification.claims.question_setting import (
    COMPACT_BETA,
    COMPACT_GAMMA,
    COMPACT_GAMMA1,
    Setting,
    compact_gradients,
    node_by_node,
    posed_setting,
    random_setting,
    repeated_rows,
    scale_factors,
    spread,
    true_gradients,
)

_claim = partial(Claim, source="question")
_RELU = ACTIVATIONS["relu"].value


def _clipped(v: Array) -> Array:
    """Return what the listing's `a` returns: a copy with negatives overwritten by 0."""
    result = v.copy()
    result[result < 0] = 0.0
    return result


def _coded_slope(v: Array) -> Array:
    """Return what the listing's `ap` returns: the second step overwrites the first's zeros."""
    result = _clipped(v)
    result[result >= 0] = 1.0
    return result


def _activation(draw: Draw) -> Trial:
    v = draw.matrix(draw.size(6, 12), 4)
    return weigh(_RELU(v), lambda: _clipped(v))


def _slope(draw: Draw) -> Trial:
    v = draw.matrix(draw.size(6, 12), 4)
    truth = differential(_RELU, v, np.ones_like(v))
    return weigh(truth, lambda: _coded_slope(v), corrected=lambda: np.where(v > 0, 1.0, 0.0))


def _scale(Z: Array) -> Array:
    """Return what R's `scale` returns: it divides by sd, and sd by N − 1."""
    return (Z - Z.mean(axis=0)) / Z.std(axis=0, ddof=1)


def _layer(draw: Draw) -> Trial:
    s = random_setting(draw)
    truth = node_by_node(s.Z, s.gamma, s.beta)
    return weigh(truth, lambda: hadamard(kron(s.gamma, s.ones), _scale(s.Z)) + kron(s.beta, s.ones))


def _node_of(s: Setting, x: Array, i: int) -> Array:
    """Return what the listing's `bi(x, i)` returns, as a column."""
    return s.gamma[0, i] * _scale(x)[:, [i]] + s.beta[0, i] * s.ones


def _nodewise(draw: Draw) -> Trial:
    s = random_setting(draw)
    truth = node_by_node(s.Z, s.gamma, s.beta)
    return weigh(truth, lambda: np.hstack([_node_of(s, s.Z, i) for i in range(s.Z.shape[1])]))


def _scale_and_shift(draw: Draw) -> Trial:
    data = draw.r["question_data"]
    p2 = len(data["gamma"])
    truth = np.vstack([data["gamma"], data["beta"]])
    counted = np.arange(1, p2 + 1) + 1
    return weigh(truth, lambda: np.vstack([counted, -counted]))


def _outcome(draw: Draw) -> Trial:
    s, noise = posed_setting(draw), draw.r["question_data"]["noise"]
    return weigh(s.y, lambda: (_clipped(s.H) @ s.Gamma2).ravel() + noise)


def _noise_for_residuals(draw: Draw) -> Trial:
    s = posed_setting(draw)
    truth = s.y - predict(s.net, s.par, s.X)
    return weigh(truth, lambda: draw.r["question_data"]["noise"])


def _paired(draw: Draw) -> Setting:
    """Draw a network with p1 > p2: the loop takes row i of Γ₁ and column i of X for node i."""
    p2, p1, N = sorted(draw.sizes(3, low=4, high=8))
    return random_setting(draw, sizes=(N, p1, p2))


def _fed_wrongly(s: Setting, i: int) -> Array:
    return _node_of(s, s.X[:, [i]] @ s.par.Gamma1[[i], :], i)


def _fed_node(draw: Draw) -> Trial:
    s = _paired(draw)
    nodes = range(s.Z.shape[1])
    return weigh(
        s.H,
        lambda: np.hstack([_fed_wrongly(s, i) for i in nodes]),
        corrected=lambda: np.hstack([_node_of(s, s.X @ s.par.Gamma1, i) for i in nodes]),
    )


def _loop_for_beta(draw: Draw) -> Trial:
    s = _paired(draw)
    nodes = range(s.Z.shape[1])
    weights = -2 * s.residuals @ s.Gamma2.T

    def line(slope: Callable[[Array], Array]) -> Array:
        return s.ones.T @ hadamard(slope(s.H), weights)

    def loop(slope: Callable[[Array], Array], nodes_fed: list[Array]) -> list[list[float]]:
        return [[(weights[:, [i]].T @ slope(nodes_fed[i])).item() for i in nodes]]

    wrongly = [_fed_wrongly(s, i) for i in nodes]
    rightly = [_node_of(s, s.Z, i) for i in nodes]
    return weigh(
        line(s.slope),
        lambda: loop(s.slope, wrongly),
        conditioned=(line(_coded_slope), lambda: loop(_coded_slope, wrongly)),
        corrected=lambda: loop(s.slope, rightly),
    )


def _scale_factor(draw: Draw) -> Trial:
    s = random_setting(draw)
    mu, sigma = s.mu, spread(s.Z)

    def H(Z: Array) -> Array:
        return s.gamma * (Z - mu) / sigma + s.beta

    return weigh(
        differential(H, s.Z, np.ones_like(s.Z)),
        lambda: hadamard(kron(s.gamma, s.ones), repeated_rows(s.sigma[0], s.ones)),
        corrected=lambda: scale_factors(s),
    )


def _lines_with_faults(draw: Draw) -> Trial:
    s = random_setting(draw)
    stub = hadamard(_coded_slope(s.H), -2 * s.residuals @ s.Gamma2.T)
    coded_w = hadamard(kron(s.gamma, s.ones), s.sigma)

    def posed() -> Array:
        for_gamma = _scale(s.Z).T @ hadamard(stub, kron(s.gamma, s.ones))
        return np.vstack([s.X.T @ hadamard(stub, coded_w), np.diag(for_gamma), s.ones.T @ stub])

    return weigh(true_gradients(s), posed, corrected=lambda: compact_gradients(s))


CODE = (
    _claim(
        key="question/code of the activation",
        place="Update 1, listing, function a",
        says="a(v) = max(v, 0), entry by entry",
        how="a replica of the function's one step against ReLU",
        experiment=_activation,
    ),
    _claim(
        key="question/code of the activation's derivative",
        place="Update 1, listing, function ap",
        says="ap(v) = a′(v): negatives become 0, and then whatever is ≥ 0 becomes 1",
        how="complex step through ReLU, away from 0, against a replica of the two steps; the "
        "second one meets the zeros of the first, so the result is 1 everywhere",
        experiment=_slope,
        corrected="a′(v) = 1 where v > 0, else 0",
    ),
    _claim(
        key="question/code of batch norm",
        place="Update 1, listing, function b",
        says="(γ ⊗ 1_N) ⊙ scale(Z) + (β ⊗ 1_N) is batch norm of the layer",
        how="the definition with R's standard deviation: its scale divides by N − 1, where batch "
        "norm commonly divides by N",
        experiment=_layer,
    ),
    _claim(
        key="question/code of batch norm of a node",
        place="Update 1, listing, function bi",
        says="bi(Z, i) is column i of b(Z), for every node i",
        how="the definition, each column by itself, with R's standard deviation",
        experiment=_nodewise,
    ),
    _claim(
        key="question/code of gamma and beta",
        place="Update 1, listing, parameters",
        says="1:p2+1 is (1:p2)+1, so γ = (2, 3, 4, 5), and β = −γ",
        how="R's own γ and β",
        experiment=_scale_and_shift,
    ),
    _claim(
        key="question/code of the network",
        place="Update 1, listing, the neural net",
        says="y = a(b(XΓ₁))Γ₂ + u",
        how="the y that R computed from its own draws",
        experiment=_outcome,
    ),
    _claim(
        key="question/noise for residuals",
        place="Update 1, listing, both ways to compute derivatives",
        says="the noise u stands for ε̂ = y − ŷ, at the parameters that made y",
        how="R's y less the package's fitted values",
        experiment=_noise_for_residuals,
    ),
    _claim(
        key="question/what the loop feeds to node i",
        place="Update 1, listing, the looping way",
        says="b of column i of X times row i of Γ₁, at node i, is column i of b(XΓ₁)",
        how="forward pass; p1 > p2, so that there is a row and a column for each node",
        experiment=_fed_node,
        corrected="b of X times column i of Γ₁",
    ),
    _claim(
        key="question/loop for beta is the matrix way",
        place="Update 1, sentence before the listing, and the loop",
        says="Σₙ −2ε̂ₙ a′(hₙᵢ) Γ₂ᵢ for each node i, with h as the loop has it, is the matrix line "
        "1ᵀ(a′(H) ⊙ −2ε̂Γ₂ᵀ), H = b(XΓ₁)",
        how="the matrix line as it is coded, not ∂R/∂β: with the right a′, tanh's, in both, and "
        "under the condition with the a′ of the listing in both",
        experiment=_loop_for_beta,
        only_if="a′ is the same everywhere, as ap returns it: then h does not matter",
        corrected="Σₙ −2ε̂ₙ a′(hₙᵢ) Γ₂ᵢ with h = b(XΓ₁)",
    ),
    _claim(
        key="question/code of w",
        place="Update 3, listing, line for w",
        says="(γ ⊗ 1_N) ⊙ (sd of each column of XΓ₁ ⊗ 1_N) is the scale factor w",
        how="complex step through H = γ(Z − μ)/σ + β along the matrix of ones, moments constant",
        experiment=_scale_factor,
        corrected="w = (γ ⊗ 1_N) ⊘ (sd ⊗ 1_N)",
    ),
    _claim(
        key="question/matrix lines as coded",
        place="Updates 1, 3 and 4, the three matrix lines of the listings",
        says="the three lines, with ap and w as they are coded, are ∂R/∂β, ∂R/∂Γ₁ and, on the "
        "diagonal, ∂R/∂γ",
        how="complex step through R = Σε̂², tanh, the three gradients one below the other",
        experiment=_lines_with_faults,
        corrected=f"{COMPACT_BETA}, {COMPACT_GAMMA1}, {COMPACT_GAMMA}",
    ),
)
