"""Random correct gradients where rounding, kinks and scales tempt a checker to call them wrong.

Each family draws a `Trial` from a generator: a loss, its correct gradient and a point.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

EPS = float(np.finfo(float).eps)
EPS32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class Trial:
    """One function at one point, all in one vector x; `shapes` says how to show it.

    `terms` is the size of the terms that the loss adds up, where they are larger than the loss;
    `resolution` its relative rounding. `sharp`: smooth over a relative step of 1e-2, so that a
    mistake well above rounding must be seen.
    """

    loss: Callable[[np.ndarray], Any]
    gradient: Callable[[np.ndarray], np.ndarray]
    x: np.ndarray
    terms: float = 0.0
    resolution: float = EPS
    sharp: bool = True


def size(rng, most=24) -> int:
    """Small sizes more often than large ones; now and then 1."""
    return int(np.exp(rng.uniform(0, np.log(most + 0.99))))


def orthogonal(rng, n):
    return np.linalg.qr(rng.standard_normal((n, n)))[0]


def quadratic(rng, n=None, offset=0.0, scale=1.0, near=None) -> Trial:
    """½xᵀAx − bᵀx + c; the condition of A from 1 to 1e8; often near the optimum."""
    n = size(rng) if n is None else n
    values = 10.0 ** -np.linspace(0, rng.uniform(0, 8), n)
    Q = orthogonal(rng, n)
    A = (Q * values) @ Q.T
    best = rng.standard_normal(n) * scale
    b = A @ best
    near = rng.choice([1.0, 1e-2, 1e-5, 1e-8]) if near is None else near
    x = best + near * scale * rng.standard_normal(n)
    terms = float(np.abs(x) @ np.abs(A) @ np.abs(x) + np.abs(b) @ np.abs(x) + abs(offset))
    return Trial(lambda x: x @ A @ x / 2 - b @ x + offset, lambda x: A @ x - b, x, terms)


def least_squares(rng) -> Trial:
    """Σ(y − Xβ)²/N with the condition of X up to 1e8, at or near or far from the optimum."""
    n = size(rng, 12)
    N = n + size(rng, 30)
    values = 10.0 ** -np.linspace(0, rng.uniform(0, 8), n)
    X = np.linalg.qr(rng.standard_normal((N, n)))[0] * values @ orthogonal(rng, n)
    best = rng.standard_normal(n)
    y = X @ best + rng.choice([0.0, 1e-6, 1.0]) * rng.standard_normal(N)
    x = best + rng.choice([0.0, 1e-7, 1e-3, 1.0]) * rng.standard_normal(n)
    return Trial(
        lambda b: ((y - X @ b) ** 2).sum() / N,
        lambda b: -2 / N * X.T @ (y - X @ b),
        x,
        terms=float(((np.abs(y) + np.abs(X) @ np.abs(x)) ** 2).sum() / N),
    )


def columns_of_all_scales(rng) -> Trial:
    """Regression with columns from 1e-4 to 1e4: gradient entries of very different size."""
    n = size(rng, 10)
    scales = 10.0 ** rng.uniform(-4, 4, n)
    X = rng.standard_normal((20, n)) * scales
    x = rng.standard_normal(n) / scales
    y = X @ x + rng.standard_normal(20)
    terms = float(((np.abs(y) + np.abs(X).sum(1)) ** 2).sum())
    return Trial(
        lambda b: ((y - X @ b) ** 2).sum(), lambda b: -2 * X.T @ (y - X @ b), x, terms, sharp=False
    )


def logistic(rng) -> Trial:
    """Cross-entropy; the logits sometimes so large that all is saturated."""
    n, N = size(rng, 12), 5 + size(rng, 40)
    spread = rng.choice([0.1, 1.0, 30.0])
    X = rng.standard_normal((N, n))
    y = (rng.uniform(size=N) < 0.5).astype(float)
    x = spread * rng.standard_normal(n)
    return Trial(
        lambda b: (np.logaddexp(0, X @ b) - y * (X @ b)).mean(),
        lambda b: X.T @ (0.5 * (1 + np.tanh(X @ b / 2)) - y) / N,
        x,
        terms=float(np.abs(X @ x).mean()) + 1,
        sharp=spread < 30,
    )


def relu_network(rng, leaky=0.0) -> Trial:
    """One hidden layer, kinks anywhere; sometimes weights of 0, so that x lies on kinks."""
    p, k, N = size(rng, 4), size(rng, 4), 3 + size(rng, 12)
    X, y = rng.standard_normal((N, p)), rng.standard_normal(N)
    x = rng.standard_normal(p * k + k)
    on_kink = rng.uniform() < 0.2
    if on_kink:
        x[:p] = 0.0

    def hidden(x):
        H = X @ x[: p * k].reshape(k, p).T
        return H, np.where(H > 0, H, leaky * H)

    def loss(x):
        return ((y - hidden(x)[1] @ x[p * k :]) ** 2).mean()

    def gradient(x):
        H, V = hidden(x)
        E = -2 / N * (y - V @ x[p * k :])
        S = np.where(H > 0, 1.0, leaky) * np.outer(E, x[p * k :])
        return np.concatenate([(S.T @ X).ravel(), V.T @ E])

    return Trial(loss, gradient, x, sharp=np.abs(hidden(x)[0]).min() > 3e-3)


def leaky_network(rng) -> Trial:
    return relu_network(rng, leaky=0.1)


def absolute(rng) -> Trial:
    """Lasso: entries at 0, and at a distance from 0 from 1e-12 to 1."""
    n = size(rng)
    x = rng.choice([-1, 0, 1], n) * 10.0 ** rng.uniform(rng.choice([-12, -2]), 0, n)
    c = rng.standard_normal(n)
    return Trial(
        lambda x: np.abs(x).sum() + ((x - c) ** 2).sum(),
        lambda x: np.sign(x) + 2 * (x - c),
        x,
        sharp=np.abs(x).min() > 1e-3,
    )


def median_regression(rng) -> Trial:
    """Mean absolute residual, sometimes through a point exactly."""
    n, N = size(rng, 5), 6 + size(rng, 20)
    X, x = rng.standard_normal((N, n)), rng.standard_normal(n)
    y = X @ x + rng.standard_normal(N) * 10.0 ** rng.uniform(-9, 0, N)
    return Trial(
        lambda b: np.abs(y - X @ b).mean(),
        lambda b: -X.T @ np.sign(y - X @ b) / N,
        x,
        sharp=False,
    )


def large_constant(rng) -> Trial:
    return quadratic(rng, offset=rng.choice([1e6, -1e6, 1e9]))


def large_scale(rng) -> Trial:
    return quadratic(rng, scale=1e8)


def small_scale(rng) -> Trial:
    return quadratic(rng, scale=1e-8)


def small_scale_logistic(rng) -> Trial:
    """Parameters of order 1e-8, and data of order 1e8: far steeper than a step of 1e-2 shows."""
    n, N = size(rng, 6), 10
    scale = rng.choice([1e-8, 1e-6, 1e-4, 1e4, 1e8])
    X = rng.standard_normal((N, n)) / scale
    y = (rng.uniform(size=N) < 0.5).astype(float)
    return Trial(
        lambda b: (np.logaddexp(0, X @ b) - y * (X @ b)).mean(),
        lambda b: X.T @ (0.5 * (1 + np.tanh(X @ b / 2)) - y) / N,
        scale * rng.standard_normal(n),
        sharp=scale > 1,
    )


def single_precision(rng) -> Trial:
    """The loss is computed in float32, the gradient in float64 or in float32."""
    n = size(rng)
    A = (rng.standard_normal((n + 5, n)) / np.sqrt(n)).astype(np.float32)
    y = rng.standard_normal(n + 5).astype(np.float32)
    kind = rng.choice([np.float32, np.float64])

    def loss(x):
        return ((A @ np.asarray(x, np.float32) - y) ** 2).mean()

    def gradient(x):
        A_, y_ = A.astype(kind), y.astype(kind)
        return 2 / (n + 5) * A_.T @ (A_ @ np.asarray(x, kind) - y_)

    return Trial(loss, gradient, rng.standard_normal(n), terms=3.0, resolution=EPS32)


def straight(rng) -> Trial:
    """cᵀx: a gradient that is rightly constant; some entries 0."""
    n = size(rng)
    c = rng.standard_normal(n) * rng.choice([0, 1, 1], n)
    x = rng.standard_normal(n)
    return Trial(lambda x: c @ x, lambda x: c.copy(), x, terms=float(np.abs(c) @ np.abs(x)))


def flat(rng) -> Trial:
    """A loss that does not depend on x, but for what rounding leaves."""
    n, c = size(rng), 10.0 ** rng.uniform(-3, 6)
    return Trial(
        lambda x: c * (np.sum(x) + 3 - np.sum(x[::-1])),
        lambda x: np.zeros_like(x),
        rng.standard_normal(n),
        sharp=False,
    )


def wave(rng) -> Trial:
    """sin(ωx), many waves to a step or few; with zeros."""
    n = size(rng)
    omega = 10.0 ** rng.uniform(-2, 3)
    x = rng.standard_normal(n) * rng.choice([0, 1, 1], n)
    return Trial(
        lambda x: np.sin(omega * x).sum(),
        lambda x: omega * np.cos(omega * x),
        x,
        terms=n,
        sharp=omega < 10,
    )


def growth(rng) -> Trial:
    """exp, up to e³⁰, next to a term of order one that it hides."""
    n = size(rng)
    x = rng.uniform(-5, rng.choice([2, 10, 30]), n)
    return Trial(
        lambda x: np.exp(x).sum() + (x**4).sum(), lambda x: np.exp(x) + 4 * x**3, x, sharp=False
    )


def valley(rng) -> Trial:
    """Rosenbrock's function in n dimensions, at random and on the floor of the valley."""
    n = 1 + size(rng)
    x = np.ones(n) if rng.uniform() < 0.3 else rng.standard_normal(n)

    def gradient(x):
        g = np.zeros_like(x)
        gap = x[1:] - x[:-1] ** 2
        g[1:] += 200 * gap
        g[:-1] -= 400 * x[:-1] * gap + 2 * (1 - x[:-1])
        return g

    return Trial(
        lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(), gradient, x
    )


