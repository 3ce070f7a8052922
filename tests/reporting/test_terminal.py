import io

import pandas as pd

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
        with terminal.progress() as move:
            move(1, 2, "half")

    assert shown(work) == ""
