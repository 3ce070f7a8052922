"""NA, told from NaN by its bits."""

import numpy as np

from matbackprop.rbridge import NA_REAL, is_na


def test_na_is_a_nan_with_the_bits_of_r():
    assert np.isnan(NA_REAL)
    assert NA_REAL.view(np.uint64) == 0x7FF00000000007A2


def test_is_na_knows_na_after_arithmetic_and_no_other_nan():
    quiet = np.uint64(0x7FF80000000007A2).view(np.float64)
    values = np.array([[NA_REAL, quiet], [np.nan, 1954.0]])
    assert is_na(values).tolist() == [[True, True], [False, False]]


def test_is_na_of_masked_object_and_complete_arrays():
    assert is_na(np.ma.MaskedArray([1, 2], mask=[False, True])).tolist() == [False, True]
    assert is_na(np.array([["a", None]], dtype=object)).tolist() == [[False, True]]
    assert is_na(np.array([1, 2])).tolist() == [False, False]
    assert not is_na(1.0)