def likelihood(rng) -> Trial:
    """A Gaussian's μ and log σ: only just defined far out, and often at its optimum."""
    data = rng.standard_normal(20) * 10.0 ** rng.uniform(-3, 3) + rng.choice([0, 1, 100])
    best = np.array([data.mean(), np.log(data.std())])
    x = best + rng.choice([0, 1e-6, 0.3]) * rng.standard_normal(2) * np.array([data.std(), 1])

    def loss(x):
        return 0.5 * (((data - x[0]) / np.exp(x[1])) ** 2).mean() + x[1]

    def gradient(x):
        u = (data - x[0]) / np.exp(x[1])
        return np.array([-u.mean() / np.exp(x[1]), 1 - (u**2).mean()])

    return Trial(loss, gradient, x, sharp=False)


def one_input_batch_norm(rng) -> Trial:
    """Batch norm of one input with eps = 0: ∂R/∂Γ₁ is 0, and its formula leaves dust."""
    N, k = 8, size(rng, 4)
    X, y = rng.standard_normal((N, 1)) + rng.choice([0, 10, 1000]), rng.standard_normal(N)

    def parts(x):
        Z = X @ x[None, :k]
        sigma = np.sqrt(((Z - Z.mean(0)) ** 2).mean(0))
        return sigma, (Z - Z.mean(0)) / sigma

    def loss(x):
        return ((y - np.tanh(parts(x)[1]) @ x[k:]) ** 2).sum()

    def gradient(x):
        sigma, H = parts(x)
        E = -2 * (y - np.tanh(H) @ x[k:])
        S = (1 - np.tanh(H) ** 2) * np.outer(E, x[k:])
        dZ = (S - S.mean(0) - H * (H * S).mean(0)) / sigma
        return np.concatenate([(X.T @ dZ)[0], np.tanh(H).T @ E])

    return Trial(loss, gradient, rng.standard_normal(2 * k), sharp=False)


def large(rng) -> Trial:
    """Thousands of parameters, up to 1e5: only random directions are affordable."""
    n = int(rng.choice([2_000, 10_000, 100_000]))
    d, c = 10.0 ** rng.uniform(-4, 0, n), rng.standard_normal(n)
    x = rng.standard_normal(n) * rng.choice([0, 1, 1], n)
    return Trial(
        lambda x: (d * (x - c) ** 2).sum() + np.cos(x).sum(),
        lambda x: 2 * d * (x - c) - np.sin(x),
        x,
        terms=float(n),
    )


FAMILIES: dict[Callable[..., Trial], int] = {
    quadratic: 150,
    least_squares: 120,
    columns_of_all_scales: 50,
    logistic: 80,
    relu_network: 60,
    leaky_network: 30,
    absolute: 50,
    median_regression: 40,
    large_constant: 50,
    large_scale: 40,
    small_scale: 40,
    small_scale_logistic: 40,
    single_precision: 60,
    straight: 30,
    flat: 20,
    wave: 40,
    growth: 30,
    valley: 30,
    likelihood: 30,
    one_input_batch_norm: 20,
    large: 6,
}
"""Each family with its number of trials."""
