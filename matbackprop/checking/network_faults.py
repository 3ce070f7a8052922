"""What the gradient of the network would be with one, two or three mistakes in its formulas.

The formulas of the compact form are taken apart into choices: where a′ is taken, what batch norm's
mean and variance terms are, which scale goes with them. Each choice has its right option and some
wrong ones; a gradient in which a few are wrong is computed, and compared with the one at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import BatchNorm
from matbackprop.checking.cause import Base, Cause
from matbackprop.checking.network_case import NetworkCase
from matbackprop.checking.network_choices import CHOICES
from matbackprop.network.door import Given
from matbackprop.network.forward_pass import Forward, forward
from matbackprop.network.model import Network

_WORK = 2e8
"""Multiplications up to which three mistakes at once are tried; beyond, two."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """A forward pass, and the network that made it."""

    net: Network
    given: Given
    f: Forward
    divisor: int  # N − ddof of the variance term
    Xhat: Array  # X̂, kept: it is computed anew each time it is asked of f; H without batch norm


class NetworkFaults:
    """The faulty gradients at one point, by block."""

    def __init__(self, case: NetworkCase, theta: Array, /) -> None:
        given, f = case.forward(theta)
        ddof = 0 if case.net.batch_norm is None else case.net.batch_norm.ddof
        self._right = _Pass(case.net, given, f, len(f.Z) - ddof, _normalized(f))
        self._words = {"right": _rows(ddof), "wrong": _rows(1 - ddof)}
        self._passes = {"right": self._right} | dict(_other_passes(self._right))
        self._S: dict[tuple[str, str, str, str], Array] = {}

    def bases(self, block: str, shape: tuple[int, ...], /) -> Iterator[Base]:
        """Yield the block's gradient, first the right one, then with one mistake, two, three."""
        choices = CHOICES[block, self._right.f.b is not None]
        N, p2 = self._right.f.Z.shape
        wrong = [
            (dim, option)
            for dim in choices
            for option in list(choices[dim])[1:]
            if dim != "pass" or option in self._passes
        ]
        for count in (0, 1, 2, 3):
            tried = list(combinations(wrong, count))
            if count == 3 and len(tried) * N * p2 * self._right.given.X.shape[1] > _WORK:
                return
            for faults in tried:
                if len({dim for dim, _ in faults}) < count:
                    continue
                recipe = {dim: next(iter(options)) for dim, options in choices.items()}
                recipe |= dict(faults)
                value = _FORMULAS[block](self, recipe).reshape(shape)
                if not np.isfinite(value).all():
                    continue
                causes = tuple(self._said(choices[dim][option]) for dim, option in faults)
                yield Base(causes, value, np.zeros_like(value), float(count))

    def _said(self, cause: Cause | None) -> Cause:
        assert cause is not None  # only the right option, the first, has none
        return replace(cause, sentence=cause.sentence.format(**self._words))

    def S(self, recipe: Mapping[str, str], /) -> Array:
        """Return S = D ⊙ (−2c₀ ε̂Wᵀ), with D, ε̂ and W as the recipe says."""
        key = (
            recipe.get("pass", "right"),
            recipe["derivative"],
            recipe["weights"],
            recipe["errors"],
        )
        if key not in self._S:
            self._S[key] = self._computed_S(*key)
        return self._S[key]

    def used(self, recipe: Mapping[str, str], /) -> _Pass:
        """Return the forward pass that the recipe uses."""
        return self._passes[recipe.get("pass", "right")]

    def _computed_S(self, which: str, derivative: str, weights: str, errors: str) -> Array:
        used = self._passes[which]
        a, f = used.net.a, used.f
        dfitted = -2 * used.net.c0(len(f.Z)) * _errors(used)[errors]
        Gamma2 = used.given.Gamma2
        dV = dfitted @ (Gamma2 if weights == "Γ₂" else np.ones_like(Gamma2)).T
        at = {"a′(H)": f.H, "a′(Z)": f.Z, "a′(X̂)": used.Xhat, "a′(V)": f.V}
        if derivative == "1":
            return dV
        if derivative == "a(H)":
            return f.V * dV
        return a.derivative(at[derivative]) * dV


