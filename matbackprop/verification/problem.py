"""A network with parameters and data: the StackExchange question's, or another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matbackprop._typing import Array
from matbackprop.batchnorm import Moments
from matbackprop.errors import DataError
from matbackprop.network import BatchNorm, Network, Parameters


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Something to differentiate.

    Parameters
    ----------
    title
        Its name in the report.
    network, parameters, X, y
        The point at which the gradient is taken.
    moments
        Given moments; None for those of the batch.
    """

    title: str
    network: Network
    parameters: Parameters
    X: Array
    y: Array
    moments: Moments | None = None

    @property
    def point(self) -> tuple[Network, Parameters, Array, Array]:
        """What every formulation takes, in its order."""
        return self.network, self.parameters, self.X, self.y


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

    Examples
    --------
    >>> question()
    The question: 10 rows, 7 inputs, 4 hidden nodes; .network, .parameters, .X, .y, .noise
    """

    network: Network
    parameters: Parameters
    X: Array
    y: Array
    noise: Array

    def __repr__(self) -> str:
        (N, p1), p2 = self.X.shape, self.parameters.Gamma1.shape[1]
        return (
            f"The question: {N} rows, {p1} inputs, {p2} hidden nodes; "
            ".network, .parameters, .X, .y, .noise"
        )

    def with_activation(self, activation: str, /) -> Problem:
        """Return the same data and parameters under another activation."""
        net = Network(activation, self.network.batch_norm, self.network.loss)
        return Problem(f"question, {activation}", net, self.parameters, self.X, self.y)


def question() -> Question:
    """Return the question's problem, as R drew it from `set.seed(1)`: recorded, so R need not run.

    Examples
    --------
    >>> q = question()
    >>> q.X.shape, q.parameters.gamma
    ((10, 7), array([2., 3., 4., 5.]))
    """
    from matbackprop.rbridge import connect  # late: `import matbackprop` need not pay for it

    return as_question(connect("recorded").call("question_data"))


def as_question(data: Mapping[str, Any], /) -> Question:
    """Return the problem that R's `question_data()` describes.

    Raises
    ------
    DataError
        If a member is missing.
    """
    wanted = ("X", "y", "Gamma1", "Gamma2", "gamma", "beta", "noise")
    missing = [name for name in wanted if data.get(name) is None]
    if missing:
        raise DataError(
            f"R's `question_data()` needs to return {', '.join(wanted)}; it lacks "
            f"{', '.join(missing)}. Make the recorded results again: Rscript generate.R."
        )
    for array in data.values():
        array.flags.writeable = False
    return Question(
        network=Network("relu", BatchNorm(ddof=1, eps=0.0), "sse"),
        parameters=Parameters(data["Gamma1"], data["Gamma2"], data["gamma"], data["beta"]),
        X=data["X"],
        y=data["y"],
        noise=data["noise"],
    )
