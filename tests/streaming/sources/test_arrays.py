"""Arrays as a source: cut into stretches, of any library, and left where they are."""

import array_api_strict
import dask.array as da
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError
from matbackprop.network import ACTIVATIONS, magnitudes
from matbackprop.streaming import Problem
from matbackprop.streaming.sources.arrays import (
    STRETCH_BYTES,
    STRETCHES,
    array_source,
    common_dtype,
    kind_of,
)
from matbackprop.streaming.works.mapped import GradientWork

LIBRARIES = ["torch", "array_api_strict"]


@pytest.fixture(params=LIBRARIES)
def make(request, torch):
    return torch.tensor if request.param == "torch" else array_api_strict.asarray


def source(X, y, weights=None):
    return array_source(X, y, weights, call="Make(X, y)")


@given(N=st.integers(1, 10_000), p1=st.integers(1, 5), weighted=st.booleans())
def test_stretches_are_all_rows_once_and_in_order(N, p1, weighted):
    X = np.broadcast_to(np.arange(N)[:, None], (N, p1))
    s = source(X, np.arange(N), np.arange(N) + 1 if weighted else None)
    pieces = list(s.pieces())
    assert len(pieces) == s.stretches == len(list(s.loaders())) <= STRETCHES
    assert_array_equal(np.concatenate([p.X for p in pieces]), X)
    assert_array_equal(np.concatenate([p.y for p in pieces]), np.arange(N))
    starts = [p.start for p in pieces]
    assert starts == [int(p.y[0]) for p in pieces] == [p.offset for p in pieces]
    assert all((p.weights is not None) == weighted for p in pieces)
    assert all(np.shares_memory(p.X, X) for p in pieces)


@pytest.mark.parametrize(
    ("N", "p1"), [(10**9, 1), (10**7, 50), (100, 10**7), (10**5, 10**5), (10**12, 3)]
)
def test_stretches_of_arrays_too_large_to_be_there(N, p1):
    """Views that repeat one number: a stretch stays small, and nothing is read to know it."""
    X = np.broadcast_to(np.float64(1.0), (N, p1))
    s = source(X, np.broadcast_to(1.0, (N,)))
    first = next(iter(next(iter(s.loaders()))()))
    assert first.X.shape[0] * p1 * 8 <= 2 * max(STRETCH_BYTES, 64 * p1 * 8)
    assert s.stretches == -(-N // first.X.shape[0])


def test_data_are_neither_copied_nor_converted():
    X, y = np.arange(6).reshape(3, 2), np.ones(3, bool)
    piece = next(source(X, y).pieces())
    assert piece.X.dtype == X.dtype
    assert np.shares_memory(piece.X, X)
    assert np.shares_memory(piece.y, y)


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        ("f4", "float32"),
        ("f8", "float64"),
        ("f2", "float64"),
        ("i8", "float64"),
        ("u1", "float64"),
        ("?", "float64"),
        (">f4", "float64"),
        ("c16", "other"),
        ("O", "other"),
        ("U3", "other"),
        ("M8[s]", "other"),
        ("m8[s]", "other"),
        ("V8", "other"),
    ],
)
def test_kinds(dtype, kind):
    assert kind_of(np.zeros(2, dtype=dtype)) == kind


def test_kinds_of_other_libraries(torch):
    xp = array_api_strict
    for array, kind in [
        (torch.zeros(1), "float32"),
        (torch.zeros(1, dtype=torch.float64), "float64"),
        (torch.zeros(1, dtype=torch.float16), "float64"),
        (torch.zeros(1, dtype=torch.int8), "float64"),
        (torch.zeros(1, dtype=torch.bool), "float64"),
        (torch.zeros(1, dtype=torch.complex64), "other"),
        (xp.zeros(1, dtype=xp.float32), "float32"),
        (xp.zeros(1), "float64"),
        (xp.zeros(1, dtype=xp.bool), "float64"),
        (xp.zeros(1, dtype=xp.complex64), "other"),
    ]:
        assert kind_of(array) == kind


def test_the_common_dtype():
    assert common_dtype(["float32", "float32"]) == "float32"
    assert common_dtype(["float32", "float64"]) == "float64"
    assert common_dtype(["float64"]) == "float64"


