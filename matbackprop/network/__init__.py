"""The one-hidden-layer network ŷ = a(b(XΓ₁))Γ₂, its gradients in five formulations, its Hessian."""

from matbackprop.batchnorm import BatchNorm, Moments
from matbackprop.network.activations import ACTIVATIONS, Activation, leaky_relu
from matbackprop.network.cancellation import magnitudes
from matbackprop.network.fitted_jacobian import Jacobian, jacobian
from matbackprop.network.formulations import FORMULATIONS, gradient
from matbackprop.network.hessian_matrix import Hessian, hessian
from matbackprop.network.model import Network
from matbackprop.network.objectives import objective, objective_of_inputs
from matbackprop.network.parameters import Parameters
from matbackprop.network.prediction import moments, predict
from matbackprop.network.result import Gradient
from matbackprop.network.second_order import hvp

__all__ = [
    "ACTIVATIONS",
    "FORMULATIONS",
    "Activation",
    "BatchNorm",
    "Gradient",
    "Hessian",
    "Jacobian",
    "Moments",
    "Network",
    "Parameters",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "leaky_relu",
    "magnitudes",
    "moments",
    "objective",
    "objective_of_inputs",
    "predict",
]
