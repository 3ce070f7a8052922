"""Data far from zero cost no digits; where they do, in torch, is shown beside."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem


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
