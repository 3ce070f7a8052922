"""Far from zero, batch norm is as exact on the stored numbers as it is near zero."""

import sys
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from matbackprop.errors import MissingExtraError
from matbackprop.verification import offsets
from matbackprop.verification.offsets import offset_table

# Over 30 seeds the largest error was 9.7 machine epsilons, of numbers that reach 4.
BOUND = 16


@pytest.fixture(scope="module")
def table():
    return offset_table(np.random.default_rng(20180220))


def in_epsilons(table, column):
    return table[column] / table["dtype"].map(lambda name: np.finfo(name).eps)


def test_the_table_has_every_case(table):
    offsets = [1e3, 1e4, 1e5, 1e6]
    cases = {(dtype, offset) for dtype in ("float32", "float64") for offset in offsets}
    assert set(zip(table["dtype"], table["offset"], strict=True)) == cases
    assert len(table) == 2 * len(cases)
    assert not table.drop(columns="torch").isna().to_numpy().any()


def test_ours_stays_within_a_few_epsilons_at_every_offset(table):
    assert in_epsilons(table, "ours").max() < BOUND


def test_ours_is_far_below_what_rounding_the_input_costs(table):
    assert (table["ours"] < table["input_rounding"] / 10).all()


def test_a_rounded_mean_loses_as_many_digits_as_the_offset_has(table):
    lost = in_epsilons(table, "rounded_mean")
    assert (lost > BOUND).all()
    assert (lost > 1e-3 * table["offset"]).all()


def test_rounding_the_input_costs_about_half_a_unit_in_the_last_place(table):
    forward = table[table["quantity"] == "Xhat"]
    in_units = forward["input_rounding"] / [
        np.spacing(np.dtype(dtype).type(offset))
        for dtype, offset in zip(forward["dtype"], forward["offset"], strict=True)
    ]
    assert in_units.between(0.3, 0.8).all()


def test_torch_is_shown_where_it_is_installed(table, unavailable):
    if offsets.find_spec("torch") is None:
        unavailable("torch is not installed")
    assert (table["torch"] > 0).all()


def test_without_torch_its_column_is_empty(monkeypatch):
    monkeypatch.setattr(offsets, "find_spec", lambda name: None)
    table = offset_table(np.random.default_rng(0), offsets=[1e3], rows=5, columns=1)
    assert table["torch"].isna().all()


def test_the_exact_reference_agrees_with_an_independent_one():
    """Fractions are exact without any choice of digits; only the root is not."""
    x, s = np.array([[1e6], [1e6 + 1], [1e6 + 4.5]]), np.array([[1.0], [0.0], [-2.0]])
    Xhat, dX = offsets._exact(x, s)
    D = [Fraction(v) - sum(map(Fraction, x[:, 0])) / 3 for v in x[:, 0]]
    variance = sum(d * d for d in D) / 3 + Fraction(offsets._EPS)
    for d, found in zip(D, Xhat[:, 0], strict=True):
        assert float(found) == pytest.approx(float(d) / float(variance) ** 0.5, rel=1e-15)
    mean, slope = Fraction(-1, 3), (1 * D[0] - 2 * D[2]) / 3 / variance
    for v, d, found in zip((1, 0, -2), D, dX[:, 0], strict=True):
        expected = float(v - mean - d * slope) / float(variance) ** 0.5
        assert float(found) == pytest.approx(expected, rel=1e-14)


def test_without_mpmath_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpmath", None)
    offsets._exact_numbers.cache_clear()
    with pytest.raises(
        MissingExtraError, match=r"`offset_table\(.*needs mpmath.*pip install mpmath"
    ):
        offset_table(np.random.default_rng(0), rows=2, columns=1)


def test_the_precision_of_the_callers_mpmath_stays():
    offset_table(np.random.default_rng(0), offsets=[1e3], rows=3, columns=1)
    assert mpmath.mp.dps == 15
