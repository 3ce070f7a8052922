"""Claims of the question: batch norm and the network, forward."""

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.linalg import hadamard, kron
from matbackprop.network import predict
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw
from matbackprop.verification.claims.question_setting import (
    Setting,
    node_by_node,
    posed_setting,
    random_setting,
    standardised,
)

_claim = partial(Claim, source="question")


def _matrix_form(X: Array, gamma: Array, beta: Array, ones: Array) -> Array:
    """Return (γ ⊗ ones) ⊙ (X − μ) ⊙ σ⁻¹ + (β ⊗ ones), σ⁻¹ by entries and nothing broadcast."""
    repeated = np.ones((len(X), 1))
    mu, sigma = (kron(row[None], repeated) for row in (X.mean(axis=0), X.std(axis=0, ddof=1)))
    return hadamard(hadamard(kron(gamma, ones), X - mu), 1 / sigma) + kron(beta, ones)


def _one_node(draw: Draw) -> Trial:
    N = draw.size(4, 9)
    x, gamma, beta = draw.matrix(N, 1) + draw.matrix(1), draw.matrix(1), draw.matrix(1)
    mu, sigma = x.mean(), x.std(ddof=1)
    return weigh(node_by_node(x, gamma, beta), lambda: gamma * (x - mu) * sigma**-1 + beta)


def _whole_layer(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    X, gamma, beta = draw.matrix(N, p), draw.matrix(1, p), draw.matrix(1, p)
    square, ones = draw.matrix(p, p), np.ones((p, 1))
    return weigh(
        node_by_node(X, gamma, beta),
        lambda: _matrix_form(X, gamma, beta, ones),
        corrected=lambda: _matrix_form(X, gamma, beta, np.ones((N, 1))),
        conditioned=(
            node_by_node(square, gamma, beta),
            lambda: _matrix_form(square, gamma, beta, ones),
        ),
    )


def _no_fudge_factor(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    X = 0.05 * draw.matrix(N, p)
    customary, hardly_any = 1e-5, 1e-25

    def without() -> Array:
        return (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)

    return weigh(
        standardised(X, eps=customary),
        without,
        conditioned=(standardised(X, eps=hardly_any), without),
    )


def _plain_network(draw: Draw) -> Trial:
    s = random_setting(draw, batch_norm=False)
    u = draw.matrix(len(s.X), 1)
    truth = predict(s.net, s.par, s.X).reshape(-1, 1) + u
    return weigh(truth, lambda: np.tanh(s.X @ s.par.Gamma1) @ s.Gamma2 + u)


def _fitted(s: Setting) -> Array:
    """Return the network under batch norm, as the question writes it, with its activation."""
    normal = _matrix_form(s.X @ s.par.Gamma1, s.gamma, s.beta, s.ones)
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


def _others_not_additive(draw: Draw) -> Trial:
    here = random_setting(draw)
    there = random_setting(draw, sizes=(*here.X.shape, here.Z.shape[1]))

    def b(s: Setting, changed: dict[str, Array]) -> Array:
        v = {"Gamma1": s.par.Gamma1, "gamma": s.gamma, "beta": s.beta} | changed
        return node_by_node(s.X @ v["Gamma1"], v["gamma"], v["beta"])

    def is_additive(name: str, at: Array) -> bool:
        more = draw.matrix(*at.shape)
        one, two = (b(s, {name: at + more}) - b(s, {name: at}) for s in (here, there))
        return bool(np.abs(one - two).max() < 1e-4)

    named = {"beta": here.beta, "gamma": here.gamma, "Gamma1": here.par.Gamma1}
    return weigh([is_additive(*pair) for pair in named.items()], lambda: [1, 0, 0])


FORWARD = (
    _claim(
        key="question/batch norm of a node",
        place="The batch normalization function",
        says="b(x) = γ(x − μ)σ⁻¹ + β, with the mean μ and standard deviation σ of the node's "
        "column x, and a γ and a β for each node",
        how="the definition, with R's standard deviation",
        experiment=_one_node,
    ),
    _claim(
        key="question/matrix form",
        place="In matrix form",
        says="b(X) = (γ ⊗ 1_p) ⊙ (X − μ) ⊙ σ⁻¹ + (β ⊗ 1_p) for X of shape N × p",
        how="the definition, column by column; σ⁻¹ is taken by entries, as the ⊙ before it asks; "
        "γ ⊗ 1_p is p × p, and N and p differ",
        experiment=_whole_layer,
        only_if="N = p; the later formulas write 1_N",
        corrected="b(X) = (γ ⊗ 1_N) ⊙ (X − μ) ⊙ σ⁻¹ + (β ⊗ 1_N)",
    ),
    _claim(
        key="question/no fudge factor",
        place="The batch normalization function, note on the fudge factor",
        says="√(σ² + ε) may be written as σ, with ε left out, if no element is zero",
        how="the definition with the customary ε = 1e-5, for columns with σ about 0.05; under the "
        "condition with ε = 1e-25, which is lost in rounding",
        experiment=_no_fudge_factor,
        only_if="ε is 0 or lost in rounding, and no column is constant, as the question assumes",
    ),
    _claim(
        key="question/network without batch norm",
        place="A very simple one-layer neural net, and its dimensions",
        says="y = a(XΓ₁)Γ₂ + ε with Γ₁ of shape p1 × p2 and Γ₂ of shape p2 × 1",
        how="forward pass of the package; products of matrices only",
        experiment=_plain_network,
    ),
    _claim(
        key="question/network with batch norm",
        place="Under batch normalization, second formula",
        says="ŷ = a((γ ⊗ 1_N) ⊙ (XΓ₁ − μ) ⊙ σ⁻¹ + (β ⊗ 1_N))Γ₂",
        how="forward pass of the package; σ⁻¹ entry by entry",
        experiment=_normalised_network,
    ),
    _claim(
        key="question/network without noise",
        place="Under batch normalization, first formula",
        says="y = a(b(XΓ₁))Γ₂, without the ε of the network before it",
        how="the y that R drew for the question",
        experiment=_without_noise,
        only_if="the left side is ŷ, that is y less its noise",
    ),
    _claim(
        key="question/beta enters additively",
        place="Update 1, last sentence",
        says="adding δ to β adds δ ⊗ 1_N to b(X)",
        how="batch norm node by node, at β + δ and at β",
        experiment=_additive_beta,
    ),
    _claim(
        key="question/gamma and Gamma1 do not enter additively",
        place="Update 1, last sentence",
        says="unlike β, γ and Γ₁ do not enter b(XΓ₁) additively",
        how="1 if adding δ to a parameter adds the same to b(XΓ₁) whatever the data and the other "
        "parameters are, else 0; for β, γ and Γ₁, node by node",
        experiment=_others_not_additive,
    ),
)
