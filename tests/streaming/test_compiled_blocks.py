"""numba's sweep, beside the generic blocks; compiled once for each dtype, one output or several."""

import subprocess
import sys
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.network import leaky_relu
from matbackprop.network.row_blocks import BlockMap, Sums, block_sums
from matbackprop.streaming import Problem
from matbackprop.streaming.activation_pairs import pair_of
from matbackprop.streaming.compiled_blocks import two_line_sums


def arrays(rng, N, p1, p2, q, dtype, weighted, pivot):
    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    none = np.empty(0, dtype)
    return {
        "X": draw(N, p1),
        "y": draw(N, q),
        "weights": np.abs(draw(N)) if weighted else none,
        "W": draw(p1, p2),
        "c": draw(p2),
        "pivot": draw(p1) if pivot else none,
        "Gamma2T": draw(q, p2),
    }


def read_only(a):
    a = np.ascontiguousarray(a)
    a.flags.writeable = False
    return a


def swept(a, slope, rows):
    """Call the sweep as a work does: one output goes as a vector."""
    if len(a["Gamma2T"]) == 1:
        a = a | {"y": a["y"][:, 0], "Gamma2T": a["Gamma2T"][0]}
    loss, XS, S1, uV = two_line_sums(*(read_only(v) for v in a.values()), slope, rows)
    return Sums(loss, XS, S1, np.atleast_2d(uV).T)


def generic(a, slope, rows):
    block = BlockMap(
        pair_of(leaky_relu(slope)),
        a["W"],
        a["c"],
        a["pivot"] if a["pivot"].size else None,
        a["Gamma2T"].T,
    )
    parts = (
        block_sums(
            block,
            a["X"][i : i + rows],
            a["y"][i : i + rows],
            a["weights"][i : i + rows] if a["weights"].size else None,
        )
        for i in range(0, len(a["X"]), rows)
    )
    return reduce(Sums.merge, parts)


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    N=st.integers(1, 40),
    p1=st.integers(1, 6),
    p2=st.integers(1, 6),
    q=st.integers(1, 3),
    rows=st.integers(1, 45),
    slope=st.sampled_from([0.0, 0.01, 0.5, 1.0, 3.0]),
    weighted=st.booleans(),
    pivot=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_it_is_the_generic_sum(seed, N, p1, p2, q, rows, slope, weighted, pivot, dtype):
    rng = np.random.default_rng(seed)
    a = arrays(rng, N, p1, p2, q, dtype, weighted, pivot)
    found = swept(a, slope, rows)
    wide = {name: v.astype(np.float64) for name, v in a.items()}
    wanted, size = (
        generic(wide, slope, rows),
        generic({k: np.abs(v) for k, v in wide.items()}, max(slope, 1), rows),
    )
    for name in ("loss", "W", "c", "Gamma2"):
        ours = np.asarray(getattr(found, name))
        assert ours.dtype == np.float64
        # A sum of absolute terms, some factors larger than needed: y + ŷ for the residual.
        scale = 30 * (np.abs(np.asarray(getattr(size, name))).max() + 1)
        error = np.abs(ours - np.asarray(getattr(wanted, name)))
        if dtype == np.float64:
            assert error.max() <= 1e-14 * scale, name
        elif np.abs(generic_H(wide)).min() > 1e-4:  # on which side of 0 is not for rounding to say
            assert error.max() <= 1e-6 * scale, name


def generic_H(a):
    X = a["X"] - a["pivot"] if a["pivot"].size else a["X"]
    return X @ a["W"] + a["c"]


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("q", [1, 2])
def test_at_zero_the_slope_is_the_left_one(slope, q):
    """H = 0 exactly: a′ is that of the left, as everywhere in the package."""
    a = {
        "X": np.array([[1.0], [-1.0], [2.0]]),
        "y": np.ones((3, q)),
        "weights": np.empty(0),
        "W": np.array([[0.0, 1.0]]),
        "c": np.array([0.0, 1.0]),
        "pivot": np.empty(0),
        "Gamma2T": np.full((q, 2), 2.0),
    }
    found, wanted = swept(a, slope, 2), generic(a, slope, 2)
    for name in ("loss", "W", "c", "Gamma2"):
        assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-14, atol=1e-14)


