"""Claims of the question."""

from matbackprop.verification.claims.claim import Claim
from matbackprop.verification.claims.question_code import CODE
from matbackprop.verification.claims.question_figures import FIGURES
from matbackprop.verification.claims.question_forward import FORWARD
from matbackprop.verification.claims.question_gradients import GRADIENTS
from matbackprop.verification.claims.question_kronecker import KRONECKER
from matbackprop.verification.claims.question_scale_gradient import SCALE_GRADIENT

QUESTION: tuple[Claim, ...] = (
    *FORWARD,
    *CODE,
    *FIGURES,
    *KRONECKER,
    *GRADIENTS,
    *SCALE_GRADIENT,
)
