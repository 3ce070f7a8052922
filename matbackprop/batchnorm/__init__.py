"""Batch normalisation of the columns of a matrix: b(Z) = X̂ diag(γ) + 1βᵀ.

X̂ = (Z − 1μᵀ) diag(σ)⁻¹,  σ² = 1ᵀ(Z − 1μᵀ)²/(N − ddof) + eps.
"""

from matbackprop.batchnorm.backward import pullback
from matbackprop.batchnorm.jacobian import normalization_jacobian
from matbackprop.batchnorm.moments import Moments, batch_moments, check_batch
from matbackprop.batchnorm.normalization import Normalized, normalize
from matbackprop.batchnorm.options import BatchNorm

__all__ = [
    "BatchNorm",
    "Moments",
    "Normalized",
    "batch_moments",
    "check_batch",
    "normalization_jacobian",
    "normalize",
    "pullback",
]
