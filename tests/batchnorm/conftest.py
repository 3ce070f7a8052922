"""Shared by the tests of the torch guise."""

import pytest


@pytest.fixture(scope="module")
def mb(torch):
    from matbackprop.batchnorm import torch as guise

    return guise


@pytest.fixture
def draw(torch, rng):
    def tensor(*shape, grad=True, least=None, dtype=None):
        values = rng.standard_normal(shape) if least is None else least + rng.random(shape)
        return torch.tensor(values, dtype=dtype or torch.float64, requires_grad=grad)

    return tensor
