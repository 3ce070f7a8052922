"""Claims of the torch note."""

from matbackprop.verification.claims.claim import Claim

TORCH_NOTE: tuple[Claim, ...] = ()
