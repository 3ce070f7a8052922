"""Numerical derivatives: the one place of the package where they are taken.

Three tools, each a witness that knows nothing of the formulas it is asked about:

- `complex_step`: exact to rounding, for functions that are analytic and accept complex input;
- `central_difference`: for any function of real input, with an error estimate per entry;
- `directional_derivative`, `directional_derivatives` and `check_direction`: along one direction
  or several, at a constant cost for each.

Of a scalar f they return the gradient, in the shape of x; of an array-valued F the Jacobian
∂vec(F)/∂vec(x)ᵀ, with vec as in `matbackprop.linalg`.
"""

from matbackprop.differences.central import central_difference
from matbackprop.differences.directions import (
    DirectionCheck,
    check_direction,
    directional_derivative,
    directional_derivatives,
)
from matbackprop.differences.imaginary import complex_step
from matbackprop.differences.records import Estimate

__all__ = [
    "DirectionCheck",
    "Estimate",
    "central_difference",
    "check_direction",
    "complex_step",
    "directional_derivative",
    "directional_derivatives",
]
