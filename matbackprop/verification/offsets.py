"""Batch norm of data far from zero: what an implementation loses, against an exact reference.

A column with mean c and unit spread, stored in floating point, is already wrong by c·ε/2, and X̂
with it: that is lost before batch norm begins. On the numbers as they are stored, though, X̂ and
∂L/∂X are well conditioned, and whatever grows with c is the implementation's own loss.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from matbackprop._typing import Array
from matbackprop.batchnorm import BatchNormLayer
from matbackprop.errors import MissingExtraError

if TYPE_CHECKING:
    from pandas import DataFrame

Result: TypeAlias = tuple[Any, Any]
"""X̂ and ∂L/∂X."""

_CALL = "offset_table(rng, offsets=, rows=, columns=)"
_EPS = 1e-5
_DIGITS = 60
_COLUMNS = ["dtype", "quantity", "offset", "ours", "torch", "rounded_mean", "input_rounding"]


def offset_table(
    rng: np.random.Generator,
    /,
    *,
    offsets: Sequence[float] = (1e3, 1e4, 1e5, 1e6),
    rows: int = 200,
    columns: int = 4,
) -> DataFrame:
    """Return the errors of X̂ and ∂L/∂X on columns with these means and unit spread.

    The reference is computed with 60 digits from the very floats given. Every error is the largest
    absolute one over all entries, of a quantity of order one: compare it with machine epsilon.

    Parameters
    ----------
    rng
        Source of the data and of ∂L/∂Y.
    offsets
        The means.
    rows, columns
        How much data for each mean.

    Returns
    -------
    Data frame with a row for each `dtype`, `quantity` ("Xhat", "dX") and `offset`, and the errors
    `ours`; `torch` (NaN where torch is not installed); `rounded_mean`, of the textbook formula
    with the correct mean, rounded to the dtype; and `input_rounding`, the exact result from the
    rounded data against that from the data before they were rounded to the dtype.

    Raises
    ------
    MissingExtraError
        If mpmath is not installed.

    Examples
    --------
    >>> table = offset_table(np.random.default_rng(0), offsets=[1e4], rows=20, columns=1)
    >>> table[["dtype", "quantity", "offset"]].values.tolist()[:2]
    [['float32', 'Xhat', 10000.0], ['float32', 'dX', 10000.0]]
    >>> bool(table.ours[0] < 1e-6 < table.rounded_mean[0])
    True
    """
    import pandas as pd

    spread = rng.standard_normal((rows, columns))
    # Every dtype holds these numbers, so that only X is rounded.
    dY = rng.standard_normal((rows, columns)).astype(np.float32)
    found = []
    for dtype in (np.float32, np.float64):
        for offset in offsets:
            X, S = (offset + spread).astype(dtype), dY.astype(dtype)
            exact, unrounded = _exact(X, S), _exact(spread, S, offset)
            errors = {name: _errors(run(X, S), exact) for name, run in _implementations().items()}
            errors["input_rounding"] = _errors(unrounded, exact)
            for place, quantity in enumerate(("Xhat", "dX")):
                row = {"dtype": np.dtype(dtype).name, "quantity": quantity, "offset": offset}
                found.append(row | {name: error[place] for name, error in errors.items()})
    return pd.DataFrame(found, columns=_COLUMNS)


def _implementations() -> dict[str, Callable[[Array, Array], Result]]:
    torch = {} if find_spec("torch") is None else {"torch": _torch}
    return {"ours": _ours, **torch, "rounded_mean": _rounded_mean}


def _ours(X: Array, dY: Array) -> Result:
    layer = BatchNormLayer(X.shape[1], eps=_EPS, affine=False)
    Xhat, cache, _ = layer.forward(X)
    return Xhat, layer.backward(dY, cache).X


def _torch(X: Array, dY: Array) -> Result:
    import torch

    x = torch.from_numpy(X).requires_grad_()
    Y = torch.nn.functional.batch_norm(x, None, None, training=True, eps=_EPS)
    (dX,) = torch.autograd.grad(Y, x, torch.from_numpy(dY))
    return Y.detach().numpy(), dX.numpy()


def _rounded_mean(X: Array, dY: Array) -> Result:
    D = X - X.mean(axis=0, dtype=np.float64).astype(X.dtype)
    sigma = np.sqrt((D**2).mean(axis=0, dtype=np.float64) + _EPS)
    Xhat = D / sigma
    return Xhat, (dY - dY.mean(axis=0) - Xhat * (dY * Xhat).mean(axis=0)) / sigma


def _exact(X: Array, dY: Array, offset: float = 0.0) -> Result:
    """Return X̂ and ∂L/∂X of X + offset, exact to `_DIGITS` digits, as arrays of mpmath numbers."""
    context = _exact_numbers()
    number: Any = np.frompyfunc(lambda x: context.mpf(float(x)), 1, 1)
    x, s, N = number(X) + context.mpf(offset), number(dY), len(X)
    D = x - x.sum(axis=0) / N
    variance = (D * D).sum(axis=0) / N
    sigma = np.array([context.sqrt(v + context.mpf(_EPS)) for v in variance])
    Xhat = D / sigma
    return Xhat, (s - s.sum(axis=0) / N - Xhat * ((s * Xhat).sum(axis=0) / N)) / sigma


@cache
def _exact_numbers() -> Any:
    try:
        from mpmath import MPContext  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError(
            f"`{_CALL}` needs mpmath for its exact reference; it is not installed. "
            "Run `pip install mpmath`."
        ) from error
    context = MPContext()  # our own: the precision of the caller's stays
    context.dps = _DIGITS
    return context


def _errors(result: Result, exact: Result) -> tuple[float, float]:
    """Return the largest difference of X̂, and of ∂L/∂X; subtracted exactly."""
    # As objects, so that the difference is taken by mpmath, and not after rounding to a float.
    forward, backward = (
        np.abs(right - left.astype(object)).max() for left, right in zip(result, exact, strict=True)
    )
    return float(forward), float(backward)
