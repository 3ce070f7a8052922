"""A problem of arrays: the numbers of `mb.gradient`, whatever arrays, options and cuts."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.batchnorm import without_compiling
from matbackprop.errors import (
    DataError,
    DtypeError,
    MatBackpropError,
    OptionError,
    ShapeError,
)
from matbackprop.network import ACTIVATIONS, Activation, leaky_relu, magnitudes
from matbackprop.streaming import Problem

NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "ddof1": mb.BatchNorm(1, 0.0),
    "eps": mb.BatchNorm(1, 0.3),
}
OWN = Activation(
    "bump",
    lambda h: h / (1 + h * h),
    lambda h: (1 - h * h) / (1 + h * h) ** 2,
    lambda h: 2 * h * (h * h - 3) / (1 + h * h) ** 3,
)
FUNCTIONS = {
    **{name: name for name in ACTIVATIONS},
    "own": OWN,
    "leaky_relu(0.5)": leaky_relu(0.5),
    "leaky_relu(-0.7)": leaky_relu(-0.7),
    "leaky_relu(3)": leaky_relu(3.0),
}
seeds = st.integers(0, 2**32 - 1)

CASES = [
    pytest.param(
        f, norm, q, loss, fixed, id=f"{f}-{norm}-q{q}-{loss}-{'fixed' if fixed else 'batch'}"
    )
    for f, norm, (q, loss), fixed in itertools.product(
        FUNCTIONS, NORMS, [(None, "mse"), (1, "sse"), (3, "mse")], [False, True]
    )
    if not (fixed and norm == "plain")
]


@pytest.mark.parametrize(("f", "norm", "q", "loss", "fixed"), CASES)
def test_it_is_the_gradient_in_memory(rng, draw, assert_agree, f, norm, q, loss, fixed):
    net = mb.Network(FUNCTIONS[f], NORMS[norm], loss)
    par, X, y = draw(rng, q=q, batch_norm=norm != "plain")
    kept = mb.moments(net, par, rng.standard_normal((20, 3))) if fixed else None
    sizes = magnitudes(net, par, X, y, moments=kept)
    compact = mb.gradient(net, par, X, y, moments=kept)
    problem = Problem.from_arrays(net, X, y, block_rows=64)
    g = problem.gradient(par, moments=kept)
    assert_agree(g, compact, sizes)
    assert (g.X, g.fitted) == (None, None)
    with without_compiling():
        assert_agree(problem.gradient(par, moments=kept), g, sizes)
    assert abs(problem.loss(par, moments=kept) - compact.loss) <= 1e-13 * sizes["loss"]
    fitted = np.concatenate(list(problem.predict(par, moments=kept)))
    assert fitted.shape == y.shape
    assert (np.abs(fitted - mb.predict(net, par, X, moments=kept)) <= 1e-13 * sizes["fitted"]).all()


@pytest.mark.parametrize("f", ["relu", "gelu", "leaky_relu(-0.7)"])
@pytest.mark.parametrize("norm", NORMS)
def test_it_is_the_specification(rng, draw, assert_agree, f, norm):
    """Node by node, row by row: the loops that the question was answered with."""
    net = mb.Network(FUNCTIONS[f], NORMS[norm])
    par, X, y = draw(rng, N=17, q=2, batch_norm=norm != "plain")
    nodewise = mb.gradient(net, par, X, y, formulation="nodewise")
    sizes = magnitudes(net, par, X, y)
    for block_rows in (None, 1, 5, 17, 18):
        assert_agree(
            Problem.from_arrays(net, X, y, block_rows=block_rows).gradient(par), nodewise, sizes
        )


@pytest.mark.parametrize("norm", [name for name in NORMS if name != "plain"])
def test_the_moments_to_keep(rng, draw, norm):
    net = mb.Network("tanh", NORMS[norm])
    par, X, y = draw(rng)
    ours, theirs = Problem.from_arrays(net, X + 5, y).moments(par), mb.moments(net, par, X + 5)
    assert_allclose(ours.mu, theirs.mu, rtol=1e-13)
    assert_allclose(ours.sigma, theirs.sigma, rtol=1e-13)


ARRAYS = {
    "F-ordered": lambda X, y: (np.asfortranarray(X), y),
    "every second row": lambda X, y: (np.repeat(X, 2, axis=0)[::2], np.repeat(y, 2)[::2]),
    "backwards": lambda X, y: (X[::-1].copy()[::-1], y[::-1].copy()[::-1]),
    "every second column": lambda X, y: (np.repeat(X, 2, axis=1)[:, ::2], y),
    "part of wider rows": lambda X, y: (np.hstack([X, X])[:, :3], y),
    "lists": lambda X, y: (X.tolist(), y.tolist()),
    "tuples": lambda X, y: (tuple(map(tuple, X)), tuple(y)),
    "frame and series": lambda X, y: (pd.DataFrame(X, columns=list("abc")), pd.Series(y, name="t")),
    "frame with another index": lambda X, y: (pd.DataFrame(X, index=range(5, 5 + len(X))), y),
    "of another byte order": lambda X, y: (X.astype(">f8"), y.astype(">f8")),
    "longdouble": lambda X, y: (X.astype(np.longdouble), y),
    "masked, no entry hidden": lambda X, y: (np.ma.masked_array(X, mask=False), y),
}


@pytest.mark.parametrize("case", ARRAYS)
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_arrays_of_every_order_and_kind(rng, draw, assert_agree, case, f):
    net = mb.Network(f)
    par, X, y = draw(rng)
    g = Problem.from_arrays(net, *ARRAYS[case](X, y), block_rows=64).gradient(par)
    assert_agree(g, mb.gradient(net, par, X, y), magnitudes(net, par, X, y))


def test_arrays_that_begin_between_two_words(rng, draw, assert_agree):
    net = mb.Network("relu")
    par, X, y = draw(rng)
    shifted = []
    for a in (X, y):
        b = np.ndarray(a.shape, a.dtype, bytearray(a.nbytes + 1), offset=1)
        b[...] = a
        assert not b.flags.aligned
        shifted.append(b)
    g = Problem.from_arrays(net, *shifted).gradient(par)
    assert_agree(g, mb.gradient(net, par, X, y), magnitudes(net, par, X, y))


@pytest.mark.parametrize("f", ["relu", "tanh"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_memory_maps_and_arrays_that_may_not_be_written_to(
    rng, draw, narrow, tmp_path, assert_agree, f, dtype
):
    net = mb.Network(f)
    par, X, y = draw(rng, N=500)
    X, y, par = X.astype(dtype), y.astype(dtype), narrow(par) if dtype == np.float32 else par
    expected = Problem.from_arrays(net, X, y).gradient(par)
    for name, array in (("X", X), ("y", y)):
        np.save(tmp_path / f"{name}.npy", array)
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "Xy"]
    assert isinstance(mapped[0], np.memmap)
    problem = Problem.from_arrays(net, *mapped)
    g = problem.gradient(par)
    assert g.Gamma1.dtype == dtype
    assert_array_equal(g.to_vector(), expected.to_vector())
    for array in (
        *(p for p in problem.predict(par)),
        problem.data.gram,
        problem.data.pivot,
        g.Gamma1,
    ):
        assert type(array) is np.ndarray
    for array in (X, y):
        array.flags.writeable = False
    assert_array_equal(
        Problem.from_arrays(net, X, y).gradient(par).to_vector(), expected.to_vector()
    )


KINDS = {
    "integers": lambda X: np.int64(10 * X),
    "small integers": lambda X: np.int8(10 * X),
    "unsigned": lambda X: np.uint16(100 + 10 * X),
    "bools": lambda X: X > 0,
    "half": lambda X: X.astype(np.float16),
}


@pytest.mark.parametrize("case", KINDS)
def test_other_kinds_become_float64(rng, draw, assert_agree, case):
    net = mb.Network("relu")
    par, X, y = draw(rng)
    A, b, w = KINDS[case](X), KINDS[case](np.abs(y)), KINDS[case](np.abs(X[:, 0]))
    expected = mb.gradient(net, par, A.astype(float), b.astype(float))
    g = Problem.from_arrays(net, A, b).gradient(par)
    assert g.Gamma1.dtype == np.float64
    assert_agree(g, expected, magnitudes(net, par, A.astype(float), b.astype(float)))
    heavy = Problem.from_arrays(net, A, b, weights=w).gradient(par)
    wide = Problem.from_arrays(net, A.astype(float), b.astype(float), weights=w.astype(float))
    assert_array_equal(heavy.to_vector(), wide.gradient(par).to_vector())


@pytest.mark.parametrize("f", ["relu", "silu"])
@pytest.mark.parametrize("parts", ["X", "y", "weights", "par", "none"])
def test_float32_only_where_everything_is(rng, draw, narrow, f, parts):
    """One wide part makes all wide; then nothing of float32's roundings is left."""
    net = mb.Network(f)
    par, X, y = draw(rng)
    w = rng.uniform(0.5, 1, 150)
    # Numbers that both dtypes hold, so that the answer is one.
    par, (X, y, w) = narrow(par), (np.float32(a) for a in (X, y, w))
    wide = mb.Parameters(*(b.astype(float) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
    exact = Problem.from_arrays(
        net, X.astype(float), y.astype(float), weights=w.astype(float)
    ).gradient(wide)
    problem = Problem.from_arrays(
        net,
        X.astype(float) if parts == "X" else X,
        y.astype(float) if parts == "y" else y,
        weights=w.astype(float) if parts == "weights" else w,
    )
    g = problem.gradient(wide if parts == "par" else par)
    error = np.abs(g.to_vector() - exact.to_vector()).max()
    if parts == "none":
        assert {b.dtype for _, b in g.blocks()} == {np.dtype(np.float32)}
        assert 1e-9 < error < 1e-5
    else:
        assert {b.dtype for _, b in g.blocks()} == {np.dtype(np.float64)}
        assert error < 1e-13


def test_names_travel_to_the_gradient(rng, draw):
    par, X, y = draw(rng, q=2)
    frames = pd.DataFrame(X, columns=["age", "height", "dose"]), pd.DataFrame(y, columns=["u", "v"])
    g = Problem.from_arrays(mb.Network(), *frames).gradient(par)
    assert g.input_names == ("age", "height", "dose")
    assert g.output_names == ("u", "v")
    assert str(g) == str(mb.gradient(mb.Network(), par, *frames))


@pytest.mark.parametrize("f", ["relu", "gelu"])
def test_nothing_given_is_changed(rng, draw, f):
    par, X, y = draw(rng, N=300)
    w = rng.uniform(0, 1, 300)
    kept = [a.copy() for a in (X, y, w, par.to_vector())]
    problem = Problem.from_arrays(mb.Network(f), X, y, weights=w)
    problem.gradient(par)
    problem.loss(par)
    list(problem.predict(par))
    problem.gauss_newton(par, dense=True)
    problem.gauss_newton(par) @ np.ones(par.to_vector().size)
    for a, b in zip((X, y, w, par.to_vector()), kept, strict=True):
        assert_array_equal(a, b)


def test_arrays_are_not_copied(rng, draw):
    par, X, y = draw(rng)
    problem = Problem.from_arrays(mb.Network(batch_norm=None), X, y)
    plain = mb.Parameters(par.Gamma1, par.Gamma2)
    before = problem.loss(plain)
    y += 1.0
    assert problem.loss(plain) != before


# Weights.


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds,
    f=st.sampled_from(["relu", "tanh"]),
    norm=st.sampled_from([*NORMS]),
    q=st.sampled_from([None, 2]),
)
def test_whole_weights_are_repeated_rows(draw, assert_agree, seed, f, norm, q):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, NORMS[norm], "mse")
    par, X, y = draw(rng, N=30, q=q, batch_norm=norm != "plain")
    w = rng.integers(0, 4, 30)
    w[0] += 1
    problem = Problem.from_arrays(net, X, y, weights=w, block_rows=7)
    assert (problem.rows, problem.weight) == (30, w.sum())
    A, b = np.repeat(X, w, axis=0), np.repeat(y, w, axis=0)
    if len(A) <= 5:
        return
    sizes = magnitudes(net, par, A, b)
    repeated = mb.gradient(net, par, A, b)
    assert_agree(problem.gradient(par), repeated, sizes, 1e-12)
    with without_compiling():
        assert_agree(problem.gradient(par), repeated, sizes, 1e-12)
    assert abs(problem.loss(par) - repeated.loss) <= 1e-12 * sizes["loss"]
    if norm != "plain":
        assert_allclose(problem.moments(par).sigma, mb.moments(net, par, A).sigma, rtol=1e-11)
    matrix = mb.jacobian(net, par, A).matrix
    matrix = matrix.T @ matrix
    assert_allclose(
        problem.gauss_newton(par, dense=True), matrix, atol=1e-10 * np.abs(matrix).max()
    )


