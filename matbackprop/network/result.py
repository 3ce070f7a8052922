"""The gradient, as a record that prints as one table: every block has a column a hidden node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop.network.parameters import stack

_SHOWN_ROWS = 10
_SHOWN_NODES = 6


@dataclass(frozen=True, slots=True, eq=False)
class Gradient:
    """The loss R and its gradients, each in the shape of its variable: dR = tr(GᵀdX).

    Parameters
    ----------
    loss
        R.
    Gamma1, Gamma2, gamma, beta
        ∂R/∂Γ₁ (p1, p2), ∂R/∂Γ₂ (p2,) or (p2, q), ∂R/∂γ and ∂R/∂β (p2,) or None.
    X
        ∂R/∂X (N, p1), where asked for.
    fitted
        ŷ (N,) or (N, q), as the formulation computed it on its way.
    input_names, output_names
        Names of the columns of X and y, where they came as data frames.

    Examples
    --------
    >>> Gradient(1.5, Gamma1=np.array([[1.0, -2.0]]), Gamma2=np.array([5.0, 6.0]))
    Gradient of the loss R = 1.5
                        h1          h2
    Gamma1 x1            1          -2
    Gamma2               5           6
    """

    loss: float
    Gamma1: Array
    Gamma2: Array
    gamma: Array | None = None
    beta: Array | None = None
    X: Array | None = None
    fitted: Array | None = None
    input_names: tuple[str, ...] | None = None
    output_names: tuple[str, ...] | None = None

    def to_vector(self) -> Array:
        """Return (vec ∂R/∂Γ₁, vec ∂R/∂Γ₂, ∂R/∂γ, ∂R/∂β), in the order of the parameters' θ."""
        return stack(self.Gamma1, self.Gamma2, self.gamma, self.beta)

    def blocks(self) -> Iterator[tuple[str, Array]]:
        """Yield name and gradient of every variable that is there."""
        for name in ("Gamma1", "Gamma2", "gamma", "beta", "X"):
            block = getattr(self, name)
            if block is not None:
                yield name, block

    def __str__(self) -> str:
        p1, p2 = self.Gamma1.shape
        rows = _shortened(
            (f"Gamma1 {name}", row)
            for name, row in zip(input_labels(p1, self.input_names), self.Gamma1, strict=True)
        )
        if self.gamma is not None and self.beta is not None:
            rows += [("gamma", self.gamma), ("beta", self.beta)]
        weights = self.Gamma2.reshape(p2, -1).T
        names = output_labels(len(weights), self.output_names)
        rows += _shortened(
            (f"Gamma2 {name}" if self.Gamma2.ndim == 2 else "Gamma2", row)
            for name, row in zip(names, weights, strict=True)
        )
        header = [f"h{j + 1}" for j in range(min(p2, _SHOWN_NODES))]
        more = f"  … {p2 - _SHOWN_NODES} more nodes" if p2 > _SHOWN_NODES else ""
        width = max(len(label) for label, _ in rows)
        lines = [f"Gradient of the loss R = {self.loss:.7g}"]
        lines.append(" " * width + "".join(f"{name:>12}" for name in header) + more)
        for label, row in rows:
            lines.append(f"{label:<{width}}" + "".join(f"{v:12.5g}" for v in row[:_SHOWN_NODES]))
        if self.X is not None:
            N = self.X.shape[0]
            lines.append(f"and X, shape ({N}, {p1}), largest |entry| {np.abs(self.X).max():.5g}")
        return "\n".join(lines)

    __repr__ = __str__


def _shortened(rows: Iterable[tuple[str, Array]]) -> list[tuple[str, Array]]:
    shown = list(rows)
    if len(shown) > _SHOWN_ROWS:
        shown[_SHOWN_ROWS:] = [(f"… {len(shown) - _SHOWN_ROWS} more rows", np.empty(0))]
    return shown


def input_labels(p1: int, names: Sequence[str] | None, /) -> list[str]:
    """Return the names of the inputs, x1 … xp1 where none are known."""
    return list(names) if names else [f"x{i + 1}" for i in range(p1)]


def output_labels(q: int, names: Sequence[str] | None, /) -> list[str]:
    """Return the names of the outputs; where none are known, y, or y1 … yq."""
    if names:
        return list(names)
    return ["y"] if q == 1 else [f"y{k + 1}" for k in range(q)]