def test_the_layout():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    layout = source(frame, pd.Series([1.0], name="t"), [1.0]).layout
    assert (layout.p1, layout.outcome, layout.dtype, layout.weighted) == (2, (), "float64", True)
    assert (layout.input_names, layout.output_names) == (("a", "b"), ("t",))
    assert source(np.ones((3, 2)), np.ones((3, 4))).layout.outcome == (4,)


# Other libraries.


@pytest.mark.parametrize("f", ACTIVATIONS)
@pytest.mark.parametrize(
    "norm", [None, mb.BatchNorm(1, 0.0), mb.BatchNorm()], ids=["plain", "ddof1", "eps"]
)
@pytest.mark.parametrize("q", [None, 2], ids="q{}".format)
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_the_same_numbers(rng, draw, assert_agree, make, f, norm, q, offset):
    net = mb.Network(f, norm)
    par, X, y = draw(rng, N=70, q=q, batch_norm=norm is not None)
    X = X + offset * (norm is not None)
    sizes = magnitudes(net, par, X, y)
    problem = Problem.from_arrays(net, make(X), make(y), block_rows=16)
    g = problem.gradient(par)
    assert_agree(g, mb.gradient(net, par, X, y), sizes)
    assert all(type(block) is np.ndarray for _, block in g.blocks())
    assert abs(problem.loss(par) - g.loss) <= 1e-13 * sizes["loss"]
    fitted = np.concatenate(list(problem.predict(par)))
    assert (np.abs(fitted - mb.predict(net, par, X)) <= 1e-13 * sizes["fitted"]).all()
    dense = Problem.from_arrays(net, X, y, block_rows=16).gauss_newton(par, dense=True)
    size = 1e-11 * (1 + offset) * np.abs(dense).max()
    assert_allclose(problem.gauss_newton(par, dense=True), dense, atol=size)
    v = rng.standard_normal(len(dense))
    assert_allclose(problem.gauss_newton(par) @ v, dense @ v, atol=10 * size)
    if norm is not None:
        assert_allclose(problem.moments(par).sigma, mb.moments(net, par, X).sigma, rtol=1e-12)
        kept = mb.moments(net, par, X[:30])
        assert_agree(
            problem.gradient(par, moments=kept), mb.gradient(net, par, X, y, moments=kept), sizes
        )


def test_weights_there(rng, draw, make):
    par, X, y = draw(rng)
    w = rng.uniform(0, 2, 150)
    w[:20] = 0
    net = mb.Network("tanh")
    ours = Problem.from_arrays(net, X, y, weights=w, block_rows=20).gradient(par)
    theirs = Problem.from_arrays(net, make(X), make(y), weights=make(w), block_rows=20).gradient(
        par
    )
    assert_allclose(theirs.to_vector(), ours.to_vector(), rtol=1e-12, atol=1e-13)


def test_float32_there(rng, draw, narrow, make):
    par, X, y = draw(rng)
    X, y = np.float32(X + 1000), np.float32(y)
    net = mb.Network("tanh")
    exact = mb.gradient(net, narrow(par), X.astype(float), y.astype(float))
    g = Problem.from_arrays(net, make(X), make(y)).gradient(narrow(par))
    assert g.Gamma1.dtype == np.float32
    assert_allclose(g.Gamma1, exact.Gamma1, atol=1e-5 * np.abs(exact.Gamma1).max())


def test_integers_and_bools_there(rng, draw, assert_agree, make):
    par, X, y = draw(rng)
    A, b = np.round(10 * X).astype(np.int64), y > 0
    net = mb.Network("relu")
    expected = mb.gradient(net, par, A.astype(float), b.astype(float))
    g = Problem.from_arrays(net, make(A), make(b)).gradient(par)
    assert_agree(g, expected, magnitudes(net, par, A.astype(float), b.astype(float)))


def test_data_stay_theirs_and_as_they_are(rng, draw, make):
    par, X, y = draw(rng)
    A, b = make(X), make(y)
    problem = Problem.from_arrays(mb.Network("tanh"), A, b)
    piece = next(source(A, b).pieces())
    assert type(piece.X) is type(A)
    problem.gradient(par)
    problem.gauss_newton(par, dense=True)
    assert_array_equal(np.asarray(A), X)
    assert_array_equal(np.asarray(b), y)