def _other_passes(right: _Pass) -> Iterator[tuple[str, _Pass]]:
    options = right.net.batch_norm
    if options is None:
        return
    N = len(right.f.Z)
    others = {
        "other ddof": replace(options, ddof=1 - options.ddof) if options.ddof in (0, 1) else None
    }
    if options.eps > 0:
        others["no eps"] = BatchNorm(ddof=options.ddof, eps=0.0)
    for name, other in others.items():
        if other is None or other.ddof >= N:
            continue
        if other.eps == 0 and not (np.ptp(right.f.Z, axis=0) > 0).all():
            continue
        net = Network(right.net.activation, other, right.net.loss)
        f = forward(net, right.given)
        yield name, _Pass(net, right.given, f, N - other.ddof, _normalized(f))
        if name == "other ddof":
            # σ as ever so wrong, the variance term may still be right.
            yield "other σ", _Pass(net, right.given, f, right.divisor, _normalized(f))


def _normalized(f: Forward) -> Array:
    return f.H if f.b is None else f.b.Xhat


def _rows(ddof: int) -> str:
    return "N" if ddof == 0 else f"N − {ddof}" if ddof > 0 else f"N + {-ddof}"


def _errors(used: _Pass) -> dict[str, Array]:
    return {"y − ŷ": used.f.residuals, "y": used.given.y, "ŷ": -used.f.fitted}


def _beta(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    return case.S(recipe).sum(axis=0) * _scale(case, recipe)


def _gamma(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    used = case.used(recipe)
    f = used.f
    of = {"X̂": used.Xhat, "Z − μ": f.Z - f.Z.mean(axis=0), "Z": f.Z, "H": f.H}[recipe["of"]]
    return (of * case.S(recipe)).sum(axis=0) * _scale(case, recipe)


def _Gamma2(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    used = case.used(recipe)
    f = used.f
    of = {"V": f.V, "H": f.H, "X̂": used.Xhat, "Z": f.Z}[recipe["of"]]
    return of.T @ (-2 * used.net.c0(len(f.Z)) * _errors(used)[recipe["errors"]])


def _Gamma1(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    used = case.used(recipe)
    S, f = case.S(recipe), used.f
    if f.b is None:
        return used.given.X.T @ S
    N, right = len(S), case.used({}).divisor
    dgamma = (used.Xhat * S).sum(axis=0)
    other = 2 * N - 1 - right  # N − 1 for N, N for N − 1
    divisor = {"N − ddof": used.divisor, "N − (1 − ddof)": other, "1": 1}[recipe["divisor"]]
    mean = {
        "mean": S.mean(axis=0),
        "none": 0.0,
        "sum": S.sum(axis=0),
        "nodes": S.mean(axis=1, keepdims=True),
        "plus": -S.mean(axis=0),
    }
    variance = used.Xhat * (dgamma / max(divisor, 1))
    nonzero = np.where(used.given.gamma == 0, np.nan, used.given.gamma)
    moments = {
        "both": (mean["mean"], variance),
        "no mean": (0.0, variance),
        "no variance": (mean["mean"], 0.0),
        "fixed": (0.0, 0.0),
        "sum": (mean["sum"], variance),
        "nodes": (mean["nodes"], variance),
        "plus mean": (mean["plus"], variance),
        "plus variance": (mean["mean"], -variance),
        "half variance": (mean["mean"], variance / 2),
        "twice variance": (mean["mean"], variance * 2),
        "mean without γ": (mean["mean"] / nonzero, variance),
        "variance without γ": (mean["mean"], variance / nonzero),
        "γ in variance": (mean["mean"], variance * used.given.gamma),
    }
    one, two = moments[recipe["moments"]]
    return used.given.X.T @ ((S - one - two) * _scale(case, recipe))


def _scale(case: NetworkFaults, recipe: Mapping[str, str]) -> Array | float:
    used = case.used(recipe)
    if used.f.b is None:
        return 1.0
    gamma, sigma = used.given.gamma, used.f.b.sigma
    Gamma2 = used.given.Gamma2[:, 0] if used.given.Gamma2.shape[1] == 1 else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        value: Array = {
            "1": np.ones_like(gamma),
            "γ/σ": gamma / sigma,
            "γσ": gamma * sigma,
            "γ": gamma,
            "1/σ": 1 / sigma,
            "σ": sigma,
            "1/γ": 1 / gamma,
            "γ/σ²": gamma / sigma**2,
            "σ/γ": sigma / gamma,
            "γ²/σ": gamma**2 / sigma,
            "γ²": gamma**2,
            "Γ₂/σ": Gamma2 / sigma,
        }[recipe["scale"]]
    return value


_FORMULAS: Mapping[str, Callable[[NetworkFaults, Mapping[str, str]], Array]] = {
    "Gamma1": _Gamma1,
    "Gamma2": _Gamma2,
    "gamma": _gamma,
    "beta": _beta,
}
