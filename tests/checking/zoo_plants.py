"""Ways to spoil a gradient: each takes a case and its gradient, and returns a wrong gradient.

Points and gradients are dicts of blocks here; `block` says which one is spoilt, "" all.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from tests.checking.zoo_losses import Blocks, Case

Gradient = Callable[[Blocks], Blocks]
Plant = Callable[[Case, Gradient], Gradient]


def option(**options) -> Plant:
    """The case's own gradient with other options."""
    return lambda case, gradient: partial(case.gradient, **options)


def edited(edit: Callable[[Case, np.ndarray, np.ndarray], np.ndarray], block: str = "") -> Plant:
    """Each block (or one) becomes edit(case, its gradient, its value)."""

    def plant(case, gradient):
        def wrong(at):
            return {
                name: edit(case, np.array(g), at[name]) if block in ("", name) else g
                for name, g in gradient(at).items()
            }

        return wrong

    return plant


def times(factor, block: str = "") -> Plant:
    """Multiplied by a number, or by a function of the case."""
    return edited(lambda c, G, x: (factor(c) if callable(factor) else factor) * G, block)


def N_times(block: str = "") -> Plant:
    return times(rows, block)


def over_N(block: str = "") -> Plant:
    return times(lambda c: 1 / rows(c), block)


def rows(case: Case) -> int:
    return len(case.network[1]) if case.network else case.known["N"]


def transposed(block: str = "") -> Plant:
    return edited(lambda c, G, x: G.T, block)


def row_major(block: str = "") -> Plant:
    """Entries read row by row, and filled in column by column."""
    return edited(lambda c, G, x: G.ravel("C").reshape(G.shape, order="F"), block)


def column_major(block: str = "") -> Plant:
    """Entries read column by column, and filled in row by row."""
    return edited(lambda c, G, x: G.ravel("F").reshape(G.shape, order="C"), block)


def exchanged(i: int, j: int, block: str = "", axis: int = -1) -> Plant:
    """Columns i and j exchanged; rows with axis=0."""

    def edit(case, G, x):
        order = np.arange(G.shape[axis])
        order[[i, j]] = j, i
        return G.take(order, axis=axis)

    return edited(edit, block)


def blocks_exchanged(a: str, b: str) -> Plant:
    def plant(case, gradient):
        def wrong(at):
            g = gradient(at)
            return g | {a: g[b], b: g[a]}

        return wrong

    return plant


def at_index(index, change: Callable, block: str = "") -> Plant:
    """Only G[index], an entry, a row, a column or a part, is replaced by change(it)."""

    def edit(case, G, x):
        G[index] = change(G[index])
        return G

    return edited(edit, block)


def shuffled(seed: int = 3) -> Callable:
    """A change that has no rule: other numbers of the same size."""

    def change(part):
        part = np.asarray(part)
        size = np.sqrt((part**2).mean()) + 1e-3
        return part + size * np.random.default_rng(seed).choice([-1, 1], part.shape) * (
            np.random.default_rng(seed + 1).uniform(0.7, 1.9, part.shape)
        )

    return change


def where_negative(change: Callable, block: str = "") -> Plant:
    """Wrong only where the parameter is negative."""
    return edited(lambda c, G, x: np.where(x < 0, change(G), G), block)


def where_positive(change: Callable, block: str = "") -> Plant:
    return edited(lambda c, G, x: np.where(x > 0, change(G), G), block)


def elsewhere(case: Case, by: float = 0.7) -> Blocks:
    """Another point, near enough for matrices to stay positive definite."""
    rng = np.random.default_rng([9, case.seed])
    return {
        name: np.array(x) * 1.3 if name in ("U", "V") else x + by * rng.standard_normal(x.shape)
        for name, x in case.blocks.items()
    }


def constant(case, gradient):
    """The gradient of one other point, wherever it is asked."""
    frozen = gradient(elsewhere(case))
    return lambda at: frozen


def stale(case, gradient):
    """Cached at its first call, which was at another point, for ever."""
    return _cached(gradient, elsewhere(case))


def first_kept(case, gradient):
    """Cached at the checker's own first call: right there, and wrong at every later point."""
    return _cached(gradient, None)


def _cached(gradient, first):
    kept = [] if first is None else [gradient(first)]

    def wrong(at):
        if not kept:
            kept.append({name: np.array(g) for name, g in gradient(at).items()})
        return kept[0]

    return wrong


def one_call_late(case, gradient):
    """Returns the gradient of the point of the call before."""
    last = [elsewhere(case)]

    def wrong(at):
        last.append({name: np.array(x) for name, x in at.items()})
        return gradient(last.pop(0))

    return wrong


def noisy(size: float) -> Plant:
    """Random numbers added, relative to the gradient's size: a minibatch."""

    def plant(case, gradient):
        rng = np.random.default_rng([8, case.seed])

        def wrong(at):
            return {
                name: g + size * np.abs(g).max() * rng.standard_normal(g.shape)
                for name, g in gradient(at).items()
            }

        return wrong

    return plant


def dropout(share: float) -> Plant:
    """Entries left out at random, the others scaled up."""

    def plant(case, gradient):
        rng = np.random.default_rng([7, case.seed])

        def wrong(at):
            return {
                name: g * (rng.uniform(size=g.shape) > share) / (1 - share)
                for name, g in gradient(at).items()
            }

        return wrong

    return plant


def both(*plants: Plant) -> Plant:
    """One after the other."""

    def plant(case, gradient):
        for each in plants:
            gradient = each(case, gradient)
        return gradient

    return plant


def unspoilt(case, gradient):
    return gradient
