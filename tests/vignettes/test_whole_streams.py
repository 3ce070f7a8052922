from importlib import import_module

import pytest

pytest.importorskip("myst_nb", reason="builds the pages; comes with the extra `docs`")
nbformat = import_module("nbformat.v4")
joined = import_module("whole_streams").joined


def stream(text, name="stdout"):
    return nbformat.new_output("stream", name=name, text=text)


def test_pieces_of_a_line_stay_on_their_line():
    pieces = [stream("[1]"), stream(" 1"), stream(" 2"), stream("\n")]
    assert joined(pieces) == [stream("[1] 1 2\n")]


def test_order_and_other_outputs_are_kept():
    figure = nbformat.new_output("display_data", data={"text/plain": "figure"})
    outputs = [stream("a"), figure, stream("b"), stream("c", name="stderr")]
    assert joined(outputs) == outputs
