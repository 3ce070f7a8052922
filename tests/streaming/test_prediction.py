"""ŷ a piece at a time: lazily, in order, in the shape of y."""

from types import GeneratorType

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.errors import DataError, ShapeError
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem
from matbackprop.streaming.prediction import predicted
from matbackprop.streaming.rows import Rows
from matbackprop.streaming.works.mapped import RowMap


@pytest.mark.parametrize("q", [None, 1, 3], ids="q{}".format)
@pytest.mark.parametrize("norm", [None, mb.BatchNorm(1, 0.0)], ids=["plain", "batch norm"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_in_their_order(rng, draw, narrow, q, norm, dtype):
    net = mb.Network("silu", norm)
    par, X, y = draw(rng, N=2500, q=q, batch_norm=norm is not None)
    par = narrow(par) if dtype == np.float32 else par
    X, y = X.astype(dtype), y.astype(dtype)
    pieces = list(Problem.from_arrays(net, X, y).predict(par))
    assert len(pieces) > 1
    fitted = np.concatenate(pieces)
    assert fitted.shape == y.shape
    assert fitted.dtype == dtype
    expected = mb.predict(net, par, X)
    bound = (1e-6 if dtype == np.float32 else 1e-13) * magnitudes(net, par, X, y)["fitted"]
    assert (np.abs(fitted - expected) <= bound).all()


def test_a_row_alone_is_that_row_among_others(rng, draw):
    net = mb.Network("tanh")
    par, X, y = draw(rng, N=100)
    kept = Problem.from_arrays(net, X, y).moments(par)
    new = rng.standard_normal((5, 3))
    fitted = mb.predict(net, par, new, moments=kept)
    problem = Problem.from_arrays(net, new, np.zeros(5))
    assert_allclose(np.concatenate([*problem.predict(par, moments=kept)]), fitted, rtol=1e-13)


class Counted:
    """Blocks that say how many were asked for."""

    def __init__(self, blocks):
        self.blocks, self.made = blocks, 0

    def __iter__(self):
        for block in self.blocks:
            self.made += 1
            yield block


def test_it_is_lazy(rng, draw):
    """Of a hundred blocks, two are made for two pieces."""
    par, X, y = draw(rng, N=1000)
    blocks = Counted([(X[i : i + 10], y[i : i + 10]) for i in range(0, 1000, 10)])
    problem = Problem.from_blocks(mb.Network(), blocks)
    blocks.made = 0
    pieces = problem.predict(par)
    assert isinstance(pieces, GeneratorType)
    assert blocks.made == 0
    first, second = next(pieces), next(pieces)
    assert blocks.made == 2
    expected = mb.predict(mb.Network(), par, X)
    assert_allclose(np.concatenate([first, second]), expected[:20], rtol=1e-12, atol=1e-12)
    assert_allclose(np.concatenate([first, second, *pieces]), expected, rtol=1e-12, atol=1e-12)


def test_errors_come_at_once(rng, draw):
    par, X, y = draw(rng)
    problem = Problem.from_arrays(mb.Network(), X, y)
    with pytest.raises(ShapeError, match=r"problem.predict\(par\)"):
        problem.predict(mb.Parameters.random(2, 2, rng=rng))
    soft = Problem.from_arrays(mb.Network("tanh", mb.BatchNorm(0, 0.0)), X, y)
    dead = mb.Parameters(0 * par.Gamma1, par.Gamma2, par.gamma, par.beta)
    with pytest.raises(DataError, match=r"problem.predict\(par\).* is constant"):
        soft.predict(dead)


@pytest.mark.parametrize(("outcome", "shape"), [(1, (0,)), (2, (0, 1))])
def test_no_rows(rng, draw, outcome, shape):
    par, *_ = draw(rng)
    row_map = RowMap(mb.Network("tanh").a, par.Gamma1, par.beta, None, par.Gamma2[:, None], 8)
    nothing = Rows(np.empty((0, 3)), np.empty((0, 1)), None, 0)
    assert predicted(row_map, nothing, outcome).shape == shape


def test_what_is_predicted_may_be_written_to(rng, draw):
    """It is the user's own array."""
    par, X, y = draw(rng)
    for piece in Problem.from_arrays(mb.Network(), X, y).predict(par):
        piece += 1.0
