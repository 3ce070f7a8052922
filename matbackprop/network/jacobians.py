"""The vec/Kronecker formulation: the chain rule as a product of Jacobians, never stored."""

import numpy as np
import scipy

from matbackprop.batchnorm import normalization_jacobian
from matbackprop.linalg import diagonal_selection, kron_operator, unvec, vec
from matbackprop.network.door import Given, checked
from matbackprop.network.forward_pass import forward
from matbackprop.network.model import Network
from matbackprop.network.result import Gradient


@checked
def kronecker(net: Network, given: Given, inputs: bool, /) -> Gradient:
    """Return the gradients as products of Jacobians ∂vec(·)/∂vec(·)ᵀ, from the loss inwards.

        ∂R/∂vec(ŷ)ᵀ        = vec(−2c₀ε̂)ᵀ
        ∂vec(ŷ)/∂vec(Γ₂)ᵀ  = I_q ⊗ V          ∂vec(ŷ)/∂vec(V)ᵀ = Γ₂ᵀ ⊗ I_N
        ∂vec(V)/∂vec(H)ᵀ   = diag(vec a′(H))
        ∂vec(H)/∂βᵀ        = I_p2 ⊗ 1_N       ∂vec(H)/∂γᵀ      = (I_p2 ⊗ X̂) K
        ∂vec(H)/∂vec(Z)ᵀ   = J_b              (I without batch norm)
        ∂vec(Z)/∂vec(Γ₁)ᵀ  = I_p2 ⊗ X         ∂vec(Z)/∂vec(X)ᵀ = Γ₁ᵀ ⊗ I_N

    K is the p2² × p2 diagonal selection, vec(diag g) = K g. Every factor is diagonal, sparse or
    an operator, so memory stays O(N(p1 + p2)).
    """
    X, Gamma1, Gamma2, gamma = given.X, given.Gamma1, given.Gamma2, given.gamma
    f = forward(net, given)
    (N, p2), q = f.Z.shape, Gamma2.shape[1]

    dR_dfitted = vec(-2 * net.c0(N) * f.residuals)
    dfitted_dGamma2 = kron_operator(q, f.V)
    dfitted_dV = kron_operator(Gamma2.T, N)
    dV_dH = scipy.sparse.diags_array(vec(net.a.derivative(f.H)))
    dR_dH = dV_dH.T @ (dfitted_dV.T @ dR_dfitted)  # vec(S)

    if f.b is None:
        dR_dZ, dgamma, dbeta = dR_dH, None, None
    else:
        dH_dbeta = kron_operator(p2, np.ones((N, 1)))  # float64, so that the sum is
        dH_ddiag = kron_operator(p2, f.b.Xhat)  # ∂vec(H)/∂vec(diag γ)ᵀ
        dH_dZ = normalization_jacobian(f.b, gamma)
        dbeta = dH_dbeta.T @ dR_dH
        dgamma = diagonal_selection(p2).T @ (dH_ddiag.T @ dR_dH)
        dR_dZ = dH_dZ.T @ dR_dH

    dZ_dGamma1 = kron_operator(p2, X)
    dZ_dX = kron_operator(Gamma1.T, N)
    return Gradient(
        loss=float(f.loss),
        Gamma1=unvec(dZ_dGamma1.T @ dR_dZ, Gamma1.shape),
        Gamma2=unvec(dfitted_dGamma2.T @ dR_dfitted, Gamma2.shape),
        gamma=dgamma,
        beta=dbeta,
        X=unvec(dZ_dX.T @ dR_dZ, X.shape) if inputs else None,
        fitted=f.fitted,
    )
