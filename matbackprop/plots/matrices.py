"""A matrix as a picture of its signs and sizes; a Jacobian with its blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from matbackprop._typing import ArrayLike
from matbackprop._validation import real_array
from matbackprop.errors import ShapeError
from matbackprop.network import Jacobian
from matbackprop.plots.canvas import GREY, new_axes, signed_colours

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_matrix(
    matrix: ArrayLike,
    /,
    *,
    rows: Mapping[str, int] | None = None,
    columns: Mapping[str, int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a matrix as a picture: blue below zero, orange above, white where it is zero.

    Parameters
    ----------
    matrix
        Shape (m, n).
    rows, columns
        Names and sizes of its blocks, in order; lines are drawn between them.
    ax
        Where to draw.

    Raises
    ------
    ShapeError
        If it is no matrix, or the blocks do not add up to its shape.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> ax = plot_matrix(np.eye(4), rows={"a": 3, "b": 1})
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a', 'b']
    """
    call = "plot_matrix(matrix)"
    values = real_array(matrix, call=call, name="matrix", ndim=2)
    for blocks, size, name in zip((rows, columns), values.shape, ("rows", "columns"), strict=True):
        if blocks is not None and sum(blocks.values()) != size:
            raise ShapeError(
                f"`{call}` needs {name} whose sizes add up to {size}; got {dict(blocks)}."
            )
    ax = ax or new_axes()
    limit = float(np.abs(values).max()) or 1.0
    colours = signed_colours()
    ax.imshow(values, cmap=colours, vmin=-limit, vmax=limit, interpolation="none")
    ax.tick_params(length=0)
    for axis, blocks, line in ((ax.yaxis, rows, ax.axhline), (ax.xaxis, columns, ax.axvline)):
        if blocks is None:
            continue
        stops = np.cumsum(list(blocks.values()))
        middles = stops - np.array(list(blocks.values())) / 2 - 0.5
        axis.set_ticks(middles.tolist(), labels=list(blocks))
        for stop in stops[:-1]:
            line(stop - 0.5, color=GREY, linewidth=0.6)
    return ax


def plot_jacobian(jacobian: Jacobian, /, *, ax: Axes | None = None) -> Axes:
    """Draw ∂vec(ŷ)/∂θᵀ with its blocks: Γ₁ (a node at a time), Γ₂, γ, β.

    Examples
    --------
    >>> import matbackprop as mb
    >>> q = mb.question()
    >>> ax = plot_jacobian(mb.jacobian(q.network, q.parameters, q.X))
    >>> [label.get_text() for label in ax.get_xticklabels()][-3:]
    ['Γ₂', 'γ', 'β']
    """
    matrix, blocks = jacobian.matrix, jacobian.blocks
    nodes = [
        label.rpartition(",")[2].rstrip("]") for label in jacobian.column_labels[blocks["Gamma1"]]
    ]
    columns = {f"Γ₁ {node}": nodes.count(node) for node in dict.fromkeys(nodes)}
    symbols = {"Gamma2": "Γ₂", "gamma": "γ", "beta": "β"}
    for name, symbol in symbols.items():
        if name in blocks:
            columns[symbol] = blocks[name].stop - blocks[name].start
    ax = plot_matrix(matrix, columns=columns, ax=ax)
    ax.set_yticks([])
    ax.set_ylabel("entries of vec(ŷ)")
    return ax
