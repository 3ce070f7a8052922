"""The table of formulations, and `gradient`, which picks one."""

from collections.abc import Mapping
from types import MappingProxyType

from matbackprop._typing import ArrayLike
from matbackprop._validation import check_option
from matbackprop.batchnorm import Moments
from matbackprop.network.closed_form import compact
from matbackprop.network.door import Formulation
from matbackprop.network.jacobians import kronecker
from matbackprop.network.loops import nodewise
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters
from matbackprop.network.result import Gradient
from matbackprop.network.row_blocks import one_pass
from matbackprop.network.stages import staged

FORMULATIONS: Mapping[str, Formulation] = MappingProxyType(
    {
        "nodewise": nodewise,
        "kronecker": kronecker,
        "staged": staged,
        "compact": compact,
        "one_pass": one_pass,
    }
)
"""Five ways to one gradient, of one signature: from the specification to sums over row blocks."""


def gradient(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    /,
    *,
    formulation: str = "compact",
    inputs: bool = False,
    moments: Moments | None = None,
) -> Gradient:
    """Return the loss R = c₀ Σ(y − ŷ)² and its gradients, for ŷ = a(b(XΓ₁))Γ₂.

    With S = ∂R/∂H = a′(H) ⊙ (−2c₀ ε̂Γ₂ᵀ):

        ∂R/∂β = 1ᵀS,   ∂R/∂γ = diag(X̂ᵀS),   ∂R/∂Γ₂ = −2c₀ Vᵀε̂,
        ∂R/∂Γ₁ = Xᵀ (S − 1·mean(S) − X̂ diag(∂R/∂γ)/(N − ddof)) diag(γ/σ).

    Parameters
    ----------
    net
        The network's options.
    par
        Its parameters.
    X
        Data, shape (N, p1): an array or a data frame, whose column names are kept.
    y
        Outcome, shape (N,) with `Gamma2` (p2,), or (N, q) with (p2, q).
    formulation
        A name in `FORMULATIONS`: "nodewise" (loops), "kronecker" (vec/Jacobian operators),
        "staged" (computational graph), "compact" (closed form) or "one_pass" (blocks of rows,
        nothing of size N × p2). All give the same numbers.
    inputs
        Whether to compute ∂R/∂X as well.
    moments
        None: μ and σ are those of this batch and are differentiated. Given: constants.

    Returns
    -------
    A frozen `Gradient`; float32 if every input is, else float64.

    Raises
    ------
    ShapeError
        If X, y, the parameters and the moments do not conform.
    DataError
        If an entry is not finite, there is no row, or the row labels of X and y differ; if batch
        norm cannot divide by the spread of a column; or if the result overflows.
    DtypeError
        If X or y is not real.
    OptionError
        If there is no such formulation, or network, parameters and moments disagree about batch
        norm.

    References
    ----------
    Magnus and Neudecker (2019), *Matrix Differential Calculus*, 3rd ed.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
    >>> net, par = Network("tanh"), Parameters.random(3, 2, rng=rng)
    >>> g = gradient(net, par, X, y)
    >>> np.allclose(g.Gamma1, gradient(net, par, X, y, formulation="nodewise").Gamma1)
    True
    """
    check_option(formulation, FORMULATIONS, call="gradient(…)", name="formulation")
    return FORMULATIONS[formulation](net, par, X, y, inputs=inputs, moments=moments)
