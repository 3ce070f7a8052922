from importlib import import_module

import pytest

pytest.importorskip("sphinx", reason="builds the pages; comes with the extra `docs`")
verbatim = import_module("verbatim_formulas").verbatim


def test_an_indented_block_is_kept_line_by_line():
    lines = ["With S:", "", "    a = b", "", "    c = d", "", "Text."]
    assert verbatim(lines) == ["With S:", "", "::", "", *lines[2:]]


@pytest.mark.parametrize(
    "lines",
    [
        ["A block::", "", "    a = b"],
        ["- a point", "", "  and its second paragraph"],
        ["x", "    What x is.", "", "    More of it."],
        [".. math::", "", "    a = b"],
    ],
    ids=["announced", "list", "parameter", "directive"],
)
def test_other_indents_are_left_alone(lines):
    assert verbatim(lines) == lines
