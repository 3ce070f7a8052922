"""x̄ and C from blocks: whatever the order, the sizes, the weights and the offset of the data."""

from fractions import Fraction
from functools import reduce

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from matbackprop.network.data_moments import DataMoments, block_moments

seeds = st.integers(0, 2**32 - 1)


def exact(X, weights=None):
    """Return x̄ and C in rational arithmetic, rounded once, at the end."""
    rows = [[Fraction(float(x)) for x in row] for row in X]
    w = [Fraction(float(v)) for v in (np.ones(len(X)) if weights is None else weights)]
    total, p = sum(w), len(rows[0])
    mean = [sum(v * r[i] for v, r in zip(w, rows, strict=True)) / total for i in range(p)]
    D = [[r[i] - mean[i] for i in range(p)] for r in rows]
    C = [
        [float(sum(v * d[i] * d[j] for v, d in zip(w, D, strict=True))) for j in range(p)]
        for i in range(p)
    ]
    return mean, np.array(C)


def assert_are(moments, X, weights=None, tolerance=1e-12):
    """Compare with exact moments, relative to the spread of the columns and not to their offset."""
    mean, C = exact(X, weights)
    size = np.sqrt(np.diag(C) / moments.weight) + 1e-300
    shift = [m - Fraction(float(p)) for m, p in zip(mean, moments.pivot, strict=True)]
    error = np.abs(np.array(moments.shift) - np.array([float(s) for s in shift]))
    assert (error <= tolerance * size).all(), f"mean off by {error} of {size}"
    allowed = tolerance * moments.weight * np.outer(size, size)
    excess = np.abs(np.array(moments.gram) - C) - allowed
    assert excess.max() <= 0, f"gram differs by {excess.max():g} beyond rounding"


def merged_along_a_tree(parts, rng):
    """Merge neighbours and strangers, two at a time, in any order."""
    parts = list(parts)
    while len(parts) > 1:
        one = parts.pop(rng.integers(len(parts)))
        other = parts.pop(rng.integers(len(parts)))
        parts.append(one.merge(other))
    return parts[0]


def on_a_grid(rng, n, p, offset=0.0, dtype=np.float64):
    """Return X + offset, every entry of both without rounding: multiples of 1/8 within ±4."""
    X = rng.integers(-32, 33, (n, p)) / 8
    far = (X + offset).astype(dtype)
    assert (far.astype(np.float64) - offset == X).all()
    return X, far


@settings(deadline=None, max_examples=80)
@given(
    seed=seeds,
    n=st.integers(2, 40),
    p=st.integers(1, 4),
    blocks=st.integers(1, 8),
    weighted=st.booleans(),
    offset=st.sampled_from([0.0, 1e4, -1e6]),
    dtype=st.sampled_from([np.float64, np.float32]),
)
def test_any_partition_merged_along_any_tree_is_the_whole(
    seed, n, p, blocks, weighted, offset, dtype
):
    rng = np.random.default_rng(seed)
    _, X = on_a_grid(rng, n, p, offset, dtype)
    weights = rng.integers(0, 4, n) / 2 if weighted else None
    if weighted and weights.sum() == 0:
        weights[0] = 1.0
    order = rng.permutation(n)
    cuts = np.sort(rng.integers(1, n, blocks - 1)) if blocks > 1 else []
    pieces = [piece for piece in np.split(order, cuts) if len(piece)]
    parts = [block_moments(X[i], None if weights is None else weights[i]) for i in pieces]
    for whole in (merged_along_a_tree(parts, rng), reduce(DataMoments.merge, parts)):
        assert whole.rows == n
        assert whole.weight == (n if weights is None else weights.sum())
        assert_are(whole, X, weights)
        assert_are(whole.settled(), X, weights)


def test_the_comparison_itself_rejects_raw_sums_and_a_forgotten_term(rng):
    """Σxxᵀ − N x̄x̄ᵀ, and a merge without the term between the means, do not pass."""
    _, X = on_a_grid(rng, 40, 2, 1e6)
    good = block_moments(X)
    assert_are(good, X)
    mean = X.mean(axis=0)
    raw = DataMoments(40, 40.0, good.pivot, good.shift, X.T @ X - 40 * np.outer(mean, mean))
    with pytest.raises(AssertionError, match="gram differs"):
        assert_are(raw, X)
    a, b = block_moments(X[:10]), block_moments(X[10:])
    m = a.merge(b)
    within = DataMoments(40, 40.0, m.pivot, m.shift, a.gram + b.gram)
    with pytest.raises(AssertionError, match="gram differs"):
        assert_are(within, X)
    rounded = DataMoments(40, 40.0, m.pivot, m.shift + 1e-10, m.gram)
    with pytest.raises(AssertionError, match="mean off"):
        assert_are(rounded, X)


