"""Factors: one for all entries, one for each column, row or entry, and what each of them is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, product
from typing import Literal

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Base, Cause
from matbackprop.checking.constants import Constant, close, constant
from matbackprop.checking.records import Kind
from matbackprop.checking.view import Explanation, View

_POWERS = {1.0: "{}", -1.0: "1/{}", 2.0: "{}²", -2.0: "1/{}²", 0.5: "√{}", -0.5: "1/√{}"}
_SHOWN = 6
_Line = Literal["column", "row", "entry"]


def common_factor(g: Array, base: Array, error: Array | float, /) -> float | None:
    """Return the factor that most entries have: the median ratio, or the densest cluster."""
    ratios = _ratios(g, base, error)
    if ratios.size == 0:
        return None
    middle = float(np.median(ratios))
    if ratios.size < 3:
        return middle
    # The mode: mistakes elsewhere may outvote a median, but they rarely agree with each other.
    ordered = np.sort(ratios)
    reach = 1e-5 * np.maximum(np.abs(ordered), 1e-300)
    counts = np.searchsorted(ordered, ordered + reach, side="right") - np.arange(ordered.size)
    best = int(counts.argmax())
    if counts[best] <= max(1, 0.1 * ordered.size):
        return middle
    return float(np.median(ordered[best : best + counts[best]]))


def constant_factor(base: Base, view: View, /) -> Iterator[Explanation]:
    """Yield the base itself, or the base times one constant, if that is the gradient."""
    c = common_factor(view.g, base.value, base.error)
    if c is None:
        return
    predicted = base.value if close(c, 1.0) else c * base.value
    matched = view.matches(predicted, abs(c) * base.error)
    if not matched.all():
        return
    causes, cost = factor_causes(c, view, base)
    if causes or base.causes:
        yield Explanation(base.causes + causes, predicted, base.cost + cost, matched)


def factor_causes(c: float, view: View, base: Base, /) -> tuple[tuple[Cause, ...], float]:
    """Return the mistake that a constant factor is, and what it costs to assume it."""
    if close(c, 1.0):
        return (), 0.0
    k = constant(c, view.quantities.sizes)
    return (factor_cause(k, view.quantities.loss),), _cost(
        k, entries=view.g.size, alone=not base.causes
    )


def factor_cause(k: Constant, loss: str = "", /) -> Cause:
    """Return the mistake that a named constant is; `loss` is "mse" or "sse" where that is known."""
    if (loss, k.name) in (("mse", "N"), ("sse", "1/N")):
        other = "sse" if loss == "mse" else "mse"
        return Cause(
            "sse for mse",
            f"This is the gradient of the {other}, and the loss is the {loss}: it is {k.name} "
            "times what it should be.",
            f"Divide the gradient by {k.name}: c₀ is 1/N for the mean of squares, 1 for their sum.",
            f"the factor measured: {k.value:.9g}",
            key=f"{k.value:.5g}",
        )
    also = f" (or {', '.join(k.also)})" if k.also else ""
    digits = f": {k.value:.9g}" if k.name else ""
    sentence = f"The gradient is {k.text} times what it should be{also}."
    if k.name == "−1":
        sentence = "The sign is wrong: the gradient is −1 times what it should be."
    elif k.name == "0":
        sentence = "The gradient is zero, 0 times what it should be."
    elif k.is_ddof:
        sentence += " N and N − 1 are mixed up (ddof)."
    remedy = f"Divide the gradient by {k.text}." if k.value else "Compute it."
    if k.name == "−1":
        remedy = "Change the sign."
    if (k.name and k.name.strip("−½2(/)") in ("N", "1N", "1/N")) or k.name in ("N", "1/N"):
        remedy += " Is the loss a mean and the gradient that of a sum, or the other way round?"
    return Cause(
        "constant factor",
        sentence,
        remedy,
        f"the factor measured{digits or f' {k.value:.9g}'}",
        key=f"{k.value:.5g}",
        fitted=not k.name,
    )


def line_factors(base: Base, view: View, /) -> Iterator[Explanation]:
    """Yield a factor for each column, or each row, of a matrix."""
    if base.value.ndim != 2:
        return
    words: tuple[_Line, _Line] = ("column", "row")
    for axis, word in enumerate(words):
        if base.value.shape[axis] < 2 or base.value.shape[1 - axis] < 2:
            continue
        telling = (np.abs(base.value) > 1e-9 * np.abs(base.value).max()).sum(axis=axis)
        if (telling > 1).sum() < 0.5 * (telling > 0).sum():
            continue  # of one entry in a line any factor is true
        factors = _by_line(view.g, base.value, base.error, axis)
        spread = np.expand_dims(factors, axis)
        predicted = base.value * spread
        matched = view.matches(predicted, np.abs(spread) * base.error)
        if not matched.all() or np.ptp(factors) <= 1e-5 * np.abs(factors).max():
            continue
        named = named_vector(factors, _of_length(view, factors.size), view.quantities.sizes)
        yield Explanation(
            (*base.causes, _line_cause(factors, word, named, view)),
            predicted,
            base.cost + (1.2 if named else 1.9),
            matched,
        )


def entry_factors(base: Base, view: View, /) -> Iterator[Explanation]:
    """Yield a factor for each entry, if it is a known quantity."""
    usable = np.abs(base.value) > 1e3 * base.error
    if view.g.size < 2 or not usable.any():
        return
    ratios = np.where(usable, view.g / np.where(usable, base.value, 1.0), np.nan)
    if view.g.size > 10**6 or np.nanmax(ratios) - np.nanmin(ratios) <= 1e-5 * np.nanmax(
        np.abs(ratios)
    ):
        return
    line = max(view.g.shape) == view.g.size  # a column matrix may be weighted by a vector
    arrays = {
        name: a.ravel()
        for name, a in view.quantities.arrays.items()
        if a.shape == view.g.shape or (line and a.size == max(a.shape, default=0) == view.g.size)
    }
    named = named_vector(ratios.ravel(), arrays, view.quantities.sizes)
    word: _Line = "entry"
    if not named and line:
        # A vector may stack the columns of a matrix (vec), or its rows.
        options: tuple[tuple[_Line, Callable[..., Array]], ...] = (
            ("column", np.repeat),
            ("row", np.tile),
        )
        for which, stretch in options:
            stacked = {
                name: stretch(a, view.g.size // a.size)
                for name, a in view.quantities.arrays.items()
                if a.ndim == 1 and 1 < a.size < view.g.size and view.g.size % a.size == 0
            }
            if named := named_vector(ratios.ravel(), stacked, view.quantities.sizes):
                word = which
                break
    if not named:
        return
    factors = np.where(usable, ratios, 1.0)
    predicted = base.value * factors
    matched = view.matches(predicted, np.abs(factors) * base.error)
    if matched.all():
        yield Explanation(
            (*base.causes, _line_cause(ratios.ravel(), word, named, view)),
            predicted,
            base.cost + 1.2,
            matched,
        )


def named_vector(factors: Array, arrays: Mapping[str, Array], sizes: Mapping[str, float], /) -> str:
    """Return what a vector of factors is: a known one, a power of it, or of two, times a constant.

    Examples
    --------
    >>> sigma = np.array([1.0, 2.0, 4.0])
    >>> named_vector(2 / sigma, {"sigma": sigma}, {})
    '2 · 1/sigma'
    """
    told = np.isfinite(factors)
    if told.sum() < 2:
        return ""
    c = factors[told]
    known = {
        name: a[told]
        for name, a in arrays.items()
        if np.ptp(a[told]) > 1e-9 * np.abs(a[told]).max() and (a[told] != 0).all()
    }
    powers = {
        (name, p): a**p
        for name, a in known.items()
        for p in _POWERS
        if p == int(p) or (a > 0).all()
    }
    found = []
    for (name, p), value in powers.items():
        if text := _constant_times(c / value, _POWERS[p].format(name), sizes):
            found.append(text)
    if not found:
        for one, other in combinations(known, 2):
            for p, s in product((1.0, -1.0), repeat=2):
                texts = _product(one, p, other, s)
                if text := _constant_times(c / (known[one] ** p * known[other] ** s), texts, sizes):
                    found.append(text)
    return min(found, key=lambda text: (text.count("·"), len(text))) if found else ""


def _constant_times(ratio: Array, text: str, sizes: Mapping[str, float]) -> str:
    middle = float(np.median(ratio))
    if (np.abs(ratio - middle) > 1e-5 * abs(middle)).any():
        return ""
    if close(middle, 1.0):
        return text
    return f"{constant(middle, sizes).text} · {text}"


def _product(one: str, p: float, other: str, s: float) -> str:
    if p > 0:
        return f"{one} · {other}".replace(" · ", "·") if s > 0 else f"{one}/{other}"
    return f"{other}/{one}" if s > 0 else f"1/({one}·{other})"


def _line_cause(factors: Array, word: _Line, named: str, view: View) -> Cause:
    shown = ", ".join(f"{c:.6g}" for c in factors[:_SHOWN])
    shown += ", …" if factors.size > _SHOWN else ""
    kinds: dict[_Line, Kind] = {
        "column": "factor per column",
        "row": "factor per row",
        "entry": "factor per entry",
    }
    if named:
        sentence = f"Each {word} is multiplied by a factor, {named}."
        remedy = f"Divide each {word} by {named}."
    else:
        sentence = f"Each {word} is multiplied by a different factor: {shown}."
        names = [k for k in view.quantities.arrays if k not in view.quantities.own]
        remedy = (
            f"They are none of what is known ({', '.join(names) if names else 'nothing'}): pass "
            'known={"sigma": sigma, …} to have the factor named.'
        )
    return Cause(
        kinds[word],
        sentence,
        remedy,
        f"the factors measured: {shown}",
        key=f"{named}" if named else shown,
    )


def _ratios(g: Array, base: Array, error: Array | float) -> Array:
    usable = np.abs(base) > np.maximum(1e3 * np.asarray(error), 1e-12 * np.abs(base).max())
    return np.asarray((g[usable] / base[usable]).ravel())


def _by_line(g: Array, base: Array, error: Array, axis: int) -> Array:
    lines = zip(*(np.moveaxis(a, 1 - axis, 0) for a in (g, base, error)), strict=True)
    found = [common_factor(*line) for line in lines]
    return np.array([1.0 if c is None else c for c in found])


def _of_length(view: View, n: int) -> dict[str, Array]:
    return {
        name: a.ravel()
        for name, a in view.quantities.arrays.items()
        if a.size == n and max(a.shape, default=0) == n
    }


def _cost(k: Constant, *, entries: int, alone: bool) -> float:
    if k.name:
        return 1.0 if alone or entries > 2 else 1.2
    return 1.9 if entries > 2 else 2.9
