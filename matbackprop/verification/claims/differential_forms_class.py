"""The note's torch class: its docstring, its comments, and what it computes in either mode."""

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims import course_note_trials as trials
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.course_note_listings import OFF_MEAN, STEP, listing_claims
from matbackprop.verification.claims.course_note_replica import (
    forward,
    torch_backward,
    torch_cache,
)
from matbackprop.verification.claims.definition import decaying_average, mean, normalised, variance
from matbackprop.verification.claims.draw import Batch, Draw, pulled_back

_CLASS = trials.Listing(torch_cache, torch_backward)


def _uncorrected(draw: Draw) -> Trial:
    b = draw.batch()
    truth = variance(b.X)[0]
    return weigh(truth, lambda: forward(*b[:3], trials.memory(draw, b, "train"))[1].var)


def _deviation(draw: Draw) -> Trial:
    b, bare = draw.batch(), draw.batch(eps=0.0)

    def divisor(batch: Batch) -> Array:
        one, zero = np.ones_like(batch.gamma), np.zeros_like(batch.beta)
        Xhat, _ = forward(batch.X, one, zero, {"mode": "train", "eps": batch.eps})
        centred = batch.X - mean(batch.X)
        # Lengths of columns: a single entry of either may be as good as 0.
        return np.asarray(np.linalg.norm(centred, axis=0) / np.linalg.norm(Xhat, axis=0))

    def deviation(batch: Batch) -> Array:
        return np.asarray(np.sqrt(variance(batch.X)[0]))

    return weigh(
        deviation(b), lambda: divisor(b), conditioned=(deviation(bare), lambda: divisor(bare))
    )


def _look_up(draw: Draw) -> Trial:
    D = draw.size()
    bn_param = {"mode": "train"}
    found = bn_param.get("running_mean", np.zeros(D))
    return weigh(np.zeros(D + 1), lambda: [*np.asarray(found), "running_mean" in bn_param])


def _called_wrong(b: Batch, running: Array, m: float) -> Array:
    return m * mean(b.X)[0] + (1 - m) * running


def _overwritten(draw: Draw) -> Trial:
    b = draw.batch()
    kept = trials.memory(draw, b, "train")
    before = kept["running_mean"].copy()

    def stored_twice() -> Array:
        running = kept["running_mean"]
        kept["running_mean"] = _called_wrong(b, running, kept["momentum"])
        kept["running_mean"] = running
        return kept["running_mean"]

    return weigh(before, stored_twice)


def _weights(draw: Draw) -> Trial:
    b = draw.batch()
    kept = trials.memory(draw, b, "train")

    running, m = kept["running_mean"], kept["momentum"]

    def updated(m: float) -> Array:
        return trials.after([b], kept | {"momentum": m})[0]

    return weigh(
        updated(m),
        lambda: _called_wrong(b, running, m),
        conditioned=(updated(0.5), lambda: _called_wrong(b, running, 0.5)),
    )


def _pytorch(draw: Draw) -> Trial:
    b = draw.batch()
    N, D = b.X.shape
    start, tau = draw.matrix(D), float(draw.rng.uniform(0.05, 0.4))
    truth = (
        decaying_average(start, [mean(b.X)[0]], 1 - tau),
        decaying_average(np.zeros(D), [variance(b.X)[0] * N / (N - 1)], 1 - tau),
    )

    def averages(momentum: float) -> tuple[Array, Array]:
        kept = {"mode": "train", "momentum": momentum, "running_mean": start}
        return trials.after([b], kept)

    def translated() -> tuple[Array, Array]:
        mu, var = averages(1 - tau)
        return mu, var * N / (N - 1)

    return weigh(truth, lambda: averages(tau), conditioned=(truth, translated))


def _shapes(draw: Draw) -> Trial:
    b = draw.batch()
    Y, _ = forward(*b[:3], trials.memory(draw, b, "train"))
    g = _CLASS.run(b, trials.memory(draw, b, "train"))
    N, D = b.X.shape
    return weigh(
        [N, D, N, D, D, D], lambda: [*Y.shape, *g.dX.shape, *g.dgamma.shape, *g.dbeta.shape]
    )


def _separate_backward(draw: Draw) -> Trial:
    b = draw.batch()
    kept = trials.memory(draw, b, "test")
    mu, var = kept["running_mean"], kept["running_var"]
    truth = pulled_back(lambda X: normalised(X, mu, var, b.eps), b.X, b.dY * b.gamma)
    _, known = forward(*b[:3], kept)
    by_train = torch_backward(b.dY, torch_cache(known, "train")).dX
    error = weigh(truth, lambda: by_train).printed
    return weigh(1, lambda: error > 1e-3)


