"""Claims of the torch note: forward pass, chain rule, own entries, last formula, autograd."""

from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.torch_note_automatic import AUTOMATIC
from matbackprop.verification.claims.torch_note_chain import CHAIN
from matbackprop.verification.claims.torch_note_forward import FORWARD
from matbackprop.verification.claims.torch_note_last_formula import LAST_FORMULA
from matbackprop.verification.claims.torch_note_own_entry import OWN_ENTRY

TORCH_NOTE: tuple[Claim, ...] = (
    *FORWARD,
    *CHAIN,
    *OWN_ENTRY,
    *LAST_FORMULA,
    *AUTOMATIC,
)
