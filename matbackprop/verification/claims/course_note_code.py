"""The course note's two NumPy functions, in train and in test mode."""

from functools import partial

from matbackprop.verification.claims import course_note_trials as trials
from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.course_note_listings import OFF_MEAN, listing_claims
from matbackprop.verification.claims.course_note_replica import numpy_backward, numpy_cache

_FUNCTIONS = trials.Listing(numpy_cache, numpy_backward)
_claim = partial(Claim, source="course note")
_FORWARD, _BACKWARD = "Code, forward", "Code, backward"

CODE = (
    *listing_claims(
        "course note",
        "code",
        _FUNCTIONS,
        hands_on="nothing",
        places={
            "output in train mode": f"{_FORWARD}, train branch",
            "running statistics": f"{_FORWARD}, train branch, last two lines",
            "running statistics from nothing": f"{_FORWARD}, the zeros of the look-up",
            "output in test mode": f"{_FORWARD}, test branch",
            "statistics in test mode": f"{_FORWARD}, test branch and last lines",
            "no statistics": f"{_FORWARD}, the zeros of the look-up",
            "unknown mode": f"{_FORWARD}, last branch",
            "stability": "Forward pass, list of variables: ε; forward, train branch",
            "gradients of gamma and beta": f"{_BACKWARD}, dgamma and dbeta",
            "gradient of X in train mode": f"{_BACKWARD}, dx",
            "gradient of X in test mode": f"{_BACKWARD}, first line, with what the test branch "
            "hands on",
        },
    ),
    _claim(
        key="course note/code, gradients of variance and mean",
        place=f"{_BACKWARD}, dvar and dmean",
        says="∂L/∂σ² and ∂L/∂μ as in formulas 4 and 5, the mean of −2(x − μ) for −(2/N)Σᵢ(xᵢ − μ)",
        how=OFF_MEAN,
        experiment=_FUNCTIONS.train_moments,
    ),
)
