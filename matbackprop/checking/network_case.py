"""The network behind a loss, where `network=(net, X, y)` says that there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import real_array
from matbackprop.checking.packing import Packing
from matbackprop.errors import OptionError, ShapeError
from matbackprop.linalg import unvec
from matbackprop.network import Network, Parameters
from matbackprop.network.door import Given, conform
from matbackprop.network.forward_pass import Forward, forward

NAMES = ("Gamma1", "Gamma2", "gamma", "beta")


class NetworkCase:
    """A network, its data, and where in the point its parameters are found.

    Parameters that are not in the point are taken from `known`.
    """

    def __init__(self, network: Any, packing: Packing, known: Mapping[str, Any] | None, /) -> None:
        call = packing.call
        if not (
            isinstance(network, tuple) and len(network) == 3 and isinstance(network[0], Network)
        ):
            raise OptionError(
                f"`{call}` needs network=(net, X, y) with a `matbackprop.Network`; got "
                f"{type(network).__name__}."
            )
        self.net = network[0]
        self.X = real_array(network[1], call=call, name="X of network", ndim=2)
        self.y = real_array(network[2], call=call, name="y of network", ndim=(1, 2))
        self.N = len(self.X)
        self._packing = packing
        self._places = {
            last: name for name in packing.names if (last := name.rpartition(".")[2]) in NAMES
        }
        self._known = {name: (known or {}).get(name) for name in NAMES if name not in self._places}
        self.q = 1 if np.ndim(self.y) == 1 else np.shape(self.y)[1]
        wanted = NAMES if self.net.batch_norm is not None else NAMES[:2]
        missing = [
            name for name in wanted if name not in self._places and self._known[name] is None
        ]
        if missing:
            raise OptionError(
                f"`{call}` with network= needs Gamma1, Gamma2, gamma and beta by these names in "
                f"the point or in known=; {', '.join(missing)} found nowhere (the point has "
                f"{', '.join(name or 'one array' for name in packing.names)}). Pass "
                'at={"Gamma1": …, …}, or known={"Gamma2": …}.'
            )

    def block_of(self, name: str, /) -> str | None:
        """Return which of Γ₁, Γ₂, γ, β a part of the point is, or None."""
        last = name.rpartition(".")[2]
        return last if self._places.get(last) == name else None

    def given(self, theta: Array, /) -> Given:
        """Return conforming arrays at the point θ, as the formulations see them."""
        blocks = self._packing.blocks(theta)
        values: dict[str, Any] = {}
        for name in NAMES if self.net.batch_norm is not None else NAMES[:2]:
            if name in self._places:
                values[name] = blocks[self._places[name]]
            else:
                value = self._known[name]
                values[name] = (
                    value(self._packing.build(theta.copy())) if callable(value) else value
                )
        return conform(
            self.net, Parameters(**values), self.X, self.y, None, call=self._packing.call
        )

    def quantities(self, theta: Array, /) -> dict[str, Array]:
        """Return the quantities of the formulas that may stand as factors or terms."""
        given = self.given(theta)
        f = forward(self.net, given)
        found = {"Gamma1": given.Gamma1, "Gamma2": given.Gamma2, "x̄": given.X.mean(axis=0)}
        if given.Gamma2.shape[1] == 1:
            found["Gamma2"] = given.Gamma2[:, 0]
        if f.b is not None:
            found |= {"gamma": given.gamma, "beta": given.beta}
            found |= {"sigma": f.b.sigma, "mu": f.Z.mean(axis=0)}
        return {name: np.asarray(a, dtype=np.float64) for name, a in found.items()}

    def forward(self, theta: Array, /) -> tuple[Given, Forward]:
        """Run the network at the point θ."""
        given = self.given(theta)
        return given, forward(self.net, given)


def split_theta(network: Any, at: Any, /, *, call: str) -> dict[str, Array] | None:
    """Cut a flat θ = (vec Γ₁, vec Γ₂, γ, β) into its parts; None if the point is no such vector.

    The number of hidden nodes follows from that of the entries.
    """
    try:
        theta = np.asarray(at, dtype=np.float64)
        net, X, y = network
        p1 = np.asarray(X).shape[1]
        q = 1 if np.ndim(y) == 1 else np.shape(y)[1]
    except (TypeError, ValueError, IndexError):
        return None
    if theta.ndim != 1 or not isinstance(net, Network):
        return None
    per_node = p1 + q + (2 if net.batch_norm is not None else 0)
    p2, rest = divmod(theta.size, per_node)
    if rest or p2 == 0:
        raise ShapeError(
            f"`{call}` with network= takes a vector as θ = (vec Γ₁, vec Γ₂, γ, β), of {per_node} "
            f"entries for each hidden node; got {theta.size}. For one of them alone pass "
            'at={"gamma": …} and the others in known=.'
        )
    shapes = {"Gamma1": (p1, p2), "Gamma2": (p2,) if np.ndim(y) == 1 else (p2, q)}
    if net.batch_norm is not None:
        shapes |= {"gamma": (p2,), "beta": (p2,)}
    return cut_theta(theta, shapes)


def cut_theta(theta: Array, shapes: Mapping[str, tuple[int, ...]], /) -> dict[str, Array]:
    """Cut a vector into parts of these shapes, each of which it stacks by columns."""
    stops = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    parts = np.split(theta, stops[:-1])
    return {name: unvec(part, shapes[name]) for name, part in zip(shapes, parts, strict=True)}
