"""Claims of the course note."""

from matbackprop.verification.claims.claim import Claim

COURSE_NOTE: tuple[Claim, ...] = ()
