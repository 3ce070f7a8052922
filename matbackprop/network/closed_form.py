"""The compact formulation: five lines of matrix algebra."""

from matbackprop.batchnorm import pullback
from matbackprop.network.door import Given, checked
from matbackprop.network.forward_pass import forward
from matbackprop.network.model import Network
from matbackprop.network.result import Gradient


@checked
def compact(net: Network, given: Given, inputs: bool, /) -> Gradient:
    """Return the gradients in closed form.

    With S = a′(H) ⊙ (−2c₀ ε̂Γ₂ᵀ) = ∂R/∂H,

        ∂R/∂β  = 1ᵀS                ∂R/∂γ = diag(X̂ᵀS)         ∂R/∂Γ₂ = −2c₀ Vᵀε̂
        ∂R/∂Z  = (S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − ddof)) diag(γ/σ)
        ∂R/∂Γ₁ = Xᵀ ∂R/∂Z           ∂R/∂X = ∂R/∂Z Γ₁ᵀ

    Without batch norm ∂R/∂Z = S; with given moments ∂R/∂Z = S diag(γ/σ).
    """
    f = forward(net, given)
    dfitted = -2 * net.c0(len(f.Z)) * f.residuals
    S = net.a.derivative(f.H) * (dfitted @ given.Gamma2.T)
    dZ, dgamma, dbeta = (S, None, None) if f.b is None else pullback(S, f.b, given.gamma)
    return Gradient(
        loss=float(f.loss),
        Gamma1=given.X.T @ dZ,
        Gamma2=f.V.T @ dfitted,
        gamma=dgamma,
        beta=dbeta,
        X=dZ @ given.Gamma1.T if inputs else None,
        fitted=f.fitted,
    )