@settings(deadline=None, max_examples=25)
@given(seed=seeds, f=st.sampled_from(["relu", "silu"]), norm=st.sampled_from([*NORMS]))
def test_rows_of_weight_zero_are_not_there(draw, assert_agree, seed, f, norm):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, NORMS[norm])
    par, X, y = draw(rng, N=60, batch_norm=norm != "plain")
    w = rng.uniform(0.5, 2, 60)
    start, stop = np.sort(rng.integers(0, 55, 2))
    w[start:stop] = 0  # whole blocks of them, too
    X[start:stop] *= 1e3
    there = w > 0
    ours = Problem.from_arrays(net, X, y, weights=w, block_rows=7)
    theirs = Problem.from_arrays(net, X[there], y[there], weights=w[there], block_rows=7)
    sizes = magnitudes(net, par, X[there], y[there])
    assert ours.weight == pytest.approx(theirs.weight, rel=1e-14)
    assert_agree(ours.gradient(par), theirs.gradient(par), sizes, 1e-12)


@pytest.mark.parametrize("scale", [1e-3, 2.0, 1e6, 1e-170, 1e160])
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_the_scale_of_weights_does_not_matter(rng, draw, assert_agree, f, scale):
    """With "mse" and ddof = 0; "sse" is multiplied by it."""
    par, X, y = draw(rng, N=150)
    w = rng.uniform(0, 1, 150)
    net = mb.Network(f, mb.BatchNorm(0, 0.1))
    one = Problem.from_arrays(net, X, y, weights=w, block_rows=50).gradient(par)
    other = Problem.from_arrays(net, X, y, weights=scale * w, block_rows=50).gradient(par)
    assert_agree(other, one, magnitudes(net, par, X, y), 1e-12)
    if 1e-9 < scale < 1e9:
        sse = mb.Network(f, mb.BatchNorm(0, 0.1), "sse")
        g = Problem.from_arrays(sse, X, y, weights=scale * w).gradient(par)
        wanted = scale * w.sum() * one.to_vector()
        assert_allclose(g.to_vector(), wanted, atol=1e-11 * np.abs(wanted).max())


