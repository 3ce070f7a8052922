"""The differential-forms note: each verdict as read off the note by hand, found by experiment."""

import dataclasses
import re

import numpy as np
import pytest

from matbackprop.verification.claims import Draw, check_claims
from matbackprop.verification.claims.differential_forms import DIFFERENTIAL_FORMS
from matbackprop.verification.claims.differential_forms_matrices import Matrix, symbols
from matbackprop.verification.claims.findings import Finding

EXPECTED = {
    "sum of partials": "holds",
    "layout of a gradient": "holds",
    "linearity of the differential": "holds",
    "Frobenius product": "holds",
    "trace by entries": "holds only if",
    "sum rule": "holds",
    "product rule": "fails",
    "transpose": "holds",
    "trace": "holds",
    "inverse": "holds",
    "determinant": "holds",
    "Hadamard product": "holds",
    "Hadamard quotient": "holds",
    "entrywise function": "holds",
    "trace of a number": "holds",
    "trace of a transpose": "holds",
    "trace of a sum": "holds",
    "cyclic rule": "holds",
    "trace of a Hadamard product": "holds",
    "dimensions": "holds",
    "mean": "fails",
    "variance": "holds",
    "normalisation without 1": "holds only if",
    "mean vectorised": "holds",
    "variance vectorised": "holds",
    "output": "holds",
    "dY": "holds",
    "dL from dY": "holds",
    "dL in three traces": "holds only if",
    "1 drawn out of a Hadamard product": "fails",
    "factors exchanged": "fails",
    "trace for the gradient of gamma": "fails",
    "gradient of gamma": "fails",
    "trace for the gradient of Xhat": "holds",
    "gradient of Xhat": "holds",
    "gradient of beta": "holds",
    "normalisation with 1": "holds",
    "dXhat by the quotient rule": "holds",
    "dXhat with the root differentiated": "holds",
    "dXhat": "holds",
    "dL from dXhat": "holds",
    "dL in traces of dX, dmu, dvar": "holds only if",
    "gradient of X equated with a trace": "fails",
    "gradient of mu equated with a trace": "fails",
    "gradient of the variance equated with a trace": "fails",
    "gradient of X unmarked": "holds only if",
    "X part through Xhat": "holds",
    "gradient of mu unmarked": "holds",
    "mu part through Xhat": "holds",
    "gradient of the variance": "holds",
    "dvar of the square": "holds",
    "dvar": "holds only if",
    "dL from dvar": "holds",
    "dL from the centred X": "holds only if",
    "dL from dX and dmu through the variance": "holds only if",
    "X part through the variance": "holds",
    "mu part through the variance": "fails",
    "two parts of the gradient of mu": "holds",
    "dmu": "holds",
    "dL from dmu": "holds",
    "X part through the mean": "holds",
    "three parts of the gradient of X": "holds",
    "summary carried through": "fails",
    "class, output in train mode": "holds",
    "class, uncorrected variance": "holds",
    "class, division by the deviation": "holds only if",
    "class, running statistics": "holds",
    "class, running statistics from nothing": "holds only if",
    "class, look-up with a default": "holds",
    "class, update stored too early": "holds",
    "class, why that update is wrong": "holds only if",
    "class, PyTorch averages too": "holds only if",
    "class, output in test mode": "holds",
    "class, statistics in test mode": "holds",
    "class, no statistics": "holds",
    "class, unknown mode": "holds",
    "class, missing mode": "holds",
    "class, stability": "holds",
    "class, shapes": "holds",
    "class, gradients of gamma and beta": "holds",
    "class, gradients of variance and mean": "holds",
    "class, gradient of X in train mode": "holds",
    "class, gradient of X in test mode": "fails",
    "class, two modes to go back": "holds",
}