_claim = partial(Claim, source="differential forms")
_FORWARD, _BACKWARD, _DOC = "Class, forward", "Class, backward", "Class, docstring of forward"

CLASS = (
    *listing_claims(
        "differential forms",
        "class",
        _CLASS,
        hands_on="seven values, for eight",
        places={
            "output in train mode": f"{_FORWARD}, train branch",
            "running statistics": f"{_DOC}, the two update lines; train branch, the code called "
            "correct",
            "running statistics from nothing": f"{_DOC}, running averages; the zeros of the "
            "look-up",
            "output in test mode": f"{_FORWARD}, test branch",
            "statistics in test mode": f"{_FORWARD}, test branch and last lines",
            "no statistics": f"{_FORWARD}, the zeros of the look-up",
            "unknown mode": f"{_FORWARD}, last branch",
            "stability": f"{_DOC}, list of keys: ε",
            "gradients of gamma and beta": f"{_BACKWARD}, dgamma and dbeta; this ∂L/∂γ is not the "
            "text's",
            "gradient of X in train mode": f"{_BACKWARD}, dx",
            "gradient of X in test mode": f"{_BACKWARD}, first line, with what the test branch "
            "hands on",
        },
    ),
    _claim(
        key="differential forms/class, uncorrected variance",
        place=f"{_DOC}; train branch",
        says="the variance divides by N",
        how="the variance of each column by itself, with divisor N",
        experiment=_uncorrected,
    ),
    _claim(
        key="differential forms/class, division by the deviation",
        place=f"{_FORWARD}, comment in the train branch",
        says="what the data are divided by is the standard deviation, the root of the variance",
        how="(X − μ)/X̂, by the lengths of the columns, against the root of each variance",
        experiment=_deviation,
        only_if="ε = 0; else it is √(σ² + ε)",
    ),
    _claim(
        key="differential forms/class, look-up with a default",
        place=f"{_FORWARD}, comment on the missing keys",
        says="where the keys are missing the look-up gives zeros, and adds no key",
        how="a dictionary without them, before the pass stores its own",
        experiment=_look_up,
    ),
    _claim(
        key="differential forms/class, update stored too early",
        place=f"{_FORWARD}, train branch, the code called wrong",
        says="an update written to the dictionary inside the branch is lost at the end",
        how="both assignments in their order, against the value before",
        experiment=_overwritten,
    ),
    _claim(
        key="differential forms/class, why that update is wrong",
        place=f"{_FORWARD}, train branch, the reason given",
        says="only the storing is wrong with running ← m·batch + (1 − m)·running",
        how="the same update, stored last, against the listing's",
        experiment=_weights,
        only_if="m = ½; it also exchanges the weights, which the comment does not say",
    ),
    _claim(
        key="differential forms/class, PyTorch averages too",
        place=f"{_DOC}, last remark",
        says="PyTorch's running statistics are the same averages",
        how="PyTorch's documented update, written out: weight τ for the batch, divisor N − 1",
        experiment=_pytorch,
        only_if="its momentum is τ = 1 − m, and the variance is multiplied by N/(N − 1)",
    ),
    _claim(
        key="differential forms/class, missing mode",
        place=f"{_DOC}, list of keys",
        says="the key mode is required",
        how="a dictionary without it: 1 if a KeyError comes",
        experiment=trials.missing_mode,
    ),
    _claim(
        key="differential forms/class, shapes",
        place="Class, both docstrings",
        says="Y and ∂L/∂X are (N, D), ∂L/∂γ and ∂L/∂β (D,)",
        how="the shapes that come out, N ≠ D",
        experiment=_shapes,
    ),
    _claim(
        key="differential forms/class, gradients of variance and mean",
        place=f"{_BACKWARD}, dsigma2 and dmu",
        says="∂L/∂σ² = −½ Σᵢ ∂L/∂x̂ᵢ ⊙ x̂ᵢ/(σ² + ε); "
        "∂L/∂μ = −Σᵢ ∂L/∂x̂ᵢ/√(σ² + ε) − (2/N) ∂L/∂σ² ⊙ Σᵢ(xᵢ − μ), unlike that of the text",
        how=OFF_MEAN,
        experiment=_CLASS.train_moments,
    ),
    _claim(
        key="differential forms/class, two modes to go back",
        place=f"{_BACKWARD}, the reminder in its comment",
        says="train and test mode need different backward passes",
        how="1 if the formulas of train mode are wrong for the moments of test mode; " + STEP,
        experiment=_separate_backward,
    ),
)
