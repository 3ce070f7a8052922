"""The course note's two NumPy functions, in train and in test mode."""

from functools import partial

from matbackprop.verification.claims import course_note_trials as trials
from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.course_note_replica import numpy_backward, numpy_cache

_FUNCTIONS = trials.Listing(numpy_cache, numpy_backward)
_claim = partial(Claim, source="course note")
_FORWARD, _BACKWARD = "Code, forward", "Code, backward"
_STEP = "complex step through the definition"

CODE = (
    _claim(
        key="course note/code, output in train mode",
        place=f"{_FORWARD}, train branch",
        says="Y = γ ⊙ (X − μ)/√(σ² + ε) + β with the moments of the batch, σ² with divisor N",
        how="each column from its own mean and sum of squares",
        experiment=trials.output_in_train,
    ),
    _claim(
        key="course note/code, running statistics",
        place=f"{_FORWARD}, train branch, last two lines",
        says="running ← m·running + (1 − m)·batch: a batch k steps ago has weight (1 − m)mᵏ",
        how="several batches, against the sum with those weights; variance with divisor N",
        experiment=trials.decaying,
    ),
    _claim(
        key="course note/code, running statistics from nothing",
        place=f"{_FORWARD}, the zeros of the look-up",
        says="from an empty dictionary, the running statistics become averages of the batches'",
        how="the same batch T times: its average is that batch's mean and variance",
        experiment=trials.from_nothing,
        only_if="they are divided by 1 − mᵀ; as they are, the start at 0 pulls them towards 0",
    ),
    _claim(
        key="course note/code, output in test mode",
        place=f"{_FORWARD}, test branch",
        says="Y = γ ⊙ (X − running mean)/√(running variance + ε) + β",
        how="the definition, row by row",
        experiment=trials.output_in_test,
    ),
    _claim(
        key="course note/code, statistics in test mode",
        place=f"{_FORWARD}, test branch and last lines",
        says="test mode leaves the running statistics as they are",
        how="the dictionary before and after",
        experiment=trials.statistics_in_test,
    ),
    _claim(
        key="course note/code, no statistics",
        place=f"{_FORWARD}, the zeros of the look-up",
        says="running statistics may be missing: zeros take their place",
        how="test mode with nothing stored, against moments 0 and 1; train mode by its definition",
        experiment=trials.without_statistics,
        only_if="the mode is train; in test mode the data are divided by √ε",
    ),
    _claim(
        key="course note/code, unknown mode",
        place=f"{_FORWARD}, last branch",
        says="a mode that is neither train nor test is a ValueError",
        how="another mode",
        experiment=trials.unknown_mode,
    ),
    _claim(
        key="course note/code, stability",
        place="Forward pass, list of variables: ε; forward, train branch",
        says="ε keeps a constant column from being divided by 0",
        how="a constant column, with the default ε: its X̂ is 0",
        experiment=trials.constant_column,
    ),
    _claim(
        key="course note/code, gradients of gamma and beta",
        place=f"{_BACKWARD}, dgamma and dbeta",
        says="∂L/∂γ = Σᵢ ∂L/∂yᵢ ⊙ x̂ᵢ, ∂L/∂β = Σᵢ ∂L/∂yᵢ",
        how=_STEP,
        experiment=_FUNCTIONS.train_gamma_beta,
    ),
    _claim(
        key="course note/code, gradients of variance and mean",
        place=f"{_BACKWARD}, dvar and dmean",
        says="∂L/∂σ² and ∂L/∂μ as in formulas 4 and 5, the mean of −2(x − μ) for −(2/N)Σᵢ(xᵢ − μ)",
        how=f"{_STEP}, around any μ, so that nothing vanishes",
        experiment=_FUNCTIONS.train_moments,
    ),
    _claim(
        key="course note/code, gradient of X in train mode",
        place=f"{_BACKWARD}, dx",
        says="∂L/∂X as in formula 6",
        how=_STEP,
        experiment=_FUNCTIONS.train_X,
    ),
    _claim(
        key="course note/code, gradient of X in test mode",
        place=f"{_BACKWARD}, first line, with what the test branch hands on",
        says="backward takes what forward handed on in test mode: nothing",
        how=f"{_STEP}, moments given",
        experiment=_FUNCTIONS.test_X,
        corrected="∂L/∂X = ∂L/∂Y ⊙ γ/√(running variance + ε)",
    ),
)
