"""What batch norm does to a gradient: a projection, in the plane of three entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from matbackprop._typing import ArrayLike
from matbackprop._validation import real_array
from matbackprop.batchnorm import BatchNorm, normalize, pullback
from matbackprop.errors import DataError, ShapeError
from matbackprop.plots.canvas import BLUE, GREY, ORANGE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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

    ax = ax or new_axes()
    turn = np.linspace(0, 2 * np.pi, 200)
    ax.plot(*(np.sqrt(3) * np.array([np.cos(turn), np.sin(turn)])), color=GREY, linewidth=0.8)
    arrow: dict[str, Any] = {
        "angles": "xy",
        "scale_units": "xy",
        "scale": 1,
        "width": 0.008,
        "zorder": 3,
    }
    ax.quiver(0, 0, *xhat, color=GREY, label="x̂", **arrow)
    ax.quiver(*xhat, *before, color=BLUE, label="∂L/∂y, less its mean", **arrow)
    lost = np.array([xhat + before, xhat + after]).T
    ax.plot(*lost, color=GREY, linestyle="--", linewidth=1, label="removed, along x̂")
    ax.quiver(*xhat, *after, color=ORANGE, label="σ ∂L/∂x", **arrow)
    ax.plot(0, 0, "o", color=GREY, markersize=4)
    reach = 1.15 * max(np.sqrt(3), *(np.abs(xhat + v).max() for v in (before, after)))
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
    return ax
