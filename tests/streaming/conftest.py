"""What the tests of a problem compare with, and how: `mb.gradient` in memory, entry by entry."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import matbackprop as mb


@pytest.fixture(scope="session")
def draw() -> Callable[..., tuple[mb.Parameters, Any, Any]]:
    """Draw parameters, X and y."""

    def drawn(rng, N=150, p1=3, p2=4, q=None, batch_norm=True):
        par = mb.Parameters.random(p1, p2, rng=rng, q=q, batch_norm=batch_norm)
        X = rng.standard_normal((N, p1))
        return par, X, rng.standard_normal(N if q is None else (N, q))

    return drawn


@pytest.fixture(scope="session")
def narrow() -> Callable[[mb.Parameters], mb.Parameters]:
    """Return the parameters in float32."""

    def narrowed(par):
        blocks = (par.Gamma1, par.Gamma2, par.gamma, par.beta)
        return mb.Parameters(*(None if b is None else np.float32(b) for b in blocks))

    return narrowed


@pytest.fixture(scope="session")
def same_bits() -> Callable[[Any, Any], bool]:
    """Tell whether two gradients are the same to the last bit."""

    def same(one, other):
        return one.loss == other.loss and bool((one.to_vector() == other.to_vector()).all())

    return same
