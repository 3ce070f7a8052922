"""Pictures that teach: a Jacobian's blocks, two gradients compared, a projection, times.

Needs matplotlib: `pip install 'matbackprop[plots]'`. Every function draws on the axes it is
given, or on new ones, and returns them.
"""

from matbackprop.plots.checks import plot_check
from matbackprop.plots.comparisons import plot_against
from matbackprop.plots.fits import fit_path
from matbackprop.plots.matrices import plot_jacobian, plot_matrix
from matbackprop.plots.projection import plot_projection
from matbackprop.plots.speed import plot_times

__all__ = [
    "fit_path",
    "plot_against",
    "plot_check",
    "plot_jacobian",
    "plot_matrix",
    "plot_projection",
    "plot_times",
]
