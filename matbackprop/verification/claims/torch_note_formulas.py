"""The two formulas for ∂L/∂x that the torch note's second half ends with."""

import numpy as np

from matbackprop._typing import Array
from matbackprop.verification.claims.torch_note_batch import total

RIGHT = (
    "∂L/∂xᵢ = (∂L/∂x̂ᵢ − (1/m)Σⱼ ∂L/∂x̂ⱼ − (xᵢ − μ)/s² · (1/m)Σⱼ ∂L/∂x̂ⱼ (xⱼ − μ))/s, s = √(σ² + ε)"
)
"""What either should say."""


def own_entry_formula(x: Array, dxhat: Array, eps: float) -> Array:
    """Evaluate the simplified formula, the σ² in its bracket read as variance plus ε.

    Examples
    --------
    >>> x, dxhat = np.array([[1.0], [3.0]]), np.array([[2.0], [0.0]])
    >>> own_entry_formula(x, dxhat, 3.0)
    array([[0.375],
           [0.   ]])
    """
    m, centred, v = _parts(x, eps)
    return np.asarray(dxhat / np.sqrt(v) * (1 - 1 / m - centred**2 / (m * v)))


def last_formula(x: Array, dxhat: Array, eps: float, *, beside: float | None = None) -> Array:
    """Evaluate the last formula, γ counted once; the σ² in its bracket is variance plus `beside`.

    `beside` is ε unless given.

    Examples
    --------
    >>> x, dxhat = np.array([[1.0], [3.0]]), np.array([[2.0], [0.0]])
    >>> last_formula(x, dxhat, 3.0)
    array([[ 0.375],
           [-0.375]])
    """
    m, centred, v = _parts(x, eps)
    square = v if beside is None else v - eps + beside
    projected = total(dxhat * centred) / m
    return np.asarray((dxhat - total(dxhat) / m - centred / square * projected) / np.sqrt(v))


def _parts(x: Array, eps: float) -> tuple[int, Array, Array]:
    m = x.size // x.shape[1]
    centred = x - total(x) / m  # keeps float32, which one experiment needs
    return m, centred, total(centred**2) / m + eps
