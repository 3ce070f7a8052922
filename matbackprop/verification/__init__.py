"""Is it true? The question's data and posted figures, and one report that compares everything."""

from matbackprop.verification.parity import verify
from matbackprop.verification.problem import Question, question
from matbackprop.verification.report import Report

__all__ = ["Question", "Report", "question", "verify"]
