"""The claims that both course-style listings make: two modes forward, and the way back."""

from collections.abc import Callable, Mapping

from matbackprop.verification.claims import course_note_trials as trials
from matbackprop.verification.claims.claim import Claim, Trial
from matbackprop.verification.claims.draw import Draw

STEP = "complex step through the definition"
OFF_MEAN = f"{STEP}, around any μ, so that nothing vanishes"


def listing_claims(
    source: str, part: str, listing: trials.Listing, *, hands_on: str, places: Mapping[str, str]
) -> tuple[Claim, ...]:
    """Return what one of the listings claims as the other does.

    Parameters
    ----------
    source, part
        They name the listing, and start each key: "source/part, name of the claim".
    listing
        What it hands on to its backward pass, and what that does.
    hands_on
        The former in words, for test mode.
    places
        Where each claim stands, by its name.

    Raises
    ------
    KeyError
        If a claim has no place.
    """

    def claim(
        name: str,
        says: str,
        how: str,
        experiment: Callable[[Draw], Trial],
        *,
        only_if: str = "",
        corrected: str = "",
    ) -> Claim:
        return Claim(
            key=f"{source}/{part}, {name}",
            source=source,
            place=places[name],
            says=says,
            how=how,
            experiment=experiment,
            only_if=only_if,
            corrected=corrected,
        )

    return (
        claim(
            "output in train mode",
            "Y = γ ⊙ (X − μ)/√(σ² + ε) + β with the moments of the batch, σ² with divisor N",
            "the definition, each column by itself",
            trials.output_in_train,
        ),
        claim(
            "running statistics",
            "running ← m·running + (1 − m)·batch: a batch k steps ago has weight (1 − m)mᵏ",
            "several batches, against the sum with those weights; variance with divisor N",
            trials.decaying,
        ),
        claim(
            "running statistics from nothing",
            "from an empty dictionary, the running statistics are averages of the batches', as "
            "they are called",
            "the same batch T times: its average is that batch's mean and variance",
            trials.from_nothing,
            only_if="they are divided by 1 − m^T; as they are, the start at 0 pulls them towards 0",
        ),
        claim(
            "output in test mode",
            "Y = γ ⊙ (X − running mean)/√(running variance + ε) + β",
            "the definition with given moments, each column by itself",
            trials.output_in_test,
        ),
        claim(
            "statistics in test mode",
            "test mode leaves the running statistics as they are",
            "the dictionary before and after",
            trials.statistics_in_test,
        ),
        claim(
            "no statistics",
            "where running statistics are missing, zeros take their place",
            "test mode with an empty dictionary, against the definition with both moments 0: "
            "Y = γX/√ε + β",
            trials.without_statistics,
        ),
        claim(
            "unknown mode",
            "a mode that is neither train nor test is a ValueError",
            "another mode: 1 if that is what comes",
            trials.unknown_mode,
        ),
        claim(
            "stability",
            "ε keeps a constant column from being divided by 0",
            "a constant column, with the default ε: its X̂ is 0",
            trials.constant_column,
        ),
        claim(
            "gradients of gamma and beta",
            "∂L/∂γ = Σᵢ ∂L/∂yᵢ ⊙ x̂ᵢ, ∂L/∂β = Σᵢ ∂L/∂yᵢ",
            STEP,
            listing.train_gamma_beta,
        ),
        claim(
            "gradient of X in train mode",
            "∂L/∂X = ∂L/∂X̂/√(σ² + ε) + ∂L/∂σ² · 2(X − μ)/N + ∂L/∂μ/N",
            STEP,
            listing.train_X,
        ),
        claim(
            "gradient of X in test mode",
            f"backward takes what forward hands on in test mode: {hands_on}",
            f"{STEP}, moments given",
            listing.test_X,
            corrected="∂L/∂X = ∂L/∂Y ⊙ γ/√(running variance + ε)",
        ),
    )
