"""Claims of the note that derives batch norm's gradient by differential forms."""

from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.differential_forms_class import CLASS
from matbackprop.verification.claims.differential_forms_forward import FORWARD
from matbackprop.verification.claims.differential_forms_moments import MOMENTS
from matbackprop.verification.claims.differential_forms_rules import RULES
from matbackprop.verification.claims.differential_forms_steps import STEPS

DIFFERENTIAL_FORMS: tuple[Claim, ...] = (*RULES, *FORWARD, *STEPS, *MOMENTS, *CLASS)
