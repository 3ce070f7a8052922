"""Batch normalisation, b(Z) = X̂ diag(γ) + 1βᵀ, and its relatives, on arrays of any library.

X̂ = (Z − 1μᵀ) diag(σ)⁻¹,  σ² = 1ᵀ(Z − 1μᵀ)²/(N − ddof) + eps.

For a matrix, as inside the network: `normalize`, `pullback`, `normalization_jacobian`. As layers
over (N, C, …), with train and test mode and explicit state: `BatchNormLayer`, `LayerNormLayer`,
`InstanceNormLayer`, `GroupNormLayer`. In the signatures of a well-known course:
`matbackprop.batchnorm.course`. For torch: `matbackprop.batchnorm.torch`.
"""

from matbackprop.batchnorm.affine import Cache, Gradients
from matbackprop.batchnorm.backward import pullback
from matbackprop.batchnorm.dispatch import without_compiling
from matbackprop.batchnorm.jacobian import layer_jacobian, normalization_jacobian
from matbackprop.batchnorm.layer import BatchNormLayer, Forward
from matbackprop.batchnorm.moments import Moments, batch_moments, check_batch
from matbackprop.batchnorm.normalization import Normalized, normalize
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.batchnorm.relatives import (
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
    Normed,
)
from matbackprop.batchnorm.running import Running
from matbackprop.batchnorm.spectrum import Spectrum, layer_spectrum
from matbackprop.batchnorm.tangent import pull_back_dot, push_forward

__all__ = [
    "BatchNorm",
    "BatchNormLayer",
    "Cache",
    "Forward",
    "Gradients",
    "GroupNormLayer",
    "InstanceNormLayer",
    "LayerNormLayer",
    "Moments",
    "Normalized",
    "Normed",
    "Running",
    "Spectrum",
    "batch_moments",
    "check_batch",
    "layer_jacobian",
    "layer_spectrum",
    "normalization_jacobian",
    "normalize",
    "pull_back_dot",
    "pullback",
    "push_forward",
    "without_compiling",
]
