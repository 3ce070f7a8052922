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


class NetworkFaults:
    """The faulty gradients at one point, by block."""

    def __init__(self, case: NetworkCase, theta: Array, /) -> None:
        given, f = case.forward(theta)
        self._right = _Pass(case.net, given, f)
        self._passes = {"right": self._right} | dict(_other_passes(self._right))
        self._S: dict[tuple[str, str, str, str], Array] = {}

    def bases(self, block: str, /) -> Iterator[Base]:
        """Yield the block's gradient, first the right one, then with one mistake, two, three."""
        choices = _CHOICES[block, self._right.f.b is not None]
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
                value = _FORMULAS[block](self, recipe)
                if value is None or not np.isfinite(value).all():
                    continue
                causes = tuple(choices[dim][option] for dim, option in faults)
                yield Base(causes, value, np.zeros_like(value), float(count))  # type: ignore[arg-type]

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
        normalized = f.H if f.b is None else f.b.Xhat
        at = {"a′(H)": f.H, "a′(Z)": f.Z, "a′(X̂)": normalized, "a′(V)": f.V}
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
        yield name, _Pass(net, right.given, forward(net, right.given))


def _errors(used: _Pass) -> dict[str, Array]:
    return {"ε̂": used.f.residuals, "y": used.given.y, "ŷ": -used.f.fitted}


