"""Losses with correct gradients, written out in NumPy: the cages of the zoo.

Inside, a point and a gradient are dicts of named blocks; `Case` shows them to the outside as one
array, a dict, a tuple, a column-major vector, or a record of `Parameters`. Every `gradient` has
options that leave a factor or a term out, or take another: the mistakes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from matbackprop.batchnorm import BatchNorm
from matbackprop.linalg import unvec, vec
from matbackprop.network import Network, Parameters, objective

Blocks = dict[str, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A loss, its gradient, a point, and what the checker may be told."""

    loss: Callable[[Blocks], float]
    gradient: Callable[..., Blocks]
    blocks: Blocks
    known: Mapping[str, Any]
    form: str = "array"
    network: tuple | None = None
    seed: int = 0

    def pack(self, blocks: Blocks) -> Any:
        match self.form:
            case "array":
                (only,) = blocks.values()
                return np.array(only)
            case "dict":
                return {name: np.array(block) for name, block in blocks.items()}
            case "tuple":
                return tuple(np.array(block) for block in blocks.values())
            case "vector":
                return np.concatenate([vec(block) for block in blocks.values()])
            case "parameters":
                return Parameters(**blocks)
        raise ValueError(self.form)

    def unpack(self, point: Any) -> Blocks:
        names = list(self.blocks)
        match self.form:
            case "array":
                return {names[0]: np.asarray(point)}
            case "dict":
                return {name: np.asarray(point[name]) for name in names}
            case "tuple":
                return dict(zip(names, map(np.asarray, point), strict=True))
            case "vector":
                ends = np.cumsum([self.blocks[name].size for name in names])[:-1]
                pieces = np.split(np.asarray(point), ends)
                return {
                    n: unvec(v, self.blocks[n].shape) for n, v in zip(names, pieces, strict=True)
                }
            case "parameters":
                return {name: getattr(point, name) for name in names}
        raise ValueError(self.form)

    @cached_property
    def at(self) -> Any:
        return self.pack(self.blocks)

    def outside(self, function: Callable[[Blocks], Any]) -> Callable[[Any], Any]:
        """A function of the blocks, as one of the point; its blocks are packed too."""

        def call(point):
            result = function(self.unpack(point))
            return self.pack(result) if isinstance(result, dict) else result

        return call

    def told(self, names: tuple[str, ...] | None = None) -> dict[str, Any]:
        """What `known` says of these names, or of all; functions take the point outside."""
        return {
            name: self.outside(value) if callable(value) else value
            for name, value in self.known.items()
            if names is None or name in names
        }


def linear(
    seed,
    *,
    N=40,
    p=5,
    q=3,
    form="array",
    mse=True,
    ridge=0.0,
    weighted=False,
    sds=False,
    scaled=False,
    centred=False,
    second=None,
):
    """Multivariate regression: c₀ Σ wᵢ (Y − XB)²ᵢⱼ / sdⱼ² + λ‖B‖²; columns of X over s.

    `second` adds an "intercept" of shape (q,), or C, like B, with other covariates W.
    """
    rng = np.random.default_rng([1, seed])
    X = rng.normal(0.7, 1.0, (N, p))
    W = rng.normal(-0.4, 1.3, (N, p))
    blocks = {"B": rng.standard_normal((p, q))}
    if second == "intercept":
        blocks["intercept"] = rng.standard_normal(q)
    elif second == "C":
        blocks["C"] = rng.standard_normal((p, q))
    Y = X @ rng.standard_normal((p, q)) + rng.standard_normal((N, q))
    w = rng.uniform(0.2, 3.0, N) if weighted else np.ones(N)
    sd = rng.uniform(0.5, 2.5, q) if sds else np.ones(q)
    s = rng.uniform(0.4, 3.0, p) if scaled else np.ones(p)
    xbar = X.mean(axis=0) if centred else np.zeros(p)
    Xs = (X - xbar) / s
    c0 = 1 / N if mse else 1.0

    def residuals(at):
        fitted = Xs @ at["B"] + at.get("intercept", 0.0)
        return Y - fitted - (W @ at["C"] if "C" in at else 0.0)

    def loss(at):
        return c0 * (w[:, None] * (residuals(at) / sd) ** 2).sum() + ridge * (at["B"] ** 2).sum()

    def gradient(at, *, c0=c0, w=w, sd=sd, s=s, ridge=ridge, xbar=xbar):
        E = -2 * c0 * w[:, None] * residuals(at) / sd**2
        out = {"B": ((X - xbar) / s).T @ E + 2 * ridge * at["B"]}
        if "intercept" in at:
            out["intercept"] = E.sum(axis=0)
        if "C" in at:
            out["C"] = W.T @ E
        return out

    known = {"N": N}
    if second is None:
        known |= {"X": X, "Y": Y, "residuals": residuals}
    known |= {"w": w} if weighted else {}
    known |= {"sd": sd} if sds else {}
    known |= {"s": s} if scaled else {}
    known |= {"xbar": xbar, "total": lambda at: residuals(at).sum(axis=0)} if centred else {}
    return Case(loss, gradient, blocks, known, form, seed=seed)


