"""The StackExchange question's network, parameters and data."""

from dataclasses import dataclass

from matbackprop._typing import Array
from matbackprop.network import BatchNorm, Network, Parameters
from matbackprop.rbridge import Backend, connect


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """The question: y = a(b(XΓ₁))Γ₂ + u with ten rows, seven inputs and four hidden nodes.

    Parameters
    ----------
    network
        ReLU; batch norm as R's `scale` does it (N − 1, no eps); sum of squares, since that is
        what the question's code differentiates.
    parameters
        Γ₁ (7, 4), Γ₂ (4,), γ = (2, 3, 4, 5), β = −γ.
    X, y
        Data, (10, 7) and (10,).
    noise
        u, (10,): at these parameters the residuals ε̂ are the noise.
    """

    network: Network
    parameters: Parameters
    X: Array
    y: Array
    noise: Array


def question(backend: Backend | None = None) -> Question:
    """Return the question's problem, drawn by R from `set.seed(1)`.

    Parameters
    ----------
    backend
        Where the draws come from; by default the recorded ones, so that no R is needed.

    Examples
    --------
    >>> q = question()
    >>> q.X.shape, q.parameters.gamma
    ((10, 7), array([2., 3., 4., 5.]))
    """
    data = (backend or connect("recorded")).call("question_data")
    return Question(
        network=Network("relu", BatchNorm(ddof=1, eps=0.0), "sse"),
        parameters=Parameters(data["Gamma1"], data["Gamma2"], data["gamma"], data["beta"]),
        X=data["X"],
        y=data["y"],
        noise=data["noise"],
    )
