"""a and a′ together: within some ulp of the exact values, in both tails, in every library."""

import array_api_strict
import numpy as np
import pytest
from mpmath import MPContext

from matbackprop.network import ACTIVATIONS, Activation, leaky_relu
from matbackprop.streaming.activation_pairs import pair_of, value_of

mp = MPContext()
mp.dps = 60
CORE = np.concatenate(
    [np.linspace(-12, 12, 97), [1e-300, 1e-20, 1e-8, 1e-3, 0.7, 1.2784645427610738]]
)
TAILS = np.array([0.0, 1e-300, 15.0, 30.0, 37.0, 100.0, 350.0, 700.0, 740.0, 1e3, 1e8, 1e200])
POINTS = np.unique(np.concatenate([CORE, -CORE, TAILS, -TAILS]))
TINY = {np.dtype(np.float64): 5e-324, np.dtype(np.float32): float(np.float32(1e-45))}


def sigmoid(h):
    return 1 / (1 + mp.exp(-h)) if h > -2000 else mp.mpf(0)


def sech2(h):
    return 4 * mp.exp(-2 * abs(h)) / (1 + mp.exp(-2 * abs(h))) ** 2 if abs(h) < 2000 else mp.mpf(0)


def bell(h):
    return mp.exp(-h * h / 2) / mp.sqrt(2 * mp.pi) if abs(h) < 2000 else mp.mpf(0)


def cdf(h):
    if abs(h) > 200:
        return mp.mpf(int(h > 0))
    return mp.erfc(-h / mp.sqrt(2)) / 2


def slope(h):
    return sigmoid(h) * sigmoid(-h)


def softplus(h):
    return max(h, 0) + (mp.log1p(mp.exp(-abs(h))) if abs(h) < 2000 else 0)


# value, derivative, and by how much more than one rounding each may be wrong: the argument of an
# exponential is itself rounded, which costs |h| roundings, h² for the normal density.
EXACT = {
    "tanh": (mp.tanh, sech2, lambda h: 2 + 0 * abs(h), lambda h: 4 + 0 * abs(h)),
    "sigmoid": (sigmoid, slope, lambda h: 4 + 0 * abs(h), lambda h: 5 + 0 * abs(h)),
    "softplus": (softplus, sigmoid, lambda h: 4 + 0 * abs(h), lambda h: 4 + 0 * abs(h)),
    "silu": (
        lambda h: h * sigmoid(h),
        lambda h: sigmoid(h) + h * slope(h),
        lambda h: 6 + 0 * abs(h),
        lambda h: 8 + abs(h),
    ),
    "gelu": (
        lambda h: h * cdf(h),
        lambda h: cdf(h) + h * bell(h),
        lambda h: 8 + 3 * np.minimum(abs(h), 40) ** 2,
        lambda h: 16 + 6 * np.minimum(abs(h), 40) ** 2,
    ),
    "relu": (lambda h: max(h, 0), lambda h: mp.mpf(int(h > 0)), lambda h: 0 * h, lambda h: 0 * h),
    "identity": (lambda h: h, lambda h: mp.mpf(1), lambda h: 0 * h, lambda h: 0 * h),
    "leaky_relu": (
        lambda h: h if h > 0 else mp.mpf(0.01) * h,
        lambda h: mp.mpf(1) if h > 0 else mp.mpf(0.01),
        lambda h: 1 + 0 * abs(h),
        lambda h: 1 + 0 * abs(h),
    ),
}


def library(name, torch):
    return {
        "numpy": (np.asarray, np.asarray),
        "torch": (torch.tensor, lambda a: a.numpy()),
        "array_api_strict": (array_api_strict.asarray, np.asarray),
    }[name]


def assert_exact(found, exact, ulps, terms, what):
    """Compare with numbers of 60 digits, in roundings of them, or of the terms they sum."""
    dtype = found.dtype
    eps = float(np.finfo(dtype).eps)
    for h, ours, right, allowed, size in zip(POINTS, found, exact, ulps, terms, strict=True):
        error = abs(mp.mpf(float(ours)) - right)
        # What lies below the least normal number has fewer digits, and some libraries none.
        bound = allowed * eps * size + float(np.finfo(dtype).tiny) * (1 + abs(h))
        assert error <= bound, f"{what}({h}) is {ours}, should be {mp.nstr(right, 17)}"


def in_range(values, dtype):
    return np.array([abs(v) < float(np.finfo(dtype).max) for v in values])