def logistic(
    seed, *, N=60, p=6, form="array", mean=True, brier=False, ridge=0.0, lasso=0.0, scaled=False
):
    """Logistic regression in a vector β: cross-entropy, or Brier's Σ(y − π)², and penalties."""
    rng = np.random.default_rng([2, seed])
    X = rng.normal(0.3, 1.0, (N, p))
    X[:, 0] = 1.0
    beta = rng.choice([-1.0, 1.0], p) * rng.uniform(0.3, 1.2, p)
    beta[:2] = np.abs(beta[0]), -np.abs(beta[1])  # both signs
    y = (rng.uniform(size=N) < 1 / (1 + np.exp(-X @ beta))).astype(float)
    y[:5] = 1 - y[:5]
    s = rng.uniform(0.4, 3.0, p) if scaled else np.ones(p)
    c0 = 1 / N if mean else 1.0

    def probability(at):
        return 1 / (1 + np.exp(-(X / s) @ at["beta"]))

    def slope(at):
        return probability(at) * (1 - probability(at))

    def residuals(at):
        return y - probability(at)

    def loss(at):
        h = (X / s) @ at["beta"]
        fit = (residuals(at) ** 2).sum() if brier else (np.logaddexp(0, h) - y * h).sum()
        b = at["beta"]
        return c0 * fit + ridge * (b[1:] ** 2).sum() + lasso * np.abs(b).sum()

    def gradient(at, *, c0=c0, s=s, slope=slope, ridge=ridge, lasso=lasso, y=y, free=True):
        r = y - probability(at)
        E = -2 * r * slope(at) if brier else -r
        penalty = 2 * ridge * at["beta"]
        if free:  # of the penalty: the intercept
            penalty[0] = 0.0
        return {"beta": c0 * (X / s).T @ E + penalty + lasso * np.sign(at["beta"])}

    known = {"N": N, "X": X, "y": y, "residuals": residuals, "pi": probability}
    known |= {"slope": slope} if brier else {}
    known |= {"s": s} if scaled else {"Xy": c0 * X.T @ y}
    known |= {"sign": lambda at: np.sign(at["beta"])} if lasso else {}
    return Case(loss, gradient, {"beta": beta}, known, form, seed=seed)


