"""Hv by hand, by differences, by torch's double backward, and by what must hold of any Hessian."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.differences import central_difference, complex_step, directional_derivative
from matbackprop.network import ACTIVATIONS, objective

SMOOTH = [name for name, a in ACTIVATIONS.items() if a.analytic]
NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "ddof1": mb.BatchNorm(1, 0.0),
    "eps": mb.BatchNorm(0, 0.2),
    "fixed": mb.BatchNorm(1, 0.1),
}
SHAPES = {"q=1": (9, 3, 4, None), "q=3": (8, 4, 3, 3), "column": (7, 2, 2, 1)}
CASES = [
    pytest.param(*case, id="-".join(case))
    for case in itertools.product(SMOOTH, NORMS, SHAPES, ("mse", "sse"))
]


def problem(rng, activation, norm, shape="q=3", loss="sse"):
    """Return network, parameters, X, y and, for "fixed", moments of other data."""
    N, p1, p2, q = SHAPES[shape]
    net = mb.Network(activation, NORMS[norm], loss)
    par = mb.Parameters.random(p1, p2, rng=rng, q=q, batch_norm=norm != "plain")
    X, y = rng.standard_normal((N, p1)), rng.standard_normal(N if q is None else (N, q))
    kept = mb.moments(net, par, rng.standard_normal((20, p1))) if norm == "fixed" else None
    return (net, par, X, y), {"moments": kept}


def gradient_of(point, options):
    """Return θ ↦ ∇R(θ), exact, in closed form."""
    net, like, X, y = point

    def slope(theta):
        par = mb.Parameters.from_vector(theta, like=like)
        return mb.gradient(net, par, X, y, **options).to_vector()

    return slope


def column_of(par, j):
    """Return Γ₁ⱼ in its own place, zeros everywhere else: the direction that scales node j."""
    only = np.zeros_like(par.Gamma1)
    only[:, j] = par.Gamma1[:, j]
    zero = np.zeros_like(par.gamma)
    return mb.Parameters(only, np.zeros_like(par.Gamma2), zero, zero)


def test_by_hand_without_batch_norm():
    """R = (y − xΓ₁Γ₂)², x = 2, Γ₁ = 3, Γ₂ = 5, y = 7: ε̂ = −23."""
    point = mb.Network("identity", None), mb.Parameters([[3.0]], [5.0]), [[2.0]], [7.0]
    # ∂²R/∂Γ₁² = 2x²Γ₂², ∂²R/∂Γ₁∂Γ₂ = 2x²Γ₁Γ₂ − 2ε̂x, ∂²R/∂Γ₂² = 2x²Γ₁²
    assert mb.hvp(*point, [1.0, 0.0]).tolist() == [200.0, 212.0]
    assert mb.hvp(*point, [0.0, 1.0]).tolist() == [212.0, 72.0]
    assert mb.hvp(*point, [1.0, -1.0]).tolist() == [-12.0, 140.0]


def test_by_hand_with_batch_norm():
    """x = ±1 and Γ₁ = 3: x̂ = ±h with h = Γ₁/σ and σ² = Γ₁² + eps = 25."""
    net = mb.Network("identity", mb.BatchNorm(0, 16.0), "sse")
    par = mb.Parameters([[3.0]], [1.0], gamma=[1.0], beta=[0.0])
    # R = 2(1 − h)², h′ = eps/σ³, h″ = −3 eps Γ₁/σ⁵
    h, first, second = 3 / 5, 16 / 125, -3 * 16 * 3 / 3125
    Hv = mb.hvp(net, par, [[-1.0], [1.0]], [-1.0, 1.0], [1.0, 0.0, 0.0, 0.0])
    # In ŷ = (γh + β)Γ₂ the scale of Γ₂, as of γ, multiplies h: ∂²R/∂Γ₁∂γ = 4h′(2h − 1)
    expected = [4 * first**2 - 4 * (1 - h) * second, 4 * first * (2 * h - 1)]
    assert_allclose(Hv, [*expected, expected[1], 0.0], rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize(("activation", "norm", "shape", "loss"), CASES)
def test_it_is_the_derivative_of_the_gradient_along_v(rng, activation, norm, shape, loss):
    point, options = problem(rng, activation, norm, shape, loss)
    theta = point[1].to_vector()
    v = rng.standard_normal(theta.size)
    numeric = directional_derivative(gradient_of(point, options), theta, v)
    Hv = mb.hvp(*point, v, **options)
    assert np.abs(Hv - numeric.value).max() <= 1e-9 * np.abs(Hv).max()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", SMOOTH)
def test_it_is_the_derivative_of_the_derivative_of_the_loss(rng, activation, norm):
    """Nested: a complex step through the loss for ∇R, central differences of that for H."""
    point, options = problem(rng, activation, norm, "column", "mse")
    R, theta = objective(*point, **options), point[1].to_vector()
    numeric = central_difference(lambda at: complex_step(R, at), theta, levels=7)
    H = np.column_stack([mb.hvp(*point, e, **options) for e in np.eye(theta.size)])
    assert np.abs(H - numeric.value).max() <= 1e-9 * np.abs(H).max()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_away_from_its_kinks_relu_is_differentiable_too(rng, activation, norm):
    point, options = problem(rng, activation, norm)
    theta = point[1].to_vector()
    v = rng.standard_normal(theta.size)
    # Steps from 1e-4 downwards: of the random h here none comes so near to 0.
    numeric = directional_derivative(gradient_of(point, options), theta, v, step=1e-4, levels=4)
    Hv = mb.hvp(*point, v, **options)
    assert np.abs(Hv - numeric.value).max() <= 1e-7 * np.abs(Hv).max()


TORCH = {
    "relu": lambda F, H: F.relu(H),
    "leaky_relu": lambda F, H: F.leaky_relu(H, 0.01),
    "identity": lambda F, H: H,
    "tanh": lambda F, H: F.tanh(H),
    "sigmoid": lambda F, H: F.sigmoid(H),
    "softplus": lambda F, H: F.softplus(H, threshold=1e9),
    "silu": lambda F, H: F.silu(H),
    "gelu": lambda F, H: F.gelu(H),
}


def torch_loss(torch, point, moments):
    """Return θ ↦ R(θ) in torch, from the definitions."""
    net, par, X, y = point
    options = net.batch_norm
    outcome = torch.tensor(y).reshape(len(y), -1)
    sizes = [b.size for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta) if b is not None]
    p1, p2 = par.Gamma1.shape

    def loss(theta):
        Gamma1, Gamma2, *affine = torch.split(theta, sizes)
        H = torch.tensor(X) @ Gamma1.reshape(p2, p1).T
        if options is not None:
            if moments is None:
                mu = H.mean(dim=0)
                sigma = (H.var(dim=0, correction=options.ddof) + options.eps).sqrt()
            else:
                mu, sigma = torch.tensor(moments.mu), torch.tensor(moments.sigma)
            H = (H - mu) / sigma * affine[0] + affine[1]
        V = TORCH[net.activation](torch.nn.functional, H)
        squares = (outcome - V @ Gamma2.reshape(-1, p2).T) ** 2
        return squares.sum() / (len(y) if net.loss == "mse" else 1)

    return loss


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("activation", TORCH)
def test_against_torch_double_backward(rng, torch, activation, shape, norm):
    loss = "mse" if shape == "q=3" else "sse"
    point, options = problem(rng, activation, norm, shape, loss)
    theta = torch.tensor(point[1].to_vector())
    v = rng.standard_normal(len(theta))
    R = torch_loss(torch, point, options["moments"])
    # v is taken after the Hessian, and before it: torch forms the product by itself.
    H = torch.autograd.functional.hessian(R, theta).numpy()
    _, torch_Hv = torch.autograd.functional.hvp(R, theta, torch.tensor(v))
    Hv = mb.hvp(*point, v, **options)
    # Sums of terms of H's size, P of them.
    size = np.abs(H).max() * np.abs(v).sum()
    assert np.abs(Hv - torch_Hv.numpy()).max() <= 1e-13 * size
    assert np.abs(Hv - H @ v).max() <= 1e-13 * size


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    N=st.integers(4, 12),
    p1=st.integers(1, 5),
    p2=st.integers(1, 4),
    ddof=st.integers(0, 1),
    eps=st.sampled_from([0.0, 1e-5, 0.5]),
    activation=st.sampled_from([*ACTIVATIONS]),
)
def test_symmetric_and_linear(seed, N, p1, p2, ddof, eps, activation):
    """uᵀHv = vᵀHu, and H(au + bv) = aHu + bHv."""
    rng = np.random.default_rng(seed)
    net = mb.Network(activation, mb.BatchNorm(ddof, eps))
    par = mb.Parameters.random(p1, p2, rng=rng)
    X, y = rng.standard_normal((N, p1)), rng.standard_normal(N)
    u, v = rng.standard_normal((2, par.to_vector().size))
    Hu, Hv, both = (mb.hvp(net, par, X, y, w) for w in (u, v, 2 * u - 3 * v))
    # Γ₁ acts through Γ₁/σ, which is what the second derivative divides by, twice.
    steep = (1 + np.abs(X).max() / mb.moments(net, par, X).sigma.min()) ** 2
    size = steep * max(np.abs(u).max(), np.abs(v).max()) * (np.abs(Hu).sum() + np.abs(Hv).sum())
    assert abs(u @ Hv - v @ Hu) <= 1e-12 * size
    assert np.abs(both - (2 * Hu - 3 * Hv)).max() <= 1e-12 * size


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_without_residuals_it_is_that_of_gauss_and_newton(rng, activation, norm):
    """Where y = ŷ, H = 2c₀JᵀJ with J = ∂vec(ŷ)/∂θᵀ, whatever the curvature of ŷ."""
    (net, par, X, _), options = problem(rng, activation, norm, loss="mse")
    J = mb.jacobian(net, par, X, **options).matrix
    v = rng.standard_normal(J.shape[1])
    Hv = mb.hvp(net, par, X, mb.predict(net, par, X, **options), v, **options)
    assert_allclose(Hv, 2 / len(X) * J.T @ (J @ v), rtol=0, atol=1e-12 * np.abs(Hv).max())


def test_linear_in_Gamma1(rng):
    """For the identity, ∂²R/∂vec(Γ₁)∂vec(Γ₁)ᵀ = 2c₀(Γ₂Γ₂ᵀ ⊗ XᵀX)."""
    (net, par, X, y), _ = problem(rng, "identity", "plain")
    block = mb.hessian(net, par, X, y).matrix[:12, :12]
    assert_allclose(block, 2 * np.kron(par.Gamma2 @ par.Gamma2.T, X.T @ X), atol=1e-12)


@pytest.mark.parametrize("norm", ["plain", "ddof1", "fixed"])
def test_a_newton_step_in_Gamma2_is_least_squares(rng, norm):
    """R is quadratic in Γ₂: one step ends where the gradient for it is zero."""
    (net, par, X, y), options = problem(rng, "tanh", norm)
    H = mb.hessian(net, par, X, y, **options)
    here, theta = H.blocks["Gamma2"], par.to_vector()
    step = np.linalg.solve(
        H.matrix[here, here], mb.gradient(net, par, X, y, **options).to_vector()[here]
    )
    theta[here] -= step
    there = mb.gradient(net, mb.Parameters.from_vector(theta, like=par), X, y, **options)
    assert_allclose(there.Gamma2, 0, atol=1e-11)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("norm", ["ddof0", "ddof1"])
@pytest.mark.parametrize("j", [0, 2])
def test_along_its_own_column(rng, activation, norm, j):
    """With eps = 0 no scale of Γ₁ⱼ is felt: Γ₁ⱼᵀ∂R/∂Γ₁ⱼ = 0 for every θ, so its derivative is 0.

    That says H times Γ₁ⱼ, in its place, is −∂R/∂Γ₁ⱼ, in its place.
    """
    point, _ = problem(rng, activation, norm)
    par, g = point[1], mb.gradient(*point)
    Hv = mb.hvp(*point, column_of(par, j))
    expected = np.zeros_like(g.Gamma1)
    expected[:, j] = -g.Gamma1[:, j]
    assert np.abs(expected).max() > 1e-3
    assert_allclose(Hv.Gamma1, expected, atol=1e-12 * np.abs(g.Gamma1).max())
    for name in ("Gamma2", "gamma", "beta"):
        assert_allclose(getattr(Hv, name), 0, atol=1e-12)


@pytest.mark.parametrize("eps", [0.0, 0.3])
def test_what_eps_feels_of_the_scale(rng, eps):
    """The derivative along v of Γ₁ⱼᵀ∂R/∂Γ₁ⱼ = γⱼ ∂R/∂γⱼ eps/σⱼ², side by side."""
    (_, par, X, y), _ = problem(rng, "gelu", "ddof1")
    net = mb.Network("gelu", mb.BatchNorm(1, eps))
    v = mb.Parameters.random(4, 3, rng=rng, q=3)
    g, Hv, kept = mb.gradient(net, par, X, y), mb.hvp(net, par, X, y, v), mb.moments(net, par, X)
    Xhat = (X @ par.Gamma1 - kept.mu) / kept.sigma
    sigma_dot = (Xhat * (X @ v.Gamma1)).sum(axis=0) / (len(X) - 1)
    left = (v.Gamma1 * g.Gamma1 + par.Gamma1 * Hv.Gamma1).sum(axis=0)
    product_dot = v.gamma * g.gamma + par.gamma * Hv.gamma
    right = (product_dot - 2 * par.gamma * g.gamma * sigma_dot / kept.sigma) * eps / kept.sigma**2
    assert_allclose(left, right, atol=1e-12 * np.abs(Hv.Gamma1).max())


def test_relu_lets_a_scale_pass(rng):
    """(tγⱼ, tβⱼ, Γ₂ⱼ/t) is the same network: along this direction H is what t does to ∇R."""
    point, _ = problem(rng, "relu", "eps")
    par, g = point[1], mb.gradient(*point)
    j, zero = np.arange(3) == 1, np.zeros_like(par.Gamma1)
    v = mb.Parameters(zero, -par.Gamma2 * j[:, None], par.gamma * j, par.beta * j)
    Hv = mb.hvp(*point, v)
    expected = {
        "Gamma1": zero,
        "Gamma2": g.Gamma2 * j[:, None],
        "gamma": -g.gamma * j,
        "beta": -g.beta * j,
    }
    assert np.abs(g.beta * j).max() > 1e-3
    for name, block in expected.items():
        assert_allclose(getattr(Hv, name), block, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("N", "p1"), [(9, 1), (2, 4)], ids=["one input", "two rows"])
def test_what_vanishes_is_zero(rng, N, p1):
    """With eps = 0 and one input, or two rows, R does not depend on Γ₁ at all."""
    net, par = mb.Network("silu", mb.BatchNorm(0, 0.0)), mb.Parameters.random(p1, 3, rng=rng)
    X, y = rng.standard_normal((N, p1)), rng.standard_normal(N)
    v = rng.standard_normal(par.to_vector().size)
    Hv = mb.hvp(net, par, X, y, mb.Parameters.from_vector(v, like=par))
    steep = (1 + np.abs(X).max() / mb.moments(net, par, X).sigma.min()) ** 2
    assert_allclose(Hv.Gamma1, 0, atol=1e-13 * steep * np.abs(Hv.gamma).max())
    assert np.abs(Hv.gamma).max() > 1e-3


def test_many_rows_are_few_rows_often(rng):
    """The mean over 12,000 copies is the mean; arrays so large take the compiled passes."""
    (net, par, X, y), _ = problem(rng, "tanh", "ddof0", loss="mse")
    v = rng.standard_normal(par.to_vector().size)
    few = mb.hvp(net, par, X, y, v)
    many = mb.hvp(net, par, np.tile(X, (12_000, 1)), np.tile(y, (12_000, 1)), v)
    assert_allclose(many, few, atol=1e-12 * np.abs(few).max())


def test_a_common_offset_costs_no_more_than_it_must(rng):
    """Batch norm removes it. Z itself, rounded, has lost six digits; Hv loses none beside."""
    (net, par, _, y), _ = problem(rng, "tanh", "eps")
    X = rng.integers(-64, 65, (8, 4)) / 32  # so that X + 1e6 is exact
    v = rng.standard_normal(par.to_vector().size)
    near, far = mb.hvp(net, par, X, y, v), mb.hvp(net, par, X + 1e6, y, v)
    assert np.abs(far - near).max() <= 1e-8 * np.abs(near).max()


@pytest.mark.parametrize("norm", NORMS)
def test_kinds_of_direction(rng, norm):
    """Parameters in, Parameters out; a vector in, a vector out; the same numbers."""
    point, options = problem(rng, "tanh", norm)
    v = rng.standard_normal(point[1].to_vector().size)
    blocks = mb.hvp(*point, mb.Parameters.from_vector(v, like=point[1]), **options)
    vector = mb.hvp(*point, v, **options)
    assert isinstance(blocks, mb.Parameters)
    assert type(vector) is np.ndarray
    assert_array_equal(blocks.to_vector(), vector)
    assert blocks.Gamma2.shape == point[1].Gamma2.shape
    assert (blocks.gamma is None) == (norm == "plain")
    assert_array_equal(mb.hvp(*point, v.tolist(), **options), vector)
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1.0


def test_the_zero_direction(rng):
    point, _ = problem(rng, "relu", "ddof1")
    assert not mb.hvp(*point, np.zeros_like(point[1].to_vector())).any()


def test_nothing_is_changed(rng):
    point, _ = problem(rng, "relu", "ddof1")
    v = rng.standard_normal(point[1].to_vector().size)
    before = [a.copy() for a in (*point[2:], v)]
    mb.hvp(*point, v)
    for array, copy in zip((*point[2:], v), before, strict=True):
        assert_array_equal(array, copy)


def narrow(point):
    net, par, X, y = point
    blocks = (par.Gamma1, par.Gamma2, par.gamma, par.beta)
    return net, mb.Parameters(*(np.float32(b) for b in blocks)), np.float32(X), np.float32(y)


def wide(point):
    net, par, X, y = point
    return (
        net,
        mb.Parameters.from_vector(par.to_vector().astype(float), like=par),
        X.astype(float),
        y.astype(float),
    )


def test_float32_stays_unless_something_is_wider(rng):
    point = narrow(problem(rng, "gelu", "eps")[0])
    v = np.float32(rng.standard_normal(point[1].to_vector().size))
    exact = mb.hvp(*wide(point), v.astype(float))
    single = mb.hvp(*point, v)
    assert single.dtype == np.float32
    assert np.abs(single - exact).max() <= 1e-6 * np.abs(exact).max()
    blocks = mb.hvp(*point, mb.Parameters.from_vector(v, like=point[1]))
    assert {b.dtype for b in (blocks.Gamma1, blocks.Gamma2, blocks.gamma)} == {np.dtype(np.float32)}
    # Nothing is narrowed on the way to a direction in float64.
    assert_array_equal(mb.hvp(*point, v.astype(float)), exact)
    assert mb.hvp(*point[:2], point[2].astype(float), point[3], v).dtype == np.float64
