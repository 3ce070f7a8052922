"""The table of claims: what the experiments found, one row a claim."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from matbackprop.verification.claims.claim import Claim, Trial

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["holds", "holds only if", "fails", "UNDECIDED"]

_FOR_PEOPLE = ["source", "place", "says", "verdict", "error", "instead"]
_HOLDS = 1e-10  # relative; two exact computations of these small problems agree to 1e-13
_FAILS = 1e-4  # a mistake in a formula is rarely smaller; between the two nothing is decided


@dataclass(frozen=True, slots=True)
class Finding:
    """What the draws found about one claim.

    Parameters
    ----------
    key, source, place, says, how, only_if, corrected
        As in the `Claim`.
    verdict
        "holds": in every draw. "holds only if": not as it stands, but in every draw for which
        the condition holds. "fails": else. "UNDECIDED" where an error is neither rounding nor a
        mistake, or where a correction is missing, needless or wrong itself.
    error
        The largest error of what is printed, relative to the largest entry of the truth;
        infinite where it gives no numbers of the right shape.
    error_if, error_corrected
        The largest error under the condition, and of the corrected formula; None without one.
    obstacle
        Why what is printed gives no such numbers.
    draws
        How many draws were made.
    """

    key: str
    source: str
    place: str
    says: str
    verdict: Verdict
    error: float
    only_if: str
    error_if: float | None
    corrected: str
    error_corrected: float | None
    obstacle: str
    how: str
    draws: int

    @classmethod
    def of(cls, claim: Claim, trials: Sequence[Trial]) -> Finding:
        """Judge a claim by its trials.

        Examples
        --------
        >>> claim = Claim("k", "question", "line 1", "1 = 2", "arithmetic", lambda draw: Trial(1.0))
        >>> Finding.of(claim, [Trial(1.0)]).verdict  # it fails, and nothing was put in its place
        'UNDECIDED'
        """
        error = max(trial.printed for trial in trials)
        error_if, error_corrected = (_worst(trials, name) for name in ("conditioned", "corrected"))
        return cls(
            key=claim.key,
            source=claim.source,
            place=claim.place,
            says=claim.says,
            verdict=_verdict(claim, [t.printed for t in trials], error_if, error_corrected),
            error=error,
            only_if=claim.only_if,
            error_if=error_if,
            corrected=claim.corrected,
            error_corrected=error_corrected,
            obstacle=next((trial.obstacle for trial in trials if trial.obstacle), ""),
            how=claim.how,
            draws=len(trials),
        )


def _worst(trials: Sequence[Trial], name: str) -> float | None:
    found = [getattr(trial, name) for trial in trials]
    return None if any(value is None for value in found) else max(found)


def _verdict(
    claim: Claim, printed: Sequence[float], error_if: float | None, error_corrected: float | None
) -> Verdict:
    if (claim.only_if != "") != (error_if is not None):
        return "UNDECIDED"
    if (claim.corrected != "") != (error_corrected is not None):
        return "UNDECIDED"
    if error_corrected is not None and not error_corrected <= _HOLDS:
        return "UNDECIDED"
    if max(printed) <= _HOLDS:
        return "UNDECIDED" if claim.only_if or claim.corrected else "holds"
    if not max(printed) >= _FAILS:
        return "UNDECIDED"
    if error_if is not None:
        return "holds only if" if error_if <= _HOLDS else "UNDECIDED"
    return "fails" if claim.corrected else "UNDECIDED"


@dataclass(frozen=True, slots=True, eq=False)
class ClaimsReport:
    """All findings, and what it takes to find them again.

    Parameters
    ----------
    findings
        One a claim.
    run
        Versions, seed, draws, and where R's answers came from.

    Examples
    --------
    >>> from matbackprop.verification.claims import check_claims
    >>> report = check_claims(draws=1)
    >>> report.ok, len(report.findings) >= 40
    (True, True)
    """

    findings: tuple[Finding, ...]
    run: Mapping[str, str | int]

    @property
    def ok(self) -> bool:
        """Whether every claim was decided, and every correction holds."""
        return bool(self.findings) and not self.undecided()

    def undecided(self) -> tuple[Finding, ...]:
        """Return the findings without a verdict."""
        return tuple(row for row in self.findings if row.verdict == "UNDECIDED")

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each claim, as a data frame."""
        import pandas as pd

        columns = [field.name for field in dataclasses.fields(Finding)]
        return pd.DataFrame([dataclasses.asdict(row) for row in self.findings], columns=columns)

    def table(self, *, details: bool = False) -> pd.DataFrame:
        """Return the table for people: what is said, the verdict, its error, what is right instead.

        With `details` also the key of each claim, why there were no numbers, and what decided.
        """
        frame = self.to_frame()
        frame["error"] = [_error_in_words(row) for row in self.findings]
        frame["instead"] = [_instead(row) for row in self.findings]
        if details:
            return frame[[*_FOR_PEOPLE, "obstacle", "how", "key"]]
        return frame[_FOR_PEOPLE]

    def summary(self) -> pd.DataFrame:
        """Return how many claims of each source hold, hold under a condition, or fail."""
        frame = self.to_frame()
        verdicts = list(get_args(Verdict))
        counts = frame.groupby("source", sort=False)["verdict"].value_counts().unstack(fill_value=0)
        counts = counts.reindex(frame["source"].unique(), columns=verdicts, fill_value=0)
        table = counts.drop(columns="UNDECIDED" if self.ok else []).astype(int)
        table.insert(0, "claims", table.sum(axis=1))
        return table.rename_axis(columns=None).reset_index()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists, numbers and texts, ready for JSON."""
        return {
            "ok": self.ok,
            "run": dict(self.run),
            "claims": len(self.findings),
            "rows": [dataclasses.asdict(row) for row in self.findings],
        }


def _error_in_words(row: Finding) -> str:
    if row.verdict == "holds":
        return ""
    return f"{row.error:.2g}" if math.isfinite(row.error) else "no numbers"


def _instead(row: Finding) -> str:
    parts = []
    if row.only_if:
        parts.append(f"only if {row.only_if} ({_tested(row.error_if)})")
    if row.corrected:
        parts.append(f"{row.corrected} ({_tested(row.error_corrected)})")
    return "; ".join(parts)


def _tested(error: float | None) -> str:
    return "not tested" if error is None else f"tested: {error:.0e}" if error else "tested: exact"
