"""Pictures that teach: a Jacobian's blocks, two gradients compared, a projection, times.

Needs matplotlib: `pip install 'matbackprop[plots]'`. Every function draws on the axes it is
given, or on new ones, and returns them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import ArrayLike
from matbackprop._validation import real_array
from matbackprop.batchnorm import BatchNorm, normalize, pullback
from matbackprop.errors import DataError, MissingExtraError, ShapeError
from matbackprop.network import Jacobian

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from matbackprop.streaming import Fit

# Colour-blind safe, and readable on white and on black paper alike.
_ORANGE, _BLUE, _GREY = "#d95f02", "#3a78b5", "#888888"


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
    ax = ax or _new_axes()
    limit = float(np.abs(values).max()) or 1.0
    colours = _colours()
    ax.imshow(values, cmap=colours, vmin=-limit, vmax=limit, interpolation="none")
    ax.tick_params(length=0)
    for axis, blocks, line in ((ax.yaxis, rows, ax.axhline), (ax.xaxis, columns, ax.axvline)):
        if blocks is None:
            continue
        stops = np.cumsum(list(blocks.values()))
        middles = stops - np.array(list(blocks.values())) / 2 - 0.5
        axis.set_ticks(middles.tolist(), labels=list(blocks))
        for stop in stops[:-1]:
            line(stop - 0.5, color=_GREY, linewidth=0.6)
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


def plot_against(
    reference: ArrayLike,
    candidate: ArrayLike,
    /,
    *,
    names: tuple[str, str],
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw two gradients entry by entry: a pair of dots, joined by a line as long as the error.

    Parameters
    ----------
    reference, candidate
        Arrays of one shape; matrices are read column by column.
    names
        Who computed them, for the legend.
    labels
        A name for each entry.
    ax
        Where to draw.

    Raises
    ------
    ShapeError
        If the shapes differ, or there is not one label for each entry.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> ax = plot_against([1.0, 2.0], [1.0, -3.0], names=("true", "posted"), labels=["a", "b"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['true', 'posted']
    """
    call = "plot_against(reference, candidate)"
    one = real_array(reference, call=call, name="reference")
    two = real_array(candidate, call=call, name="candidate")
    if one.shape != two.shape:
        raise ShapeError(f"`{call}` needs arrays of one shape; got {one.shape} and {two.shape}.")
    one, two = one.ravel(order="F"), two.ravel(order="F")
    names_of_entries = [str(i + 1) for i in range(one.size)] if labels is None else list(labels)
    if len(names_of_entries) != one.size:
        raise ShapeError(
            f"`{call}` needs a label for each of the {one.size} entries; "
            f"got {len(names_of_entries)}."
        )
    ax = ax or _new_axes()
    place = np.arange(one.size)
    ax.hlines(place, np.minimum(one, two), np.maximum(one, two), color=_GREY, linewidth=1, zorder=1)
    ax.scatter(one, place, color=_BLUE, label=names[0], zorder=3, s=22)
    ax.scatter(two, place, color=_ORANGE, label=names[1], zorder=2, s=22, marker="D")
    ax.axvline(0, color=_GREY, linewidth=0.6, zorder=0)
    ax.set_yticks(place.tolist(), labels=names_of_entries)
    ax.invert_yaxis()
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.legend(frameon=False, fontsize="small")
    return ax


