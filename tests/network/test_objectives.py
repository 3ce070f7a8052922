import numpy as np
import pytest

import matbackprop as mb
from matbackprop.errors import ShapeError
from matbackprop.network import objective, objective_of_inputs

RNG = np.random.default_rng(3)
NET = mb.Network("tanh", mb.BatchNorm(1, 0.1))
PAR = mb.Parameters.random(3, 2, rng=RNG, q=2)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
KEPT = mb.moments(NET, PAR, RNG.standard_normal((20, 3)))


@pytest.mark.parametrize("kept", [None, KEPT], ids=["batch", "fixed"])
def test_they_are_the_loss(kept):
    loss = mb.gradient(NET, PAR, X, Y, moments=kept).loss
    assert objective(NET, PAR, X, Y, moments=kept)(PAR.to_vector()) == pytest.approx(loss, abs=0)
    assert objective_of_inputs(NET, PAR, X, Y, moments=kept)(X) == pytest.approx(loss, abs=0)


def test_they_move_with_their_argument():
    other = mb.Parameters.random(3, 2, rng=np.random.default_rng(4), q=2)
    there = objective(NET, PAR, X, Y)(other.to_vector())
    assert there == pytest.approx(mb.gradient(NET, other, X, Y).loss, rel=1e-14)
    assert objective_of_inputs(NET, PAR, X, Y)(2 * X) == pytest.approx(
        mb.gradient(NET, PAR, 2 * X, Y).loss, rel=1e-14
    )


@pytest.mark.parametrize("size", [13, 15])
def test_the_vector_must_have_every_entry(size):
    text = rf"needs the 14 entries of `par.to_vector\(\)`; got shape \({size},\)"
    with pytest.raises(ShapeError, match=text):
        objective(NET, PAR, X, Y)(np.ones(size))


def test_the_inputs_must_have_every_row():
    with pytest.raises(ShapeError, match=r"needs X of shape \(6, 3\), as given; got \(1, 3\)"):
        objective_of_inputs(NET, PAR, X, Y, moments=KEPT)(X[:1])
