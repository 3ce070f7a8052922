"""The loss as a function of θ alone, or of X alone: for optimisers and numerical derivatives."""

from collections.abc import Callable

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop.batchnorm import Moments
from matbackprop.errors import ShapeError
from matbackprop.network.door import conform
from matbackprop.network.forward_pass import forward
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters, unstack


def objective(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    /,
    *,
    moments: Moments | None = None,
) -> Callable[[Array], Array]:
    """Return θ ↦ R(θ), with θ = (vec Γ₁, vec Γ₂, γ, β) as in `par.to_vector()`.

    The function also takes a complex θ when the activation is analytic, so that a complex step
    through it gives the gradient to rounding. The data are checked once, here.

    Examples
    --------
    >>> from matbackprop.differences import complex_step
    >>> net, par = Network("tanh", batch_norm=None), Parameters([[0.5]], [2.0])
    >>> R = objective(net, par, [[1.0]], [0.0])
    >>> complex_step(R, par.to_vector()).shape
    (2,)
    """
    call = "objective(net, par, X, y)"
    given = conform(net, par, X, y, moments, call=call)
    P = par.to_vector().size

    def loss(theta: Array) -> Array:
        if np.shape(theta) != (P,):
            raise ShapeError(
                f"`{call}(theta)` needs the {P} entries of `par.to_vector()`; "
                f"got shape {np.shape(theta)}."
            )
        named = zip(("Gamma1", "Gamma2", "gamma", "beta"), unstack(theta, par), strict=True)
        blocks = {name: block for name, block in named if block is not None}
        blocks["Gamma2"] = blocks["Gamma2"].reshape(given.Gamma2.shape)
        return forward(net, given._replace(**blocks)).loss  # type: ignore[arg-type]

    return loss


def objective_of_inputs(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    /,
    *,
    moments: Moments | None = None,
) -> Callable[[Array], Array]:
    """Return X ↦ R(X) at fixed parameters; complex X as in `objective`.

    Examples
    --------
    >>> import numpy as np
    >>> net, par = Network("identity", batch_norm=None), Parameters([[0.5]], [2.0])
    >>> float(objective_of_inputs(net, par, [[1.0]], [0.0])(np.array([[3.0]])))
    9.0
    """
    call = "objective_of_inputs(net, par, X, y)"
    given = conform(net, par, X, y, moments, call=call)

    def loss(at: Array) -> Array:
        if np.shape(at) != given.X.shape:
            raise ShapeError(
                f"`{call}(X)` needs X of shape {given.X.shape}, as given; got {np.shape(at)}."
            )
        return forward(net, given._replace(X=at)).loss

    return loss
