"""Claims of the course note."""

from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.course_note_code import CODE
from matbackprop.verification.claims.course_note_formulas import FORMULAS

COURSE_NOTE: tuple[Claim, ...] = (*FORMULAS, *CODE)
