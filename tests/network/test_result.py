import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import matbackprop as mb


@pytest.fixture
def g():
    return mb.Gradient(
        loss=1.5,
        Gamma1=np.array([[1.0, -2.0], [3.0, 4.0]]),
        Gamma2=np.array([5.0, 6.0]),
        gamma=np.array([7.0, 8.0]),
        beta=np.array([9.0, 1e-9]),
    )


def test_prints_as_one_table_with_a_column_a_node(g):
    assert str(g).splitlines() == [
        "Gradient of the loss R = 1.5",
        "                   h1          h2",
        "Gamma1 x1           1          -2",
        "Gamma1 x2           3           4",
        "gamma               7           8",
        "beta                9       1e-09",
        "Gamma2              5           6",
    ]
    assert repr(g) == str(g)


def test_a_large_gradient_stays_small_on_paper(rng):
    net = mb.Network("tanh")
    par = mb.Parameters.random(300, 80, rng=rng, q=2)
    X, y = rng.standard_normal((40, 300)), rng.standard_normal((40, 2))
    text = str(mb.gradient(net, par, X, y, inputs=True))
    lines = text.splitlines()
    assert len(lines) <= 20
    assert max(map(len, lines)) <= 110
    assert "… 290 more rows" in text
    assert "… 74 more nodes" in text
    assert "Gamma2 y2" in text
    assert "and X, shape (40, 300)" in text


def test_frozen(g):
    with pytest.raises(dataclasses.FrozenInstanceError):
        g.loss = 0.0


def test_computed_gradients_are_read_only(rng):
    par = mb.Parameters.random(2, 2, rng=rng)
    g = mb.gradient(mb.Network(), par, rng.standard_normal((5, 2)), rng.standard_normal(5))
    with pytest.raises(ValueError, match="read-only"):
        g.Gamma1[0, 0] = 1.0


def test_vector_has_the_order_of_theta(g):
    assert g.to_vector().tolist() == [1, 3, -2, 4, 5, 6, 7, 8, 9, 1e-9]


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_names_of_data_frames_are_kept(rng, formulation):
    X = pd.DataFrame(rng.standard_normal((6, 2)), columns=["age", "dose"])
    y = pd.DataFrame(rng.standard_normal((6, 2)), columns=["pain", "pulse"])
    par = mb.Parameters.random(2, 3, rng=rng, q=2)
    g = mb.gradient(mb.Network(), par, X, y, formulation=formulation)
    assert (g.input_names, g.output_names) == (("age", "dose"), ("pain", "pulse"))
    assert "Gamma1 dose" in str(g)
    assert "Gamma2 pulse" in str(g)
    plain = mb.gradient(mb.Network(), par, X.to_numpy(), y.to_numpy(), formulation=formulation)
    assert_array_equal(g.to_vector(), plain.to_vector())


def test_a_series_is_one_outcome(rng):
    X, y = rng.standard_normal((6, 2)), pd.Series(rng.standard_normal(6), name="pain")
    g = mb.gradient(mb.Network(), mb.Parameters.random(2, 3, rng=rng), X, y)
    assert g.output_names == ("pain",)
    assert g.Gamma2.shape == (3,)
