"""The lines of the course code below the answers, as expressions, and the same lines repaired.

Two lines ask for a name that no line has defined, and only evaluating them can show it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from matbackprop.verification.claims.draw import Batch

LINES: Mapping[str, str] = MappingProxyType(
    {
        "mean": "x.sum(axis=0) / N",
        "centred": "x - means",
        "variance": "(centred**2).sum() / N",
        "normalised": "centred - sqrt(variance + eps)",
        "out": "gamma * normlised + beta",
    }
)
REPAIRED: Mapping[str, str] = MappingProxyType(
    {
        "mean": "x.sum(axis=0) / N",
        "centred": "x - mean",
        "variance": "(centred**2).sum(axis=0) / N",
        "normalised": "centred / sqrt(variance + eps)",
        "out": "gamma * normalised + beta",
    }
)
UPDATE = "momentum * running + (1 - momentum) * batch"


def evaluated(lines: Mapping[str, str], b: Batch) -> dict[str, Any]:
    """Evaluate one line after the other; stops with NameError at a name that is not there.

    Examples
    --------
    >>> b = Batch(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1), np.ones((2, 1)), 3.0)
    >>> evaluated(REPAIRED, b)["out"].tolist()
    [[-0.5], [0.5]]
    """
    names: dict[str, Any] = {
        "sqrt": np.sqrt,
        "x": b.X,
        "N": float(len(b.X)),
        "gamma": b.gamma,
        "beta": b.beta,
        "eps": b.eps,
    }
    for name, line in lines.items():
        names[name] = value_of(line, **names)
    return names


def as_it_stands(name: str, b: Batch) -> Any:
    """Evaluate that line as it stands, after repaired ones."""
    before = list(REPAIRED)[: list(REPAIRED).index(name)]
    return value_of(LINES[name], **evaluated({one: REPAIRED[one] for one in before}, b))


def value_of(expression: str, /, **names: Any) -> Any:
    """Evaluate an expression in these names, none of which is a builtin's."""
    # The builtins stay: NumPy imports parts of itself at their first use, from this very frame.
    return eval(expression, {}, names)
