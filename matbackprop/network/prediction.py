"""Fitted values, and the moments to keep for them."""

from matbackprop._typing import Array, ArrayLike
from matbackprop.batchnorm import Moments
from matbackprop.errors import OptionError
from matbackprop.network.door import NO_OUTCOME, conform
from matbackprop.network.forward_pass import forward
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters


def moments(net: Network, par: Parameters, X: ArrayLike, /) -> Moments:
    """Return μ = 1ᵀZ/N and σ = √(1ᵀ(Z − 1μᵀ)²/(N − ddof) + eps) of Z = XΓ₁.

    Keep them from the training data, and pass them as `moments=` to treat new rows.

    Parameters
    ----------
    net, par
        A network with batch norm, and its parameters.
    X
        Data, shape (N, p1).

    Returns
    -------
    A frozen `Moments` with mu and sigma of shape (p2,), in float64.

    Raises
    ------
    OptionError
        If the network has no batch norm.
    DataError
        If N <= ddof, or a column of Z is constant while eps = 0.

    Examples
    --------
    >>> import numpy as np
    >>> par = Parameters(Gamma1=[[1.0]], Gamma2=[1.0], gamma=[1.0], beta=[0.0])
    >>> moments(Network(), par, np.array([[1.0], [3.0]])).mu
    array([2.])
    """
    call = "moments(net, par, X)"
    b = forward(net, conform(net, par, X, NO_OUTCOME, None, call=call)).b
    if b is None:
        raise OptionError(f"`{call}` is for batch norm, and this network has none.")
    return Moments(b.mu, b.sigma)


def predict(
    net: Network, par: Parameters, X: ArrayLike, /, *, moments: Moments | None = None
) -> Array:
    """Return the fitted values ŷ = a(b(XΓ₁))Γ₂.

    Parameters
    ----------
    net, par
        The network and its parameters.
    X
        Data, shape (N, p1).
    moments
        Moments of the training data: then a row's prediction depends on that row alone, and one
        row is enough. None: those of this batch.

    Returns
    -------
    Shape (N,) for `Gamma2` of shape (p2,), or (N, q) for (p2, q); float32 if every input is.

    Raises
    ------
    ShapeError
        If X, the parameters and the moments do not conform.
    DataError
        If X has an entry that is not finite, or no row; or if batch norm cannot divide by the
        spread of a column (see `moments`).
    DtypeError
        If X is not real.
    OptionError
        If network, parameters and moments disagree about batch norm.

    Examples
    --------
    >>> import numpy as np
    >>> par = Parameters(Gamma1=[[1.0]], Gamma2=[2.0], gamma=[1.0], beta=[0.0])
    >>> predict(Network("identity"), par, [[4.0]], moments=Moments(mu=[2.0], sigma=[0.5]))
    array([8.])
    """
    given = conform(net, par, X, NO_OUTCOME, moments, call="predict(net, par, X)")
    fitted = forward(net, given).fitted
    return fitted[:, 0] if par.Gamma2.ndim == 1 else fitted