# What gives no numbers, and why: it does not conform, or does not run, whatever the shapes. By
# these words a slip in an experiment cannot pass for a finding.
OBSTACLES = {
    "trace by entries": r"^has shape \(\d, \d\), the truth \(\)$",
    "normalisation without 1": r"subtract: \((\d), (\d)\) and \(1, \2\) do not conform$",
    "factors exchanged": r"ValueError: matmul: \((\d), 1\) and \((\d), \1\) do not conform$",
    "trace for the gradient of gamma": r"matmul: \((\d), (\d)\) and \(1, \2\) do not conform$",
    "gradient of gamma": r"ValueError: matmul: \((\d), (\d)\) and \(1, \2\) do not conform$",
    "dL in traces of dX, dmu, dvar": r"multiply: \((\d), \1\) and \(\d, \1\) do not conform$",
    "gradient of X equated with a trace": r"^has shape \(\), the truth \(\d, \d\)$",
    "gradient of mu equated with a trace": r"^has shape \(\), the truth \(1, \d\)$",
    "gradient of the variance equated with a trace": r"^has shape \(\), the truth \(1, \d\)$",
    "dvar": r"ValueError: multiply: \(1, (\d)\) and \(\d, \1\) do not conform$",
    "dL from dX and dmu through the variance": r"multiply: \(\d, (\d)\) and \(1, \1\) do not con",
    "mu part through the variance": r"^has shape \(\d, (\d)\), the truth \(1, \1\)$",
    "summary carried through": r"ValueError: add: \(1, (\d)\) and \(\d, \1\) do not conform$",
    "class, gradient of X in test mode": r"not enough values to unpack \(expected 8, got 7\)$",
}


@pytest.fixture(scope="module")
def found():
    report = check_claims(source="differential forms", draws=5, seed=0)
    return {row.key.removeprefix("differential forms/"): row for row in report.findings}


def test_every_claim_is_expected_and_no_other(found):
    assert set(found) == set(EXPECTED)
    assert len(DIFFERENTIAL_FORMS) == len(EXPECTED)


@pytest.mark.parametrize("key", EXPECTED)
def test_verdict(found, key):
    assert found[key].verdict == EXPECTED[key], found[key]


@pytest.mark.parametrize("key", EXPECTED)
def test_what_gives_no_numbers_says_why(found, key):
    row = found[key]
    assert np.isinf(row.error) == (key in OBSTACLES), row
    assert re.search(OBSTACLES.get(key, "^$"), row.obstacle), row.obstacle


def test_the_corrected_formula_put_in_the_place_of_the_printed_one_holds():
    """A verdict follows the experiment, not the table: with the right formula it changes."""
    claim = next(c for c in DIFFERENTIAL_FORMS if c.key.endswith("/mean"))
    trials = [claim.experiment(Draw(np.random.default_rng(k), r={})) for k in range(5)]
    right = [dataclasses.replace(t, printed=t.corrected, corrected=None) for t in trials]
    assert Finding.of(dataclasses.replace(claim, corrected=""), trials).verdict == "UNDECIDED"
    assert Finding.of(dataclasses.replace(claim, corrected=""), right).verdict == "holds"


class TestMatrix:
    def test_a_row_is_not_spread(self):
        X, mu = np.ones((3, 2)).view(Matrix), np.ones((1, 2)).view(Matrix)
        with pytest.raises(ValueError, match=r"subtract: \(3, 2\) and \(1, 2\) do not conform"):
            X - mu
        with pytest.raises(ValueError, match=r"matmul: \(3, 2\) and \(1, 2\) do not conform"):
            X @ mu

    def test_a_plain_array_beside_it_is_not_spread_either(self):
        X = np.ones((3, 2)).view(Matrix)
        with pytest.raises(ValueError, match="do not conform"):
            np.ones((3, 1)) * X

    def test_numbers_and_equal_shapes_work_and_stay_strict(self):
        X = np.ones((3, 2)).view(Matrix)
        result = np.sqrt(2 * X + X * X) @ X.T
        assert type(result) is Matrix
        assert result.shape == (3, 3)
        assert X.sum() == 6

    def test_strict_symbols_do_not_broadcast(self, rng):
        m = symbols(Draw(rng, r={})).strict()
        with pytest.raises(ValueError, match="do not conform"):
            m.X - m.mu


class TestSymbols:
    def test_the_moments_are_the_batch_s(self, rng):
        s = symbols(Draw(rng, r={}))
        np.testing.assert_allclose(s.mu[0], s.X.mean(axis=0))
        np.testing.assert_allclose(s.var[0], s.X.var(axis=0))
        assert s.X.shape[0] != s.X.shape[1]

    def test_a_free_mean_is_none(self, rng):
        s = symbols(Draw(rng, r={}), free=True)
        assert np.abs(s.mu[0] - s.X.mean(axis=0)).min() > 1e-3
