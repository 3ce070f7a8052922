"""The search for the mistakes that explain a wrong gradient with the least assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Cause
from matbackprop.checking.explanations.factors import (
    common_factor,
    constant_factor,
    entry_factors,
    line_factors,
)
from matbackprop.checking.explanations.orders import TRANSPOSED, reordered
from matbackprop.checking.explanations.places import wrong_places
from matbackprop.checking.explanations.terms import added_terms, candidate_terms
from matbackprop.checking.explanations.weights import row_weights
from matbackprop.checking.records import Finding
from matbackprop.checking.view import Explanation, View

_SHARED = 0.3  # taken off the cost for a mistake that explains another parameter too
_TOLD = 0.05  # entries that are measured better than that tell how well it fits
_ELSEWHERE = 2.0  # put on the cost of what does not hold at the second point
_MOST_TERMS = 2000  # entries up to which pairs of terms and the like are tried on every base


def explanations(view: View, /) -> list[Explanation]:
    """Return what explains the gradient of one parameter, what assumes least first."""
    found = [e for e in _all(view) if e.causes and e.complete]
    best: dict[frozenset[tuple[str, str]], Explanation] = {}
    for e in sorted(found, key=lambda e: e.cost):
        best.setdefault(e.key, e)
    return list(best.values())


def choose(
    found: Mapping[str, list[Explanation]], elsewhere: Mapping[str, list[Explanation]], /
) -> dict[str, Explanation | None]:
    """Return the best explanation of each parameter.

    One that holds at another point too goes before one that does not: ½ may be 1/N here, or a
    ratio of two entries that happens to be ½. And a mistake that explains several parameters is
    likelier than one for each.
    """
    support = Counter(
        identity
        for several in found.values()
        for identity in {i for e in several if e.cost <= several[0].cost + 1.0 for i in e.key}
    )

    found = {name: _held(name, several, elsewhere) for name, several in found.items()}

    def price(name: str, e: Explanation) -> float:
        shared = sum(support[i] > 1 for i in e.key)
        keys = {other.key for other in elsewhere.get(name, ())}
        return e.cost - _SHARED * shared + (_ELSEWHERE if keys and e.key not in keys else 0.0)

    return {
        name: min(several, key=lambda e: price(name, e)) if several else None
        for name, several in found.items()
    }


def findings(
    chosen: Mapping[str, Explanation | None], views: Mapping[str, View], /
) -> list[Finding]:
    """Return the mistakes as a reader should meet them, those of several parameters together."""
    told: dict[tuple[str, str], tuple[Cause, dict[str, Explanation]]] = {}
    unexplained = []
    for name, explanation in chosen.items():
        if explanation is None:
            unexplained.append(_unexplained(views[name]))
            continue
        for cause in explanation.causes:
            told.setdefault(cause.identity, (cause, {}))[1][name] = explanation
    # The widest first: what explains three parameters goes before what explains one.
    ranked = sorted(told.values(), key=lambda entry: -len(entry[1]))
    return [
        Finding(
            cause.kind,
            ", ".join(explained),
            cause.sentence,
            "; ".join(filter(None, [cause.evidence, _fit(explained, views)])),
            cause.remedy,
        )
        for cause, explained in ranked
    ] + unexplained


def _held(
    name: str, several: list[Explanation], elsewhere: Mapping[str, list[Explanation]]
) -> list[Explanation]:
    """Return the explanations without those by a number that another point refutes.

    Of an array such a factor still says that the gradient has the right direction.
    """
    keys = {other.key for other in elsewhere.get(name, ())}
    held = []
    for e in several:
        fitted = [cause for cause in e.causes if cause.fitted]
        if not fitted or e.key in keys or (name not in elsewhere and e.matched.size > 2):
            held.append(e)
        elif e.matched.size > 2 and len(e.causes) == 1:
            moving = replace(
                fitted[0],
                sentence="The gradient has the right direction, but its length is wrong by a "
                "factor that depends on the point.",
                remedy="Look for a norm, a sum or a step size that the gradient is multiplied or "
                "divided by.",
                key="moving",
            )
            held.append(replace(e, causes=(moving,)))
    return held


def _all(view: View) -> Iterator[Explanation]:
    candidates = candidate_terms(view)
    single, best = [], np.inf
    for base in view.bases():
        if base.cost > best:
            break  # more mistakes than are needed
        single += [base] if len(base.causes) == 1 else []
        if view.transposed:
            base = replace(base, causes=(TRANSPOSED, *base.causes), cost=base.cost + 1.0)
        if base.causes:
            for explanation in constant_factor(base, view):
                best = min(best, explanation.cost)
                yield explanation
    for base in reordered(view):
        if base.causes:
            whole = view.matches(base.value, base.error)
            if whole.all():
                yield Explanation(base.causes, base.value, base.cost, whole)
                continue
        yield from constant_factor(base, view)
        yield from line_factors(base, view)
        yield from entry_factors(base, view)
        yield from added_terms(base, candidates, view)
        yield from wrong_places(base, view)
    for base in single if view.g.size <= _MOST_TERMS else ():
        yield from added_terms(base, candidates, view)
        yield from wrong_places(base, view)
        yield from line_factors(base, view)
    yield from row_weights(view)


def _fit(explained: Mapping[str, Explanation], views: Mapping[str, View]) -> str:
    """Say how well the explanations fit, and how wrong the gradient is without them."""
    after, before = [], []
    for name, e in explained.items():
        view = views[name]
        scale = max(float(np.abs(view.g).max()), float(np.abs(view.t).max())) or 1.0
        entries = "1 entry" if view.g.size == 1 else f"{view.g.size:,} entries"
        place = f"{name} ({entries})" if name else f"all {entries}"
        told = view.error <= _TOLD * np.maximum(np.abs(view.g), np.abs(view.t))
        left = np.abs(e.predicted - view.g)[told].max(initial=0.0)
        after.append(f"{place} to {left / scale:.1g}")
        before.append(f"{np.abs(view.t - view.g).max() / scale:.2g}")
    alone = all(len(e.causes) == 1 for e in explained.values())
    together = "this explains" if alone else "with the other findings this explains"
    return (
        f"{together} {', '.join(after)} of the largest entry; "
        f"without, the error is {', '.join(before)}"
    )


def _unexplained(view: View) -> Finding:
    gap = np.abs(view.g - view.t)
    allowed = view.allowed(view.t, view.error)
    wrong = gap > allowed
    order = np.argsort(gap, axis=None)[::-1]
    top = [tuple(int(i) for i in np.unravel_index(k, gap.shape)) for k in order[:3]]
    total = float((gap**2).sum())
    shares = [
        f"{view.index(*i) if i else 'the entry'}: {view.g[i]:.6g} instead of {view.t[i]:.6g} "
        f"({gap[i] ** 2 / total:.0%} of the squared error)"
        for i in top
    ]
    concentrated = _concentrated(gap, total, view.first)
    c = common_factor(view.g, view.t, view.error)
    usable = np.abs(view.t) > 1e3 * view.error
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (view.g / view.t)[usable][:6]
    ratio_text = ", ".join(f"{r:.6g}" for r in ratios)
    sentence = f"No mistake that is known here explains it: {int(wrong.sum())} of {gap.size} "
    sentence += "entries are wrong."
    if c is not None and ratios.size:
        sentence += f" Gradient over truth: {ratio_text}{', …' if usable.sum() > 6 else ''}."
    return Finding(
        "unexplained",
        view.name,
        sentence,
        "; ".join([*concentrated, *shares]),
        "Start where the error is largest. To have more explained pass known={name: array or "
        "function of the point} with the quantities of your formula, or network=(net, X, y).",
        explains=False,
    )


def _concentrated(gap: Array, total: float, first: int) -> list[str]:
    if gap.ndim != 2 or min(gap.shape) < 2 or total == 0:
        return []
    said = []
    for axis, word in ((1, "row"), (0, "column")):
        lines = (gap**2).sum(axis=axis) / total
        k = int(lines.argmax())
        if lines[k] > 0.5:
            said.append(f"{lines[k]:.0%} of the squared error is in {word} {k + first}")
    return said
