"""(Γ₁, γ, β) ↦ (W, c): its two derivatives are adjoint, and are those of batch norm itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.batchnorm import without_compiling
from matbackprop.network.affine_form import batch_form, fixed_form, plain_form
from matbackprop.network.data_moments import block_moments
from matbackprop.network.door import conform

KINDS = ["plain", "fixed", "fixed, pivot", "batch", "batch, pivot"]
seeds = st.integers(0, 2**32 - 1)


class Example:
    """A form, and the functions W and c of the parameters that it should be, written anew."""

    def __init__(self, kind, rng, *, ddof=1, eps=0.1, offset=0.0, weighted=False, p1=3, p2=4):
        self.kind, self.ddof, self.eps = kind, ddof, eps
        self.X = rng.standard_normal((9, p1)) + offset
        self.w = rng.uniform(0.2, 2, 9) if weighted else np.ones(9)
        norm = None if kind == "plain" else mb.BatchNorm(ddof, eps)
        self.par = mb.Parameters.random(p1, p2, rng=rng, batch_norm=norm is not None)
        self.moments = (
            mb.Moments(rng.standard_normal(p2), rng.uniform(0.5, 2, p2))
            if "fixed" in kind
            else None
        )
        net = mb.Network("tanh", norm)
        given = conform(net, self.par, self.X, np.zeros(9), self.moments, call="test")
        data = block_moments(self.X, self.w).settled()
        self.pivot = data.pivot if "pivot" in kind else None
        if kind == "plain":
            self.form = plain_form(given)
        elif "fixed" in kind:
            self.form = fixed_form(given, self.pivot)
        else:
            *_, sigma = self.batch(self.par.Gamma1)
            self.form = batch_form(given, data, sigma, self.w.sum() - ddof, self.pivot)

    def batch(self, Gamma1):
        """Return Z, μ and σ; complex Γ₁ may pass."""
        Z = self.X @ Gamma1
        mu = self.w @ Z / self.w.sum()
        return Z, mu, np.sqrt(self.w @ (Z - mu) ** 2 / (self.w.sum() - self.ddof) + self.eps)

    def hidden(self, Gamma1, gamma, beta):
        """Return H by the definition, from Z."""
        Z, mu, sigma = self.batch(Gamma1)
        if self.kind == "plain":
            return Z
        if self.moments is not None:
            mu, sigma = self.moments.mu, self.moments.sigma
        return (Z - mu) / sigma * gamma + beta

    def parts(self, Gamma1, gamma, beta):
        """Return W and c: what H is at the pivot, and what one unit of each column adds."""
        _, mu, sigma = self.batch(Gamma1)
        pivot = np.zeros(len(Gamma1)) if self.pivot is None else self.pivot
        if self.kind == "plain":
            return Gamma1, 0 * Gamma1[0]
        if self.moments is not None:
            mu, sigma = self.moments.mu, self.moments.sigma
        return Gamma1 * (gamma / sigma), beta + (pivot @ Gamma1 - mu) * gamma / sigma

    @property
    def theta(self):
        none = np.zeros(self.par.Gamma1.shape[1])
        gamma, beta = self.par.gamma, self.par.beta
        return self.par.Gamma1, none if gamma is None else gamma, none if beta is None else beta

    def direction(self, rng):
        p1, p2 = self.par.Gamma1.shape
        d = rng.standard_normal((p1, p2)), rng.standard_normal(p2), rng.standard_normal(p2)
        return (d[0], np.empty(0), np.empty(0)) if self.kind == "plain" else d


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_the_affine_map_is_batch_norm(rng, kind, weighted, offset):
    e = Example(kind, rng, weighted=weighted, offset=offset)
    X = e.X if e.pivot is None else e.X - e.pivot
    assert_allclose(X @ e.form.W + e.form.c, e.hidden(*e.theta), rtol=0, atol=1e-15 * (10 + offset))


@settings(deadline=None)
@given(
    seed=seeds,
    kind=st.sampled_from(KINDS),
    ddof=st.integers(0, 1),
    eps=st.sampled_from([0.0, 1e-5, 0.5]),
    weighted=st.booleans(),
    offset=st.sampled_from([0.0, 30.0]),
    p1=st.integers(1, 4),
    p2=st.integers(1, 4),
)
def test_pull_back_and_push_forward_are_adjoint(seed, kind, ddof, eps, weighted, offset, p1, p2):
    """⟨pull_back(G, g), d⟩ = ⟨(G, g), push_forward(d)⟩, to the rounding of the terms."""
    rng = np.random.default_rng(seed)
    e = Example(kind, rng, ddof=ddof, eps=eps, weighted=weighted, offset=offset, p1=p1, p2=p2)
    d = e.direction(rng)
    G, g = rng.standard_normal((p1, p2)), rng.standard_normal(p2)
    pulled, pushed = e.form.pull_back(G, g), e.form.push_forward(*d)
    assert [x.shape for x in pushed] == [G.shape, g.shape]
    there = [a * b for a, b in zip((G, g), pushed, strict=True)]
    here = [a * b for a, b in zip(pulled, d, strict=True) if a is not None]
    # Γ₁ with one row and eps = 0: dσ takes back what dΓ₁ gives, and the sums are of what is left.
    taken = (1 + np.abs(e.form.W).max()) * (1 + offset) * (np.abs(d[0]).max() + 1)
    size = sum(np.abs(t).sum() for t in [*there, *here]) + taken * (np.abs(G).sum() + 1)
    assert abs(sum(map(np.sum, there)) - sum(map(np.sum, here))) <= 1e-12 * size


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ddof", [0, 1], ids="ddof{}".format)
@pytest.mark.parametrize("eps", [0.0, 0.3], ids="eps{}".format)
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
def test_push_forward_is_the_derivative(rng, kind, ddof, eps, weighted):
    """Against a complex step through the definition: no form, and no moments, in it."""
    e = Example(kind, rng, ddof=ddof, eps=eps, weighted=weighted, offset=3.0)
    d = e.direction(rng)
    h = 1e-40
    steps = d if kind != "plain" else (d[0], np.zeros(4), np.zeros(4))
    stepped = (a + 1j * h * b for a, b in zip(e.theta, steps, strict=True))
    dW, dc = (part.imag / h for part in e.parts(*stepped))
    found = e.form.push_forward(*d)
    assert_allclose(found[0], dW, rtol=1e-12, atol=1e-12)
    assert_allclose(found[1], dc, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_compared_with_is_the_form(rng, kind):
    e = Example(kind, rng, offset=3.0, weighted=True)
    W, c = e.parts(*e.theta)
    assert_allclose(e.form.W, W, rtol=1e-13)
    assert_allclose(e.form.c, c, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_through_moments_is_what_a_row_does_to_the_others(rng, offset):
    """∂R/∂x by way of μ and σ alone: the gradient for X less S Wᵀ, from the formulation compact."""
    net = mb.Network("tanh", mb.BatchNorm(1, 0.2))
    e = Example("batch, pivot", rng, eps=0.2, offset=offset)
    y = rng.standard_normal(9)
    with without_compiling():
        g = mb.gradient(net, e.par, e.X, y, inputs=True)
        kept = mb.moments(net, e.par, e.X)
        alone = mb.gradient(net, e.par, e.X, y, inputs=True, moments=kept)
    a, A = e.form.through_moments(g, 9.0)
    through = -a - (e.X - e.X.mean(axis=0)) @ A
    assert_allclose(through, g.X - alone.X, atol=1e-13)


def test_a_wrong_derivative_is_not_adjoint(rng):
    """The property is no tautology: forget the way by σ, and it fails."""
    e = Example("batch", rng)
    d, G, g = e.direction(rng), rng.standard_normal((3, 4)), rng.standard_normal(4)
    scale = e.par.gamma / e.form.sigma
    dW = d[0] * scale + e.par.Gamma1 * (d[1] / e.form.sigma)  # dσ is missing
    there = (G * dW).sum() + g @ (d[2] - e.form.m @ dW)
    here = sum((a * b).sum() for a, b in zip(e.form.pull_back(G, g), d, strict=True))
    assert abs(there - here) > 1e-3
