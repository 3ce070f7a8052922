"""The note's torch class: its docstring, its comments, and what it computes in either mode."""

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims import course_note_trials as trials
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.course_note_replica import (
    forward,
    torch_backward,
    torch_cache,
)
from matbackprop.verification.claims.draw import Draw, pulled_back

_CLASS = trials.Listing(torch_cache, torch_backward)


def _uncorrected(draw: Draw) -> Trial:
    b = draw.batch()
    truth = [sum((x - sum(x) / len(x)) ** 2) / len(x) for x in b.X.T]
    return weigh(truth, lambda: forward(*b[:3], trials.memory(draw, b, "train"))[1].var)


def _deviation(draw: Draw) -> Trial:
    b, bare = draw.batch(), draw.batch(eps=0.0)

    def scale(eps: float, X: Array) -> Array:
        one, zero = np.ones(X.shape[1]), np.zeros(X.shape[1])
        Xhat, _ = forward(X, one, zero, {"mode": "train", "eps": eps})
        return (X - X.mean(axis=0)) / Xhat

    def spread(X: Array) -> Array:
        return np.tile(np.std(X, axis=0), (len(X), 1))

    return weigh(
        spread(b.X),
        lambda: scale(b.eps, b.X),
        conditioned=(spread(bare.X), lambda: scale(0.0, bare.X)),
    )


def _look_up(draw: Draw) -> Trial:
    D = draw.size()
    bn_param = {"mode": "train"}
    found = bn_param.get("running_mean", np.zeros(D))
    return weigh(np.zeros(D + 1), lambda: [*np.asarray(found), "running_mean" in bn_param])


def _overwritten(draw: Draw) -> Trial:
    b = draw.batch()
    kept = trials.memory(draw, b, "train")
    before, m = kept["running_mean"].copy(), kept["momentum"]

    def stored_twice() -> Array:
        running = kept["running_mean"]
        kept["running_mean"] = m * b.X.mean(axis=0) + (1 - m) * running
        kept["running_mean"] = running
        return kept["running_mean"]

    return weigh(before, stored_twice)


def _weights(draw: Draw) -> Trial:
    b = draw.batch()
    kept = trials.memory(draw, b, "train")

    def commented_out(m: float) -> Array:
        return m * b.X.mean(axis=0) + (1 - m) * kept["running_mean"]

    def updated(m: float) -> Array:
        return trials.after([b], kept | {"momentum": m})[0]

    m = kept["momentum"]
    return weigh(
        updated(m),
        lambda: commented_out(m),
        conditioned=(updated(0.5), lambda: commented_out(0.5)),
    )


def _pytorch(draw: Draw) -> Trial:
    b = draw.batch()
    N, D = b.X.shape
    start, tau = draw.matrix(D), float(draw.rng.uniform(0.05, 0.4))
    truth = (
        (1 - tau) * start + tau * b.X.mean(axis=0),
        tau * sum((row - b.X.mean(axis=0)) ** 2 for row in b.X) / (N - 1),
    )

    def averages(momentum: float) -> tuple[Array, Array]:
        kept = {"mode": "train", "momentum": momentum, "running_mean": start}
        return trials.after([b], kept)

    def translated() -> tuple[Array, Array]:
        mean, var = averages(1 - tau)
        return mean, var * N / (N - 1)

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
    mean, var = kept["running_mean"], kept["running_var"]
    truth = pulled_back(lambda X: b.gamma * trials.normalised(X, mean, var, b.eps), b.X, b.dY)
    _, known = forward(*b[:3], kept)
    by_train = weigh(truth, lambda: torch_backward(b.dY, torch_cache(known, "train")).dX)
    return weigh(1, lambda: by_train.printed > 1e-3)


_claim = partial(Claim, source="differential forms")
_FORWARD, _BACKWARD, _DOC = "Class, forward", "Class, backward", "Class, docstring of forward"
_STEP = "complex step through the definition"