def test_weights_of_one_are_none(rng, draw, assert_agree):
    par, X, y = draw(rng)
    for f in ("relu", "tanh"):
        net = mb.Network(f)
        g = Problem.from_arrays(net, X, y, weights=np.ones(150)).gradient(par)
        assert_agree(g, mb.gradient(net, par, X, y), magnitudes(net, par, X, y))


# What must not matter.


@pytest.mark.parametrize("f", ["relu", "tanh", "gelu"])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_not_one_bit(rng, draw, narrow, same_bits, f, weighted, dtype):
    par, X, y = draw(rng, N=6001, q=2)
    par = narrow(par) if dtype == np.float32 else par
    X, y = (X + 20).astype(dtype), y.astype(dtype)
    w = rng.uniform(0, 1, 6001).astype(dtype) if weighted else None
    net, v = mb.Network(f), rng.standard_normal(par.to_vector().size)
    found = []
    for threads in (1, 2, 5):
        problem = Problem.from_arrays(net, X, y, weights=w, threads=threads, block_rows=64)
        found.append(
            (
                problem.gradient(par),
                problem.loss(par),
                problem.data.gram,
                problem.moments(par).sigma,
                problem.gauss_newton(par) @ v,
                problem.gauss_newton(par, dense=True),
                np.concatenate(list(problem.predict(par))),
            )
        )
    for other in found[1:]:
        assert same_bits(found[0][0], other[0])
        for a, b in zip(found[0][1:], other[1:], strict=True):
            assert_array_equal(a, b)


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_a_pass_repeats_to_the_last_bit(rng, draw, same_bits, f):
    par, X, y = draw(rng, N=5000)
    problem = Problem.from_arrays(mb.Network(f), X, y, threads=2)
    first = problem.gradient(par)
    assert all(same_bits(problem.gradient(par), first) for _ in range(3))


