"""The network's options, as a record: ŷ = a(b(XΓ₁))Γ₂ and its loss."""

from dataclasses import dataclass
from typing import get_args

from matbackprop._typing import Loss
from matbackprop._validation import check_option
from matbackprop.batchnorm import BatchNorm
from matbackprop.errors import OptionError
from matbackprop.network.activations import Activation, activation_named, check_elementwise

_CALL = "Network(activation, batch_norm, loss)"


@dataclass(frozen=True, slots=True)
class Network:
    """A one-hidden-layer network ŷ = a(b(XΓ₁))Γ₂ with squared-error loss R = c₀ Σ(y − ŷ)².

    Parameters
    ----------
    activation
        "relu", "leaky_relu", "identity", "tanh", "sigmoid", "softplus", "silu", "gelu", or an
        `Activation` of your own (`leaky_relu(0.2)` from `matbackprop.network`).
    batch_norm
        The options of b; None leaves b out: ŷ = a(XΓ₁)Γ₂.
    loss
        "mse": c₀ = 1/N, the mean over rows and the *sum* over outputs (torch's mean divides by
        Nq instead). "sse": c₀ = 1, what the question's R code differentiates.

    Raises
    ------
    OptionError
        If an option is unknown.

    Examples
    --------
    >>> Network(activation="tanh", batch_norm=None)
    Network(activation='tanh', batch_norm=None, loss='mse')
    """

    activation: str | Activation = "relu"
    batch_norm: BatchNorm | None = BatchNorm()
    loss: Loss = "mse"

    def __post_init__(self) -> None:
        activation_named(self.activation, call=_CALL)
        if isinstance(self.activation, Activation):  # those with a name are known to be right
            check_elementwise(self.activation)
        check_option(self.loss, get_args(Loss), call=_CALL, name="loss")
        if self.batch_norm is not None and not isinstance(self.batch_norm, BatchNorm):
            raise OptionError(
                f"`{_CALL}` needs batch_norm to be `BatchNorm(ddof=…, eps=…)`, or None for a "
                f"network without it; got {self.batch_norm!r}."
            )

    @property
    def a(self) -> Activation:
        """The activation with its derivatives."""
        return activation_named(self.activation, call=_CALL)

    def c0(self, N: float, /) -> float:
        """Return the constant c₀ in R = c₀ Σ(y − ŷ)², for N rows, or rows of total weight N."""
        return 1 / N if self.loss == "mse" else 1.0
