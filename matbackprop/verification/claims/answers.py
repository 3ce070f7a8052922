"""Claims of the two answers: vec and ⊗, staged code, and the course code below it."""

from matbackprop.verification.claims.answers_beta import FIRST_ANSWER_BETA
from matbackprop.verification.claims.answers_course import COURSE_TRAIN
from matbackprop.verification.claims.answers_course_modes import COURSE_MODES
from matbackprop.verification.claims.answers_gamma import FIRST_ANSWER_GAMMA
from matbackprop.verification.claims.answers_staged import SECOND_ANSWER
from matbackprop.verification.claims.claim import Claim

ANSWERS: tuple[Claim, ...] = (
    *FIRST_ANSWER_BETA,
    *FIRST_ANSWER_GAMMA,
    *SECOND_ANSWER,
    *COURSE_TRAIN,
    *COURSE_MODES,
)
