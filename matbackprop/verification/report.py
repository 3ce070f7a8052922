"""The report: one row a compared quantity, and the engine that stood behind them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from matbackprop.rbridge import Engine
from matbackprop.verification.comparison import Comparison

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What was compared, by which R, with what outcome.

    Parameters
    ----------
    engine
        The R that answered: live through rpy2 or Rscript, or recorded earlier.
    comparisons
        The rows.
    run
        What it takes to run it again: versions, seed, number of random problems, tolerance.

    Examples
    --------
    >>> from matbackprop.verification import verify
    >>> report = verify("recorded")
    >>> report.engine.live, report.run["tolerance"], len(report.mismatches())
    (False, 1e-12, 0)
    """

    engine: Engine
    comparisons: tuple[Comparison, ...]
    run: Mapping[str, str | int | float]

    @property
    def ok(self) -> bool:
        """Whether there are rows and all of them match."""
        return bool(self.comparisons) and not self.mismatches()

    def mismatches(self) -> tuple[Comparison, ...]:
        """Return the rows that do not match."""
        return tuple(row for row in self.comparisons if row.verdict != "match")

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each compared quantity, as a data frame."""
        import pandas as pd

        columns = [field.name for field in dataclasses.fields(Comparison)]
        return pd.DataFrame([dataclasses.asdict(row) for row in self.comparisons], columns=columns)

    def summary(self) -> pd.DataFrame:
        """Return one row for each pair that was compared: how often, how near, with what verdict.

        The worst row of a pair is the one nearest to, or furthest beyond, its tolerance.
        """
        frame = self.to_frame()
        frame["used"] = frame["max_rel"] / frame["tolerance"].where(frame["tolerance"] > 0, 1.0)
        keys = ["group", "reference", "candidate"]
        worst = frame.loc[frame.groupby(keys, sort=False)["used"].idxmax()].set_index(keys)
        counts = frame.groupby(keys, sort=False)["verdict"].agg(
            compared="size", mismatches=lambda v: int((v != "match").sum())
        )
        table = counts.join(worst[["max_rel", "tolerance", "yardstick"]])
        table["verdict"] = ["match" if n == 0 else "MISMATCH" for n in table["mismatches"]]
        return table.reset_index()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain lists, numbers and texts, ready for JSON."""
        return {
            "ok": self.ok,
            "engine": dataclasses.asdict(self.engine),
            "run": dict(self.run),
            "compared": len(self.comparisons),
            "mismatches": len(self.mismatches()),
            "rows": [dataclasses.asdict(row) for row in self.comparisons],
        }
