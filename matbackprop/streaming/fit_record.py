"""What a fit leaves: parameters, and what is needed to use and to judge them."""

from __future__ import annotations

from dataclasses import dataclass

from matbackprop._typing import Array, ArrayLike
from matbackprop.batchnorm import Moments
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters
from matbackprop.network.prediction import predict


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Where a fit stands after an iteration: what its callback is given."""

    iteration: int
    passes: int
    loss: float
    gradient_norm: float
    parameters: Parameters


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """The best parameters that were found, and how.

    Parameters
    ----------
    network
        The network's options.
    parameters
        Those of the smallest loss.
    moments
        μ and σ of the training rows at these, for new rows; None without batch norm.
    losses, gradient_norms
        The loss and the Euclidean norm of the gradient in each pass, in order.
    iterations
        How many the optimiser counted, of one or more passes each.
    converged
        Whether it says that it did.
    message
        What it said, or why it was stopped.
    """

    network: Network
    parameters: Parameters
    moments: Moments | None
    losses: Array
    gradient_norms: Array
    iterations: int
    converged: bool
    message: str

    @property
    def loss(self) -> float:
        """The smallest loss, which is that of `parameters`."""
        return float(self.losses.min())

    @property
    def passes(self) -> int:
        """How many passes there were, those answered from a checkpoint included."""
        return len(self.losses)

    def predict(self, X: ArrayLike, /) -> Array:
        """Return ŷ of new rows, each by itself: with the moments of the training rows.

        Raises
        ------
        ShapeError, DataError, DtypeError
            As `matbackprop.predict` does.
        """
        return predict(self.network, self.parameters, X, moments=self.moments)

    def __str__(self) -> str:
        state = "converged" if self.converged else "not converged"
        (p1, p2), norm = self.parameters.Gamma1.shape, self.gradient_norms[self.losses.argmin()]
        return (
            f"Fit of {p1} inputs and {p2} hidden nodes, {self.network.activation}: {state}\n"
            f"  loss {self.losses[0]:.6g} at the start, {self.loss:.6g} at the end; "
            f"gradient norm {norm:.3g}\n"
            f"  {self.iterations} iterations, {self.passes} passes over the rows; {self.message}"
        )

    __repr__ = __str__
