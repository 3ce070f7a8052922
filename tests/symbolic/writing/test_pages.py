from fractions import Fraction

import pytest

from matbackprop.symbolic.writing.account import Account, Line, joined, reading
from matbackprop.symbolic.writing.forms import (
    Call,
    Change,
    Entrywise,
    Product,
    Scripted,
    Symbol,
    Terms,
)
from matbackprop.symbolic.writing.markdown import aligned, markdown_page
from matbackprop.symbolic.writing.page import html_page
from matbackprop.symbolic.writing.products import number
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
    text = markdown_page(account(Line(dL, X, "a rule"), Line(dL, M), Line(M, X, "other", M)))
    assert text.startswith(
        "**Title & more**, given\n\n$$\nL = M\n$$\n\n| Rule | | |\n|:---|---:|:---|"
    )
    assert text.split("\n\n")[2].splitlines()[2:] == [
        r"| A rule | $\displaystyle \mathrm{d} L$ | $\displaystyle = X$ |",
        r"|  |  | $\displaystyle = M$ |",
        r"| **Stage** $M$: other | $\displaystyle M$ | $\displaystyle = X$ |",
    ]
    assert text.endswith("\n\n**Result**\n\n$$\nL = X\n$$\n\nChecked <well>.\n")


def test_a_long_row_goes_on_below():
    table = markdown_page(account(Line(dL, LONG, "a rule"))).split("\n\n")[2].splitlines()
    assert len(table) == 5
    assert all(row.startswith(r"| | | $\displaystyle \quad ") for row in table[3:])
    assert all(row.count("|") == 4 for row in table)


def test_a_long_sum_in_brackets_is_broken():
    first, *others = aligned((Line(L, Product(factors=(X, LONG, M))),)).splitlines()[1:-1]
    assert first.startswith(r"L &= X \left(\mathrm{term00} - ")
    assert first.endswith(r"\right. \\")
    assert others[-1].startswith(r"&\quad \left.")
    assert others[-1].endswith(r"\mathrm{term29}\right) M")
    text = "".join([first, *others])
    assert text.count(r"\left") == text.count(r"\right") == 2
    assert text.count(r"\mathrm{term") == 30


def test_no_fraction_is_broken():
    quotient = Product(factors=(LONG,), above=(X,), below=(Call("f", M),), scalar=True)
    assert len(aligned((Line(L, quotient),)).splitlines()) == 1


@pytest.mark.parametrize(
    ("right", "says"),
    [
        (X, ""),
        (Call(r"\tanh", X), ""),
        (Entrywise((("⊙", X), ("⊙", M))), "⊙ multiplies entry by entry."),
        (
            Entrywise((("⊙", Call(r"\tanh", X)), ("⊘", M))),
            "⊘ divides and functions act entry by entry.",
        ),
        (
            Entrywise((("⊙", X), ("⊘", M), ("⊙", Scripted(X, number(2), entrywise=True)))),
            "⊙ multiplies, ⊘ divides and powers marked ⊙ are taken entry by entry.",
        ),
        (Call(r"\operatorname{vec}", X), "Vec stacks columns."),
    ],
)
def test_only_signs_that_occur_are_explained(right, says):
    assert reading(account(Line(dL, right))) == says


def test_html_escapes():
    page = html_page([account(Line(dL, X, "a < b"), Line(dL, M, "more"))])
    assert "<h1>Title &amp; more</h1>" in page
    assert "Checked &lt;well&gt;." in page
    assert '<div class="rule">A &lt; b</div>' in page
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