def _beta(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    return case.S(recipe).sum(axis=0) * _scale(case, recipe)


def _gamma(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    f = case.used(recipe).f
    assert f.b is not None
    of = {"X̂": f.b.Xhat, "Z − μ": f.Z - f.Z.mean(axis=0), "Z": f.Z, "H": f.H}[recipe["of"]]
    return (of * case.S(recipe)).sum(axis=0) * _scale(case, recipe)


def _Gamma2(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    used = case.used(recipe)
    f = used.f
    of = {"V": f.V, "H": f.H, "X̂": f.H if f.b is None else f.b.Xhat, "Z": f.Z}[recipe["of"]]
    return of.T @ (-2 * used.net.c0(len(f.Z)) * _errors(used)[recipe["errors"]])


def _Gamma1(case: NetworkFaults, recipe: Mapping[str, str]) -> Array:
    used = case.used(recipe)
    S, f = case.S(recipe), used.f
    if f.b is None:
        return used.given.X.T @ S
    N = len(S)
    assert used.net.batch_norm is not None
    ddof = used.net.batch_norm.ddof
    dgamma = (f.b.Xhat * S).sum(axis=0)
    divisor = {"N − ddof": N - ddof, "N − (1 − ddof)": N - (1 - ddof), "1": 1}[recipe["divisor"]]
    mean = {
        "mean": S.mean(axis=0),
        "none": 0.0,
        "sum": S.sum(axis=0),
        "nodes": S.mean(axis=1, keepdims=True),
        "plus": -S.mean(axis=0),
    }
    variance = f.b.Xhat * (dgamma / max(divisor, 1))
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


def _derivatives() -> dict[str, Cause | None]:
    def wrong(at: str, name: str) -> Cause:
        return Cause(
            "activation derivative",
            f"The derivative of the activation is taken at {at}, where H = b(XΓ₁) is meant.",
            "Take a′ at H, the argument of the activation in the forward pass.",
            key=name,
        )

    return {
        "a′(H)": None,
        "1": Cause(
            "activation derivative",
            "The derivative of the activation is taken as 1 everywhere: a′(H) is missing.",
            "Multiply by a′(H), entry by entry: S = a′(H) ⊙ (−2c₀ ε̂Γ₂ᵀ).",
            key="1",
        ),
        "a′(Z)": wrong("Z = XΓ₁", "Z"),
        "a′(X̂)": wrong("X̂, before γ and β", "X̂"),
        "a′(V)": wrong("V = a(H), the output of the activation", "V"),
        "a(H)": Cause(
            "activation derivative",
            "The activation itself stands where its derivative is meant.",
            "Replace a(H) by a′(H).",
            key="a",
        ),
    }


def _weights() -> dict[str, Cause | None]:
    return {
        "Γ₂": None,
        "1": Cause(
            "factor",
            "Γ₂ is missing: the error is not multiplied by the weights of the output.",
            "S = a′(H) ⊙ (−2c₀ ε̂Γ₂ᵀ).",
            key="Γ₂",
        ),
    }


def _pass() -> dict[str, Cause | None]:
    return {
        "right": None,
        "other ddof": Cause(
            "ddof",
            "ddof is mixed up: σ divides by N where the loss has N − 1, or the other way round.",
            "Use the ddof of the loss in every σ: R's `scale` and `sd` divide by N − 1, "
            "NumPy's `std` and batch norm in deep learning by N.",
            key="pass",
        ),
        "no eps": Cause(
            "eps",
            "eps is missing: the gradient divides by a σ without it.",
            "Add eps to the variance, as the loss does: σ² = variance + eps.",
            key="eps",
        ),
    }


def _divisor() -> dict[str, Cause | None]:
    return {
        "N − ddof": None,
        "N − (1 − ddof)": Cause(
            "ddof",
            "ddof is mixed up in the variance term: it divides by N where the loss has N − 1, "
            "or the other way round.",
            "The variance term is X̂ diag(∂R/∂γ)/(N − ddof), with the ddof of the loss.",
            key="divisor",
        ),
        "1": Cause(
            "variance term",
            "The variance term of batch norm lacks its factor 1/(N − ddof).",
            "The variance term is X̂ diag(∂R/∂γ)/(N − ddof).",
            key="undivided",
        ),
    }


def _moments() -> dict[str, Cause | None]:
    remedy = "∂R/∂Z = (S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − ddof)) diag(γ/σ)."
    mean = "the mean term 1·mean(S)"
    variance = "the variance term X̂ diag(∂R/∂γ)/(N − ddof)"

    def said(kind: str, sentence: str, key: str) -> Cause:
        return Cause(kind, sentence, remedy, key=key)  # type: ignore[arg-type]

    return {
        "both": None,
        "fixed": said(
            "fixed moments",
            f"μ and σ are held fixed, though they depend on Γ₁: {mean} and {variance} are missing.",
            "fixed",
        ),
        "no mean": said("mean term", f"A term is missing: {mean} of batch norm.", "none"),
        "no variance": said(
            "variance term", f"A term is missing: {variance} of batch norm.", "none"
        ),
        "sum": said(
            "mean term", "The mean term of batch norm is a sum: its 1/N is missing.", "sum"
        ),
        "nodes": said(
            "mean term",
            "The mean term of batch norm is taken over the nodes, where that over the rows is "
            "meant.",
            "nodes",
        ),
        "plus mean": said("mean term", "The mean term of batch norm has the wrong sign.", "sign"),
        "plus variance": said(
            "variance term", "The variance term of batch norm has the wrong sign.", "sign"
        ),
        "half variance": said(
            "variance term", "The variance term of batch norm is half of what it should be.", "half"
        ),
        "twice variance": said(
            "variance term", "The variance term of batch norm is twice what it should be.", "twice"
        ),
    }


def _scales(right: str, wrong: tuple[str, ...]) -> dict[str, Cause | None]:
    options: dict[str, Cause | None] = {right: None}
    for scale in wrong:
        if right == "1":
            sentence = f"There is a factor {scale} too many in each column."
            kind, remedy = "factor", f"Leave out the factor {scale}."
        else:
            sentence = f"Each column is scaled by {scale}, where {right} is meant"
            sentence += ": the scale is inverted." if scale in ("γσ", "σ/γ") else "."
            kind, remedy = "scale", f"Multiply column j by {right}."
        options[scale] = Cause(kind, sentence, remedy, key=scale)  # type: ignore[arg-type]
    return options


def _ofs(right: str, wrong: tuple[str, ...]) -> dict[str, Cause | None]:
    options: dict[str, Cause | None] = {right: None}
    for other in wrong:
        options[other] = Cause(
            "wrong quantity",
            f"{other} stands where {right} is meant.",
            f"Replace {other} by {right}.",
            key=other,
        )
    return options


_FORMULAS: Mapping[str, Callable[[NetworkFaults, Mapping[str, str]], Array]] = {
    "Gamma1": _Gamma1,
    "Gamma2": _Gamma2,
    "gamma": _gamma,
    "beta": _beta,
}

_ERRORS = {"errors": _ofs("ε̂", ("y", "ŷ"))}
_S = {"derivative": _derivatives(), "weights": _weights(), **_ERRORS}
_CHOICES: Mapping[tuple[str, bool], Mapping[str, Mapping[str, Cause | None]]] = {
    ("Gamma1", False): _S,
    ("Gamma2", False): {"of": _ofs("V", ("H",)), **_ERRORS},
    ("Gamma1", True): _S
    | {
        "moments": _moments(),
        "scale": _scales("γ/σ", ("γσ", "γ", "1/σ", "σ", "1", "γ/σ²", "σ/γ", "γ²/σ", "Γ₂/σ")),
        "divisor": _divisor(),
        "pass": _pass(),
    },
    ("Gamma2", True): {"of": _ofs("V", ("H", "X̂", "Z")), "pass": _pass(), **_ERRORS},
    ("gamma", True): _S
    | {
        "of": _ofs("X̂", ("Z − μ", "Z", "H")),
        "scale": _scales("1", ("γ", "1/γ", "γ/σ", "1/σ", "γ²", "γσ")),
        "pass": _pass(),
    },
    ("beta", True): _S | {"scale": _scales("1", ("γ", "1/γ", "γ/σ", "1/σ", "σ")), "pass": _pass()},
}
"""The choices in each block's formula, the right option first."""
