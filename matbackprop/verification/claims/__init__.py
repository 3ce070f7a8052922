"""What the sources say, checked: each printed formula, figure, code fragment and statement.

Every claim comes with the experiment that decides it; a verdict is what the experiments found
when the table was made, and is written down nowhere.
"""

from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Batch, Draw, differential, pulled_back
from matbackprop.verification.claims.findings import ClaimsReport, Finding
from matbackprop.verification.claims.sources import SOURCES
from matbackprop.verification.claims.trials import CLAIMS, check_claims

__all__ = [
    "CLAIMS",
    "SOURCES",
    "Batch",
    "Claim",
    "ClaimsReport",
    "Draw",
    "Finding",
    "Trial",
    "check_claims",
    "differential",
    "pulled_back",
    "weigh",
]
