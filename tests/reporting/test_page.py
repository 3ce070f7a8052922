from html.parser import HTMLParser

import pandas as pd

from matbackprop.reporting import html_page

VOID = {"meta", "br"}


class Checker(HTMLParser):
    """Every tag that opens must close, in order."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


FRAME = pd.DataFrame(
    {
        "who_is_it": ["<script>alert(1)</script>", "β & γ"],
        "max_rel": [1.5e-16, float("inf")],
        "verdict": ["match", "MISMATCH"],
    }
)


def page():
    return html_page("A <title>", ["one & two"], FRAME, [("group", FRAME), ("one", FRAME[:1])])


def test_is_well_formed_and_complete():
    checker = Checker()
    checker.feed(page())
    assert checker.open == []
    assert [tag for tag, _ in checker.seen].count("tr") == 3 + 3 + 2
    assert "group (2 rows)" in page()
    assert "one (1 row)" in page()


def test_needs_nothing_from_elsewhere():
    assert not any(word in page() for word in ("http", "src=", "<link", "@import", "url("))


def test_escapes_what_it_shows():
    text = page()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "A &lt;title&gt;" in text
    assert "one &amp; two" in text


def test_marks_verdicts_and_numbers():
    text = page()
    assert '<td class="bad">MISMATCH</td>' in text
    assert '<td class="good">match</td>' in text
    assert '<td class="number">1.5e-16</td>' in text
    assert "who is it" in text
