import io

import pandas as pd
import pytest

from matbackprop.reporting import Terminal

FRAME = pd.DataFrame({"max_rel": [1.23456e-16], "who": ["[R] loops"], "verdict": ["match"]})


def shown(write):
    stream = io.StringIO()
    write(Terminal(stream))
    return stream.getvalue()


def test_a_table_is_plain_text_where_there_is_no_terminal():
    text = shown(lambda t: t.table(FRAME, title="Title"))
    assert "\x1b" not in text
    assert "1.23e-16" in text
    assert "[R] loops" in text  # not taken for markup
    assert "max rel" in text
    assert "Title" in text


def test_words_are_taken_literally():
    assert shown(lambda t: t.say("[bold]x[/bold] [1,]")) == "[bold]x[/bold] [1,]\n"


def test_progress_is_silent_where_there_is_no_terminal():
    def work(terminal):
        with terminal.progress("starting R") as move:
            move(1, 2, "half")

    assert shown(work) == ""


class Screen(io.StringIO):
    """A terminal, as far as rich asks."""

    def isatty(self):
        return True


WIDE = pd.DataFrame(
    {
        "reference": ["central differences"],
        "candidate": ["Python kronecker"],
        "compared": [160],
        "max_rel": [1.23456e-160],
        "tolerance": [1e-12],
        "verdict": ["MISMATCH"],
    }
)


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_no_number_is_ever_cut(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "dumb")
    screen = Screen()
    Terminal(screen).table(WIDE)
    text = screen.getvalue()
    assert "1.23e-160" in text
    assert "1e-12" in text
    assert "…" not in text


def test_headings_between_rows():
    frame = pd.concat([WIDE, WIDE]).assign(group=["one", "two"])
    lines = [line.split() for line in shown(lambda t: t.table(frame, by="group")).splitlines()]
    assert ["one"] in lines
    assert ["two"] in lines
    assert "group" not in lines[1]


def test_a_bar_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()
    with Terminal(screen).progress("starting R") as move:
        move(1, 2, "half way")
    assert "half way" in screen.getvalue()


def test_a_long_line_is_not_broken_in_a_pipe():
    assert shown(lambda t: t.say("word " * 100)).count("\n") == 1


def test_what_is_missing_is_empty_and_what_is_not_a_number_is_not():
    frame = pd.DataFrame({"ratio": pd.array([pd.NA, 2.5], dtype="Float64")})
    assert shown(lambda t: t.table(frame)).split()[2:] == ["2.5"]
    assert "nan" in shown(lambda t: t.table(pd.DataFrame({"ratio": [float("nan")]})))
