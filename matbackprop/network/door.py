"""The door: everything a user passes is checked here, once, for every formulation."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from matbackprop._typing import Array, ArrayLike
from matbackprop._validation import column_names, frozen, real_array
from matbackprop.batchnorm import Moments
from matbackprop.errors import DataError, DtypeError, OptionError, RangeError, ShapeError
from matbackprop.network.model import Network
from matbackprop.network.parameters import Parameters
from matbackprop.network.result import Gradient


class Given(NamedTuple):
    """What the formulations see: conforming arrays of one dtype, outputs always in columns."""

    X: Array  # (N, p1)
    y: Array  # (N, q)
    Gamma1: Array  # (p1, p2)
    Gamma2: Array  # (p2, q)
    gamma: Array  # (p2,); empty without batch norm
    beta: Array  # (p2,); empty without batch norm
    fixed: Moments | None  # given moments (eval mode), else those of the batch
    call: str  # what the user called, for messages


NO_OUTCOME: Final = object()
"""Stands for y where only X is needed; not None, which a user may pass by mistake."""

Inner = Callable[[Network, Given, bool], Gradient]
"""A formulation as it is written: network, conforming arrays, whether ∂R/∂X is wanted."""


class Formulation(Protocol):
    """A formulation as it is called."""

    def __call__(
        self,
        net: Network,
        par: Parameters,
        X: ArrayLike,
        y: ArrayLike,
        /,
        *,
        inputs: bool = False,
        moments: Moments | None = None,
    ) -> Gradient:
        """Return the loss and its gradients."""


def checked(formulation: Inner, /) -> Formulation:
    """Put the door before a formulation: check on the way in, restore shapes on the way out."""

    @functools.wraps(formulation)
    def formulate(
        net: Network,
        par: Parameters,
        X: ArrayLike,
        y: ArrayLike,
        /,
        *,
        inputs: bool = False,
        moments: Moments | None = None,
    ) -> Gradient:
        call = "gradient(net, par, X, y)"
        if not isinstance(inputs, bool | np.bool_):
            raise OptionError(f"`{call}` knows inputs = True, False; got {inputs!r}.")
        given = conform(net, par, X, y, moments, call=call)
        raw = formulation(net, given, bool(inputs))
        g = restored(raw, par, given.X.dtype, call=call)
        if g.fitted is not None:
            g = replace(g, fitted=frozen(g.fitted.astype(given.X.dtype).reshape(np.shape(y))))
        return replace(g, input_names=column_names(X), output_names=column_names(y))

    return formulate


def restored(raw: Gradient, par: Parameters, dtype: Any, /, *, call: str) -> Gradient:
    """Return a gradient in the shapes of the parameters, in their dtype, read-only.

    Raises
    ------
    RangeError
        As `check_range` does.
    """
    check_range(raw, call)
    blocks: dict[str, Any] = {
        name: frozen(block.astype(dtype, copy=False).reshape(_shape(par, name, block)))
        for name, block in raw.blocks()
    }
    return replace(raw, loss=float(raw.loss), **blocks)


def check_range(raw: Gradient, call: str, /) -> None:
    """Raise `RangeError` where finite input has led out of the range of floating-point numbers."""
    for name, value in [("loss", np.asarray(raw.loss)), *raw.blocks()]:
        if not np.isfinite(value).all():
            raise RangeError(
                f"`{call}` overflowed: the {name if name == 'loss' else f'gradient for {name}'} is "
                "not finite, though X, y and the parameters are. Rescale them."
            )


def _shape(par: Parameters, name: str, block: Array) -> tuple[int, ...]:
    return block.shape if name == "X" else getattr(par, name).shape


def conform(
    net: Network,
    par: Parameters,
    X: ArrayLike,
    y: ArrayLike,
    moments: Moments | None,
    /,
    *,
    call: str,
) -> Given:
    """Return conforming arrays of one dtype, or raise one clear error.

    With `NO_OUTCOME` for y (to predict) the given y is the zero matrix of its shape.
    """
    check_records(net, par, moments, call=call)
    data = real_array(X, call=call, name="X", ndim=2)
    N = len(data)
    if N == 0:
        raise DataError(f"`{call}` needs at least one row; X has shape {data.shape}.")
    _check_width(data.shape, par, call)
    check_same_rows(X, y, call=call)
    outcome = _conforming_outcome(y, par, N, call)
    return _of_one_dtype(data, outcome, par, moments, call)


def conform_parameters(
    net: Network,
    par: Parameters,
    moments: Moments | None,
    X: Array,
    y: Array,
    rows: int,
    /,
    *,
    call: str,
) -> Given:
    """Return conforming arrays of one dtype for data that are elsewhere, of so many rows.

    X of shape (0, p1) and y of shape (0,) or (0, q) stand for them.
    """
    check_records(net, par, moments, call=call)
    _check_width((rows, *X.shape[1:]), par, call)
    _check_outcome((rows, *y.shape[1:]), par, rows, call)
    return _of_one_dtype(X, _columns(y), par, moments, call)


def check_records(net: Network, par: Parameters, moments: Moments | None, /, *, call: str) -> None:
    """Raise unless network, parameters and moments are such, and agree about batch norm."""
    for value, kind, name in ((net, Network, "net"), (par, Parameters, "par")):
        if not isinstance(value, kind):
            raise DtypeError(
                f"`{call}` needs {name} to be a `{kind.__name__}`; got {type(value).__name__}."
            )
    _check_batch_norm(net, par, moments, call)


def _check_width(shape: tuple[int, ...], par: Parameters, call: str) -> None:
    if shape[1] != par.Gamma1.shape[0]:
        raise ShapeError(
            f"`{call}` needs one row of Gamma1 for each column of X; "
            f"got X {shape}, Gamma1 {par.Gamma1.shape}."
        )


def _of_one_dtype(
    data: Array, outcome: Array, par: Parameters, moments: Moments | None, call: str
) -> Given:
    none = np.empty(0, dtype=np.float32)
    gamma = none if par.gamma is None else par.gamma
    beta = none if par.beta is None else par.beta
    blocks = [data, outcome, par.Gamma1, _columns(par.Gamma2), gamma, beta]
    # float32 only where every part is: anything wider would be lost without a word.
    dtype = np.result_type(*blocks)
    data, outcome, Gamma1, Gamma2, gamma, beta = (b.astype(dtype, copy=False) for b in blocks)
    return Given(data, outcome, Gamma1, Gamma2, gamma, beta, moments, call)


def check_same_rows(X: ArrayLike, y: ArrayLike, /, *, call: str, name: str = "y") -> None:
    """Refuse a frame and a series whose labels differ: arrays would pair them by position."""
    rows, others = getattr(X, "index", None), getattr(y, "index", None)
    equals = getattr(rows, "equals", None)  # a list has an index too, of another kind
    if equals is not None and hasattr(others, "equals") and not equals(others):
        raise DataError(
            f"`{call}` needs X and {name} with the same row labels in the same order; theirs "
            f"differ. Align them with `{name}.loc[X.index]`, or drop the labels with `.to_numpy()`."
        )


def _check_batch_norm(net: Network, par: Parameters, moments: Moments | None, call: str) -> None:
    if net.batch_norm is not None and par.gamma is None:
        raise OptionError(
            f"`{call}`: the network has batch norm, its parameters have no gamma and beta. "
            "Pass `Parameters(…, gamma=…, beta=…)`, or use `Network(batch_norm=None)`."
        )
    if net.batch_norm is None and par.gamma is not None:
        raise OptionError(
            f"`{call}`: the parameters have gamma and beta, the network has no batch norm. "
            "Leave them out, or use `Network(batch_norm=BatchNorm(…))`."
        )
    if moments is None:
        return
    if net.batch_norm is None:
        raise OptionError(
            f"`{call}`: moments= are for batch norm, and this network has none. Leave them out."
        )
    if not isinstance(moments, Moments):
        raise DtypeError(
            f"`{call}` needs moments to be a `Moments`, as `moments(net, par, X)` gives; "
            f"got {type(moments).__name__}."
        )
    p2 = par.Gamma1.shape[1]
    if moments.mu.shape != (p2,):
        raise ShapeError(
            f"`{call}` needs moments of {p2} hidden nodes; got mu {moments.mu.shape}. "
            "Take them from the same parameters: `moments(net, par, X_train)`."
        )


def _conforming_outcome(y: ArrayLike, par: Parameters, N: int, call: str) -> Array:
    q = _columns(par.Gamma2).shape[1]
    if y is NO_OUTCOME:
        return np.zeros((N, q), dtype=par.Gamma2.dtype)
    outcome = real_array(y, call=call, name="y", ndim=(1, 2))
    _check_outcome(outcome.shape, par, N, call)
    return _columns(outcome)


def _check_outcome(shape: tuple[int, ...], par: Parameters, N: int, call: str) -> None:
    if len(shape) != par.Gamma2.ndim:
        remedy = (
            "Pass `y[:, 0]`, or `Gamma2[:, None]`."
            if len(shape) == 2
            else "Pass `y[:, None]`, or `Gamma2[:, 0]`."
        )
        raise ShapeError(
            f"`{call}` needs y (N,) with Gamma2 (p2,), or y (N, q) with Gamma2 (p2, q); "
            f"got y {shape}, Gamma2 {par.Gamma2.shape}. {remedy}"
        )
    if shape[0] != N or shape[1:] != par.Gamma2.shape[1:]:
        q = _columns(par.Gamma2).shape[1]
        raise ShapeError(
            f"`{call}` needs y with a row for each of the {N} rows of X and a column for each of "
            f"the {q} output(s) of Gamma2; got y {shape}, Gamma2 {par.Gamma2.shape}."
        )


def _columns(array: Array) -> Array:
    return array[:, None] if array.ndim == 1 else array
