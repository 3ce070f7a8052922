"""A problem of arrays: the numbers of `mb.gradient`, whatever arrays, options and cuts."""

import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.batchnorm import without_compiling
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
