"""The derivative in a direction, and that of the pullback: against nested differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.batchnorm import (
    BatchNorm,
    BatchNormLayer,
    Cache,
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
    Moments,
    Running,
    normalize,
    pull_back_dot,
    pullback,
    push_forward,
)
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.backward import pulled
from matbackprop.differences import central_difference, directional_derivative
from matbackprop.errors import DtypeError, OptionError, ShapeError

TEST = {"mode": "test", "running": Running(np.arange(3.0), np.arange(3.0) + 0.5)}
LAYERS = {
    "batch": (lambda eps: BatchNormLayer(3, eps), (5, 3), (3,), {}),
    "batch, rank 3": (lambda eps: BatchNormLayer(3, eps), (2, 3, 4), (3,), {}),
    "batch, rank 5": (lambda eps: BatchNormLayer(3, eps), (2, 3, 2, 1, 2), (3,), {}),
    "batch, test mode": (lambda eps: BatchNormLayer(3, eps), (2, 3, 4), (3,), TEST),
    "layer": (lambda eps: LayerNormLayer(5, eps), (3, 5), (5,), {}),
    "instance": (lambda eps: InstanceNormLayer(3, eps), (2, 3, 4), (3,), {}),
    "group": (lambda eps: GroupNormLayer(2, 4, eps), (2, 4, 3), (4,), {}),
}


class Run:
    """A layer at a point, and a direction."""

    def __init__(self, rng, layer, shape, weights, state):
        self.layer, self.state = layer, state
        self.X, self.S, self.Xdot, self.Sdot = rng.standard_normal((4, *shape))
        self.gamma, self.beta, self.gammadot, self.betadot = rng.standard_normal((4, *weights))
        self.cache = self.forward(0.0).cache

    def forward(self, t):
        gamma, beta = self.gamma + t * self.gammadot, self.beta + t * self.betadot
        return self.layer.forward(self.X + t * self.Xdot, gamma, beta, **self.state)

    def backward(self, t):
        return self.layer.backward(self.S + t * self.Sdot, self.forward(t).cache)


def along(f):
    """d f(t)/dt at 0, numerically."""
    return directional_derivative(lambda t: f(t[0]), np.zeros(1), np.ones(1)).value


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize(("make", "shape", "weights", "state"), LAYERS.values(), ids=LAYERS)
class TestEveryLayer:
    @pytest.fixture
    def run(self, rng, make, shape, weights, state, eps):
        return Run(rng, make(eps), shape, weights, state)

    def test_push_forward(self, run):
        Ydot = push_forward(run.Xdot, run.cache, gamma=run.gammadot, beta=run.betadot)
        assert_allclose(Ydot, along(lambda t: run.forward(t).Y), rtol=1e-8, atol=1e-8)

    def test_each_direction_is_optional(self, run):
        zero, whole = 0 * run.Xdot, push_forward(run.Xdot, run.cache)
        parts = [
            push_forward(zero, run.cache, gamma=run.gammadot),
            push_forward(zero, run.cache, beta=run.betadot),
        ]
        together = push_forward(run.Xdot, run.cache, gamma=run.gammadot, beta=run.betadot)
        assert_allclose(whole + sum(parts), together, rtol=1e-12, atol=1e-13)

    def test_pull_back_dot(self, run):
        dot = pull_back_dot(run.S, run.cache, X=run.Xdot, gamma=run.gammadot, dY_dot=run.Sdot)
        for name in ("X", "gamma", "beta"):
            numeric = along(lambda t, name=name: getattr(run.backward(t), name))
            assert getattr(dot, name).shape == numeric.shape
            assert_allclose(getattr(dot, name), numeric, rtol=1e-7, atol=1e-7)

    def test_pull_back_dot_is_linear_in_its_directions(self, run):
        none, zero = np.zeros_like(run.gamma), np.zeros_like(run.X)
        parts = [
            pull_back_dot(run.S, run.cache, X=run.Xdot),
            pull_back_dot(run.S, run.cache, X=zero, gamma=run.gammadot),
            pull_back_dot(run.S, run.cache, X=zero, gamma=none, dY_dot=run.Sdot),
        ]
        whole = pull_back_dot(run.S, run.cache, X=run.Xdot, gamma=run.gammadot, dY_dot=run.Sdot)
        for k, want in enumerate(whole):
            assert_allclose(sum(part[k] for part in parts), want, rtol=1e-10, atol=1e-11)

    def test_the_hessian_is_symmetric(self, run, rng):
        """⟨v, H(u)⟩ = ⟨H(v), u⟩ for u, v in the space of (X, γ): H = ∇²⟨S, Y⟩."""
        u, v = (
            (rng.standard_normal(run.X.shape), rng.standard_normal(run.gamma.shape))
            for _ in range(2)
        )
        Hu, Hv = (pull_back_dot(run.S, run.cache, X=X, gamma=g) for X, g in (u, v))
        left = (v[0] * Hu.X).sum() + (v[1] * Hu.gamma).sum()
        right = (u[0] * Hv.X).sum() + (u[1] * Hv.gamma).sum()
        size = np.abs(v[0] * Hu.X).sum() + np.abs(u[0] * Hv.X).sum()
        assert_allclose(left, right, rtol=0, atol=1e-12 * max(size, 1))

    def test_the_hessian_against_differences_of_differences(self, run):
        """One column, from the loss itself: no pullback of ours takes part."""

        def loss(x):
            return (run.S * run.layer.forward(x, run.gamma, run.beta, **run.state).Y).sum()

        def slope(t):
            return central_difference(loss, run.X + t * run.Xdot).value

        h = 1e-3
        numeric = (8 * (slope(h) - slope(-h)) - (slope(2 * h) - slope(-2 * h))) / (12 * h)
        size = np.abs(numeric).max()
        dot = pull_back_dot(run.S, run.cache, X=run.Xdot)
        assert_allclose(dot.X, numeric, rtol=1e-5, atol=1e-5 * max(size, 1))

    def test_it_forgets_neither_scale_nor_offset(self, run, eps):
        """Along X itself and along 1, X̂ does not move (with the moments of the batch)."""
        if run.state:  # given moments follow neither: X̂ moves as X does
            moved = push_forward(np.ones_like(run.X), run.cache)
            assert np.abs(moved).min() > 0
        else:
            assert_allclose(push_forward(np.ones_like(run.X), run.cache), 0, atol=1e-12)
        if eps == 0 and not run.state:
            size = np.abs(run.X).max() / run.cache.b.sigma.min()
            assert_allclose(push_forward(run.X, run.cache), 0, atol=1e-12 * size)


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize("ddof", [0, 1])
def test_ddof(rng, eps, ddof):
    X, S, Xdot, Sdot = rng.standard_normal((4, 6, 2))
    gamma, gammadot = rng.standard_normal((2, 2))
    options = BatchNorm(ddof=ddof, eps=eps)

    def cache(t):
        b = normalize(X + t * Xdot, options)
        return Cache(b, gamma + t * gammadot, X.shape, batch_arrangement(X.shape))

    Ydot = push_forward(Xdot, cache(0), gamma=gammadot)
    numeric = along(lambda t: cache(t).b.Xhat * cache(t).gamma)
    assert_allclose(Ydot, numeric, rtol=1e-8, atol=1e-8)
    dot = pull_back_dot(S, cache(0), X=Xdot, gamma=gammadot, dY_dot=Sdot)
    for k in range(3):
        numeric = along(lambda t, k=k: pullback(S + t * Sdot, cache(t).b, cache(t).gamma)[k])
        assert_allclose(dot[k], numeric, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("eps", [0.0, 0.3])
@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("given", [None, Moments([0.3, -0.2], [0.5, 2.0])], ids=["batch", "given"])
def test_to_rounding_by_the_complex_step(rng, eps, ddof, given):
    """The pullback as such is analytic: an imaginary step of 1e-100 gives its derivative."""
    X, S, Xdot, Sdot = rng.standard_normal((4, 6, 2))
    gamma, gammadot = rng.standard_normal((2, 2))
    options, ih = BatchNorm(ddof=ddof, eps=eps), 1e-100j
    stepped = normalize(X + ih * Xdot, options, moments=given)
    numeric = pulled(S + ih * Sdot, stepped, gamma + ih * gammadot)
    b = normalize(X, options, moments=given)
    cache = Cache(b, gamma, X.shape, batch_arrangement(X.shape))
    dot = pull_back_dot(S, cache, X=Xdot, gamma=gammadot, dY_dot=Sdot)
    for ours, want in zip(dot, numeric, strict=True):
        size = np.abs(want).max() * 1e100
        assert_allclose(ours, want.imag * 1e100, rtol=1e-11, atol=1e-12 * size)


def test_without_weights(rng):
    X, S, Xdot, Sdot = rng.standard_normal((4, 5, 3))
    plain = BatchNormLayer(3, affine=False).forward(X).cache
    ones = BatchNormLayer(3).forward(X, np.ones(3), np.zeros(3)).cache
    assert_allclose(push_forward(Xdot, plain), push_forward(Xdot, ones), rtol=1e-14)
    dot = pull_back_dot(S, plain, X=Xdot, dY_dot=Sdot)
    assert dot[1:] == (None, None)
    assert_allclose(dot.X, pull_back_dot(S, ones, X=Xdot, dY_dot=Sdot).X, rtol=1e-14)


def test_float32_stays(rng):
    X, S, Xdot = rng.standard_normal((3, 50, 3)).astype(np.float32)
    gamma = np.ones(3, np.float32)
    cache = BatchNormLayer(3).forward(X, gamma, gamma).cache
    assert push_forward(Xdot, cache, gamma=gamma, beta=gamma).dtype == np.float32
    dot = pull_back_dot(S, cache, X=Xdot, gamma=gamma)
    assert {part.dtype for part in dot} == {np.dtype(np.float32)}


class TestErrors:
    @pytest.fixture
    def cache(self, rng):
        return BatchNormLayer(3).forward(rng.standard_normal((5, 3)), np.ones(3), np.ones(3)).cache

    def test_push_forward(self, cache):
        with pytest.raises(ShapeError, match=r"push_forward.*\(5, 3\).*got \(4, 3\)"):
            push_forward(np.ones((4, 3)), cache)
        with pytest.raises(ShapeError, match=r"push_forward.*gamma.*\(3,\).*got \(4,\)"):
            push_forward(np.ones((5, 3)), cache, gamma=np.ones(4))
        with pytest.raises(DtypeError, match=r"push_forward.*cache.*got ndarray"):
            push_forward(np.ones((5, 3)), np.ones(3))

    def test_directions_of_weights_that_are_not_there(self, rng):
        X = rng.standard_normal((5, 3))
        cache = BatchNormLayer(3, affine=False).forward(X).cache
        with pytest.raises(OptionError, match=r"push_forward.* without gamma.*leave gamma out"):
            push_forward(X, cache, gamma=np.ones(3))
        with pytest.raises(OptionError, match=r"pull_back_dot.* without gamma.*leave gamma out"):
            pull_back_dot(X, cache, X=X, gamma=np.ones(3))

    def test_pull_back_dot(self, cache):
        with pytest.raises(ShapeError, match=r"pull_back_dot.*\(5, 3\).*got \(4, 3\)"):
            pull_back_dot(np.ones((4, 3)), cache, X=np.ones((5, 3)))
        with pytest.raises(ShapeError, match=r"pull_back_dot.* X .*\(5, 3\).*got \(4, 3\)"):
            pull_back_dot(np.ones((5, 3)), cache, X=np.ones((4, 3)))
        with pytest.raises(DtypeError, match=r"pull_back_dot.*cache.*got ndarray"):
            pull_back_dot(np.ones((5, 3)), np.ones(3), X=np.ones((5, 3)))
