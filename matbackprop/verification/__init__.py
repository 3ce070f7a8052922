"""Is it true? The question's data and posted figures, and one report that compares everything."""

from typing import TYPE_CHECKING, Any

from matbackprop.verification.problem import Question, question

if TYPE_CHECKING:
    from matbackprop.verification.parity import verify
    from matbackprop.verification.report import Report

__all__ = ["Question", "Report", "question", "verify"]


def __getattr__(name: str) -> Any:
    # `import matbackprop` comes by here for `question` alone: the bridge to R and the report
    # are a third of its time, and are loaded when somebody asks for them.
    if name == "verify":
        from matbackprop.verification.parity import verify

        return verify
    if name == "Report":
        from matbackprop.verification.report import Report

        return Report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
