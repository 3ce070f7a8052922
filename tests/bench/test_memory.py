import sys

import numpy as np
import pytest

from matbackprop.bench import memory
from matbackprop.bench.memory import anonymous_bytes, peak_bytes, peak_mib

MIB = 2**20
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


@on_linux
def test_a_known_allocation():
    before = anonymous_bytes()
    taken = peak_bytes(lambda: np.ones(50 * MIB // 8)) - before
    assert taken == pytest.approx(50 * MIB, rel=0.2)


@on_linux
def test_the_peak_is_that_of_one_moment():
    def twice():
        np.ones(50 * MIB // 8)
        np.ones(50 * MIB // 8)

    before = anonymous_bytes()
    assert peak_bytes(twice) - before == pytest.approx(50 * MIB, rel=0.2)


@on_linux
def test_an_earlier_peak_is_forgotten():
    np.ones(50 * MIB // 8)
    assert peak_bytes(lambda: None) - anonymous_bytes() < 5 * MIB


@on_linux
def test_an_engine_that_keeps_matrices_of_rows_by_nodes():
    """The closed form has four of them at a time, and no two of the data."""
    N, p1, p2 = 40_000, 4, 60
    matrix = N * p2 * 8 / MIB
    taken = peak_mib("matbackprop, compact", (N, p1, p2), dtype="float64", threads=1)
    assert 2 * matrix < taken < 8 * matrix
    narrow = peak_mib("matbackprop, compact", (N, p1, p2), dtype="float32", threads=1)
    assert narrow == pytest.approx(taken / 2, rel=0.2)


def test_elsewhere_it_is_not_known(monkeypatch):
    monkeypatch.setattr(memory, "MEASURABLE", False)
    assert np.isnan(peak_mib("torch", (10, 2, 2), dtype="float64", threads=1))


@on_linux
def test_a_process_that_fails_has_no_peak():
    assert np.isnan(peak_mib("no such engine", (10, 2, 2), dtype="float64", threads=1))
