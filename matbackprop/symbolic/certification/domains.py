"""Where check points are drawn, and in which directions a flagged variable may move from one.

A domain is a name for a distribution; the flags of a variable (symmetric, diagonal, orthogonal,
spd) are kept whatever its domain, and by every direction to first order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from matbackprop._typing import Array
from matbackprop._validation import check_option
from matbackprop.errors import OptionError
from matbackprop.symbolic.expressions.expression import Variable

Sizes: TypeAlias = tuple[int, ...]
Draw: TypeAlias = Callable[[np.random.Generator, Sizes], Array]

FLAGS = ("symmetric", "diagonal", "orthogonal", "spd")


def _eye(shape: Sizes) -> Array:
    return np.eye(shape[0], shape[1]) if shape else np.ones(())


def _normal(rng: np.random.Generator, shape: Sizes) -> Array:
    return 0.8 * rng.standard_normal(shape)


def _positive(rng: np.random.Generator, shape: Sizes) -> Array:
    return rng.uniform(0.5, 1.5, shape)


def _unit(rng: np.random.Generator, shape: Sizes) -> Array:
    return rng.uniform(0.05, 0.95, shape)


def _well(rng: np.random.Generator, shape: Sizes) -> Array:
    return 2 * _eye(shape) + 0.3 * rng.standard_normal(shape)


def _spd(rng: np.random.Generator, shape: Sizes) -> Array:
    B = rng.standard_normal(shape)
    return (B @ B.T if shape else B**2) + _eye(shape)


def _signs(rng: np.random.Generator, shape: Sizes) -> Array:
    return rng.choice([-1.0, 1.0], shape)


def _binary(rng: np.random.Generator, shape: Sizes) -> Array:
    return rng.choice([0.0, 1.0], shape)


def _onehot(rng: np.random.Generator, shape: Sizes) -> Array:
    if not shape:
        return np.ones(())
    m, n = shape
    return np.eye(m)[:, [rng.integers(m)]] if n == 1 else np.eye(n)[rng.integers(n, size=m)]


def _symmetric(rng: np.random.Generator, shape: Sizes) -> Array:
    return _mirrored(_normal(rng, shape))


def _diagonal(rng: np.random.Generator, shape: Sizes) -> Array:
    return _normal(rng, shape) * _eye(shape)


def _orthogonal(rng: np.random.Generator, shape: Sizes) -> Array:
    Q: Array = np.linalg.qr(rng.standard_normal(shape))[0]
    return Q


DOMAINS: Mapping[str, Draw] = MappingProxyType(
    {
        "normal": _normal,  # 0.8 N(0, 1)
        "positive": _positive,  # U(0.5, 1.5)
        "unit": _unit,  # U(0.05, 0.95): probabilities
        "well": _well,  # 2I + 0.3 N(0, 1): well conditioned, |X| > 0
        "spd": _spd,  # BBᵀ + I
        "pm1": _signs,
        "binary": _binary,
        "onehot": _onehot,  # one-hot rows; a column has one 1
        "symmetric": _symmetric,
        "diagonal": _diagonal,
        "orthogonal": _orthogonal,
    }
)


def draw(variable: Variable, shape: Sizes, rng: np.random.Generator, /) -> Array:
    """Return a random value of the variable, in its domain and with its flags.

    spd and orthogonal decide the distribution by themselves. A symmetric variable takes what
    its domain draws on and below the diagonal, a diagonal one what it draws on it.

    Raises
    ------
    OptionError
        If there is no such domain or flag, or it asks for a square matrix and this is none.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> S = Variable("S", (Dim.of("n"), Dim.of("n")), ("symmetric",), "positive")
    >>> value = draw(S, (3, 3), np.random.default_rng(0))
    >>> bool((value == value.T).all() and (value > 0).all())
    True
    """
    call = f"the check points of {variable.name}"
    check_option(variable.domain, DOMAINS, call=call, name="domain")
    for flag in variable.flags:
        check_option(flag, FLAGS, call=call, name="flag")
    # Each flag is also the name of a domain. Of scalars only spd, for positive, makes sense.
    square = len(shape) == 2 and shape[0] == shape[1]
    for wish in (variable.domain, *variable.flags):
        if not square and wish in FLAGS and (shape or wish != "spd"):
            raise OptionError(
                f"{variable.name} cannot be {wish}: that is for a square matrix, and it is "
                f"{'×'.join(map(str, shape)) or 'a scalar'} here."
            )
    flags = set(variable.flags)
    if "orthogonal" in flags:
        return _orthogonal_with(flags, rng, shape)
    X = DOMAINS["spd" if "spd" in flags else variable.domain](rng, shape)
    if "diagonal" in flags:
        return X * _eye(shape)
    return _mirrored(X) if "symmetric" in flags else X


def tangent_part(variable: Variable, X: Array, Z: Array, /) -> Array:
    """Return the part of Z along which X may move and keep the flags, to first order.

    This is the orthogonal projection onto the tangent space at X: (Z + Zᵀ)/2 for a symmetric
    variable, the diagonal of Z for a diagonal one, Z − X(XᵀZ + ZᵀX)/2 for an orthogonal one, Z
    itself without a flag. Its image is also where the gradient lies.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> S = Variable("S", (Dim.of("n"), Dim.of("n")), ("symmetric",))
    >>> tangent_part(S, np.eye(2), np.array([[1.0, 2.0], [0.0, 3.0]]))
    array([[1., 1.],
           [1., 3.]])
    """
    flags = set(variable.flags)
    if flags & {"symmetric", "spd"}:
        Z = symmetric_part(Z)
    if "diagonal" in flags:
        Z = Z * _eye(Z.shape)
    if "orthogonal" in flags:
        Z = Z - X @ symmetric_part(X.T @ Z)
    return Z


def tangent(variable: Variable, X: Array, rng: np.random.Generator, /) -> Array:
    """Return a random direction in which X keeps the flags of the variable, to first order."""
    return tangent_part(variable, X, rng.standard_normal(X.shape))


def symmetric_part(A: Array, /) -> Array:
    """Return (A + Aᵀ)/2."""
    return (A + A.T) / 2


def _mirrored(X: Array) -> Array:
    # Not (X + Xᵀ)/2: its entries would leave the domain, as 0 is not ±1.
    return np.tril(X) + np.tril(X, -1).T if X.shape else X


def _orthogonal_with(flags: set[str], rng: np.random.Generator, shape: Sizes) -> Array:
    signs = np.diag((-1.0) ** np.arange(shape[0]))
    if "spd" in flags:
        return _eye(shape)  # the only one
    if "diagonal" in flags:
        return signs
    Q = _orthogonal(rng, shape)
    return Q @ signs @ Q.T if "symmetric" in flags else Q
