"""σ from C, and from a second look where C cannot tell; and when no σ can be had."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.errors import DataError
from matbackprop.network import magnitudes
from matbackprop.network.column_spread import is_far_from_zero, sigma_of
from matbackprop.network.data_moments import block_moments
from matbackprop.network.door import conform
from matbackprop.network.row_blocks import centred_squares

N = 400


def parameters(Gamma1):
    Gamma1 = np.asarray(Gamma1, dtype=float)
    p2 = Gamma1.shape[1]
    return mb.Parameters(Gamma1, np.linspace(1, 2, p2), np.linspace(0.5, 1, p2), np.full(p2, 0.1))


def collinear(rng, gap, offset=0.0):
    """Two columns whose correlation is 1 − gap, about."""
    a, b = rng.standard_normal((2, N))
    return np.column_stack([a, a + np.sqrt(2 * gap) * b]) + offset


def sigmas(X, Gamma1, options, weights=None):
    """Return σ and its divisor, and the columns of Γ₁ that took a second look."""
    given = conform(
        mb.Network("tanh", options), parameters(Gamma1), X, np.zeros(len(X)), None, call="test"
    )
    data = block_moments(X, weights).settled()
    looks = []

    def squares(columns):
        looks.append(columns)
        return centred_squares(X, columns, data, weights)

    return *sigma_of(given, options, data, squares), looks


def exact_spread(X, g):
    """Return the standard deviation of Xg, computed with 50 digits."""
    from mpmath import mp, mpf

    with mp.workdps(50):
        z = [sum(mpf(float(x)) * mpf(float(v)) for x, v in zip(r, g, strict=True)) for r in X]
        mean = sum(z) / len(z)
        return float(mp.sqrt(sum((v - mean) ** 2 for v in z) / len(z)))


GAPS = [1e-6, 1e-8, 1e-10, 1e-11, 1e-12, 1e-13]


@pytest.mark.parametrize("gap", GAPS, ids="1-{}".format)
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_nearly_collinear_columns_that_cancel(rng, gap, offset):
    """Where z = x₁ − x₂ keeps few digits of x, σ keeps those that z has; C alone would not."""
    X, Gamma1 = collinear(rng, gap, offset), [[1.0, 1.0], [-1.0, 0.5]]
    sigma, divisor, looks = sigmas(X, Gamma1, mb.BatchNorm(0, 0.0))
    assert divisor == N
    assert [look.tolist() for look in looks] == [[[1.0], [-1.0]]]  # once, and for that column alone
    exact = exact_spread(X, [1.0, -1.0])
    # Every (x₁ − x̄₁) − (x₂ − x̄₂) is off by some roundings of a number of order one, at random.
    assert abs(sigma[0] - exact) < 1e-16
    two_pass = mb.moments(mb.Network("tanh", mb.BatchNorm(0, 0.0)), parameters(Gamma1), X).sigma
    assert_allclose(two_pass[0], exact, rtol=1e-14)
    assert_allclose(sigma[1], two_pass[1], rtol=1e-13)
    # What C says: a rounding of one, and the root of it; wrong in the second to fifth digit.
    C = block_moments(X).gram
    total = max(C[0, 0] - 2 * C[0, 1] + C[1, 1], 0.0)
    assert abs(np.sqrt(total / N) - exact) > 100 * abs(sigma[0] - exact)


@pytest.mark.parametrize("gap", GAPS, ids="1-{}".format)
@pytest.mark.parametrize("eps", [0.0, 1e-12, 1e-5])
@pytest.mark.parametrize("formulation", ["one_pass", "compact"])
def test_their_gradient(rng, gap, eps, formulation):
    """Both ways to the gradient, to the rounding of the terms that cancel."""
    X, par = collinear(rng, gap), parameters([[1.0, 1.0, 0.3], [-1.0, 0.5, -0.3]])
    y, net = rng.standard_normal(N), mb.Network("tanh", mb.BatchNorm(1, eps))
    g = mb.gradient(net, par, X, y, formulation=formulation)
    specification = mb.gradient(net, par, X, y, formulation="nodewise")
    sizes = magnitudes(net, par, X, y)
    for name, block in g.blocks():
        assert (np.abs(block - getattr(specification, name)) <= 1e-14 * sizes[name]).all(), name


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), ddof=st.integers(0, 1), eps=st.sampled_from([0, 1e-5, 1.0]))
def test_it_is_the_two_pass_sigma(seed, ddof, eps):
    rng = np.random.default_rng(seed)
    p1, p2 = rng.integers(1, 6, 2)
    X = rng.standard_normal((12, p1)) @ rng.standard_normal((p1, p1)) + rng.normal(0, 10, p1)
    Gamma1, options = rng.standard_normal((p1, p2)), mb.BatchNorm(ddof, float(eps))
    sigma, divisor, _ = sigmas(X, Gamma1, options)
    assert divisor == 12 - ddof
    two_pass = mb.moments(mb.Network("tanh", options), parameters(Gamma1), X).sigma
    size = np.abs(X - X.mean(axis=0)).max() * np.abs(Gamma1).sum(axis=0)
    assert (np.abs(sigma - two_pass) <= 1e-11 * size).all()


def test_weights_count(rng):
    X, w = rng.standard_normal((6, 2)), np.array([0.0, 1.0, 2.0, 3.0, 1.0, 2.0])
    for Gamma1 in ([[1.0], [0.5]], [[1.0], [-1.0]]):
        Y = np.column_stack([X[:, 0], X[:, 0] + 1e-6 * X[:, 1]])
        whole = np.repeat(Y, w.astype(int), axis=0)
        ours = sigmas(Y, Gamma1, mb.BatchNorm(1, 0.0), w)
        theirs = sigmas(whole, Gamma1, mb.BatchNorm(1, 0.0))
        assert len(ours[2]) == len(theirs[2]) == (Gamma1[1][0] < 0)
        assert_allclose(ours[0], theirs[0], rtol=1e-9)
        assert ours[1] == theirs[1] == 8


DEAD = {
    "a node without weights": (
        [[1.0, 0.0], [2.0, 0.0]],
        "column 1 .* is constant at 0. Use an eps",
    ),
    "two columns that cancel": (
        [[1.0, 1.0], [2.0, -1.0]],
        "column 1 .* is constant at -?[0-9e.-]+",
    ),
}


@pytest.mark.parametrize("case", DEAD)
@pytest.mark.parametrize("offset", [0.0, 0.1, 1e6])
def test_a_constant_column_without_eps_is_named(rng, case, offset):
    Gamma1, text = DEAD[case]
    a = rng.standard_normal(N) + offset
    X = np.column_stack([a, a * (1 + 1e-16 * rng.integers(-1, 2, N))])
    with pytest.raises(DataError, match=f"`test` with `BatchNorm.eps=0.` .*{text}"):
        sigmas(X, Gamma1, mb.BatchNorm(0, 0.0))
    assert sigmas(X, Gamma1, mb.BatchNorm(0, 1e-12))[0][1] >= 1e-6


@pytest.mark.parametrize("value", [0.1, 1.0, -1e8, 2.42574])
@pytest.mark.parametrize("weighted", [False, True], ids=["", "weights"])
def test_a_constant_column_of_X_alone_is_named(rng, value, weighted):
    X = np.column_stack([rng.standard_normal(N), np.full(N, value)])
    w = rng.uniform(0.1, 2, N) if weighted else None
    with pytest.raises(DataError, match=r"column 1 .* is constant at"):
        sigmas(X, [[1.0, 0.0], [1.0, 1.0]], mb.BatchNorm(0, 0.0), w)


def test_a_column_that_hardly_varies_is_not_constant(rng):
    b = rng.standard_normal((N, 1))
    sigma, _, _ = sigmas(1 + 1e-9 * b, [[1.0]], mb.BatchNorm(0, 0.0))
    assert_allclose(sigma, (1 + 1e-9 * b).std(), rtol=1e-6)


@pytest.mark.parametrize(
    ("rows", "ddof", "weights", "text"),
    [
        (1, 1, None, "got N = 1"),
        (2, 2, None, "got N = 2"),
        (3, 1, [0.2, 0.3, 0.5], "the 3 rows sum to 1. A weight counts"),
        (3, 1, [0.2, 0.0, 0.0], r"the 3 rows sum to 0\.2. A weight counts"),
    ],
)
def test_too_few_rows(rng, rows, ddof, weights, text):
    X = rng.standard_normal((rows, 2))
    with pytest.raises(
        DataError, match=rf"`BatchNorm\(ddof={ddof}\)` needs .*more than {ddof}.*{text}"
    ):
        sigmas(
            X, [[1.0], [1.0]], mb.BatchNorm(ddof), None if weights is None else np.array(weights)
        )


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (1e155, r"column \d .* varies by .*too much to square. Measure X in larger units"),
        (1e200, r"column 0 .* of X varies by over 1e150, too much"),
        (1e-160, r"column \d .* varies by only .*too little to square. Measure X in smaller units"),
    ],
)
def test_the_range_of_squares(rng, scale, text):
    with pytest.raises(DataError, match=text):
        sigmas(scale * rng.standard_normal((9, 2)), [[1.0], [0.5]], mb.BatchNorm(0, 0.0))


FAR = {
    "standard": ([0.0], [1.0], False),
    "seven spreads": ([7.0], [1.0], False),
    "ten spreads": ([10.0], [1.0], True),
    "to the left": ([-10.0], [1.0], True),
    "one of two": ([0.0, 1e4], [1.0, 1.0], True),
    "an intercept": ([0.0, 1.0], [1.0, 0.0], False),
    "a large constant": ([0.0, 1e4], [1.0, 0.0], True),
    "a large constant among large columns": ([0.0, 1e4], [1e4, 0.0], False),
    "nothing but constants": ([1.0], [0.0], True),
    "nothing but zeros": ([0.0], [0.0], False),
}


@pytest.mark.parametrize("case", FAR)
def test_what_is_far_from_zero(case):
    mean, spread, far = FAR[case]
    u = np.tile([-1.0, 1.0], 20)[:, None]
    assert is_far_from_zero(block_moments(u * spread + mean)) is far


@pytest.mark.parametrize("value", [0.1, 0.7, 2.42574])
def test_a_constant_column_hides_no_offset(value):
    """C's diagonal may be a rounding error below 0 there; the other column is far all the same."""
    rng = np.random.default_rng(5)
    for _ in range(20):
        X = np.column_stack([rng.standard_normal(50) + 1e4, np.full(50, value)])
        assert is_far_from_zero(block_moments(X, rng.uniform(0.1, 2, 50)))
