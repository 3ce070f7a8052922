"""Shared by all tests: seeded randomness, and the policy for tests that need a live R."""

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import NoReturn

import numpy as np
import pytest

from matbackprop.errors import RUnavailableError
from matbackprop.rbridge import connect


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20180220)


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str], NoReturn]:
    """Skip, visibly, where a tool is missing; but fail in CI, where that would pass unseen."""

    def report(what: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"CI must have it: {what}")
        pytest.skip(what)

    return report


@pytest.fixture(scope="session", params=["rpy2", "rscript"])
def live_engine(request: pytest.FixtureRequest, unavailable: Callable[[str], NoReturn]) -> str:
    """The name of each engine that runs R now, in turn."""
    try:
        return connect(request.param).engine.name
    except RUnavailableError as error:
        unavailable(str(error))


@pytest.fixture(scope="session")
def torch(unavailable: Callable[[str], NoReturn]) -> ModuleType:
    """The module torch, for tests that compare with it."""
    try:
        return importlib.import_module("torch")
    except ImportError:
        unavailable("torch is not installed")


@pytest.fixture(scope="session")
def assert_agree() -> Callable[..., None]:
    """Compare two gradients entry by entry, relative to the size of the terms that cancel."""

    def agree(one, other, sizes, tolerance=1e-13):
        assert abs(one.loss - other.loss) <= tolerance * sizes["loss"]
        ours, theirs = dict(one.blocks()), dict(other.blocks())
        assert ours.keys() == theirs.keys()
        for name, block in ours.items():
            assert block.shape == theirs[name].shape, name
            assert block.dtype == theirs[name].dtype, name
            excess = np.abs(block - theirs[name]) - tolerance * sizes[name]
            assert excess.max() <= 0, f"{name} differs by {excess.max():g} beyond rounding"

    return agree
