"""What a check returns: whether the gradient is right, and if not, what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from matbackprop._typing import Array

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal[
    "transposed",
    "row-major order",
    "exchanged",
    "constant factor",
    "sse for mse",
    "factor per column",
    "factor per row",
    "factor per entry",
    "missing term",
    "extra term",
    "wrong term",
    "missing weight",
    "extra weight",
    "activation derivative",
    "mean term",
    "variance term",
    "fixed moments",
    "scale",
    "factor",
    "wrong quantity",
    "ddof",
    "eps",
    "symmetric",
    "one index",
    "one row",
    "one column",
    "one part",
    "negative entries",
    "positive entries",
    "constant gradient",
    "stale gradient",
    "noise",
    "kink",
    "stationary",
    "unexplained",
]
"""The names of the mistakes; "kink" and "stationary" are of the point, "noise" of the function."""

Method = Literal["complex step", "central differences", "random directions"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake, or one thing about the point that a reader must know.

    Attributes
    ----------
    kind
        Its name, one of `Kind`.
    block
        The parameter it was found in; several with commas; "" where there is but one.
    sentence
        What is wrong, in plain words.
    evidence
        What was measured.
    remedy
        What to do about it.
    explains
        Whether it tells, with the others found in its block, how every entry came about.
    """

    kind: Kind
    block: str
    sentence: str
    evidence: str
    remedy: str
    explains: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class BlockCheck:
    """One parameter: what the gradient says, what the numerical derivative says.

    Attributes
    ----------
    name
        Its name; "" where there is but one.
    shape
        Its shape.
    analytic, numeric
        The gradient as claimed and as measured, in the shape of the parameter; with random
        directions the derivatives along each of them.
    error
        The estimated error of `numeric`, in its shape.
    agrees
        Where the two agree, as far as can be told.
    judged
        Where anything can be told: not at a kink, not where rounding hides the slope.
    """

    name: str
    shape: tuple[int, ...]
    analytic: Array
    numeric: Array
    error: Array
    agrees: Array
    judged: Array

    @property
    def ok(self) -> bool:
        """Whether every entry agrees that can be judged."""
        return bool((self.agrees | ~self.judged).all())

    @property
    def max_error(self) -> float:
        """The largest error of an entry that can be judged, relative to the largest entry."""
        if not self.judged.any():
            return 0.0
        largest = max(np.abs(self.numeric).max(), np.abs(self.analytic).max())
        gap = np.abs(self.analytic - self.numeric)[self.judged].max()
        return float(gap / largest) if largest > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Diagnosis:
    """Whether a gradient is right, and the mistakes that explain it if not.

    Attributes
    ----------
    ok
        Whether no entry is wrong, as far as can be told.
    findings
        The mistakes, the likeliest first, and remarks on the point after them.
    blocks
        One `BlockCheck` for each parameter.
    method
        How the numerical derivative was taken.
    evaluations
        How often the function was called.
    loss
        Its value at the point.
    title
        What was checked, for the report.
    """

    ok: bool
    findings: tuple[Finding, ...]
    blocks: tuple[BlockCheck, ...]
    method: Method
    evaluations: int
    loss: float
    title: str = "gradient"

    @property
    def max_error(self) -> float:
        """The largest error of an entry, relative to the largest entry of its parameter."""
        return max(block.max_error for block in self.blocks)

    def __str__(self) -> str:
        from matbackprop.checking.report import diagnosis_text

        return diagnosis_text(self)

    __repr__ = __str__

    def to_frame(self) -> pd.DataFrame:
        """Return one row for each entry: its block and index, both numbers, their difference.

        With random directions, one row for each direction.
        """
        import pandas as pd

        rows = [
            (
                block.name,
                str(list(index)) if self.method != "random directions" else f"along {index[0] + 1}",
                block.analytic[index],
                block.numeric[index],
                block.analytic[index] - block.numeric[index],
                block.error[index],
                bool(block.agrees[index]) if block.judged[index] else None,
            )
            for block in self.blocks
            for index in np.ndindex(block.numeric.shape)
        ]
        columns = ["block", "index", "analytic", "numeric", "difference", "error", "agrees"]
        return pd.DataFrame(rows, columns=columns)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the single entries, ready for JSON."""
        return {
            "ok": self.ok,
            "max_error": self.max_error,
            "method": self.method,
            "evaluations": self.evaluations,
            "loss": self.loss,
            "blocks": [
                {
                    "name": block.name,
                    "shape": list(block.shape),
                    "ok": block.ok,
                    "max_error": block.max_error,
                    "wrong": int((~block.agrees & block.judged).sum()),
                    "not_judged": int((~block.judged).sum()),
                }
                for block in self.blocks
            ],
            "findings": [
                {name: getattr(finding, name) for name in Finding.__slots__}
                for finding in self.findings
            ],
        }