@settings(deadline=None, max_examples=40)
@given(
    seed=seeds,
    f=st.sampled_from(["relu", "tanh"]),
    norm=st.sampled_from([*NORMS]),
    N=st.integers(8, 300),
    rows=st.sampled_from([1, 7, 64, 299, 10**6]),
    threads=st.sampled_from([1, 2, 5]),
    offset=st.sampled_from([0.0, 50.0]),
)
def test_blocks_threads_and_the_order_of_rows_do_not_matter(
    draw, assert_agree, seed, f, norm, N, rows, threads, offset
):
    rng = np.random.default_rng(seed)
    net = mb.Network(f, NORMS[norm])
    par, X, y = draw(rng, N=N, batch_norm=norm != "plain")
    X = X + offset
    one = Problem.from_arrays(net, X, y, block_rows=N, threads=1)
    order = rng.permutation(N)
    sizes = magnitudes(net, par, X, y)
    for i in (slice(None), order):
        other = Problem.from_arrays(net, X[i], y[i], block_rows=rows, threads=threads)
        assert_agree(other.gradient(par), one.gradient(par), sizes, 1e-12)
        assert abs(other.loss(par) - one.loss(par)) <= 1e-12 * sizes["loss"]


@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_blocks_of_more_rows_than_there_are(rng, draw, f):
    """Only what is needed is allocated."""
    par, X, y = draw(rng)
    net = mb.Network(f)
    one = Problem.from_arrays(net, X, y, block_rows=150).gradient(par)
    other = Problem.from_arrays(net, X, y, block_rows=10**13).gradient(par)
    assert_array_equal(one.to_vector(), other.to_vector())


