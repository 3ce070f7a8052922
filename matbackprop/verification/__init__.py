"""Is it true? The question's data and posted figures, and one report that compares everything."""

from matbackprop.verification.question import Question, question
from matbackprop.verification.report import Report
from matbackprop.verification.verify import verify

__all__ = ["Question", "Report", "question", "verify"]
