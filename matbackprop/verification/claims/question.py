"""Claims of the question."""

from matbackprop.verification.claims.claim import Claim

QUESTION: tuple[Claim, ...] = ()