# Data far from zero.


def torch_gradient(torch, par, X, y, activation):
    """Return the gradient that torch makes of the same network, in the dtype of X."""
    t = {
        n: torch.tensor(np.array(getattr(par, n)), requires_grad=True)
        for n in ("Gamma1", "gamma", "beta", "Gamma2")
    }
    Z = torch.from_numpy(X) @ t["Gamma1"]
    H = torch.nn.functional.batch_norm(
        Z, None, None, t["gamma"], t["beta"], training=True, eps=1e-5
    )
    loss = ((torch.from_numpy(y) - getattr(torch, activation)(H) @ t["Gamma2"]) ** 2).mean()
    loss.backward()
    return {name: value.grad.numpy() for name, value in t.items()}


OFFSETS = [0.0, 1.0, 1e2, 1e4, 1e6]


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("q", [None, 2])
def test_an_offset_costs_nothing(rng, draw, narrow, activation, offset, dtype, q):
    """X lies on a grid, so that X + offset is exact: the answer is that of X, in float64."""
    net = mb.Network(activation)
    par, _, y = draw(rng, N=1000, q=q)
    par = narrow(par)
    wide = mb.Parameters(*(b.astype(float) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
    X, y = rng.integers(-32, 33, (1000, 3)) / 8, y.astype(np.float32)
    far = (X + offset).astype(dtype)
    assert (far.astype(float) - offset == X).all()
    exact = mb.gradient(net, wide, X, y.astype(float))
    sizes = magnitudes(net, wide, X, y.astype(float))
    g = Problem.from_arrays(net, far, y.astype(dtype), block_rows=100).gradient(
        par if dtype == np.float32 else wide
    )
    for name, block in g.blocks():
        assert block.dtype == dtype
        # Whatever the offset: ten roundings of the largest entry, or of its terms.
        bound = 4e-7 * sizes[name] if dtype == np.float32 else 1e-13 * sizes[name]
        error = np.abs(block - getattr(exact, name))
        assert (error <= bound).all(), name
        largest = np.abs(getattr(exact, name)).max()
        assert error.max() <= (5e-6 if dtype == np.float32 else 1e-12) * largest, name
    assert abs(g.loss - exact.loss) <= (1e-6 if dtype == np.float32 else 1e-14) * exact.loss


@pytest.mark.parametrize(("offset", "factor"), [(1e3, 30), (1e4, 300), (1e5, 3000)])
def test_torch_in_float32_loses_digits_there(rng, draw, narrow, torch, offset, factor):
    """Autograd through `F.batch_norm` of XΓ₁, beside ours, against the exact answer."""
    net = mb.Network("tanh")
    par, _, y = draw(rng, N=1000)
    par = narrow(par)
    wide = mb.Parameters(*(b.astype(float) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
    X, y = rng.integers(-32, 33, (1000, 3)) / 8, y.astype(np.float32)
    far = np.float32(X + offset)
    exact = mb.gradient(net, wide, X, y.astype(float)).Gamma1
    largest = np.abs(exact).max()
    ours = np.abs(Problem.from_arrays(net, far, y).gradient(par).Gamma1 - exact).max() / largest
    theirs = np.abs(torch_gradient(torch, par, far, y, "tanh")["Gamma1"] - exact).max() / largest
    assert ours < 5e-6
    assert theirs > factor * ours
    near = torch_gradient(torch, par, np.float32(X), y, "tanh")["Gamma1"]
    assert np.abs(near - exact).max() / largest < 5e-5  # the comparison is of the same function


@pytest.mark.parametrize("value", [0.1, 0.7, 1.0, 2.42574])
def test_a_constant_column_hides_no_offset(draw, value):
    """An intercept, weights, and columns far from zero: the rows are centred all the same."""
    net = mb.Network("tanh")
    for seed in range(6):
        rng = np.random.default_rng(seed)
        par, _, y = draw(rng, N=1000, p1=4)
        X = np.column_stack([rng.integers(-32, 33, (1000, 3)) / 8, np.full(1000, value)])
        w = rng.uniform(0.1, 2, 1000)
        shift = np.array([1e6, 1e6, 1e6, 0.0])
        near = Problem.from_arrays(net, X, y, weights=w).gradient(par).to_vector()
        far = Problem.from_arrays(net, X + shift, y, weights=w).gradient(par).to_vector()
        assert_allclose(far, near, atol=1e-12 * np.abs(near).max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_given_moments_far_from_zero(rng, draw, narrow, dtype):
    """μ and σ are constants; the rows are centred all the same, and γ and Γ₁ get what is theirs."""
    net = mb.Network("silu")
    par, _, y = draw(rng, N=500)
    par = narrow(par)
    wide = mb.Parameters(*(b.astype(float) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta)))
    X, y = rng.integers(-32, 33, (500, 3)) / 8, y.astype(np.float32)
    far = (X + 1e4).astype(dtype)
    kept = mb.moments(net, wide, far.astype(float))
    exact = mb.gradient(net, wide, far.astype(float), y.astype(float), moments=kept)
    sizes = magnitudes(net, wide, far.astype(float), y.astype(float), moments=kept)
    g = Problem.from_arrays(net, far, y.astype(dtype)).gradient(
        par if dtype == np.float32 else wide, moments=kept
    )
    for name, block in g.blocks():
        error = np.abs(block - getattr(exact, name))
        assert (error <= 1e-13 * sizes[name] + 1e-6 * np.abs(getattr(exact, name)).max()).all(), (
            name
        )


# Bad input.

RNG = np.random.default_rng(0)
X0, Y0 = RNG.standard_normal((6, 3)), RNG.standard_normal(6)
NET = mb.Network("tanh", mb.BatchNorm(ddof=1, eps=0.0))
PAR = mb.Parameters.random(3, 2, rng=RNG)
WIDE = mb.Parameters.random(3, 2, rng=RNG, q=1)
PLAIN = mb.Parameters.random(3, 2, rng=RNG, batch_norm=False)
DEAD = mb.Parameters(PAR.Gamma1 * [1.0, 0.0], PAR.Gamma2, PAR.gamma, PAR.beta)


def spoiled(row, column, value):
    bad = X0.copy()
    bad[row, column] = value
    return bad


ROW = "counted from 0"
MAKING = {
    "vector X": (X0[:, 0], Y0, {}, ShapeError, r"needs X of shape \(N, p1\); got \(6,\)"),
    "no column": (X0[:, :0], Y0, {}, ShapeError, r"needs X of shape \(N, p1\); got \(6, 0\)"),
    "rows of y": (X0, Y0[:4], {}, ShapeError, r"a row for each of the 6 rows of X; got \(4,\)"),
    "y of three dimensions": (X0, Y0[:, None, None], {}, ShapeError, r"got \(6, 1, 1\)"),
    "no outcome": (X0, Y0[:, None][:, :0], {}, ShapeError, r"got \(6, 0\)"),
    "weights too short": (
        X0,
        Y0,
        {"weights": np.ones(5)},
        ShapeError,
        r"weights of shape \(6,\).*got \(5,\)",
    ),
    "weights in a column": (X0, Y0, {"weights": np.ones((6, 1))}, ShapeError, r"got \(6, 1\)"),
    "no row": (X0[:0], Y0[:0], {}, DataError, r"needs at least one row; X has shape \(0, 3\)"),
    "NaN": (
        spoiled(4, 1, np.nan),
        Y0,
        {},
        DataError,
        rf"X has NaN at row 4, column 1 \({ROW}\), 1 such in all. Drop or impute",
    ),
    "infinity": (
        spoiled(2, 0, -np.inf),
        Y0,
        {},
        DataError,
        "X has an infinite value at row 2, column 0",
    ),
    "NaN in y": (X0, np.r_[Y0[:5], np.nan], {}, DataError, "y has NaN at row 5 "),
    "NaN in a frame": (
        pd.DataFrame(spoiled(2, 1, np.nan), columns=list("abc")),
        Y0,
        {},
        DataError,
        r"X has NaN at row 2, column 1 \('b'\)",
    ),
    "NaN among weights": (
        X0,
        Y0,
        {"weights": [1, 1, np.nan, 1, 1, 1]},
        DataError,
        "weights has NaN at row 2",
    ),
    "a negative weight": (
        X0,
        Y0,
        {"weights": [1, 1, 1, 1, -2, 1]},
        DataError,
        "weights has a negative entry at row 4",
    ),
    "weights that cancel": (
        X0,
        Y0,
        {"weights": [1, -1, 0, 0, 0, 0]},
        DataError,
        "a negative entry at row 1",
    ),
    "weights of zero": (
        X0,
        Y0,
        {"weights": np.zeros(6)},
        DataError,
        "needs a row whose weight is not 0; all 6 weights are",
    ),
    "NaN where the weight is 0": (
        spoiled(4, 1, np.nan),
        Y0,
        {"weights": [1, 1, 1, 1, 0, 1]},
        DataError,
        "X has NaN at row 4, column 1",
    ),
    "complex": (
        X0 + 1j,
        Y0,
        {},
        DtypeError,
        "real numbers in X; got dtype complex128.*pass the real part",
    ),
    "objects": (X0.astype(object), Y0, {}, DtypeError, "real numbers in X; got dtype object"),
    "text": (X0, ["a"] * 6, {}, DtypeError, "real numbers in y; got dtype"),
    "text in a frame": (
        pd.DataFrame({"a": Y0, "b": list("uvwxyz"), "c": Y0}),
        Y0,
        {},
        DtypeError,
        "column 'b' has dtype",
    ),
    "dates": (X0, Y0.astype("M8[s]"), {}, DtypeError, "real numbers in y"),
    "None": (X0, None, {}, DtypeError, "real numbers in y; got dtype object"),
    "masked": (
        np.ma.masked_array(X0, mask=spoiled(1, 2, 0.0) == 0),
        Y0,
        {},
        DataError,
        "X has NaN at row 1, column 2",
    ),
    "rows in another order": (
        pd.DataFrame(X0),
        pd.Series(Y0).sort_values(),
        {},
        DataError,
        r"same row labels in the same order",
    ),
    "threads": (X0, Y0, {"threads": 0}, OptionError, "needs an integer threads >= 1; got 0"),
    "half a thread": (
        X0,
        Y0,
        {"threads": 1.5},
        OptionError,
        "needs an integer threads >= 1; got 1.5",
    ),
    "block_rows": (
        X0,
        Y0,
        {"block_rows": -1},
        OptionError,
        "needs an integer block_rows >= 1; got -1",
    ),
    "a block of True": (X0, Y0, {"block_rows": True}, OptionError, "needs an integer block_rows"),
    "progress": (
        X0,
        Y0,
        {"progress": 1},
        OptionError,
        "knows progress = True, False; got progress=1",
    ),
}


@pytest.mark.parametrize("norm", [NET, mb.Network(batch_norm=None)], ids=["batch norm", "plain"])
@pytest.mark.parametrize("case", MAKING)
def test_bad_data(case, norm):
    X, y, options, error, text = MAKING[case]
    with pytest.raises(error, match=rf"^`Problem.from_arrays\(net, X, y\)`.*{text}") as caught:
        Problem.from_arrays(norm, X, y, **options)
    assert isinstance(caught.value, MatBackpropError)


def test_net_has_to_be_a_network():
    with pytest.raises(DtypeError, match=r"needs net to be a `Network`; got str"):
        Problem.from_arrays("relu", X0, Y0)


def test_nan_in_a_whole_block_of_weight_zero_is_found_at_once():
    X, w = np.random.default_rng(0).standard_normal((100, 3)), np.ones(100)
    X[50, 1], w[40:60] = np.nan, 0
    for norm in (None, mb.BatchNorm()):
        for rows in (1, 7, 10, 100):
            with pytest.raises(DataError, match="X has NaN at row 50, column 1"):
                Problem.from_arrays(mb.Network(batch_norm=norm), X, w, weights=w, block_rows=rows)


PARAMETERS = {
    "columns of X": (
        NET,
        mb.Parameters.random(2, 2, rng=RNG),
        None,
        ShapeError,
        r"one row of Gamma1 for each column of X",
    ),
    "vector y with matrix Gamma2": (
        NET,
        WIDE,
        None,
        ShapeError,
        r"Gamma2 \(2, 1\). Pass `y\[:, None\]`",
    ),
    "no gamma": (NET, PLAIN, None, OptionError, "its parameters have no gamma and beta"),
    "not parameters": (
        NET,
        {"Gamma1": 1},
        None,
        DtypeError,
        "needs par to be a `Parameters`; got dict",
    ),
    "moments too long": (
        NET,
        PAR,
        mb.Moments([0.0] * 3, [1.0] * 3),
        ShapeError,
        "needs moments of 2 hidden nodes",
    ),
    "moments of another kind": (
        NET,
        PAR,
        (0.0, 1.0),
        DtypeError,
        "needs moments to be a `Moments`.*got tuple",
    ),
    "constant column": (
        NET,
        DEAD,
        None,
        DataError,
        "column 1 .counted from 0. of Z = X @ Gamma1 is constant at 0",
    ),
    "too many for ddof": (
        mb.Network("tanh", mb.BatchNorm(6, 0.0)),
        PAR,
        None,
        DataError,
        "more than 6 row.*got N = 6",
    ),
}


@pytest.mark.parametrize("case", PARAMETERS)
@pytest.mark.parametrize("method", ["gradient", "loss", "predict", "gauss_newton"])
def test_bad_parameters(case, method):
    net, par, moments, error, text = PARAMETERS[case]
    problem = Problem.from_arrays(net, X0, Y0)
    with pytest.raises(error, match=rf"^`problem.{method}\(par\)`.*{text}"):
        getattr(problem, method)(par, moments=moments)


def test_shapes_in_messages_are_those_of_the_data():
    """Not those of what stands in for them, which has no rows."""
    problem = Problem.from_arrays(NET, X0, Y0)
    with pytest.raises(ShapeError) as caught:
        problem.gradient(WIDE)
    assert "(0" not in str(caught.value)
    with pytest.raises(ShapeError) as caught:
        problem.gradient(mb.Parameters.random(2, 2, rng=np.random.default_rng(0)))
    assert "(0" not in str(caught.value)


def test_without_batch_norm_there_are_no_moments():
    problem = Problem.from_arrays(mb.Network(batch_norm=None), X0, Y0)
    assert problem.data is None
    with pytest.raises(OptionError, match="this network has none"):
        problem.gradient(PLAIN, moments=mb.Moments([0.0], [1.0]))
    with pytest.raises(OptionError, match="is for batch norm, and this network has none"):
        problem.moments(PLAIN)  # as `mb.moments` says


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_overflow(f):
    problem = Problem.from_arrays(mb.Network(f), X0, Y0 * 1e160)
    with pytest.raises(DataError, match=r"gradient.* overflowed: the loss is not finite.* Rescale"):
        problem.gradient(PAR)
    with pytest.raises(DataError, match=r"loss.* overflowed: the loss is not finite.* Rescale"):
        problem.loss(PAR)


def test_one_row():
    for net, par in (
        (mb.Network("relu", None), PLAIN),
        (mb.Network("relu", mb.BatchNorm(0, 0.1)), PAR),
    ):
        g, h = (
            Problem.from_arrays(net, X0[:1], Y0[:1]).gradient(par),
            mb.gradient(net, par, X0[:1], Y0[:1]),
        )
        assert_allclose(g.to_vector(), h.to_vector(), rtol=1e-13, atol=1e-13)
    kept = mb.moments(NET, PAR, X0)
    one = Problem.from_arrays(NET, X0[:1], Y0[:1])
    assert_allclose(
        next(one.predict(PAR, moments=kept)), mb.predict(NET, PAR, X0[:1], moments=kept)
    )
    with pytest.raises(DataError, match=r"needs more than 1 row.*got N = 1"):
        one.gradient(PAR)


def test_progress_is_shown_on_standard_error(capsys):
    problem = Problem.from_arrays(mb.Network(), X0, Y0, progress=True)
    problem.gradient(PAR)
    shown = capsys.readouterr()
    assert shown.out == ""
    Problem.from_arrays(mb.Network(), X0, Y0).gradient(PAR)
    assert capsys.readouterr() == ("", "")


def test_the_comparison_itself_rejects_a_wrong_gradient(rng, draw, assert_agree):
    net = mb.Network("tanh")
    par, X, y = draw(rng)
    sizes = magnitudes(net, par, X, y)
    g = Problem.from_arrays(net, X, y).gradient(par)
    for name in ("Gamma1", "Gamma2", "gamma", "beta"):
        wrong = getattr(g, name).copy()
        wrong.flat[1] *= 1 + 1e-9
        with pytest.raises(AssertionError, match=f"{name} differs"):
            assert_agree(dataclasses.replace(g, **{name: wrong}), g, sizes)