def plot_projection(
    x: ArrayLike, dy: ArrayLike, /, *, eps: float = 0.0, ax: Axes | None = None
) -> Axes:
    """Draw what batch norm does to a gradient, for a column of three entries.

    Centred columns of three entries lie in a plane, on which we look along the vector of ones.
    x̂ lies on the circle of radius √3 (inside it with eps > 0). Of the incoming gradient ∂L/∂y
    we see what is left without its mean. The dashed part, along x̂, is removed as well: all of it
    with eps = 0, and σ ∂L/∂x, which remains, is then tangent to the circle; else all but eps/σ²
    of it.

    Parameters
    ----------
    x, dy
        A column of the data and ∂L/∂y for it, shape (3,).
    eps
        Added to the variance.
    ax
        Where to draw.

    Raises
    ------
    ShapeError
        If a vector has not three entries.
    DataError
        If x is constant and eps = 0.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> ax = plot_projection([0.0, 1.0, 5.0], [1.0, 1.0, -1.0])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['x̂', '∂L/∂y, less its mean', 'removed, along x̂', 'σ ∂L/∂x']
    """
    call = "plot_projection(x, dy)"
    column, gradient = (
        real_array(v, call=call, name=name, ndim=1) for v, name in ((x, "x"), (dy, "dy"))
    )
    if column.shape != (3,) or gradient.shape != (3,):
        raise ShapeError(
            f"`{call}` draws columns of 3 entries, which is what fits into a plane; "
            f"got x {column.shape}, dy {gradient.shape}."
        )
    if eps == 0 and np.ptp(column) == 0:
        raise DataError(
            f"`{call}` with eps=0 divides by the standard deviation of x, and x is constant at "
            f"{column[0]:g}. Use an eps > 0."
        )
    b = normalize(column[:, None], BatchNorm(eps=eps))
    passed = pullback(gradient[:, None], b, np.ones(1))[0] * b.sigma
    plane = np.array([[1.0, -1.0, 0.0], [1.0, 1.0, -2.0]]) / np.sqrt([[2.0], [6.0]])
    xhat, before, after = (plane @ v for v in (b.Xhat[:, 0], gradient, passed[:, 0]))

    ax = ax or _new_axes()
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(*(np.sqrt(3) * np.array([np.cos(turn), np.sin(turn)])), color=_GREY, linewidth=0.8)
    arrow: dict[str, Any] = {
        "angles": "xy",
        "scale_units": "xy",
        "scale": 1,
        "width": 0.008,
        "zorder": 3,
    }
    ax.quiver(0, 0, *xhat, color=_GREY, label="x̂", **arrow)
    ax.quiver(*xhat, *before, color=_BLUE, label="∂L/∂y, less its mean", **arrow)
    lost = np.array([xhat + before, xhat + after]).T
    ax.plot(*lost, color=_GREY, linestyle="--", linewidth=1, label="removed, along x̂")
    ax.quiver(*xhat, *after, color=_ORANGE, label="σ ∂L/∂x", **arrow)
    ax.plot(0, 0, "o", color=_GREY, markersize=4)
    reach = 1.15 * max(np.sqrt(3), *(np.abs(xhat + v).max() for v in (before, after)))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
    return ax


