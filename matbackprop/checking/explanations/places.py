"""Right in most places, wrong in some: at one index, in one row, where an entry is negative."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Base, Cause
from matbackprop.checking.constants import close, constant
from matbackprop.checking.explanations.factors import common_factor, factor_causes
from matbackprop.checking.records import Kind
from matbackprop.checking.view import Explanation, View


class Place(NamedTuple):
    """Some of the entries, and how one speaks of them."""

    kind: Kind
    words: str
    mask: Array
    cost: float


def wrong_places(base: Base, view: View, /) -> Iterator[Explanation]:
    """Yield the place where the gradient is wrong, if it is right, up to a factor, elsewhere."""
    if view.g.size < 2:
        return
    tried = {1.0}
    if (c := common_factor(view.g, base.value, base.error)) is not None and c != 0:
        tried.add(c)
    for factor in tried:
        predicted = factor * base.value
        matched = view.matches(predicted, abs(factor) * base.error)
        wrong = ~matched
        # What is zero in both tells nothing: only other entries can be right.
        right = int((matched & ~_silent(view.t)).sum())
        if not wrong.any() or right < min(2, view.g.size - 1):
            continue
        if (base.causes or not close(factor, 1.0)) and right <= wrong.sum():
            continue
        causes, cost = factor_causes(factor, view, base)
        for place in _places(wrong, matched, view):
            inside, price, exact = _inside(place, base, view, factor)
            yield Explanation(
                (*base.causes, *causes, inside),
                np.where(wrong, exact, predicted),
                base.cost + cost + place.cost + price,
                np.ones_like(matched),
            )
            break


def _inside(place: Place, base: Base, view: View, factor: float) -> tuple[Cause, float, Array]:
    """Say what is wrong within the place: a factor, nothing but zeros, or a constant too much."""
    at = place.mask & (np.abs(view.g - factor * base.value) > 0)
    g, t = view.g[at], factor * base.value[at]
    evidence = f"{int(at.sum())} of {view.g.size} entries are wrong, all of them there"
    if at.sum() == 1:
        evidence = f"there it is {g[0]:.6g} instead of {t[0]:.6g}; everywhere else it is right"
    what, price = "", 0.5
    c = common_factor(g, t, base.error[at] * abs(factor))
    if not g.any():
        what, price = "it is left at zero", 0.1
    elif c is not None and (np.abs(g - c * t) <= 1e-5 * np.abs(g)).all():
        k = constant(c, view.quantities.sizes)
        if k.name or g.size > 1:
            what = "the sign is wrong" if k.name == "−1" else f"it is {k.text} times too large"
            if k.name and abs(c) < 1 and k.name != "−1":
                what = f"it is {k.text} of what it should be"
            price = 0.1 if k.name else 0.4
    elif g.size > 1 and np.ptp(g - t) <= 1e-5 * np.abs(g - t).max():
        what, price = f"a constant is too much, {float(np.median(g - t)):.6g}", 0.3
    sentence = f"The gradient is wrong only {place.words}"
    sentence += f": {what}." if what else "."
    remedy = f"Look at how the gradient is computed {place.words}."
    if place.kind in ("negative entries", "positive entries"):
        remedy += " A sign, an absolute value or a maximum may be taken on one side only."
    cause = Cause(place.kind, sentence, remedy, evidence, key=f"{place.words} {what}")
    return cause, price, view.g


def _places(wrong: Array, matched: Array, view: View) -> Iterator[Place]:
    shape, count = view.g.shape, int(wrong.sum())
    counted = view.counted
    if count == 1:
        index = view.index(*np.argwhere(wrong)[0])
        yield Place("one index", f"at one index, {index} {counted}", wrong, 1.2)
    if len(shape) == 2 and min(shape) > 1:
        rows, columns = np.flatnonzero(wrong.any(axis=1)), np.flatnonzero(wrong.any(axis=0))
        # A line is wrong as a whole; entries of it that are zero cannot tell.
        if rows.size == 1 and _whole(wrong[rows[0]], view.t[rows[0]]):
            yield Place(
                "one row", f"in one row, {int(rows[0]) + view.first} {counted}", wrong, 1.25
            )
        if columns.size == 1 and _whole(wrong[:, columns[0]], view.t[:, columns[0]]):
            yield Place(
                "one column",
                f"in one column, {int(columns[0]) + view.first} {counted}",
                wrong,
                1.25,
            )
    if len(shape) == 2 and shape[0] == shape[1]:
        diagonal = np.eye(len(wrong), dtype=bool)
        patterns = {
            "on the diagonal": diagonal,
            "off the diagonal": ~diagonal,
            "above the diagonal": np.triu(np.ones(shape, dtype=bool), 1),
            "below the diagonal": np.tril(np.ones(shape, dtype=bool), -1),
        }
        for words, mask in patterns.items():
            if _is(wrong, mask, matched, view):
                yield Place("one part", words, wrong, 1.3)
    yield from _by_sign(wrong, matched, view)
    flat = np.flatnonzero(wrong.ravel())
    first, last = int(flat[0]), int(flat[-1])
    run = last - first + 1
    if (
        count > 1
        and run < wrong.size
        and _whole(wrong.ravel()[first : last + 1], view.t.ravel()[first : last + 1])
    ):
        if len(shape) == 1:
            yield Place(
                "one part",
                f"in entries {first + view.first} to {last + view.first} {counted}",
                wrong,
                1.4,
            )
        else:
            names = [view.index(*np.unravel_index(k, shape)) for k in (first, last)]
            yield Place(
                "one part", f"from {names[0]} to {names[1]}, row by row {counted}", wrong, 1.5
            )
    if len(shape) == 2 and min(shape) > 1:
        for axis, word in ((0, "column"), (1, "row")):
            lines = np.flatnonzero(wrong.any(axis=axis))
            if 1 < lines.size < wrong.shape[1 - axis] and _whole(
                np.take(wrong, lines, 1 - axis), np.take(view.t, lines, 1 - axis)
            ):
                listed = ", ".join(str(int(k) + view.first) for k in lines[:8])
                yield Place("one part", f"in the {word}s {listed} {counted}", wrong, 1.5)
    if 1 < count <= max(2, 0.1 * wrong.size):
        listed = ", ".join(view.index(*k) for k in np.argwhere(wrong)[:5])
        yield Place("one part", f"at {count} entries, {listed} {counted}", wrong, 1.9)


def _by_sign(wrong: Array, matched: Array, view: View) -> Iterator[Place]:
    signs: list[tuple[str, Array]] = []
    if view.theta is not None and view.theta.shape == wrong.shape:
        signs.append((f"the parameter{f' {view.name}' if view.name else ''}", view.theta))
    signs.append(("the gradient", view.t))
    signs += [
        (name, a)
        for name, a in view.quantities.arrays.items()
        if a.shape == wrong.shape and name not in view.quantities.own
    ]
    for name, value in signs:
        for kind, word, mask in (
            ("negative entries", "negative", value < 0),
            ("positive entries", "positive", value > 0),
        ):
            # Two on each side at least, or chance will do.
            if mask.sum() >= 2 and (~mask).sum() >= 1 and _is(wrong, mask, matched, view):
                yield Place(kind, f"where {name} is {word}", wrong, 1.2)  # type: ignore[arg-type]


def _is(wrong: Array, mask: Array, matched: Array, view: View) -> bool:
    """Tell whether the entries of a mask are the wrong ones, but for those that are zero."""
    if (wrong & ~mask).any():
        return False
    silent = _silent(view.t)
    return not (mask & matched & ~silent).any()


def _whole(wrong: Array, t: Array) -> bool:
    return bool((wrong | _silent(t)).all()) and bool(wrong.any())


def _silent(t: Array) -> Array:
    return np.asarray(np.abs(t) <= 1e-9 * np.abs(t).max(initial=0.0))
