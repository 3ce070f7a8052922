"""Claims of the answers."""

from matbackprop.verification.claims.claim import Claim

ANSWERS: tuple[Claim, ...] = ()
