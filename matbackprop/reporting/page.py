"""A report as one self-contained HTML page: no script, no font, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from matbackprop.reporting.texts import TONES, readable

if TYPE_CHECKING:
    import pandas as pd

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --mixed: #9a6700;
  --bad: #cf222e; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; }
th { position: sticky; top: 0; background: Canvas; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); } .mixed { color: var(--mixed); }
.bad { color: var(--bad); font-weight: bold; }
main, details { overflow-x: auto; } details { margin: .5rem 0; } summary { cursor: pointer; }
@media (prefers-color-scheme: dark) {
  :root { --good: #3fb950; --mixed: #d29922; --bad: #f85149; }
}
"""


def html_page(
    title: str,
    lines: Iterable[str],
    summary: pd.DataFrame,
    details: Iterable[tuple[str, pd.DataFrame]],
    /,
    *,
    unfolded: bool = False,
) -> str:
    """Return a page with a heading, a few lines of text, a summary, and tables to unfold.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"quantity": ["β & γ"], "verdict": ["match"]})
    >>> page = html_page("Report", ["All match."], frame, [("posted", frame)])
    >>> "β &amp; γ" in page, "http" in page
    (True, False)
    """
    body = [f"<h1>{escape(title)}</h1>"]
    body += [f"<p>{escape(line)}</p>" for line in lines]
    body.append(f"<main>{_table(summary)}</main>")
    for name, frame in details:
        rows = f"{len(frame)} row{'' if len(frame) == 1 else 's'}"
        heading = f"<summary>{escape(name)} ({rows})</summary>"
        state = " open" if unfolded or (frame == "MISMATCH").to_numpy().any() else ""
        body.append(f"<details{state}>{heading}{_table(frame)}</details>")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def _table(frame: pd.DataFrame) -> str:
    from pandas.api.types import is_numeric_dtype

    kinds = ["number" if is_numeric_dtype(frame[column]) else "" for column in frame.columns]
    head = "".join(
        f'<th class="{kind}">{escape(str(column).replace("_", " "))}</th>'
        for column, kind in zip(frame.columns, kinds, strict=True)
    )
    rows = []
    for row in frame.itertuples(index=False):
        cells = [readable(cell) for cell in row]
        classes = [TONES.get(cell, kind) for cell, kind in zip(cells, kinds, strict=True)]
        rows.append(
            "".join(
                f'<td class="{kind}">{escape(cell)}</td>'
                for cell, kind in zip(cells, classes, strict=True)
            )
        )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>"
