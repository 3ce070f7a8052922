"""What is checked: a function and its claimed derivative, entry against entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.functions import Claims, Outputs
from matbackprop.checking.packing import Packing


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A loss with its gradient, or a function with its Jacobian.

    Attributes
    ----------
    f, claims
        The function and the derivative that is claimed for it.
    packing
        How its point is built.
    title
        "gradient", "Jacobian" or "Hessian".
    """

    f: Outputs
    claims: Claims
    packing: Packing
    title: str

    @property
    def scalar(self) -> bool:
        """Whether it is a gradient that is checked."""
        return self.claims.shapes is self.packing.shapes

    def split(self, derivative: Array, /) -> dict[str, Array]:
        """Return a derivative, of shape (P,) or (outputs, P), by the names of the claim."""
        if self.scalar:
            return self.packing.blocks(derivative)
        return {"": derivative.reshape(-1, self.packing.size)[:, self._column_major()]}

    def flat(self, claimed: dict[str, Array], /) -> Array:
        """Return a claim as the derivative in the order of the point's vector."""
        if self.scalar:
            return self.packing.vector(claimed)
        back = np.argsort(self._column_major())
        return claimed[""][:, back]

    def _column_major(self) -> Array:
        """Return where the entries of vec(x) stand in the point's vector, which goes by rows."""
        parts = [
            np.arange(part.start, part.stop).reshape(self.packing.shapes[name]).ravel(order="F")
            for name, part in self.packing.slices.items()
        ]
        return np.concatenate(parts)
