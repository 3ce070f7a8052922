"""A diagnosis in words, laid out as R lays out a summary."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

import numpy as np

from matbackprop.checking.records import BlockCheck, Diagnosis, Finding

_WIDTH = 88


def diagnosis_text(diagnosis: Diagnosis, /, *, width: int = _WIDTH) -> str:
    """Return the verdict, a line for each parameter, and the findings.

    Examples
    --------
    >>> from matbackprop.checking import check_gradient
    >>> at = np.array([1.0, 2.0, 3.0])
    >>> print(diagnosis_text(check_gradient(lambda x: x @ x, lambda x: x, at)))
    Check of a gradient: WRONG
    <BLANKLINE>
    3 entries by the complex step, 62 evaluations; the loss is 14.
    <BLANKLINE>
                 entries  wrong  not judged  max error
    the gradient       3      3           0        0.5
    <BLANKLINE>
    1. constant factor
       The gradient is ½ times what it should be.
       Evidence: the factor measured: 0.5; this explains all 3 entries to 0 of the largest
       entry; without, the error is 0.5
       Remedy: Divide the gradient by ½.
    """
    return "\n".join(_lines(diagnosis, width))


def _lines(d: Diagnosis, width: int) -> Iterator[str]:
    judged = any(block.judged.any() for block in d.blocks)
    verdict = ("RIGHT" if judged else "NOT JUDGED") if d.ok else "WRONG"
    if not d.ok and d.findings and d.findings[0].kind == "noise":
        verdict = "CANNOT BE JUDGED"
    yield f"Check of a {d.title}: {verdict}"
    yield ""
    yield from wrap(_how(d), width)
    yield ""
    yield from _table(d)
    for number, finding in enumerate(d.findings, start=1):
        yield ""
        yield from _finding(number, finding, width)


def _how(d: Diagnosis) -> str:
    if d.method == "random directions":
        count = sum(len(block.numeric) for block in d.blocks)
        sizes = {block.name: int(np.prod(block.shape)) for block in d.blocks}
        entries = sizes.get("") or sum(sizes.values())
        what = f"{entries:,} entries along {count} random directions"
    else:
        count = sum(block.numeric.size for block in d.blocks)
        by = "the complex step" if d.method == "complex step" else "central differences"
        what = f"{count:,} {'entry' if count == 1 else 'entries'} by {by}"
    text = f"{what}, {d.evaluations:,} evaluations"
    return f"{text}; the loss is {d.loss:.7g}." if np.isfinite(d.loss) else f"{text}."


def _table(d: Diagnosis) -> Iterator[str]:
    along = d.method == "random directions"
    header = ["", "directions" if along else "entries", "wrong", "not judged", "max error"]
    rows = [header, *(_row(block, d) for block in d.blocks)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(header))]
    for row in rows:
        first, *rest = row
        cells = "  ".join(cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True))
        yield (
            f"{first.ljust(widths[0])}  {cells}".replace("  ", " ", 1)
            if widths[0] == 0
            else (f"{first.ljust(widths[0])} {cells}")
        )


def _row(block: BlockCheck, d: Diagnosis) -> list[str]:
    name = block.name or ("all parameters" if len(d.blocks) > 1 else f"the {d.title}")
    return [
        name,
        f"{block.numeric.size:,}",
        f"{int((~block.agrees & block.judged).sum()):,}",
        f"{int((~block.judged).sum()):,}",
        f"{block.max_error:.2g}",
    ]


def _finding(number: int, finding: Finding, width: int) -> Iterator[str]:
    where = f" in {finding.block}" if finding.block else ""
    yield f"{number}. {finding.kind}{where}"
    for text in (
        finding.sentence,
        f"Evidence: {finding.evidence}",
        f"Remedy: {finding.remedy}",
    ):
        yield from wrap(text, width, initial_indent="   ", subsequent_indent="   ")
