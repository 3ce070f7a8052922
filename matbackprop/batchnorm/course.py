"""Normalisation in the signatures of a well-known course: Stanford's CS231n, assignment 2.

A notebook that was written for them runs with only the import changed. Conventions, once for all:

- `bn_param` is a dictionary: "mode" ("train" or "test", required), "eps" (1e-5), "momentum" (0.9),
  "running_mean" and "running_var" (zeros before the first batch). A pass in train mode stores new
  running statistics in it: momentum·running + (1 − momentum)·batch, with the biased variance. A
  pass in test mode, or one that raises, leaves it as it was. `ln_param` and `gn_param` may hold
  "eps"; the other keys are let pass, and have no meaning there.
- A forward function returns `(out, cache)`, a backward function `(dx, dgamma, dbeta)`, each
  gradient in the shape of its variable. Both work in either mode: in test mode the running
  statistics are constants. The cache refers to x: do not change x in place before going back.
- Two things are stricter than in the course. Test mode before any training raises `OptionError`:
  zeros for running statistics would only multiply x by 1/√eps. A single row in train mode
  raises `DataError`: it would become beta, whatever it is.
- Arrays of every library that `BatchNormLayer` takes are taken here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import replace
from numbers import Real
from typing import Any

from array_api_compat import array_namespace

from matbackprop._validation import check_option
from matbackprop.batchnorm.affine import Cache, Gradients, pull_back
from matbackprop.batchnorm.arrangements import (
    batch_arrangement,
    group_arrangement,
    layer_arrangement,
)
from matbackprop.batchnorm.arrays import AnyArray
from matbackprop.batchnorm.door import (
    admit,
    check_array,
)
from matbackprop.batchnorm.layer import BatchNormLayer
from matbackprop.batchnorm.relatives import GroupNormLayer, LayerNormLayer, Normed
from matbackprop.batchnorm.running import Running
from matbackprop.batchnorm.staged import staged_pull_back
from matbackprop.batchnorm.steps import checked_backward
from matbackprop.errors import DtypeError, MatBackpropError, OptionError, ShapeError

__all__ = [
    "batchnorm_backward",
    "batchnorm_backward_alt",
    "batchnorm_forward",
    "layernorm_backward",
    "layernorm_forward",
    "spatial_batchnorm_backward",
    "spatial_batchnorm_forward",
    "spatial_groupnorm_backward",
    "spatial_groupnorm_forward",
]

_KEYS = ("mode", "eps", "momentum", "running_mean", "running_var")


def batchnorm_forward(
    x: AnyArray, gamma: AnyArray, beta: AnyArray, bn_param: MutableMapping[str, Any]
) -> Normed:
    """Return out = gamma·(x − μ)/√(σ² + eps) + beta, column by column, and the cache.

    Parameters
    ----------
    x
        Shape (N, D).
    gamma, beta
        Shape (D,).
    bn_param
        Options and running statistics; updated in train mode.

    Raises
    ------
    OptionError
        If the mode is missing or unknown, an option unknown or out of range, or running
        statistics are missing in test mode.
    ShapeError, DataError, DtypeError
        As `BatchNormLayer.forward` does.

    Examples
    --------
    >>> import numpy as np
    >>> bn_param = {"mode": "train"}
    >>> x = np.array([[1.0, 0.0], [3.0, 8.0]])
    >>> out, cache = batchnorm_forward(x, np.ones(2), np.zeros(2), bn_param)
    >>> out.round(3)
    array([[-1., -1.],
           [ 1.,  1.]])
    >>> bn_param["running_mean"], bn_param["running_var"]  # 0.1·(2, 4) and 0.1·(1, 16)
    (array([0.2, 0.4]), array([0.1, 1.6]))
    """
    return _batchnorm(
        x, gamma, beta, bn_param, "N, D", "batchnorm_forward(x, gamma, beta, bn_param)"
    )


def batchnorm_backward(dout: AnyArray, cache: Cache) -> Gradients:
    """Return dx, dgamma, dbeta by walking the graph of small steps: `staged_pull_back`.

    Parameters
    ----------
    dout
        ∂L/∂out, of the shape of x.
    cache
        From `batchnorm_forward`.

    Raises
    ------
    ShapeError, DtypeError, DataError
        If dout does not fit the cache, is of another library, or is not finite.
    """
    return _backward(dout, cache, "batchnorm_backward", _is_batch, staged_pull_back)


def batchnorm_backward_alt(dout: AnyArray, cache: Cache) -> Gradients:
    """Return what `batchnorm_backward` returns, by the closed form: the faster route.

    dx = (gamma/σ)(dout − dbeta/N − x̂·dgamma/N), and in test mode (gamma/σ)·dout.

    Examples
    --------
    >>> import numpy as np
    >>> x, dout = np.array([[0.0], [1.0], [5.0]]), np.array([[1.0], [0.0], [0.0]])
    >>> _, cache = batchnorm_forward(x, np.ones(1), np.zeros(1), {"mode": "train"})
    >>> dx, dgamma, dbeta = batchnorm_backward_alt(dout, cache)
    >>> bool(np.allclose(dx, batchnorm_backward(dout, cache)[0], rtol=0, atol=1e-14))
    True
    """
    return _backward(dout, cache, "batchnorm_backward_alt", _is_batch)


def layernorm_forward(
    x: AnyArray, gamma: AnyArray, beta: AnyArray, ln_param: Mapping[str, Any]
) -> Normed:
    """Return out, each row of x normalised by its own mean and variance, and the cache.

    Parameters
    ----------
    x
        Shape (N, D).
    gamma, beta
        Shape (D,).
    ln_param
        May hold "eps". One and the same in training and test.

    Raises
    ------
    OptionError, ShapeError, DataError, DtypeError
        As `LayerNormLayer.forward` does.

    Examples
    --------
    >>> import numpy as np
    >>> out, _ = layernorm_forward(np.array([[1.0, 3.0]]), np.full(2, 4.0), np.ones(2), {})
    >>> out.round(3)
    array([[-3.,  5.]])
    """
    call = "layernorm_forward(x, gamma, beta, ln_param)"
    with _speaking_as(call):
        _check_given(gamma, beta, call)
        options = _options(ln_param, "ln_param", call)
        x = _data(x, "N, D", call)
        layer = LayerNormLayer(x.shape[1], **_chosen(options, "eps"))
        return layer.forward(x, gamma, beta)


def layernorm_backward(dout: AnyArray, cache: Cache) -> Gradients:
    """Return dx, dgamma, dbeta; errors as in `batchnorm_backward`."""
    return _backward(dout, cache, "layernorm_backward", _is_layer)


def spatial_batchnorm_forward(
    x: AnyArray, gamma: AnyArray, beta: AnyArray, bn_param: MutableMapping[str, Any]
) -> Normed:
    """Return out, x of shape (N, C, H, W) normalised channel by channel, and the cache.

    All else is as in `batchnorm_forward`; gamma, beta and the running statistics are (C,).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(8.0).reshape(2, 1, 2, 2)
    >>> out, _ = spatial_batchnorm_forward(x, np.ones(1), np.zeros(1), {"mode": "train"})
    >>> out.shape, abs(float(out.mean())) < 1e-15, round(float(out.std()), 5)
    ((2, 1, 2, 2), True, 1.0)
    """
    call = "spatial_batchnorm_forward(x, gamma, beta, bn_param)"
    return _batchnorm(x, gamma, beta, bn_param, "N, C, H, W", call)


def spatial_batchnorm_backward(dout: AnyArray, cache: Cache) -> Gradients:
    """Return dx, dgamma, dbeta; errors as in `batchnorm_backward`."""
    return _backward(dout, cache, "spatial_batchnorm_backward", _is_batch)


def spatial_groupnorm_forward(
    x: AnyArray, gamma: AnyArray, beta: AnyArray, G: int, gn_param: Mapping[str, Any]
) -> Normed:
    """Return out, each row of x normalised within G groups of channels, and the cache.

    Parameters
    ----------
    x
        Shape (N, C, H, W).
    gamma, beta
        Shape (1, C, 1, 1), or (C,); their gradients come back in this shape.
    G
        How many groups; divides C.
    gn_param
        May hold "eps".

    Raises
    ------
    OptionError, ShapeError, DataError, DtypeError
        As `GroupNormLayer` and its `forward` do.

    Examples
    --------
    >>> import numpy as np
    >>> x, gamma = np.arange(16.0).reshape(1, 4, 2, 2), np.ones((1, 4, 1, 1))
    >>> out, cache = spatial_groupnorm_forward(x, gamma, 0 * gamma, 2, {})
    >>> spatial_groupnorm_backward(np.ones(x.shape), cache)[1].shape
    (1, 4, 1, 1)
    """
    call = "spatial_groupnorm_forward(x, gamma, beta, G, gn_param)"
    with _speaking_as(call):
        _check_given(gamma, beta, call)
        options = _options(gn_param, "gn_param", call)
        x = _data(x, "N, C, H, W", call)
        layer = GroupNormLayer(G, x.shape[1], **_chosen(options, "eps"))
        gamma, beta = (
            admit(weight, call=call, name=name)
            for name, weight in (("gamma", gamma), ("beta", beta))
        )
        if tuple(gamma.shape) != tuple(beta.shape):
            raise ShapeError(
                f"`{call}` needs gamma and beta of one shape; got gamma {tuple(gamma.shape)}, "
                f"beta {tuple(beta.shape)}."
            )
        out, cache = layer.forward(x, *(_flat(weight, x) for weight in (gamma, beta)))
        return Normed(out, replace(cache, gamma=gamma))


def spatial_groupnorm_backward(dout: AnyArray, cache: Cache) -> Gradients:
    """Return dx, dgamma, dbeta; errors as in `batchnorm_backward`."""
    return _backward(dout, cache, "spatial_groupnorm_backward", _is_group)


def _backward(
    dout: AnyArray,
    cache: Cache,
    function: str,
    belongs: Callable[[Cache], bool],
    by: Callable[[AnyArray, Cache], Gradients] = pull_back,
) -> Gradients:
    call = f"{function}(dout, cache)"
    return checked_backward(dout, cache, call=call, name="dout", belongs=belongs, by=by)


def _is_batch(cache: Cache) -> bool:
    return len(cache.shape) > 1 and cache.arrangement == batch_arrangement(cache.shape)


def _is_layer(cache: Cache) -> bool:
    return len(cache.shape) == 2 and cache.arrangement == layer_arrangement(
        cache.shape, cache.shape[1:]
    )


def _is_group(cache: Cache) -> bool:
    return len(cache.shape) == 4 and cache.arrangement == group_arrangement(
        cache.shape, cache.arrangement.view[1]
    )


def _batchnorm(
    x: AnyArray,
    gamma: AnyArray,
    beta: AnyArray,
    bn_param: MutableMapping[str, Any],
    axes: str,
    call: str,
) -> Normed:
    with _speaking_as(call):
        _check_given(gamma, beta, call)
        options = _options(bn_param, "bn_param", call)
        if "mode" not in options:
            raise OptionError(f'`{call}` needs bn_param["mode"], "train" or "test"; it is missing.')
        mode = options["mode"]
        check_option(mode, ("train", "test"), call=call, name='bn_param["mode"]')
        # The layer also takes None and "customary": a cumulative average needs a count of
        # batches, and `bn_param` has none.
        momentum = options.get("momentum", 0.9)
        if not isinstance(momentum, Real) or not 0 <= float(momentum) <= 1:
            raise OptionError(f'`{call}` needs bn_param["momentum"] in [0, 1]; got {momentum!r}.')
        x = _data(x, axes, call)
        chosen = _chosen(options, "eps", "momentum")
        layer = BatchNormLayer(x.shape[1], **chosen, convention="course")
        before = _running(options, layer, x, call)
        out, cache, after = layer.forward(x, gamma, beta, mode=mode, running=before)
    if mode == "train" and after is not None:
        bn_param.update(running_mean=after.mean, running_var=after.variance)
    return Normed(out, cache)


def _running(options: Mapping[str, Any], layer: BatchNormLayer, x: AnyArray, call: str) -> Running:
    missing = [key for key in ("running_mean", "running_var") if options.get(key) is None]
    if missing and options["mode"] == "test":
        raise OptionError(
            f'`{call}` in mode "test" needs running statistics; bn_param lacks '
            f'{" and ".join(missing)}. Pass a batch in mode "train" first, with the same '
            "bn_param; or put them there yourself."
        )
    first = layer.initial(x)
    given = {"running_mean": first.mean, "running_var": first.variance}
    for key in [key for key in given if key not in missing]:
        given[key] = check_array(
            options[key], x, (layer.features,), call=call, name=f'bn_param["{key}"]'
        )
    return Running(given["running_mean"], given["running_var"])


def _options(param: object, name: str, call: str) -> Mapping[str, Any]:
    kind = MutableMapping if name == "bn_param" else Mapping  # running statistics go in there
    if not isinstance(param, kind):
        raise DtypeError(
            f"`{call}` needs {name} to be a dictionary of options; got {type(param).__name__}."
        )
    for key in param:
        check_option(key, _KEYS, call=call, name=f"keys of {name}")
    return param


def _check_given(gamma: object, beta: object, call: str) -> None:
    if gamma is None or beta is None:
        raise OptionError(f"`{call}` needs both gamma and beta. For none, pass ones and zeros.")


def _chosen(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those options that were given; the layers know the defaults."""
    return {name: options[name] for name in names if name in options}


def _data(x: AnyArray, axes: str, call: str) -> AnyArray:
    x = admit(x, call=call, name="x")
    if x.ndim != axes.count(",") + 1:
        raise ShapeError(
            f"`{call}` needs x of shape ({axes}); got {tuple(x.shape)}. Of two axes: "
            "`batchnorm_forward`, `layernorm_forward`; of four: the functions named spatial."
        )
    return x


def _flat(weight: AnyArray, x: AnyArray) -> AnyArray:
    """Return (1, C, 1, 1) as (C,), and leave anything else to the layer's own check."""
    wanted = (1, x.shape[1], 1, 1)
    if tuple(weight.shape) != wanted:
        return weight
    return array_namespace(weight).reshape(weight, (x.shape[1],))


@contextmanager
def _speaking_as(call: str) -> Iterator[None]:
    """Let the errors of the layers name the call that was made, not the one made for it."""
    try:
        yield
    except MatBackpropError as error:
        text = re.sub(r"\bX\b", "x", re.sub(r"^`[^`]*`", "", str(error)))
        raise type(error)(f"`{call}`{text}") from None
