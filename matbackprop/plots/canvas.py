"""Axes to draw on, and the colours of the house."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from matbackprop.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

# Colour-blind safe, and readable on white and on black paper alike.
ORANGE, BLUE, GREY = "#d95f02", "#3a78b5", "#888888"


def new_axes() -> Axes:
    """Return the axes of a new figure."""
    axes: Axes = _matplotlib().subplots(layout="constrained")[1]
    return axes


def signed_colours() -> Colormap:
    """Return the scale from blue over white to orange."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", [BLUE, "white", ORANGE])


def _matplotlib() -> ModuleType:
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingExtraError(
            "`matbackprop.plots` needs matplotlib, which is not installed: "
            "pip install 'matbackprop[plots]'."
        ) from error
    return plt
