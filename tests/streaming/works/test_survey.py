from functools import reduce

import array_api_strict
import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.survey import Survey, SurveyWork


@pytest.mark.parametrize("rows", [1, 4, 50])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("with_moments", [False, True], ids=["", "moments"])
@pytest.mark.parametrize("q", [None, 2])
def test_what_it_finds(rng, rows, weighted, with_moments, q):
    X, y = rng.standard_normal((10, 2)) + 5, rng.standard_normal(10 if q is None else (10, q))
    w = rng.uniform(0.5, 2, 10) if weighted else None
    work = SurveyWork("float64", rows, with_moments)
    whole = work(Rows(X, y, w, 0))
    halves = [
        work(Rows(X[p], y[p], None if w is None else w[p], 0)) for p in (slice(6), slice(6, 10))
    ]
    for found in (whole, reduce(Survey.merge, halves)):
        assert found.rows == 10
        assert found.weight == pytest.approx(10 if w is None else w.sum(), rel=1e-14)
        assert found.negative == (0 if w is None else (w < 0).sum())
        assert np.isfinite(found.probe)
        if with_moments:
            v = np.ones(10) if w is None else w
            assert_allclose(found.moments.mean, v @ X / v.sum(), rtol=1e-13)
            assert found.moments.rows == 10
        else:
            assert found.moments is None


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["X", "y", "weights"])
@pytest.mark.parametrize("with_moments", [False, True], ids=["", "moments"])
@pytest.mark.parametrize("heavy", [False, True], ids=["weight 0", "weight 1"])
def test_the_probe_is_finite_only_if_everything_is(rng, bad, name, with_moments, heavy):
    arrays = {
        "X": rng.standard_normal((6, 2)),
        "y": rng.standard_normal(6),
        "weights": np.full(6, float(heavy)),
    }
    work = SurveyWork("float64", 2, with_moments)
    assert np.isfinite(work(Rows(*arrays.values(), 0)).probe)
    for row in range(6):
        spoilt = {n: a.copy() for n, a in arrays.items()}
        spoilt[name][row] = bad
        found = work(Rows(*spoilt.values(), 0))
        assert not np.isfinite(found.probe), row


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_arrays_of_other_libraries(rng, torch, library, dtype):
    make = torch.from_numpy if library == "torch" else array_api_strict.asarray
    X, w = rng.standard_normal((9, 2)).astype(dtype), rng.uniform(0, 1, 9).astype(dtype)
    work = SurveyWork(dtype, 4, True)
    ours, theirs = (
        work(Rows(X, X[:, 0], w, 0)),
        work(Rows(make(X), make(X[:, 0].copy()), make(w), 0)),
    )
    assert theirs.rows == 9
    assert float(theirs.weight) == pytest.approx(ours.weight, rel=1e-14)
    assert float(theirs.negative) == ours.negative == 0
    assert isinstance(theirs.moments.gram, type(make(X)))
    assert_allclose(np.asarray(theirs.moments.gram), ours.moments.gram, rtol=1e-12, atol=1e-13)