@pytest.mark.parametrize(
    ("offset", "dtype"),
    [
        (1e8, np.float64),
        (-1e8, np.float64),
        (1e4, np.float32),
        (1e5, np.float32),
        (1e6, np.float32),
    ],
    ids=["1e8", "-1e8", "1e4 float32", "1e5 float32", "1e6 float32"],
)
@pytest.mark.parametrize("rows", [64, 16, 4], ids=["one block", "four blocks", "sixteen blocks"])
def test_an_offset_changes_not_one_bit(rng, offset, dtype, rows):
    """64 rows on a grid: every mean of 2ᵏ rows is a float, so that nothing at all is rounded."""
    X, far = on_a_grid(rng, 64, 3, offset, dtype)
    near, there = (
        reduce(DataMoments.merge, (block_moments(A[i : i + rows]) for i in range(0, 64, rows)))
        for A in (X, far)
    )
    assert_array_equal(there.gram, near.gram)
    # In float32 the pivot alone cannot be the mean: pivot and shift together are.
    assert_array_equal((there.pivot.astype(float) - offset) + there.shift, near.mean)
    assert there.pivot.dtype == dtype


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_an_offset_costs_a_few_roundings_of_the_spread(rng, dtype):
    X, far = on_a_grid(rng, 5_000, 3, 2.0**19, dtype)
    whole = reduce(
        DataMoments.merge, (block_moments(far[i : i + 100]) for i in range(0, 5000, 100))
    )
    assert_allclose(whole.gram, np.cov(X.T, ddof=0) * 5000, rtol=1e-12, atol=1e-10)
    assert_allclose(whole.mean - 2.0**19, X.mean(axis=0), atol=1e-9)  # 2**19 is known to 1e-10


def test_float32_is_summed_in_float64(rng):
    X = np.float32(rng.uniform(1, 2, (200_000, 2)))
    m = block_moments(X)
    assert (m.gram.dtype, m.shift.dtype, m.pivot.dtype) == (np.float64, np.float64, np.float32)
    wide = block_moments(X.astype(np.float64))
    assert_allclose(m.mean, wide.mean, rtol=1e-14)
    assert_allclose(m.gram, wide.gram, rtol=1e-11)
    in_float32 = np.cov(X.T, ddof=0, dtype=np.float32) * len(X)
    assert np.abs(in_float32 / wide.gram - 1).max() > 1e-8  # what the test would see otherwise


@settings(deadline=None)
@given(seed=seeds, n=st.integers(1, 12), offset=st.sampled_from([0.0, 1e6]))
def test_whole_weights_are_repeated_rows(seed, n, offset):
    rng = np.random.default_rng(seed)
    _, X = on_a_grid(rng, n, 2, offset)
    weights = rng.integers(0, 4, n).astype(float)
    weights[rng.integers(n)] += 1
    m = block_moments(X, weights)
    assert m.rows == n
    assert_are(m, np.repeat(X, weights.astype(int), axis=0))


def test_a_block_of_weight_zero_changes_only_the_number_of_rows(rng):
    X = rng.standard_normal((9, 2)) + 100
    m, nothing = block_moments(X[:6]), block_moments(X[6:], np.zeros(3))
    for whole in (m.merge(nothing), nothing.merge(m), nothing.merge(m).merge(nothing)):
        assert whole.rows >= 9
        assert whole.weight == 6
        assert_array_equal(whole.gram, m.gram)
        assert_array_equal(whole.mean, m.mean)
    both = nothing.merge(nothing)
    assert (both.rows, both.weight) == (6, 0)


@pytest.mark.parametrize("power", [-1000, -560, 0, 500], ids="2**{}".format)
def test_the_scale_of_the_weights_does_not_matter(rng, power):
    """Scaling by a power of two is exact, so that nothing but an under- or overflow can show."""
    X, scale = rng.standard_normal((12, 2)), 2.0**power
    whole = [
        block_moments(X[:5], np.full(5, w)).merge(block_moments(X[5:], np.full(7, w)))
        for w in (1.0, scale)
    ]
    assert_array_equal(whole[1].gram, whole[0].gram * scale)
    assert_array_equal(whole[1].mean, whole[0].mean)


