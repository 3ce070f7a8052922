"""What batch norm does to a gradient: the eigenvalues of its Jacobian, in closed form."""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace

from matbackprop.batchnorm.affine import Cache, along_statistics
from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.errors import DtypeError, OptionError

_CALL = "layer_spectrum(cache)"


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Eigenvalues of the block of ∂vec(Y)/∂vec(X)ᵀ that belongs to each set of m entries.

    Parameters
    ----------
    along_one
        The eigenvalue along the vector of ones: 0, for a constant added to a column is lost.
    along_xhat
        Along x̂: (γ/σ)·eps/σ², which is 0 with eps = 0: a change of scale is lost, too.
    elsewhere
        On the rest: γ/σ.
    multiplicity
        How often `elsewhere` occurs: m − 2.

    With given moments all are γ/σ, for nothing is lost.
    """

    along_one: AnyArray
    along_xhat: AnyArray
    elsewhere: AnyArray
    multiplicity: int


def layer_spectrum(cache: Cache, /) -> Spectrum:
    """Return the eigenvalues, from σ, γ and eps alone: a scaled projection off span{1, x̂}.

    Parameters
    ----------
    cache
        From the forward pass of a layer whose γ is the same for all entries that are
        normalised together: batch norm, instance norm, or any without γ.

    Raises
    ------
    OptionError
        If γ varies within a set (layer and group norm): the block diag(γ)(I − …)/σ is then not
        symmetric, and has no such closed form. If one entry alone is normalised, in test mode.

    Examples
    --------
    >>> import numpy as np
    >>> from matbackprop.batchnorm import BatchNormLayer
    >>> X = np.array([[0.0], [1.0], [5.0]])
    >>> layer = BatchNormLayer(1, eps=2.0, affine=False)
    >>> s = layer_spectrum(layer.forward(X).cache)
    >>> s.elsewhere.round(6), s.along_xhat.round(6), s.multiplicity  # σ² = 14/3 + 2
    (array([0.387298]), array([0.11619]), 1)
    """
    if not isinstance(cache, Cache):
        raise DtypeError(
            f"`{_CALL}` needs the cache of a forward pass; got {type(cache).__name__}."
        )
    if cache.gamma is not None and not cache.arrangement.uniform:
        raise OptionError(
            f"`{_CALL}` needs one γ for all entries that are normalised together; here it varies "
            "within them. Use `layer_jacobian(cache)`, or a layer with `affine=False`."
        )
    if cache.b.count == 1:
        raise OptionError(
            f"`{_CALL}` tells apart the directions 1, x̂ and the rest, and one entry has but one "
            "direction: its derivative is γ/σ. Pass a larger batch."
        )
    b = cache.b
    xp = array_namespace(b.sigma)
    scale = 1 / b.sigma
    if cache.gamma is not None:
        scale = along_statistics(cache.gamma, cache) * scale
    if b.divisor is None:
        return Spectrum(scale, scale, scale, b.count - 2)
    # x̂ᵀx̂ = (m − ddof)(σ² − eps)/σ², so that 1 − x̂ᵀx̂/(m − ddof) = eps/σ².
    return Spectrum(xp.zeros_like(scale), scale * b.eps / b.sigma**2, scale, b.count - 2)
