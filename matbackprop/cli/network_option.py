"""What --network says: the options of the network behind a loss, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from matbackprop.errors import OptionError
from matbackprop.network import ACTIVATIONS, BatchNorm, Network

EXAMPLE = '--network "relu ddof=1 eps=0 sse"'


def network_with_data(text: str, *values: Any) -> tuple[Network, Any, Any]:
    """Return the network that the words describe, with the X and y among the values.

    Raises
    ------
    OptionError
        If a word is unknown, or there is no X and y.

    Examples
    --------
    >>> network_with_data("tanh ddof=1 eps=0 sse", {"X": 1, "y": 2})[0]
    Network(activation='tanh', batch_norm=BatchNorm(ddof=1, eps=0.0), loss='sse')
    """
    activation, batch_norm, loss = "relu", True, "mse"
    options: dict[str, Any] = {}
    for word in text.replace(",", " ").split():
        name, _, number = word.partition("=")
        if word in ACTIVATIONS:
            activation = word
        elif word in ("mse", "sse"):
            loss = word
        elif word == "plain":
            batch_norm = False
        elif name in ("ddof", "eps") and number:
            options[name] = _number(number, word)
        else:
            raise OptionError(
                f"`check --network` knows an activation ({', '.join(ACTIVATIONS)}), ddof=…, "
                f"eps=…, mse or sse, and plain for no batch norm; got {word!r}. Such as {EXAMPLE}."
            )
    found: dict[str, Any] = {}
    for several in values:
        found |= several if isinstance(several, Mapping) else {}
    if missing := [name for name in ("X", "y") if name not in found]:
        raise OptionError(
            f"`check --network` needs the data X and y by these names, in --at or --known; "
            f"{' and '.join(missing)} not found."
        )
    if "ddof" in options:
        options["ddof"] = int(options["ddof"])
    kind: Literal["mse", "sse"] = "mse" if loss == "mse" else "sse"
    net = Network(activation, BatchNorm(**options) if batch_norm else None, kind)
    return net, found["X"], found["y"]


def _number(text: str, word: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise OptionError(
            f"`check --network` needs a number in {word!r}. Such as {EXAMPLE}."
        ) from None