def plot_times(frame: pd.DataFrame, /, *, ax: Axes | None = None) -> Axes:
    """Draw the time of each engine against the number of rows, on logarithmic scales.

    Where there are several numbers of rows, the legend says with which power of N the time
    grows: the slope of the line, by least squares.

    Parameters
    ----------
    frame
        What `matbackprop.bench.bench_engines` returns, for one dtype. Engines without a time
        are left out; inputs and hidden nodes are in the legend, with a marker, where they differ.
    ax
        Where to draw.

    Raises
    ------
    DataError
        If the frame has not the columns shape, engine and milliseconds.
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import pandas as pd
    >>> columns = ["shape", "engine", "milliseconds"]
    >>> rows = [("100 × 2 × 3", "torch", 1.0), ("400 × 2 × 3", "torch", 2.0)]
    >>> ax = plot_times(pd.DataFrame(rows, columns=columns))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['torch, $N^{0.50}$']
    """
    columns = ["shape", "engine", "milliseconds"]
    if missing := [name for name in columns if name not in frame]:
        raise DataError(
            f"`plot_times(frame)` needs the columns {', '.join(columns)}, as `bench_engines` "
            f"returns them; it has no {', '.join(missing)}."
        )
    ax = ax or _new_axes()
    timed = frame[columns].dropna()
    sizes = timed["shape"].str.partition(" × ")
    sizes_differ = sizes[2].nunique() > 1
    groups = timed.assign(N=sizes[0].astype(int), others=sizes[2])
    colours = {name: f"C{k % 10}" for k, name in enumerate(groups["engine"].unique())}
    markers = {name: "os^Dv"[k % 5] for k, name in enumerate(groups["others"].unique())}
    for (engine, others), rows in groups.groupby(["engine", "others"], sort=False):
        N, times = rows["N"].to_numpy(), rows["milliseconds"].to_numpy()
        label = f"{engine}, {others}" if sizes_differ else str(engine)
        if len(set(N)) > 1:
            label += f", $N^{{{np.polyfit(np.log(N), np.log(times), 1)[0]:.2f}}}$"
        order = np.argsort(N)
        style = {"color": colours[engine], "marker": markers[others], "label": label}
        ax.loglog(N[order], times[order], markersize=4, linewidth=1, **style)
    counts = sorted(set(groups["N"]))
    ax.set_xticks(counts, labels=[f"{N:,}" for N in counts])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="rows, N", ylabel="milliseconds")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def fit_path(fit: Fit, /, *, ax: Axes | None = None) -> Axes:
    """Draw the loss of each pass over the rows of a fit, the best so far, and the gradient's norm.

    A pass whose loss overflowed is left out.

    Parameters
    ----------
    fit
        What `problem.fit` returns.
    ax
        Where to draw.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.

    Examples
    --------
    >>> import matbackprop as mb
    >>> q = mb.question()
    >>> problem = mb.streaming.Problem.from_arrays(q.network, q.X, q.y)
    >>> ax = fit_path(problem.fit(q.parameters, max_passes=5))
    >>> ax.get_xlabel()
    'passes over the rows'
    """
    ax = ax or _new_axes()
    from matplotlib.ticker import MaxNLocator

    passes = np.arange(1, fit.passes + 1)
    best = np.minimum.accumulate(fit.losses)
    ax.step(passes, best, where="post", color=_BLUE, linewidth=1.5, label="best so far")
    ax.plot(passes, fit.losses, "o", color=_ORANGE, markersize=3.5, label="each pass")
    right = ax.twinx()
    right.plot(passes, fit.gradient_norms, color=_GREY, linewidth=0.8, label="gradient norm")
    for axes, values in ((ax, fit.losses), (right, fit.gradient_norms)):
        if (values > 0).all():
            axes.set_yscale("log")
        axes.spines["top"].set_visible(False)
    ax.set_zorder(right.get_zorder() + 1)  # the losses are what one looks for
    ax.patch.set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half of a pass
    ax.set(xlabel="passes over the rows", ylabel="loss R")
    right.set_ylabel("gradient norm", color=_GREY)
    right.tick_params(axis="y", which="both", colors=_GREY)
    handles = [*ax.get_lines(), *right.get_lines()]
    ax.legend(handles=handles, frameon=False, fontsize="small", loc="upper right")
    norm = fit.gradient_norms[fit.losses.argmin()]
    state = "converged" if fit.converged else "not converged"
    ax.set_title(f"{state}: R = {fit.loss:.4g}, gradient {norm:.2g}", fontsize="medium")
    return ax


def _matplotlib() -> ModuleType:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingExtraError(
            "`matbackprop.plots` needs matplotlib, which is not installed: "
            "pip install 'matbackprop[plots]'."
        ) from error
    return plt


def _new_axes() -> Axes:
    axes: Axes = _matplotlib().subplots(layout="constrained")[1]
    return axes


def _colours() -> Colormap:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [_BLUE, "white", _ORANGE])


__all__ = [
    "fit_path",
    "plot_against",
    "plot_jacobian",
    "plot_matrix",
    "plot_projection",
    "plot_times",
]