def softmax(seed, *, N=50, p=4, K=4, form="array", mean=True, ridge=0.0):
    """Multinomial logistic regression in a p × K matrix B."""
    rng = np.random.default_rng([3, seed])
    X = rng.normal(0.5, 1.0, (N, p))
    Y = np.eye(K)[rng.integers(K, size=N)]
    B = rng.normal(0, 0.7, (p, K))
    c0 = 1 / N if mean else 1.0

    def probability(at):
        e = np.exp(X @ at["B"] - (X @ at["B"]).max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def loss(at):
        return -c0 * (Y * np.log(probability(at))).sum() + ridge * (at["B"] ** 2).sum()

    def gradient(at, *, c0=c0, ridge=ridge, P=probability):
        return {"B": c0 * X.T @ (P(at) - Y) + 2 * ridge * at["B"]}

    known = {"N": N, "X": X, "Y": Y, "P": probability}
    return Case(loss, gradient, {"B": B}, known, form, seed=seed)


def network(
    seed,
    *,
    N=25,
    p1=5,
    p2=4,
    q=None,
    form="dict",
    activation="tanh",
    ddof=0,
    eps=1e-5,
    batch_norm=True,
    loss="mse",
    decay=0.0,
):
    """The batch-norm network of the design, or the plain one, with λ‖Γ₁‖² if `decay`."""
    rng = np.random.default_rng([4, seed])
    net = Network(activation, BatchNorm(ddof, eps) if batch_norm else None, loss)
    X = rng.normal(0.5, 1.0, (N, p1)) * rng.uniform(0.5, 3.0, p1)
    y = rng.standard_normal(N if q is None else (N, q))
    par = Parameters.random(p1, p2, rng=rng, q=q, batch_norm=batch_norm)
    names = ("Gamma1", "Gamma2", "gamma", "beta") if batch_norm else ("Gamma1", "Gamma2")
    blocks = {name: np.array(getattr(par, name)) for name in names}
    R, c0 = objective(net, par, X, y), net.c0(N)

    def value(at):
        vector = np.concatenate([vec(block) for block in at.values()])
        return R(vector) + decay * (at["Gamma1"] ** 2).sum()

    def forward(at, ddof=ddof, eps=eps):
        f = dict(at) | {"X": X}
        Z = f["Z"] = X @ at["Gamma1"]
        if batch_norm:
            f["sigma"] = np.sqrt(((Z - Z.mean(0)) ** 2).sum(0) / (N - ddof) + eps)
            f["Xhat"] = (Z - Z.mean(0)) / f["sigma"]
            f["H"] = f["Xhat"] * at["gamma"] + at["beta"]
        else:
            f["H"] = Z
        f["V"] = net.a.value(f["H"])
        f["y"] = y
        f["residuals"] = y - f["V"] @ at["Gamma2"]
        return f

    def gradient(
        at,
        *,
        c0=c0,
        decay=decay,
        slope=lambda f: net.a.derivative(f["H"]),
        gain=lambda f: f["gamma"] / f["sigma"],
        mean=1.0,
        variance=1.0,
        term_ddof=ddof,
        ddof=ddof,
        eps=eps,
        left="V",
        hat="Xhat",
        right="residuals",
    ):
        f = forward(at, ddof, eps)
        E = -2 * c0 * f["residuals"].reshape(N, -1)
        S = slope(f) * (E @ at["Gamma2"].reshape(-1, E.shape[1]).T)
        E2 = -2 * c0 * f[right].reshape(N, -1)
        out = {"Gamma2": (f[left].T @ E2).reshape(at["Gamma2"].shape)}
        if batch_norm:
            out["gamma"], out["beta"] = (f[hat] * S).sum(0), S.sum(0)
            along = (f["Xhat"] * S).sum(0) / (N - term_ddof)
            S = (S - mean * S.mean(0) - variance * f["Xhat"] * along) * gain(f)
        out["Gamma1"] = X.T @ S + 2 * decay * at["Gamma1"]
        return {name: out[name] for name in at}

    return Case(value, gradient, blocks, {}, form, network=(net, X, y), seed=seed)


def gaussian(seed, *, N=6, n=4, q=3, form="dict", mean=False, only_M=False, lower=False):
    """−log p of N matrices Y ~ N(M, V ⊗ U); of M alone, U and V diagonal, if `only_M`.

    With `lower`, only the lower triangle of U is read, as a Cholesky decomposition does.
    """
    rng = np.random.default_rng([5, seed])

    def spd(k):
        A = rng.standard_normal((k, 2 * k))
        return A @ A.T / (2 * k) + 0.3 * np.eye(k)

    Y = rng.standard_normal((N, n, q)) * 1.5 + 0.5
    rowsd, sd = rng.uniform(0.5, 2.0, n), rng.uniform(0.5, 2.5, q)
    U0, V0 = (np.diag(rowsd**2), np.diag(sd**2)) if only_M else (spd(n), spd(q))
    blocks = {"M": rng.standard_normal((n, q))}
    if not only_M:
        blocks |= {"U": U0, "V": V0}
    c0 = 1 / N if mean else 1.0

    def covariances(at):
        U = at.get("U", U0)
        U = np.tril(U) + np.tril(U, -1).T if lower else U
        return U, at.get("V", V0)

    def loss(at):
        U, V = covariances(at)
        R = Y - at["M"]
        squares = np.einsum("kij,kij->", R, np.linalg.solve(U, R) @ np.linalg.inv(V))
        logdet = q * np.linalg.slogdet(U)[1] + n * np.linalg.slogdet(V)[1]
        return c0 / 2 * (squares + N * logdet)

    def gradient(at, *, c0=c0, logdet=1.0, q_U=q, n_V=n, powers=(2, 2), fold=lower):
        U, V = covariances(at)
        R = Y - at["M"]
        Ui, Vi = np.linalg.inv(U), np.linalg.inv(V)
        if only_M:
            Ui, Vi = np.diag(rowsd ** -powers[0]), np.diag(sd ** -powers[1])
        out = {"M": -c0 * (Ui @ R @ Vi).sum(0)}
        if not only_M:
            # Of tr(V⁻¹RᵀU⁻¹R), half of it, entry by entry, whether U is symmetric or not.
            dU = -0.5 * np.einsum("kij,kjl->il", Ui.T @ R @ Vi.T, np.swapaxes(R, 1, 2) @ Ui.T)
            dV = -0.5 * np.einsum("kji,kjl->il", Ui.T @ R @ Vi.T, R @ Vi.T)
            dU = c0 * (dU + logdet * N * q_U / 2 * Ui.T)
            dV = c0 * (dV + logdet * N * n_V / 2 * Vi.T)
            out["U"] = np.tril(dU + dU.T) - np.diag(np.diag(dU)) if fold else dU
            out["V"] = dV
        return out

    known = {"N": N}
    if only_M:
        known |= {"rowsd": rowsd, "sd": sd}
    else:
        known |= {"U_inverse": lambda at: np.linalg.inv(covariances(at)[0])}
        known |= {"V_inverse": lambda at: np.linalg.inv(at["V"])}
    return Case(loss, gradient, blocks, known, form, seed=seed)
