"""Shared by all tests: seeded randomness, and the policy for tests that need R."""

import os

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20180220)


def need(present: bool, what: str) -> None:
    """Skip visibly where `what` is absent; in CI its absence is a failure."""
    if present:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and in CI it must be there")
    pytest.skip(f"{what} is not installed")