@settings(deadline=None)
@given(seed=seeds, dtype=st.sampled_from([np.float32, np.float64]))
def test_settled_moves_the_pivot_to_the_mean_and_nothing_else(seed, dtype):
    rng = np.random.default_rng(seed)
    X = (rng.standard_normal((8, 3)) * [1, 1e3, 1e-3] + [0, 1e4, 1e6]).astype(dtype)
    m = block_moments(X[:1]).merge(block_moments(X[1:]))  # a pivot far from the mean
    s = m.settled()
    assert (s.rows, s.weight) == (m.rows, m.weight)
    assert s.pivot.dtype == dtype
    assert_array_equal(s.gram, m.gram)
    # x̄ was itself a sum of two, and is again: a rounding of each of them.
    rounding = 3e-16 * (np.abs(m.pivot.astype(float)) + np.abs(m.shift))
    assert (np.abs(s.mean - m.mean) <= rounding).all()
    assert (np.abs(s.shift) <= np.spacing(np.abs(s.pivot)) / 2 + rounding).all()
    again = s.settled()
    assert (np.abs(again.mean - s.mean) <= rounding).all()


@settings(deadline=None, max_examples=200)
@given(seed=seeds, weighted=st.booleans(), dtype=st.sampled_from([np.float32, np.float64]))
def test_the_spread_of_a_constant_column_is_zero_but_for_rounding(seed, weighted, dtype):
    """The diagonal of C may come out below 0, by rounding: no spread is the root of that."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 60))
    value = rng.uniform(0.01, 3)
    X = np.column_stack([np.full(n, value), rng.standard_normal(n)]).astype(dtype)
    weights = rng.uniform(0.1, 2, n).astype(dtype) if weighted else None
    for m in (block_moments(X, weights), block_moments(X[:1]).merge(block_moments(X, weights))):
        assert np.isfinite(m.spread).all()
        assert m.spread[0] <= 1e-14 * value


def test_spread_is_the_standard_deviation(rng):
    X, w = rng.standard_normal((30, 2)) * [1, 50], rng.uniform(0, 2, 30)
    assert_allclose(block_moments(X).spread, X.std(axis=0), rtol=1e-13)
    mean = w @ X / w.sum()
    assert_allclose(block_moments(X, w).spread, np.sqrt(w @ (X - mean) ** 2 / w.sum()), rtol=1e-13)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_of_other_libraries(rng, torch, library, dtype):
    convert = torch.from_numpy if library == "torch" else array_api_strict.asarray
    X = (rng.standard_normal((20, 3)) + 1e3).astype(dtype)
    w = rng.uniform(0, 2, 20).astype(dtype)
    ours = block_moments(X[:7], w[:7]).merge(block_moments(X[7:], w[7:])).settled()
    A, v = convert(X), convert(w)
    theirs = block_moments(A[:7, :], v[:7]).merge(block_moments(A[7:, :], v[7:])).settled()
    assert type(theirs.gram) is type(A)
    assert type(theirs.pivot) is type(A)
    assert str(theirs.gram.dtype).endswith("float64")
    assert str(theirs.pivot.dtype).endswith(dtype)
    assert_allclose(np.asarray(theirs.gram), ours.gram, rtol=1e-12, atol=1e-12)
    mean = np.asarray(theirs.pivot).astype(float) + np.asarray(theirs.shift)
    assert_allclose(mean, ours.mean, rtol=1e-15)


def test_the_arrays_given_are_left_as_they_are(rng):
    X, w = rng.standard_normal((6, 2)), rng.uniform(0, 1, 6)
    X0, w0 = X.copy(), w.copy()
    for array in (X, w):
        array.flags.writeable = False
    a, b = block_moments(X[:3], w[:3]), block_moments(X[3:], w[3:])
    before = a.gram.copy(), a.shift.copy()
    a.merge(b).settled()
    assert_array_equal(X, X0)
    assert_array_equal(w, w0)
    assert_array_equal(a.gram, before[0])
    assert_array_equal(a.shift, before[1])
