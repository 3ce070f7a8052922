"""The StackExchange question's network, parameters and data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matbackprop._typing import Array
from matbackprop.network import BatchNorm, Network, Parameters
from matbackprop.rbridge import connect


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


def question() -> Question:
    """Return the question's problem, as R drew it from `set.seed(1)`: recorded, so R need not run.

    Examples
    --------
    >>> q = question()
    >>> q.X.shape, q.parameters.gamma
    ((10, 7), array([2., 3., 4., 5.]))
    """
    return as_question(connect("recorded").call("question_data"))


def as_question(data: Mapping[str, Any], /) -> Question:
    """Return the problem that R's `question_data()` describes."""
    return Question(
        network=Network("relu", BatchNorm(ddof=1, eps=0.0), "sse"),
        parameters=Parameters(data["Gamma1"], data["Gamma2"], data["gamma"], data["beta"]),
        X=data["X"],
        y=data["y"],
        noise=data["noise"],
    )
