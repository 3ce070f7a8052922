"""The log is whole or not there, and never of another fit."""

import numpy as np
import pytest

import matbackprop as mb
from matbackprop.errors import DataError, OptionError
from matbackprop.network import Activation
from matbackprop.streaming import Problem
from matbackprop.streaming.fit_log import FitLog, fingerprint

HEADER = {"rows": 3, "method": "BFGS"}
THETA, GRADIENT = np.array([1.0, -2.0]), np.array([0.1, 1e300])


def logged(path, *losses):
    log = FitLog(path, HEADER, 2)
    for loss in losses:
        log.append(THETA + loss, loss, GRADIENT)
    log.close()


def answers(path, n):
    log = FitLog(path, HEADER, 2)
    found = [log.answer(THETA + k) for k in range(n)]
    log.close()
    return found


def test_what_is_written_is_read(tmp_path):
    logged(tmp_path / "log", 0.0, 1.0)
    first, second, none = answers(tmp_path / "log", 3)
    assert first[0] == 0.0
    assert second[0] == 1.0
    assert first[1].tobytes() == GRADIENT.tobytes()
    assert none is None


@pytest.mark.parametrize("lost", [1, 16, 40, 71])
def test_a_torn_record_is_dropped_and_written_anew(tmp_path, lost):
    path = tmp_path / "log"
    logged(path, 0.0, 1.0)
    whole = path.read_bytes()
    path.write_bytes(whole[:-lost])
    log = FitLog(path, HEADER, 2)
    assert log.answer(THETA)[0] == 0.0
    assert log.answer(THETA + 1) is None
    log.append(THETA + 1, 1.0, GRADIENT)
    log.close()
    assert path.read_bytes() == whole


def test_a_spoilt_record_is_dropped(tmp_path):
    path = tmp_path / "log"
    logged(path, 0.0, 1.0)
    spoilt = bytearray(path.read_bytes())
    spoilt[-30] ^= 1
    path.write_bytes(spoilt)
    assert [answer is None for answer in answers(path, 2)] == [False, True]


def test_nothing_is_read_behind_a_spoilt_record(tmp_path):
    path = tmp_path / "log"
    logged(path, 0.0, 1.0, 2.0)
    whole = path.read_bytes()
    spoilt = bytearray(whole)
    spoilt[-30 - (32 + 8 + 16 + 16)] ^= 1
    path.write_bytes(spoilt)
    log = FitLog(path, HEADER, 2)
    assert log.answer(THETA) is not None
    assert log.answer(THETA + 1) is None
    log.append(THETA + 1, 1.0, GRADIENT)
    assert path.read_bytes() == whole[: -(32 + 8 + 16 + 16)]  # before it is closed
    log.close()


@pytest.mark.parametrize("header", [b"[1, 2]", b"3", b'"x"'])
def test_a_header_of_another_kind(tmp_path, header):
    path = tmp_path / "log"
    content = b"matbackprop fit log 1\n" + len(header).to_bytes(4, "little") + header
    path.write_bytes(content)
    with pytest.raises(DataError, match="first lines were not written whole"):
        FitLog(path, HEADER, 2)
    assert path.read_bytes() == content


def test_an_answer_to_another_question_is_refused(tmp_path):
    logged(tmp_path / "log", 0.0)
    log = FitLog(tmp_path / "log", HEADER, 2)
    with pytest.raises(OptionError, match=r"answers in .*log are to other parameters.*other file"):
        log.answer(np.nextafter(THETA, 9))
    log.close()


@pytest.mark.parametrize("content", [b"something else, of mine", b"x"])
def test_a_foreign_file_is_left_alone(tmp_path, content):
    path = tmp_path / "mine.txt"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mine.txt is there already and is not the log of a fit"):
        FitLog(path, HEADER, 2)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_log(tmp_path):
    (tmp_path / "log").touch()
    logged(tmp_path / "log", 0.0)
    assert answers(tmp_path / "log", 1)[0][0] == 0.0


@pytest.mark.parametrize("length", [23, 24, 30])
def test_a_torn_header(tmp_path, length):
    logged(tmp_path / "log")
    content = (tmp_path / "log").read_bytes()[:length]
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(DataError, match="first lines were not written whole"):
        FitLog(tmp_path / "log", HEADER, 2)
    assert (tmp_path / "log").read_bytes() == content


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match="there is no such folder"):
        FitLog(tmp_path / "nowhere" / "log", HEADER, 2)


def test_a_log_of_another_fit_names_what_differs(rng, tmp_path):
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    net, start = mb.Network("tanh"), mb.Parameters.random(3, 2, rng=rng)
    problem, log = Problem.from_arrays(net, X, y), tmp_path / "log"
    problem.fit(start, max_passes=9, checkpoint=log)
    content = log.read_bytes()
    other = mb.Parameters.random(3, 2, rng=rng)
    moved = X.copy()
    moved[3, 1] += 1e-3
    cases = [
        (problem, other, {}, "it differs in start"),
        (problem, start, {"method": "CG"}, "it differs in method"),
        (problem, start, {"options": {"maxcor": 1}, "max_passes": 9}, "with other options"),
        (Problem.from_arrays(net, X[:30], y[:30]), start, {}, "in data, rows, weight"),
        (Problem.from_arrays(net, moved, y), start, {}, "it differs in data"),
        (Problem.from_arrays(mb.Network("gelu"), X, y), start, {}, "it differs in network"),
        (Problem.from_arrays(net, X, y[::-1]), start, {}, "its first answer is off by"),
    ]
    for changed, begin, options, text in cases:
        with pytest.raises(OptionError, match=text):
            changed.fit(begin, checkpoint=log, **{"max_passes": 2} | options)
    assert log.read_bytes() == content


def test_a_fingerprint_sees_each_bit():
    a = np.arange(3.0)
    assert fingerprint(a) != fingerprint(np.nextafter(a, 9))
    assert fingerprint(a, None) != fingerprint(a)


def test_limits_may_change(rng, tmp_path):
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    net, start = mb.Network("tanh"), mb.Parameters.random(3, 2, rng=rng)
    problem, log = Problem.from_arrays(net, X, y), tmp_path / "log"
    part = problem.fit(start, checkpoint=log, options={"maxiter": 3})
    whole = problem.fit(start, checkpoint=log, options={"maxiter": np.int64(9)})
    assert (part.iterations, whole.iterations) == (3, 9)
    assert whole.losses.tobytes() == problem.fit(start, options={"maxiter": 9}).losses.tobytes()


def test_activations_of_one_name_are_told_apart(rng, tmp_path):
    X, y = rng.standard_normal((40, 3)), rng.standard_normal(40)
    start = mb.Parameters.random(3, 2, rng=rng)
    one = Activation("mine", np.sin, np.cos, lambda h: -np.sin(h))
    other = Activation("mine", np.arctan, lambda h: 1 / (1 + h * h), np.zeros_like)
    how = {"max_passes": 3, "checkpoint": tmp_path / "log"}
    Problem.from_arrays(mb.Network(one), X, y).fit(start, **how)
    with pytest.raises(OptionError, match="or of another activation"):
        Problem.from_arrays(mb.Network(other), X, y).fit(start, **how)


def test_two_at_once(tmp_path):
    pytest.importorskip("fcntl")
    first = FitLog(tmp_path / "log", HEADER, 2)
    with pytest.raises(DataError, match="Another fit may be writing to it"):
        FitLog(tmp_path / "log", HEADER, 2)
    first.close()
    FitLog(tmp_path / "log", HEADER, 2).close()
