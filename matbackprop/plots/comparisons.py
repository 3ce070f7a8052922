"""Two gradients compared entry by entry; a gradient against its numerical derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from matbackprop._typing import ArrayLike
from matbackprop._validation import real_array
from matbackprop.errors import ShapeError
from matbackprop.plots.canvas import BLUE, GREY, ORANGE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    ax = ax or new_axes()
    place = np.arange(one.size)
    ax.hlines(place, np.minimum(one, two), np.maximum(one, two), color=GREY, linewidth=1, zorder=1)
    ax.scatter(one, place, color=BLUE, label=names[0], zorder=3, s=22)
    ax.scatter(two, place, color=ORANGE, label=names[1], zorder=2, s=22, marker="D")
    ax.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    ax.set_yticks(place.tolist(), labels=names_of_entries)
    ax.invert_yaxis()
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.legend(frameon=False, fontsize="small")
    return ax