def test_a_tensor_that_records_derivatives(rng, draw, torch, assert_agree):
    """X with `requires_grad`, as a tensor in a training loop may have it."""
    par, X, y = draw(rng)
    net = mb.Network("tanh")
    A = torch.tensor(X, requires_grad=True)
    g = Problem.from_arrays(net, A, torch.tensor(y)).gradient(par)
    assert_agree(g, mb.gradient(net, par, X, y), magnitudes(net, par, X, y))
    assert A.grad is None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("norm", [None, mb.BatchNorm()], ids=["plain", "batch norm"])
def test_nan_is_located_there(rng, draw, make, bad, norm):
    _, X, y = draw(rng)
    X[123, 2] = bad
    what = "NaN" if np.isnan(bad) else "an infinite value"
    with (
        np.errstate(all="ignore"),
        pytest.raises(DataError, match=rf"X has {what} at row 123, column 2 "),
    ):
        Problem.from_arrays(mb.Network(batch_norm=norm), make(X), make(y), block_rows=50)


MIXED = {
    "X of torch": lambda t, X, y, w: (t.tensor(X), y, None),
    "y of torch": lambda t, X, y, w: (X, t.tensor(y), None),
    "weights of torch": lambda t, X, y, w: (X, y, t.tensor(w)),
    "X of the strict library": lambda t, X, y, w: (array_api_strict.asarray(X), t.tensor(y), None),
    "weights in a list": lambda t, X, y, w: (t.tensor(X), t.tensor(y), list(w)),
}


@pytest.mark.parametrize("case", MIXED)
def test_libraries_are_not_mixed(rng, draw, torch, case):
    _, X, y = draw(rng)
    X, y, w = MIXED[case](torch, X, y, np.ones(len(y)))
    with pytest.raises(DtypeError, match=r"needs arrays of one library; got X of .*, y of"):
        Problem.from_arrays(mb.Network(), X, y, weights=w)


def test_complex_numbers_there(make):
    with pytest.raises(DtypeError, match=r"real numbers in X; got dtype .*complex128"):
        Problem.from_arrays(mb.Network(), make(np.ones((3, 2)) * 1j), make(np.ones(3)))


@pytest.mark.parametrize("f", [name for name in ACTIVATIONS if name != "gelu"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_nothing_waits_for_the_device_within_a_pass(
    rng, draw, torch, monkeypatch, f, weighted, library
):
    """No entry is looked at from the moment the rows are taken up until their sums are there.

    On a device each look would wait for all that is under way: a block would wait for the last.
    """
    par, X, y = draw(rng)
    make = torch.tensor if library == "torch" else array_api_strict.asarray
    w = make(rng.uniform(0.1, 1, 150)) if weighted else None
    problem = Problem.from_arrays(mb.Network(f), make(X + 50), make(y), weights=w, block_rows=20)
    expected = problem.gradient(par)
    kind = torch.Tensor if library == "torch" else type(make(X))
    looks, inside = [], []
    looking = [
        name
        for name in [
            "__bool__",
            "__float__",
            "__int__",
            "__index__",
            "__complex__",
            "__array__",
            "__iter__",
            "item",
            "tolist",
            "numpy",
            "cpu",
            "__dlpack__",
            "nonzero",
        ]
        if hasattr(kind, name)
    ]
    assert {"__bool__", "__float__"} <= set(looking)
    for name in looking:
        original = getattr(kind, name)

        def look(self, *args, name=name, original=original, **options):
            if inside:
                looks.append((name, tuple(self.shape)))
            return original(self, *args, **options)

        monkeypatch.setattr(kind, name, look)
    work = GradientWork.__call__

    def watched(self, chunk):
        inside.append(1)
        try:
            return work(self, chunk)
        finally:
            inside.clear()

    monkeypatch.setattr(GradientWork, "__call__", watched)
    g = problem.gradient(par)
    assert_array_equal(g.to_vector(), expected.to_vector())
    assert looks == []
    # The watch itself: it sees a look where there is one.
    inside.append(1)
    float(make(np.float64(2.0)))
    assert len(looks) >= 1


def test_dask_has_a_way_of_its_own():
    X = da.ones((10, 2), chunks=5)
    with pytest.raises(DtypeError, match=r"pass X to `Problem.from_dask`, or what `.compute\(\)`"):
        Problem.from_arrays(mb.Network(), X, X[:, 0])
