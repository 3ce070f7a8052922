"""Entries in the wrong place: transposed, row-major for column-major, exchanged, symmetric."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.cause import Base, Cause
from matbackprop.checking.view import RTOL, View

_Order = Literal["C", "F"]
TRANSPOSED = Cause(
    "transposed",
    "The gradient is transposed.",
    "Return its transpose: a gradient has the shape of its variable, dL = tr(GᵀdX).",
    key="transposed",
)


def reordered(view: View, /) -> Iterator[Base]:
    """Yield the true gradient with its entries in the order of a common mistake."""
    t = view.t
    if view.transposed:
        yield from orders_of_any(view)
        return
    yield view.truth
    yield from orders_of_any(view)
    if t.ndim == 2 and t.shape[0] == t.shape[1] and t.size > 1:
        yield from _symmetric(view)
    yield from _vec_orders(view)
    yield from _other_parameter(view)
    yield from _exchanged_lines(view)
    yield from _permuted(view)


def orders_of_any(view: View, /) -> Iterator[Base]:
    """Yield the orders that are tried whatever the numbers: transposed, row-major."""
    t, e = view.t, view.error
    if view.transposed:
        shapes = f"it came in the shape {t.shape[::-1]}, the parameter has {t.shape}"
        yield Base((replace(TRANSPOSED, evidence=shapes, key="transposed"),), t, e, 1.0)
        return
    if t.ndim == 2 and t.shape[0] == t.shape[1] and t.size > 1:
        yield Base((TRANSPOSED,), t.T, e.T, 1.0)
    yield from _row_major(view)


def reversed_order(view: View, /) -> Base:
    """Return the entries from the last to the first."""
    order = np.arange(view.t.size)[::-1]
    value, error = (a.ravel()[::-1].reshape(view.t.shape) for a in (view.t, view.error))
    return Base((_order_cause(order, view),), value, error, 1.3)


def _row_major(view: View) -> Iterator[Base]:
    t, e = view.t, view.error
    if t.ndim >= 2 and min(t.shape) > 1:
        ways: tuple[tuple[_Order, _Order], ...] = (("C", "F"), ("F", "C"))
        for taken, put in ways:
            words = {"C": "by rows", "F": "by columns"}
            cause = Cause(
                "row-major order",
                f"The entries are in the wrong order: listed {words[taken]}, they are filled in "
                f"{words[put]}.",
                'One order in both places: vec stacks columns (R, `order="F"`), NumPy\'s ravel '
                'and reshape go by rows (`order="C"`).',
            )
            value, error = (
                np.asarray(a).ravel(order=taken).reshape(t.shape, order=put) for a in (t, e)
            )
            yield Base((cause,), value, error, 1.05)
    elif t.ndim == 1:
        for rows in (k for k in range(2, t.size // 2 + 1) if t.size % k == 0):
            columns = t.size // rows
            cause = Cause(
                "row-major order",
                f"The vector stacks the rows of a matrix where its columns are meant, or the other "
                f"way round: it fits a {rows} × {columns} matrix stacked by columns.",
                'vec stacks columns (R, `order="F"`); NumPy\'s ravel goes by rows.',
                key=f"{rows} × {columns}",
            )
            stacked, doubt = (a.reshape(rows, columns).ravel(order="F") for a in (t, e))
            yield Base((cause,), stacked, doubt, 1.05)


def _vec_orders(view: View) -> Iterator[Base]:
    """Yield a Jacobian or Hessian whose rows, columns or both are listed as by a row-major vec."""
    t, e = view.t, view.error
    if view.theta is not None or t.ndim != 2:
        return
    sides = {"columns": (False, True), "rows": (True, False), "rows and columns": (True, True)}
    for words, (of_rows, of_columns) in sides.items():
        size = t.shape[1] if of_columns else t.shape[0]
        if of_rows and of_columns and t.shape[0] != t.shape[1]:
            continue
        for k in (k for k in range(2, size // 2 + 1) if size % k == 0):
            order = np.arange(size).reshape(k, size // k).ravel(order="F")
            value, error = t, e
            if of_rows:
                value, error = value[order], error[order]
            if of_columns:
                value, error = value[:, order], error[:, order]
            cause = Cause(
                "row-major order",
                f"The {words} are in the order of a vec that stacks rows, where one that "
                f"stacks columns is meant: they fit a {k} × {size // k} matrix, "
                "or its transpose.",
                'vec stacks columns (R, `order="F"`); NumPy\'s ravel goes by rows.',
                key=f"{words} {k} × {size // k}",
            )
            yield Base((cause,), value, error, 1.05)


def _other_parameter(view: View) -> Iterator[Base]:
    for name, partner in view.partners.items():
        if partner.size != view.t.size:
            continue
        cause = Cause(
            "exchanged",
            f"Here stands the gradient of {name}: two outputs are exchanged.",
            "Return each gradient under its own name.",
            key="|".join(sorted((view.name, name))),
        )
        yield Base((cause,), partner.reshape(view.t.shape), np.zeros_like(view.t), 1.0)


def _exchanged_lines(view: View) -> Iterator[Base]:
    """Find two columns, or two rows, that changed places; all of them may carry a factor."""
    if view.t.ndim != 2:
        return
    for axis, word in ((1, "columns"), (0, "rows")):
        t, g = (np.moveaxis(a, axis, 0) for a in (view.t, view.g))
        if len(t) < 2 or t.shape[1] < 2 or len(t) > 2000:
            continue
        order = _assignment(t, g)
        if order is None:
            continue
        value, error = (
            np.moveaxis(np.moveaxis(a, axis, 0)[order], 0, axis) for a in (view.t, view.error)
        )
        moved = [int(k) for k in np.flatnonzero(order != np.arange(len(order)))]
        text = (
            f"{word.capitalize()} {moved[0] + view.first} and {moved[1] + view.first} "
            f"are exchanged {view.counted}."
            if len(moved) == 2
            else f"The {word} are in another order: {_listed(order + view.first)} {view.counted}."
        )
        cause = Cause(
            "exchanged",
            text,
            f"Put the {word} in the order of the parameter.",
            key=f"{word} {_listed(order)}",
        )
        yield Base((cause,), value, error, 1.1)


def _assignment(t: Array, g: Array) -> Array | None:
    """Return which line of t each line of g is parallel to, if that is another order."""
    lengths = np.linalg.norm(t, axis=1), np.linalg.norm(g, axis=1)
    if min(a.min() for a in lengths) == 0.0:
        return None
    cosines = (g / lengths[1][:, None]) @ (t / lengths[0][:, None]).T
    order = np.abs(cosines).argmax(axis=1)
    best = np.abs(cosines)[np.arange(len(g)), order]
    plain = sorted(order) == list(range(len(t)))
    if not plain or (order == np.arange(len(t))).all() or best.min() < 1 - 1e-9:
        return None
    return np.asarray(order)


def _permuted(view: View) -> Iterator[Base]:
    """Find any other order of the entries: the sorted values are the same but for one factor."""
    t, g = view.t.ravel(), view.g.ravel()
    norms = np.linalg.norm(t), np.linalg.norm(g)
    if t.size < 2 or min(norms) == 0.0:
        return
    factors = {1.0, -1.0, float(norms[1] / norms[0]), -float(norms[1] / norms[0])}
    for c in factors:
        scaled = c * t
        at, of = np.argsort(scaled, kind="stable"), np.argsort(g, kind="stable")
        allowed = 10 * RTOL * np.abs(g[of]) + abs(c) * view.error.ravel()[at]
        if (np.abs(scaled[at] - g[of]) > allowed + 1e-12 * np.abs(g).max()).any():
            continue
        order = np.empty(t.size, dtype=int)
        order[of] = at
        # Where equal values make the order ambiguous, leave them where they are.
        stay = np.abs(scaled - g) <= 10 * RTOL * np.abs(g)
        order[stay & (scaled[order] == scaled)] = np.flatnonzero(stay & (scaled[order] == scaled))
        if (order == np.arange(t.size)).all() or sorted(order) != list(range(t.size)):
            continue
        value, error = (a[order].reshape(view.t.shape) for a in (t, view.error.ravel()))
        yield Base((_order_cause(order, view),), value, error, 1.3)
        return


def _order_cause(order: Array, view: View) -> Cause:
    n = order.size
    moved = np.flatnonzero(order != np.arange(n))

    def place(k: int) -> str:
        return view.index(*np.unravel_index(int(k), view.t.shape))

    if moved.size == 2:
        text = f"Entries {place(moved[0])} and {place(moved[1])} are exchanged {view.counted}."
    elif (order == np.arange(n)[::-1]).all():
        text = "The entries are in reverse order."
    elif len(set((order - np.arange(n)) % n)) == 1:
        shift = int((np.arange(n)[0] - order[0]) % n)
        by = f"{shift} forward" if shift <= n // 2 else f"{n - shift} back"
        text = f"The entries are shifted by {by}: an index that starts at the wrong number?"
    else:
        text = f"The entries are right, but in another order: {moved.size} of {n} are elsewhere."
    return Cause(
        "exchanged",
        text,
        "Put the entries in the order of the parameter.",
        key=f"order {_listed(order)}",
    )


def _symmetric(view: View) -> Iterator[Base]:
    t, e = view.t, view.error
    both = t + t.T
    # Of a function that reads one triangle only, the other has no slope.
    lower, upper = np.abs(np.triu(t, 1)).max() == 0, np.abs(np.tril(t, -1)).max() == 0
    if (lower or upper) and not (lower and upper):
        cause = Cause(
            "symmetric",
            f"The loss reads only the {'lower' if lower else 'upper'} triangle of the matrix; the "
            "gradient spreads the slope over both.",
            "Entry by entry one triangle has no slope. If the parameter is symmetric, let the loss "
            "use (A + Aᵀ)/2: the gradient is then right.",
            key="triangle",
        )
        yield Base((cause,), both / 2, e + e.T, 1.0)
    options = {
        "off-diagonal entries are counted twice (2G − diag G, the gradient in vech)": both
        - np.diag(np.diag(t)),
        "it is G + Gᵀ": both,
        "it is symmetrised, (G + Gᵀ)/2": both / 2,
        "off-diagonal entries are halved": (t + np.diag(np.diag(t))) / 2,
        "only the upper triangle is filled": np.triu(t),
        "only the lower triangle is filled": np.tril(t),
        "only the diagonal is filled": np.diag(np.diag(t)),
        "the diagonal is left out": t - np.diag(np.diag(t)),
    }
    for words, value in options.items():
        cause = Cause(
            "symmetric",
            f"The matrix is treated as symmetric: {words}."
            if "filled" not in words and "left out" not in words
            else f"Of the square matrix {words}.",
            "Choose one meaning: entry by entry (dL = tr(GᵀdX), every entry free), or of a "
            "symmetric matrix in vech.",
            key=words,
        )
        yield Base((cause,), value, e + e.T, 1.15)


def _listed(order: Array) -> str:
    shown = ", ".join(str(int(k)) for k in order[:12])
    return shown + (", …" if order.size > 12 else "")
