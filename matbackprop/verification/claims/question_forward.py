"""Claims of the question: batch norm and the network, forward."""

import numpy as np

from matbackprop._typing import Array
from matbackprop.linalg import hadamard, kron
from matbackprop.network import predict
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.question_setting import (
    Setting,
    node,
    node_by_node,
    posed_setting,
    random_setting,
    standardised,
)

_SOURCE = "question"


def _matrix_form(X: Array, gamma: Array, beta: Array, ones: Array, spread: Array) -> Array:
    """Return (γ ⊗ ones) ⊙ (X − μ) ⊙ spread + (β ⊗ ones), with nothing broadcast."""
    mu = np.ones((len(X), 1)) @ X.mean(axis=0, keepdims=True)
    return hadamard(hadamard(kron(gamma, ones), X - mu), spread) + kron(beta, ones)


def _deviations(X: Array) -> Array:
    return np.ones((len(X), 1)) @ X.std(axis=0, ddof=1, keepdims=True)


def _one_node(draw: Draw) -> Trial:
    N = draw.size(4, 9)
    x, (gamma, beta) = draw.matrix(N, 1) + draw.matrix(1), draw.matrix(2)
    mu, sigma = x.mean(), x.std(ddof=1)
    truth = node(x[:, 0], gamma, beta).reshape(N, 1)
    return weigh(truth, lambda: gamma * (x - mu) * sigma**-1 + beta)


def _whole_layer(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    X, gamma, beta = draw.matrix(N, p), draw.matrix(1, p), draw.matrix(1, p)
    square = draw.matrix(p, p)
    return weigh(
        node_by_node(X, gamma, beta),
        lambda: _matrix_form(X, gamma, beta, np.ones((p, 1)), 1 / _deviations(X)),
        corrected=lambda: _matrix_form(X, gamma, beta, np.ones((N, 1)), 1 / _deviations(X)),
        conditioned=(
            node_by_node(square, gamma, beta),
            lambda: _matrix_form(square, gamma, beta, np.ones((p, 1)), 1 / _deviations(square)),
        ),
    )


def _inverse_of_sigma(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    X, gamma, beta = draw.matrix(N, p), draw.matrix(1, p), draw.matrix(1, p)
    ones, truth = np.ones((N, 1)), node_by_node(X, gamma, beta)
    return weigh(
        truth,
        lambda: _matrix_form(X, gamma, beta, ones, np.linalg.inv(_deviations(X))),
        conditioned=(truth, lambda: _matrix_form(X, gamma, beta, ones, 1 / _deviations(X))),
    )


def _no_fudge_factor(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    X = draw.matrix(N, p)
    constant = X.copy()
    constant[:, 0] = 2.0
    hardly_any = 1e-25

    def without(X: Array) -> Array:
        with np.errstate(invalid="ignore"):  # 0/0 is the point
            return standardised(X)

    return weigh(
        standardised(constant, eps=hardly_any),
        lambda: without(constant),
        conditioned=(standardised(X, eps=hardly_any), lambda: without(X)),
    )


def _plain_network(draw: Draw) -> Trial:
    s = random_setting(draw, batch_norm=False)
    u = draw.matrix(len(s.X), 1)
    truth = predict(s.net, s.par, s.X).reshape(-1, 1) + u
    return weigh(truth, lambda: np.tanh(s.X @ s.par.Gamma1) @ s.Gamma2 + u)


def _fitted(s: Setting) -> Array:
    """Return the network under batch norm, as the question writes it, with its activation."""
    normal = _matrix_form(s.X @ s.par.Gamma1, s.gamma, s.beta, s.ones, 1 / s.sigma)
    return s.net.a.value(normal) @ s.Gamma2


def _normalised_network(draw: Draw) -> Trial:
    s = random_setting(draw)
    return weigh(predict(s.net, s.par, s.X).reshape(-1, 1), lambda: _fitted(s))


def _without_noise(draw: Draw) -> Trial:
    s = posed_setting(draw)
    noise = draw.r["question_data"]["noise"]
    return weigh(
        s.y.reshape(-1, 1),
        lambda: _fitted(s),
        conditioned=((s.y - noise).reshape(-1, 1), lambda: _fitted(s)),
    )


def _additive_beta(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    X, gamma, beta, more = (draw.matrix(*shape) for shape in ((N, p), (1, p), (1, p), (1, p)))
    change = node_by_node(X, gamma, beta + more) - node_by_node(X, gamma, beta)
    return weigh(change, lambda: kron(more, np.ones((N, 1))))


FORWARD = (
    Claim(
        key="question/batch norm of a node",
        source=_SOURCE,
        place="The batch normalization function",
        says="b(x) = γ(x − μ)σ⁻¹ + β, with the mean μ and standard deviation σ of the node's "
        "column x, and a γ and a β for each node",
        how="entry by entry from the definition, with R's standard deviation",
        experiment=_one_node,
    ),
    Claim(
        key="question/matrix form",
        source=_SOURCE,
        place="In matrix form",
        says="b(X) = (γ ⊗ 1_p) ⊙ (X − μ) ⊙ σ⁻¹ + (β ⊗ 1_p) for X of shape N × p",
        how="the formula of a node, column by column; γ ⊗ 1_p is p × p, and N and p differ",
        experiment=_whole_layer,
        only_if="N = p; the later formulas write 1_N",
        corrected="b(X) = (γ ⊗ 1_N) ⊙ (X − μ) ⊙ σ⁻¹ + (β ⊗ 1_N)",
    ),
    Claim(
        key="question/inverse of sigma",
        source=_SOURCE,
        place="In matrix form, with σ defined as N × p in the list below it",
        says="the factor σ⁻¹ is the inverse of the N × p matrix σ",
        how="the formula of a node, column by column; no matrix with N ≠ p has an inverse",
        experiment=_inverse_of_sigma,
        only_if="σ⁻¹ is taken entry by entry",
    ),
    Claim(
        key="question/no fudge factor",
        source=_SOURCE,
        place="The batch normalization function, note on the fudge factor",
        says="√(variance + ε) may be written as σ, with ε left out",
        how="the definition with ε = 1e-25, which moves the other columns by less than rounding; "
        "one column of the draw is constant",
        experiment=_no_fudge_factor,
        only_if="no column is constant, which the question assumes",
    ),
    Claim(
        key="question/network without batch norm",
        source=_SOURCE,
        place="A very simple one-layer neural net, and its dimensions",
        says="y = a(XΓ₁)Γ₂ + ε with Γ₁ of shape p1 × p2 and Γ₂ of shape p2 × 1",
        how="forward pass of the package; products of matrices only",
        experiment=_plain_network,
    ),
    Claim(
        key="question/network with batch norm",
        source=_SOURCE,
        place="Under batch normalization, second formula",
        says="ŷ = a((γ ⊗ 1_N) ⊙ (XΓ₁ − μ) ⊙ σ⁻¹ + (β ⊗ 1_N))Γ₂",
        how="forward pass of the package; σ⁻¹ entry by entry",
        experiment=_normalised_network,
    ),
    Claim(
        key="question/network without noise",
        source=_SOURCE,
        place="Under batch normalization, first formula",
        says="y = a(b(XΓ₁))Γ₂, without the ε of the network before it",
        how="the y that R drew for the question",
        experiment=_without_noise,
        only_if="the left side is ŷ, that is y less its noise",
    ),
    Claim(
        key="question/beta enters additively",
        source=_SOURCE,
        place="Update 1, last sentence",
        says="adding δ to β adds δ ⊗ 1_N to b(X)",
        how="batch norm node by node, at β + δ and at β",
        experiment=_additive_beta,
    ),
)
