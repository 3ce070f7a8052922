"""The fixture `check_gradient`, which pytest finds wherever the package is installed.

A test asks for it by name, ``def test_mine(check_gradient)``, and calls it:
``check_gradient(loss, gradient, theta, known={"N": len(X)})``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import numpy as np
import pytest


@pytest.fixture
def check_gradient(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Fail with the whole diagnosis, the mistake by its name, unless a gradient is right.

    A function with the parameters of `matbackprop.checking.assert_gradient`. Its random second
    point is the same each time for one test, and another for each: pass `rng` to choose it.
    """
    # Every run of pytest loads this module, whether or not a gradient is checked in it.
    from matbackprop.checking import assert_gradient

    seed = crc32(request.node.nodeid.encode())

    def check(loss: Callable[[Any], Any], gradient: Any, at: Any, **options: Any) -> None:
        __tracebackhide__ = True
        options.setdefault("rng", np.random.default_rng(seed))
        assert_gradient(loss, gradient, at, **options)

    return check
