"""Recorded results: what they hold, and what happens to files that were tampered with."""

import json
import shutil

import numpy as np
import pytest

from matbackprop.errors import DataError, OptionError, RUnavailableError
from matbackprop.rbridge import connect, reference_folder


@pytest.fixture
def copy(tmp_path):
    """A copy of the recorded results that a test may spoil."""
    shutil.copytree(reference_folder() / "recorded", tmp_path / "recorded")
    return tmp_path


def test_the_data_of_the_question():
    data = connect("recorded").call("question_data")
    assert data["X"].shape == (10, 7)
    assert data["gamma"].tolist() == [2.0, 3.0, 4.0, 5.0]


@pytest.mark.r
def test_recorded_and_live_agree_to_the_bit(rscript):
    recorded, live = connect("recorded"), connect("rscript")
    assert recorded.engine.r_version.startswith("R version ")
    a, b = (backend.call("question_data") for backend in (recorded, live))
    assert all(a[name].tobytes() == b[name].tobytes() for name in b)


@pytest.mark.parametrize(
    ("function", "arguments", "shown"),
    [
        ("network_loops", {"X": np.ones((2, 2))}, r"`network_loops\(X=\.\.\.\)`"),
        ("question_data", {"seed": 1}, r"`question_data\(seed=\.\.\.\)`"),
        ("../recorded/question_data", {}, "needs a live R"),
    ],
)
def test_other_calls_need_a_live_r(function, arguments, shown):
    with pytest.raises(RUnavailableError, match=shown) as caught:
        connect("recorded").call(function, **arguments)
    assert "the recorded results hold only" in str(caught.value)
    assert "question_data()" in str(caught.value)
    assert "To have one: " in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.pop("value"), 'lacks "value"'),
        (lambda r: r.pop("r_version"), 'lacks "r_version"'),
        (lambda r: r.update(function="other"), "result of 'other', not of 'question_data'"),
        (lambda r: r.update(r_version=4), "r_version is 4, not a text"),
        (lambda r: r.update(r_version="R version 3.0.0"), "different versions of R"),
        (lambda r: r["value"]["values"][0].update(dim=[3, 7]), r"\$\.value\.values\[0\]\.dim"),
        (lambda r: r["value"]["values"][1]["values"].__setitem__(4, "1,5"), r"values\[4\] .*'1,5'"),
        (lambda r: r["value"].update(type="matrix"), "known .type."),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(copy, change, message):
    path = copy / "recorded" / "question_data.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    with pytest.raises(DataError, match=message) as caught:
        connect("recorded", reference=copy)
    assert "Make them again: Rscript " in str(caught.value)


@pytest.mark.parametrize("text", ["", '{"function": ', "[1, 2]", "\xff"])
def test_a_file_that_is_no_record_is_refused(copy, text):
    path = copy / "recorded" / "question_data.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError, match=r"question_data\.json is not usable: it"):
        connect("recorded", reference=copy)


def test_a_file_removed_later_is_a_call_that_is_not_recorded(copy):
    backend = connect("recorded", reference=copy)
    (copy / "recorded" / "question_data.json").unlink()
    with pytest.raises(RUnavailableError, match="recorded results hold only posted_figures"):
        backend.call("question_data")


def test_no_files_at_all(tmp_path):
    (tmp_path / "recorded").mkdir()
    with pytest.raises(RUnavailableError, match=r"no recorded results in .*generate\.R"):
        connect("recorded", reference=tmp_path)


def test_a_folder_without_recorded_results(tmp_path):
    with pytest.raises(OptionError, match="a folder that holds recorded; got"):
        connect("recorded", reference=tmp_path)
