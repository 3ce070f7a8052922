"""`check_r_gradient`: the gradient that an R user wrote, checked against the loss in R."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from matbackprop.checking.named_arguments import check_named
from matbackprop.checking.records import Diagnosis
from matbackprop.rbridge.user_functions import RFile


def check_r_gradient(
    file: str | os.PathLike[str],
    loss: str,
    gradient: str,
    at: Any,
    known: Mapping[str, Any] | None = None,
    *,
    wrt: Sequence[str] | str | None = None,
    engine: str = "auto",
    network: Any = None,
    rng: np.random.Generator | None = None,
    method: Any = "auto",
    step: float = 1e-2,
) -> Diagnosis:
    """Check a gradient written in R against the derivative of a loss written in R.

    Both run in R, at many points by each call of it, and `check_gradient` says what is wrong.

    Parameters
    ----------
    file
        Path of the R file. It is run in its own folder; it may attach packages and read files.
    loss, gradient
        Names of functions in it. The loss returns one number; the gradient one array, or a
        list by the names of the parameters. An n x 1 matrix, as `crossprod` and `%*%` return,
        is accepted for a vector of length n; names are dropped, integers become doubles.
    at
        A dict of arguments by name: numbers, arrays (1-D ones are plain vectors in R), dicts
        (named lists), text. Or one array, the only argument, passed without a name.
    known
        Named arrays, or callables of the point, that may explain a mistake.
    wrt
        The arguments that are parameters; the others are data, held fixed. By default the
        names in the list that the gradient returns, or the argument if there is but one.
    engine
        "rpy2", "rscript", or "auto": the first of these that works.
    network, rng, method, step
        As in `check_gradient`.

    Raises
    ------
    DataError
        If there is no such file.
    OptionError
        If it has no such functions (it lists those it has), or `wrt` is needed or wrong.
    RUnavailableError
        If there is no R.
    RCallError
        If R stops; the message is R's own, with R's call. What R warns of becomes an
        `RWarning`, each distinct warning once.

    Examples
    --------
    With `loss <- function(beta, X, y) sum((y - X %*% beta)^2)` and its gradient in ols.R::

        check_r_gradient("ols.R", "loss", "gradient", {"beta": b, "X": X, "y": y}, wrt="beta")
    """
    source = RFile(file, engine=engine)
    return check_named(
        source,
        loss,
        gradient,
        _doubles(at),
        known or {},
        wrt=wrt,
        call="check_r_gradient",
        title=f"gradient, {gradient}() against {loss}() of {source.path.name}",
        network=network,
        rng=rng,
        method=method,
        step=step,
    )


def _doubles(value: Any) -> Any:
    """Return numbers as R users mean them: 5 is a double there, and 50000 * 50000 no NA."""
    if isinstance(value, Mapping):
        return {name: _doubles(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        array = np.asarray(value) if _is_rectangular(value) else np.empty(0, dtype=object)
        return _doubles(array) if array.dtype.kind in "iuf" else [_doubles(v) for v in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int | float | np.number):
        return float(value) if np.isrealobj(value) else value
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return value.astype(np.float64)
    return value


def _is_rectangular(value: Any) -> bool:
    try:
        return bool(np.asarray(value).size)
    except ValueError:
        return False