CLASS = (
    _claim(
        key="differential forms/class, output in train mode",
        place=f"{_FORWARD}, train branch",
        says="Y = γ ⊙ (X − μ)/√(σ² + ε) + β with the moments of the batch",
        how="each column from its own mean and sum of squares",
        experiment=trials.output_in_train,
    ),
    _claim(
        key="differential forms/class, uncorrected variance",
        place=f"{_DOC}; train branch",
        says="the variance divides by N",
        how="the sum of squares of each column, divided by N",
        experiment=_uncorrected,
    ),
    _claim(
        key="differential forms/class, division by the deviation",
        place=f"{_FORWARD}, comment in the train branch",
        says="what the data are divided by is the square root of the variance",
        how="(X − μ)/X̂ against NumPy's standard deviation",
        experiment=_deviation,
        only_if="ε = 0; else it is √(σ² + ε)",
    ),
    _claim(
        key="differential forms/class, running statistics",
        place=f"{_DOC}, the two update lines; train branch, the code called correct",
        says="running ← m·running + (1 − m)·batch: a batch k steps ago has weight (1 − m)mᵏ",
        how="several batches, against the sum with those weights; variance with divisor N",
        experiment=trials.decaying,
    ),
    _claim(
        key="differential forms/class, running statistics from nothing",
        place=f"{_DOC}, running averages; the zeros of the look-up",
        says="from an empty dictionary, the running statistics become averages of the batches'",
        how="the same batch T times: its average is that batch's mean and variance",
        experiment=trials.from_nothing,
        only_if="they are divided by 1 − mᵀ; as they are, the start at 0 pulls them towards 0",
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
        key="differential forms/class, output in test mode",
        place=f"{_FORWARD}, test branch",
        says="Y = γ ⊙ (X − running mean)/√(running variance + ε) + β",
        how="the definition, row by row",
        experiment=trials.output_in_test,
    ),
    _claim(
        key="differential forms/class, statistics in test mode",
        place=f"{_FORWARD}, test branch and last lines",
        says="test mode leaves the running statistics as they are",
        how="the dictionary before and after",
        experiment=trials.statistics_in_test,
    ),
    _claim(
        key="differential forms/class, no statistics",
        place=f"{_FORWARD}, the zeros of the look-up",
        says="running statistics may be missing: zeros take their place",
        how="test mode with nothing stored, against moments 0 and 1; train mode by its definition",
        experiment=trials.without_statistics,
        only_if="the mode is train; in test mode the data are divided by √ε",
    ),
    _claim(
        key="differential forms/class, unknown mode",
        place=f"{_FORWARD}, last branch",
        says="a mode that is neither train nor test is a ValueError",
        how="another mode",
        experiment=trials.unknown_mode,
    ),
    _claim(
        key="differential forms/class, missing mode",
        place=f"{_DOC}, list of keys",
        says="the key mode is required",
        how="a dictionary without it: a KeyError",
        experiment=trials.missing_mode,
    ),
    _claim(
        key="differential forms/class, stability",
        place=f"{_DOC}, list of keys: ε",
        says="ε keeps a constant column from being divided by 0",
        how="a constant column, with the default ε: its X̂ is 0",
        experiment=trials.constant_column,
    ),
    _claim(
        key="differential forms/class, shapes",
        place="Class, both docstrings",
        says="Y and ∂L/∂X are (N, D), ∂L/∂γ and ∂L/∂β (D,)",
        how="the shapes that come out, N ≠ D",
        experiment=_shapes,
    ),
    _claim(
        key="differential forms/class, gradients of gamma and beta",
        place=f"{_BACKWARD}, dgamma and dbeta",
        says="∂L/∂γ = Σᵢ ∂L/∂yᵢ ⊙ x̂ᵢ, ∂L/∂β = Σᵢ ∂L/∂yᵢ, unlike the ∂L/∂γ of the text",
        how=_STEP,
        experiment=_CLASS.train_gamma_beta,
    ),
    _claim(
        key="differential forms/class, gradients of variance and mean",
        place=f"{_BACKWARD}, dsigma2 and dmu",
        says="∂L/∂σ² = −½ Σᵢ ∂L/∂x̂ᵢ ⊙ x̂ᵢ/(σ² + ε); "
        "∂L/∂μ = −Σᵢ ∂L/∂x̂ᵢ/√(σ² + ε) − (2/N) ∂L/∂σ² ⊙ Σᵢ(xᵢ − μ), unlike that of the text",
        how=f"{_STEP}, around any μ, so that nothing vanishes",
        experiment=_CLASS.train_moments,
    ),
    _claim(
        key="differential forms/class, gradient of X in train mode",
        place=f"{_BACKWARD}, dx",
        says="the three parts of ∂L/∂X add up to it",
        how=_STEP,
        experiment=_CLASS.train_X,
    ),
    _claim(
        key="differential forms/class, gradient of X in test mode",
        place=f"{_BACKWARD}, first line, with what the test branch hands on",
        says="backward takes what forward hands on in test mode: seven values, for eight",
        how=f"{_STEP}, moments given",
        experiment=_CLASS.test_X,
        corrected="∂L/∂X = ∂L/∂Y ⊙ γ/√(running variance + ε)",
    ),
    _claim(
        key="differential forms/class, two modes to go back",
        place=f"{_BACKWARD}, the reminder in its comment",
        says="train and test mode need different backward passes",
        how=f"the formulas of train mode, with the moments of test mode: wrong; {_STEP}",
        experiment=_separate_backward,
    ),
)
