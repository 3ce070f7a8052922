"""The course of a fit, pass by pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from matbackprop.plots.canvas import BLUE, GREY, ORANGE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from matbackprop.streaming import Fit


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
    ax = ax or new_axes()
    from matplotlib.ticker import MaxNLocator

    passes = np.arange(1, fit.passes + 1)
    best = np.minimum.accumulate(fit.losses)
    ax.step(passes, best, where="post", color=BLUE, linewidth=1.5, label="best so far")
    ax.plot(passes, fit.losses, "o", color=ORANGE, markersize=3.5, label="each pass")
    right = ax.twinx()
    right.plot(passes, fit.gradient_norms, color=GREY, linewidth=0.8, label="gradient norm")
    for axes, values in ((ax, fit.losses), (right, fit.gradient_norms)):
        if (values > 0).all():
            axes.set_yscale("log")
        axes.spines["top"].set_visible(False)
    ax.set_zorder(right.get_zorder() + 1)  # the losses are what one looks for
    ax.patch.set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))  # there is no half of a pass
    ax.set(xlabel="passes over the rows", ylabel="loss R")
    right.set_ylabel("gradient norm", color=GREY)
    right.tick_params(axis="y", which="both", colors=GREY)
    handles = [*ax.get_lines(), *right.get_lines()]
    ax.legend(handles=handles, frameon=False, fontsize="small", loc="upper right")
    norm = fit.gradient_norms[fit.losses.argmin()]
    state = "converged" if fit.converged else "not converged"
    ax.set_title(f"{state}: R = {fit.loss:.4g}, gradient {norm:.2g}", fontsize="medium")
    return ax
