"""The first look, the passes after it, and the look for what spoilt a sum."""

import os
from dataclasses import dataclass

import numpy as np
import pytest

from matbackprop.errors import DataError, OptionError
from matbackprop.streaming import passes as passes_module
from matbackprop.streaming.passes import Manner, Passes, usable_cores
from matbackprop.streaming.sources.arrays import FEWEST_ROWS, array_source
from matbackprop.streaming.works.parts import Total


@dataclass(frozen=True)
class Count:
    """A work that counts rows."""

    def __call__(self, chunk):
        return Total(chunk.X.shape[0])


def of(X, y, weights=None, **options):
    return Passes(array_source(X, y, weights, call="Make(X, y)"), Manner("Make(X, y)", **options))


def test_cores(monkeypatch):
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


@pytest.mark.parametrize(
    "options", [{"threads": 0}, {"block_rows": 0}, {"progress": 1}, {"threads": "2"}]
)
def test_bad_options(options):
    with pytest.raises(OptionError, match=r"^`Make\(X, y\)`"):
        Manner("Make(X, y)", **options)


def test_numbers_of_numpy_count_too():
    manner = Manner("Make(X, y)", threads=np.int64(2), block_rows=np.int32(7))
    assert (manner.threads, manner.block_rows) == (2, 7)


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_the_survey(rng, rows):
    X, w = rng.standard_normal((9, 2)), rng.uniform(0, 1, 9)
    p = of(X, X[:, 0], w, block_rows=rows)
    survey = p.survey(with_moments=True)
    assert (survey.rows, p.rows, survey.negative) == (9, 9, 0)
    assert survey.weight == pytest.approx(w.sum(), rel=1e-15)
    assert survey.probe == pytest.approx(survey.probe)
    np.testing.assert_allclose(survey.moments.mean, w @ X / w.sum(), rtol=1e-13)
    without = of(X, X[:, 0]).survey(with_moments=False)
    assert (without.rows, without.weight, without.negative, without.moments) == (9, 9.0, 0, None)


def test_the_number_of_rows_is_remembered(rng):
    X = rng.standard_normal((300, 2))
    p = of(X, X[:, 0])
    p.survey(with_moments=False)
    assert p.total(Count(), "call").value == 300
    p.rows = 299
    with pytest.raises(
        DataError, match=r"^`call` passed over 300 rows, where the first look had found 299"
    ):
        p.total(Count(), "call")


def test_no_fault_is_no_error(rng):
    X = rng.standard_normal((9, 2))
    assert of(X, X[:, 0]).raise_first_fault() is None


@pytest.mark.parametrize("N", [10, 70_000])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_fault_is_named_whichever_thread_finds_one(rng, N, threads):
    X, y, w = rng.standard_normal((N, 3)), rng.standard_normal(N), np.ones(N)
    X[N - 1, 0] = np.nan
    X[N // 2, 2] = np.inf
    y[N // 2 + 1] = -np.inf
    w[N - 2] = -1
    p = of(X, y, w, threads=threads)
    with pytest.raises(DataError) as caught:
        p.survey(with_moments=True)
    assert str(caught.value) == (
        "`Make(X, y)` needs finite numbers, and weights >= 0; X has an infinite value at "
        f"row {N // 2}, column 2 (counted from 0), 4 such in all. Drop or impute these rows first."
    )


def test_opposite_infinities_do_not_hide_each_other(rng):
    for column in (0, 1):
        X = rng.standard_normal((9, 2))
        X[3, 0], X[4, column] = np.inf, -np.inf
        with np.errstate(invalid="ignore"), pytest.raises(DataError, match="row 3, column 0"):
            of(X, X[:, 1] * 0, threads=1).survey(with_moments=False)


def test_finite_numbers_whose_sum_is_not_are_no_fault(rng):
    X = np.full((9, 1), 1.7e308)
    with np.errstate(over="ignore"):
        assert of(X, np.zeros(9), threads=1).survey(with_moments=False).rows == 9


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
@pytest.mark.parametrize("with_moments", [False, True])
def test_nothing_bad_passes_the_survey(rng, with_moments):
    """Wherever it stands: in X, y or the weights, in the first block, in a later one, anywhere."""
    for seed in range(60):
        rng = np.random.default_rng(seed)
        N = int(rng.integers(1, 50))
        X, y, w = (
            rng.standard_normal((N, 2)),
            rng.standard_normal((N, 2)),
            rng.integers(0, 2, N) * 1.0,
        )
        w[rng.integers(N)] = 1
        bad = [np.nan, np.inf, -np.inf][seed % 3]
        row = int(rng.integers(N))
        if seed % 4 < 2:
            X[row, seed % 2] = bad
        elif seed % 4 == 2:
            y[row, 1] = bad
        else:
            w[row] = bad
        with pytest.raises(DataError, match=f"at row {row}[ ,]"):
            of(X, y, w, block_rows=int(rng.integers(1, 9)), threads=1).survey(
                with_moments=with_moments
            )


def test_a_progress_is_shown_for_each_pass(monkeypatch, rng):
    shown = []

    class Bar:
        def __init__(self, stream):
            pass

        def progress(self, what):
            shown.append(what)
            return self

        def __enter__(self):
            return lambda done, total, what: shown.append((done, total, what))

        def __exit__(self, *_):
            return False

    monkeypatch.setattr(passes_module, "Terminal", Bar)
    n = FEWEST_ROWS
    X = rng.standard_normal((3 * n + 8, 2))
    p = of(X, X[:, 0], progress=True, threads=2)
    p.survey(with_moments=True)
    p.total(Count(), "the call")
    assert [s for s in shown if isinstance(s, str)] == ["first look at the rows", "the call"]
    told = [s for s in shown if not isinstance(s, str)]
    assert (
        told == [(i, 4, f"{m:,} rows") for i, m in enumerate([n, 2 * n, 3 * n, 3 * n + 8], 1)] * 2
    )


def test_works_get_rows(rng):
    n = FEWEST_ROWS
    X = rng.standard_normal((2 * n + 2, 2))
    seen = []

    @dataclass(frozen=True)
    class Look:
        def __call__(self, chunk):
            seen.append((chunk.start, chunk.offset, chunk.origin, len(chunk.X)))
            return Total(0)

    of(X, X[:, 0], threads=1).source.total(Look(), threads=1, progress=lambda *_: None)
    assert seen == [(0, 0, "", n), (n, n, "", n), (2 * n, 2 * n, "", 2)]
