import numpy as np
import pytest

from matbackprop.verification.comparison import Pair

PAIR = Pair("group", "problem", "R", "Python")


def verdict(expected, got, scale=1.0, tolerance=1e-12):
    return PAIR.compare("x", expected, got, scale=scale, tolerance=tolerance, yardstick="1")


@pytest.mark.parametrize(
    ("expected", "got", "scale"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0], [1.0 + 1e-13], 1.0),
        (0.0, 0.0, 0.0),
        ([[1.0, 5.0]], [[1.0, 5.0 + 1e-9]], [[1.0, 1e4]]),
    ],
)
def test_match(expected, got, scale):
    assert verdict(expected, got, scale).verdict == "match"


@pytest.mark.parametrize(
    ("expected", "got", "scale"),
    [
        ([1.0, 2.0], [1.0, 2.0 + 1e-11], 1.0),
        ([1.0], [1.0 + 1e-13], 0.0),
        ([1.0], [np.nan], 1.0),
        ([np.nan], [np.nan], 1.0),
        ([1.0], [np.inf], 1.0),
        ([1.0, 2.0], [1.0], 1.0),
        ([1.0], [[1.0]], 1.0),
        ([[1.0, 5.0]], [[1.0 + 1e-9, 5.0]], [[1.0, 1e4]]),
        ([1.0], [2.0], np.inf),
        ([1.0], [1.0], np.nan),
    ],
)
def test_mismatch(expected, got, scale):
    assert verdict(expected, got, scale).verdict == "MISMATCH"


def test_the_row_tells_everything():
    row = verdict([[1.0, 2.0]], [[1.5, 2.0]], scale=2.0, tolerance=0.1)
    assert (row.shape, row.max_abs, row.max_rel) == ("1 × 2", 0.5, 0.25)
    assert (row.group, row.problem, row.quantity) == ("group", "problem", "x")
    assert (row.reference, row.candidate) == ("R", "Python")
