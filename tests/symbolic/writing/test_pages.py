from fractions import Fraction

import pytest

from matbackprop.symbolic.writing.account import Account, Line, joined
from matbackprop.symbolic.writing.forms import Change, Product, Symbol, Terms
from matbackprop.symbolic.writing.markdown import aligned, markdown_page
from matbackprop.symbolic.writing.page import html_page
from matbackprop.symbolic.writing.terminal import terminal_page

L, M, X = Symbol("L"), Symbol("M"), Symbol("X")
dL = Change(L)
LONG = Terms(tuple((i % 2 == 1, Symbol(f"term{i:02d}")) for i in range(30)))


RESULT = (Line(L, X),)


def account(*lines, result=RESULT):
    return Account("Title & more", (Line(L, M),), lines, result, "Checked <well>")


def test_repeated_left_sides_are_left_out():
    lines = (Line(L, X), Line(dL, X), Line(dL, M), Line(L, X))
    assert [left for left, _ in joined(lines)] == [L, dL, None, L]


def test_aligned_alone():
    assert aligned((Line(L, X),)) == "L = X"


def test_aligned_with_definitions():
    assert aligned((Line(L, X), Line(X, M), Line(M, X))).splitlines() == [
        r"\begin{aligned}",
        r"L &= X \\",
        r"\text{where } X &= M \\",
        "M &= X",
        r"\end{aligned}",
    ]


def test_a_long_sum_is_broken_before_its_signs():
    text = aligned((Line(L, LONG),))
    first, *others = text.splitlines()[1:-1]
    assert first.startswith(r"L &= \mathrm{term00} - \mathrm{term01}")
    assert len(others) == 2
    assert all(line.startswith((r"&\quad + ", r"&\quad -")) for line in others)
    together = "".join(text.splitlines()[1:-1]).replace(r"&\quad", "").replace("\\\\", "")
    for i in range(1, 30):
        sign = "-" if i % 2 else "+"
        assert f"{sign}\\mathrm{{term{i:02d}}}" in together.replace(" ", "")


def test_markdown():
    text = markdown_page(account(Line(dL, X, "a rule"), Line(M, X, "another", stage=M)))
    assert text.startswith("**Title & more**, given\n\n$$\nL = M\n$$\n\n*a rule:*\n\n$$\n")
    assert "\n\nStage $M$: *another:*\n\n$$\nM = X\n$$\n\n**Result**\n\n$$\nL = X\n$$\n" in text
    assert "Checked <well>.\n" in text


def test_html_escapes():
    page = html_page([account(Line(dL, X, "a < b"), Line(dL, M, "more"))])
    assert "<h1>Title &amp; more</h1>" in page
    assert "Checked &lt;well&gt;." in page
    assert '<div class="rule">a &lt; b</div>' in page
    assert page.count('<li class="more">') == 1


def test_terminal_puts_long_formulas_over_their_rules():
    text = terminal_page(account(Line(dL, X, "a rule"), Line(dL, LONG, "another rule")), 70)
    lines = text.splitlines()
    assert lines[2] == "  L = M"
    assert lines[3] == "  dL = X   a rule"
    assert lines[4].startswith("     = term00 − term01")
    assert any(line == " " * 11 + "another rule" for line in lines)
    assert all(len(line) <= 70 for line in lines)


def test_terminal_wraps_rules():
    rule = "a rule whose name is so long that it does not stand beside its formula in one line"
    lines = terminal_page(account(Line(dL, X, rule)), 60).splitlines()
    assert " ".join(line.strip() for line in lines[3:6]).removeprefix("dL = X").split() == (
        rule.split()
    )


def test_terminal_lists_definitions():
    text = terminal_page(account(result=(Line(L, X), Line(X, M), Line(M, X))))
    assert "  L = X\n  where X = M\n        M = X\n" in text


@pytest.mark.parametrize("width", [1, 20, 48])
def test_terminal_is_never_in_crumbs(width):
    three = Product(coefficient=Fraction(3))
    assert "  dL = 3" in terminal_page(account(Line(dL, three, "a rule")), width)