def test_a_slope_that_underflows_does_not_change_sides():
    """h = −1e-320 and slope 1e-5: a(h) is 0, and still on the left."""
    a = {
        "X": np.array([[-1e-320], [1e-320]]),
        "y": np.ones((2, 1)),
        "weights": np.empty(0),
        "W": np.ones((1, 1)),
        "c": np.zeros(1),
        "pivot": np.empty(0),
        "Gamma2T": np.ones((1, 1)),
    }
    assert swept(a, 1e-5, 8).c.tolist() == pytest.approx([-2 * 1e-5 - 2])


def test_it_writes_into_nothing(rng):
    a = arrays(rng, 20, 3, 4, 2, np.float64, True, True)
    kept = {name: v.copy() for name, v in a.items()}
    swept(a, 0.1, 7)
    for name, v in a.items():
        assert (v == kept[name]).all()


def test_nan_is_not_swept_away(rng):
    """fastmath is on, but not what would take NaN for impossible."""
    for q in (1, 2):
        for name in ("X", "y", "weights"):
            a = arrays(rng, 20, 3, 4, q, np.float64, True, False)
            a[name].flat[5] = np.nan
            found = swept(a, 0.0, 7)
            assert np.isnan(found.loss)
            assert np.isnan(found.Gamma2).any()


VARIETY = """
import numpy as np
import matbackprop as mb
from matbackprop.network import leaky_relu
from matbackprop.streaming import Problem
from matbackprop.streaming.compiled_blocks import two_line_sums

rng = np.random.default_rng(0)
for dtype in (np.float64, np.float32):
    X, Y = rng.standard_normal((400, 6)) + 100, rng.standard_normal((400, 2))
    X, Y = X.astype(dtype), Y.astype(dtype)
    w = rng.uniform(0.1, 1, 400).astype(dtype)
    P = [mb.Parameters.random(p1, 2, rng=rng, q=q) for p1 in (6, 3, 1) for q in (None, 1, 2)]
    blocks = [(p.Gamma1, p.Gamma2, p.gamma, p.beta) for p in P]
    narrow = [mb.Parameters(*(b.astype(dtype) for b in four)) for four in blocks]
    X2 = X.copy()
    X2.flags.writeable = False
    unaligned = np.ndarray(X.shape, X.dtype, bytearray(X.nbytes + 1), offset=1)
    unaligned[...] = X
    for A in (X, X2, np.asfortranarray(X), X[:, ::2], X[:, :1], X[::-1], unaligned, X[:1], X[:65]):
        for par in narrow:
            q = par.Gamma2.shape[1:]
            if par.Gamma1.shape[0] != A.shape[1]:
                continue
            n = len(A)
            y = Y[:n, 0] if not q else Y[:n, : q[0]]
            for weights in (None, w[:n]):
                for norm in (mb.BatchNorm(), mb.BatchNorm(0, 0.1)):
                    for a in ("relu", "identity", leaky_relu(0.3)):
                        net = mb.Network(a, norm)
                        for data in (A, A - 100):
                            Problem.from_arrays(net, data, y, weights=weights).gradient(par)
    print(len(two_line_sums.signatures))
"""


@pytest.mark.slow
def test_it_is_compiled_once_for_each_dtype():
    """… and once for one output, once for several; over many calls, in a process of its own.

    A further signature would be seconds of waiting.
    """
    out = subprocess.check_output([sys.executable, "-c", VARIETY], text=True, timeout=300)
    assert out.split() == ["2", "4"]


def test_calls_here_compiled_nothing_new(rng, draw):
    """After all other tests of this process: at most one for each dtype through a problem."""
    par, X, y = draw(rng, N=70)
    before = len(two_line_sums.signatures)
    Problem.from_arrays(mb.Network("relu"), X, y).gradient(par)
    first = len(two_line_sums.signatures)
    assert first <= max(before, 1) + 1
    X.flags.writeable = False
    for A in (X, X[::2], X[:, ::-1], np.asfortranarray(X)):
        Problem.from_arrays(mb.Network("relu"), A, y[: len(A)]).gradient(par)
    assert len(two_line_sums.signatures) == first
