"""Gradients in matrix form, and their proofs.

>>> import numpy as np
>>> import matbackprop as mb
>>> rng = np.random.default_rng(0)
>>> X, y = rng.standard_normal((20, 3)), rng.standard_normal(20)
>>> net, par = mb.Network("tanh"), mb.Parameters.random(3, 2, rng=rng)
>>> mb.gradient(net, par, X, y).Gamma1.shape
(3, 2)

PYTEST_DONT_REWRITE: the plugin for pytest is loaded, and this package with it, before pytest could.
"""

from importlib import import_module
from types import ModuleType

from matbackprop._version import __version__
from matbackprop.checking import check_gradient
from matbackprop.network import (
    FORMULATIONS,
    BatchNorm,
    Gradient,
    Hessian,
    Jacobian,
    Moments,
    Network,
    Parameters,
    gradient,
    hessian,
    hvp,
    jacobian,
    moments,
    predict,
)
from matbackprop.verification import question

__all__ = [
    "FORMULATIONS",
    "BatchNorm",
    "Gradient",
    "Hessian",
    "Jacobian",
    "Moments",
    "Network",
    "Parameters",
    "__version__",
    "check_gradient",
    "gradient",
    "hessian",
    "hvp",
    "jacobian",
    "moments",
    "predict",
    "question",
    "streaming",
    "symbolic",
]


def __getattr__(name: str) -> ModuleType:
    """Import `symbolic` and `streaming` when they are first asked for: they are large."""
    if name in ("streaming", "symbolic"):
        return import_module(f"matbackprop.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