@pytest.mark.parametrize("name", ["numpy", "torch", "array_api_strict"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", EXACT)
def test_both_tails(torch, name, dtype, activation):
    to, back = library(name, torch)
    value, derivative, value_ulps, derivative_ulps = EXACT[activation]
    with np.errstate(over="ignore"):
        H = POINTS.astype(dtype)
    inside = np.isfinite(H)
    H = np.where(inside, H, np.sign(POINTS) * np.float32(1e30)).astype(dtype)
    V, S = (back(a) for a in pair_of(ACTIVATIONS[activation])(to(H)))
    assert V.dtype == S.dtype == dtype
    h = [mp.mpf(float(x)) for x in H]
    exact = [value(x) for x in h], [derivative(x) for x in h]
    wide = H.astype(float)
    # Where a′ = s + h s′ passes through 0 its terms do not.
    terms = (
        [float(abs(e)) for e in exact[0]],
        [
            max(float(abs(e)), float(sigmoid(x) if activation == "silu" else cdf(x)))
            if activation in ("silu", "gelu")
            else float(abs(e))
            for x, e in zip(h, exact[1], strict=True)
        ],
    )
    assert_exact(V, exact[0], value_ulps(wide), terms[0], activation)
    assert_exact(S, exact[1], derivative_ulps(wide), terms[1], f"{activation}′")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_is_here(activation):
    assert activation in EXACT


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_they_are_those_of_the_network(activation):
    a = ACTIVATIONS[activation]
    V, S = pair_of(a)(POINTS)
    np.testing.assert_allclose(V, a.value(POINTS), rtol=1e-14, atol=1e-300)
    np.testing.assert_allclose(S, a.derivative(POINTS), rtol=1e-13, atol=1e-300)


SLOPES = [0.0, 0.3, 1.0, 0.01, -0.7, -3.0, 2.3, 64.3, 1024.7, 1e17]


@pytest.mark.parametrize("name", ["numpy", "torch", "array_api_strict"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("slope", SLOPES)
def test_two_lines_of_any_slope(torch, name, dtype, slope):
    """To the right of 0 the slope is 1, exactly, whatever it is to the left."""
    to, back = library(name, torch)
    H = np.array([-3.0, -1e-30, -0.0, 0.0, 1e-30, 0.1, 2.0, 7.0], dtype=dtype)
    V, S = (back(a) for a in pair_of(leaky_relu(slope))(to(H)))
    assert V.dtype == S.dtype == dtype
    np.testing.assert_array_equal(S, np.where(H > 0, 1, dtype(slope)))
    np.testing.assert_array_equal(V, np.where(H > 0, H, dtype(slope) * H))


def test_one_of_the_users_own():
    cube = Activation("tanh", lambda h: h**3, lambda h: 3 * h**2, lambda h: 6 * h)
    V, S = pair_of(cube)(np.array([-2.0, 0.5]))  # though it bears the name of another
    assert (V.tolist(), S.tolist()) == ([-8.0, 0.125], [12.0, 0.75])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_nothing_is_written_into_the_argument(activation):
    H = np.linspace(-3, 3, 7)
    H.flags.writeable = False
    V, S = pair_of(ACTIVATIONS[activation])(H)
    np.testing.assert_array_equal(H, np.linspace(-3, 3, 7))
    assert V.shape == S.shape == (7,)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_no_warning_and_nan_stays(activation):
    """`filterwarnings` is "error": an overflow in a tail would be heard."""
    V, S = pair_of(ACTIVATIONS[activation])(np.array([np.nan, 1e300, -1e300]))
    assert np.isnan(V[0])
    assert np.isfinite(S[1:]).all()


def test_the_comparison_itself_rejects_a_lost_tail():
    """1 − tanh² is 0 from 19 on; that is seen."""
    wrong = 1 - np.tanh(POINTS) ** 2
    exact = [sech2(mp.mpf(float(h))) for h in POINTS]
    with pytest.raises(AssertionError, match="should be"):
        assert_exact(wrong, exact, 100 + 0 * POINTS, [float(e) for e in exact], "tanh′")


@pytest.mark.parametrize("f", [*ACTIVATIONS.values(), leaky_relu(-0.7), leaky_relu(3.0)], ids=repr)
def test_the_value_alone(f):
    H = np.linspace(-3, 3, 14).reshape(2, 7)
    alone, none = value_of(f)(H)
    assert none is None
    np.testing.assert_allclose(alone, pair_of(f)(H)[0], rtol=1e-15)
    assert np.isnan(value_of(f)(np.array([np.nan]))[0]).all()
