"""Derivations as one HTML page: MathML, which browsers draw; nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from matbackprop.symbolic.writing.account import Account, Line, joined, reading
from matbackprop.symbolic.writing.forms import Equation
from matbackprop.symbolic.writing.mathml import to_mathml
from matbackprop.symbolic.writing.wording import sentence

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #59636e; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p.rule { margin: 0 0 .25rem; }
ol, ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .5rem 0; display: grid; gap: .1rem 2rem;
  grid-template-columns: minmax(0, 1fr) 14rem; align-items: baseline; }
li.stage .formula { border-left: 3px solid; padding-left: .75rem; }
li.more .formula { padding-left: 1.25rem; }
li.alone { grid-template-columns: minmax(0, 1fr); }
.formula { overflow-x: auto; overflow-y: hidden; padding: .15rem 0; }
.rule, footer { color: var(--soft); font-size: .875rem; }
.result { border: 1px solid var(--line); border-radius: .5rem; padding: 0 1rem; }
.result li:first-child { border: 0; }
math { font-size: 1.1rem; }
@media (max-width: 44rem) { li { grid-template-columns: minmax(0, 1fr); } }
@media (prefers-color-scheme: dark) { :root { --soft: #9198a1; } }
"""


def html_page(accounts: Iterable[Account], /) -> str:
    """Return a page that stands alone: the steps of each derivation, its result, its proof."""
    accounts = list(accounts)
    title = escape("; ".join(account.title for account in accounts))
    body = "\n".join(map(_section, accounts))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def _section(account: Account) -> str:
    return "\n".join(
        [
            f"<h1>{escape(account.title)}</h1>",
            "<h2>Given</h2>",
            f"<ul>{_definitions(account.given)}</ul>",
            "<h2>Steps</h2>",
            f"<ol>{_steps(account.lines)}</ol>",
            "<h2>Result</h2>",
            f'<p class="rule">{escape(sentence(account.result[0].rule))}</p>',
            f'<ul class="result">{_definitions(account.result)}</ul>',
            f"<footer><p>{escape(account.proof)}.</p><p>{escape(reading(account))}</p></footer>",
        ]
    )


def _steps(lines: tuple[Line, ...]) -> str:
    items = []
    for left, line in joined(lines):
        formula = to_mathml(Equation(left, line.right))
        kind = ' class="stage"' if line.stage else ' class="more"' if left is None else ""
        rule = escape(sentence(line.rule))
        items.append(
            f'<li{kind}><div class="formula">{formula}</div><div class="rule">{rule}</div></li>'
        )
    return "\n".join(items)


def _definitions(lines: tuple[Line, ...]) -> str:
    items = []
    for place, line in enumerate(lines):
        word = "where " if place == 1 else ""
        formula = to_mathml(Equation(line.left, line.right))
        items.append(f'<li class="alone"><div class="formula">{word}{formula}</div></li>')
    return "\n".join(items)
