"""Other points than the one given: a step away, or no further than rounding."""

from __future__ import annotations

import numpy as np

from matbackprop._typing import Array
from matbackprop.checking.packing import Packing

_REACH = 0.05


def point_nearby(packing: Packing, rng: np.random.Generator, /, *, reach: float = _REACH) -> Array:
    """Return a point some per cent away in every entry; symmetric matrices stay symmetric."""
    moved = {}
    for name, block in packing.blocks(packing.theta).items():
        typical = float(np.sqrt(np.mean(block**2))) if block.size else 0.0
        size = np.maximum(np.abs(block), 0.1 * typical) if typical > 0 else np.ones_like(block)
        change = reach * size * rng.standard_normal(block.shape)
        if block.ndim == 2 and block.shape[0] == block.shape[1] and (block == block.T).all():
            change = (change + change.T) / 2
        if block.ndim == 2 and block.shape[0] == block.shape[1] and len(block) > 1:
            # A triangular matrix stays one: it may be a factor of Cholesky's.
            for triangle in (np.tril, np.triu):
                change = triangle(change) if (triangle(block) == block).all() else change
        moved[name] = block + change
    return packing.vector(moved)


def shaken(theta: Array, rng: np.random.Generator, /, *, eps: float) -> Array:
    """Return θ with every entry off by a unit in its last place."""
    return np.asarray(theta * (1 + eps * rng.choice([-1.0, 1.0], theta.shape)))
