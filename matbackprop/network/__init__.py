"""The one-hidden-layer network ŷ = a(b(XΓ₁))Γ₂ and its gradients, in four formulations."""

from matbackprop.batchnorm import BatchNorm, Moments
from matbackprop.network.activations import ACTIVATIONS, Activation, leaky_relu
from matbackprop.network.cancellation import magnitudes
from matbackprop.network.fitted_jacobian import Jacobian, jacobian
from matbackprop.network.formulations import FORMULATIONS, gradient
from matbackprop.network.model import Network
from matbackprop.network.objectives import objective, objective_of_inputs
from matbackprop.network.parameters import Parameters
from matbackprop.network.prediction import moments, predict
from matbackprop.network.result import Gradient

__all__ = [
    "ACTIVATIONS",
    "FORMULATIONS",
    "Activation",
    "BatchNorm",
    "Gradient",
    "Jacobian",
    "Moments",
    "Network",
    "Parameters",
    "gradient",
    "jacobian",
    "leaky_relu",
    "magnitudes",
    "moments",
    "objective",
    "objective_of_inputs",
    "predict",
]
