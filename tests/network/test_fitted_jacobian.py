import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.differences import central_difference

NORMS = {"plain": None, "ddof1": mb.BatchNorm(1, 0.0), "eps": mb.BatchNorm(0, 0.2)}


@pytest.mark.parametrize("q", [None, 1, 3])
@pytest.mark.parametrize(
    ("norm", "fixed"), [(n, f) for n in NORMS for f in (0, 1) if n != "plain" or not f]
)
def test_against_central_differences(rng, norm, q, fixed):
    net = mb.Network("softplus", NORMS[norm])
    par = mb.Parameters.random(3, 2, rng=rng, q=q, batch_norm=norm != "plain")
    X = rng.standard_normal((5, 3))
    kept = mb.moments(net, par, rng.standard_normal((9, 3))) if fixed else None

    def fitted(theta):
        return mb.predict(net, mb.Parameters.from_vector(theta, like=par), X, moments=kept)

    numeric = central_difference(fitted, par.to_vector())
    J = mb.jacobian(net, par, X, moments=kept)
    assert_allclose(J.matrix, numeric.value, rtol=1e-8, atol=1e-9)
    assert J.matrix.shape == (len(J.row_labels), len(J.column_labels))


@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
def test_the_gradient_is_the_jacobian_times_the_residuals(rng, formulation):
    """∇R = −2c₀ Jᵀ vec(ε̂)."""
    net = mb.Network("relu", mb.BatchNorm(1, 0.1))
    par = mb.Parameters.random(4, 3, rng=rng, q=2)
    X, y = rng.standard_normal((9, 4)), rng.standard_normal((9, 2))
    residuals = y - mb.predict(net, par, X)
    J = mb.jacobian(net, par, X).matrix
    g = mb.gradient(net, par, X, y, formulation=formulation)
    assert_allclose(-2 / 9 * J.T @ residuals.ravel(order="F"), g.to_vector(), atol=1e-13)


def test_labels(rng):
    X = pd.DataFrame(rng.standard_normal((4, 2)), columns=["age", "dose"])
    par = mb.Parameters.random(2, 2, rng=rng, q=2)
    J = mb.jacobian(mb.Network(), par, X)
    assert J.row_labels == tuple(f"{y}[{n}]" for y in ("y1", "y2") for n in (1, 2, 3, 4))
    assert J.column_labels == (
        "Gamma1[age,h1]", "Gamma1[dose,h1]", "Gamma1[age,h2]", "Gamma1[dose,h2]",
        "Gamma2[h1,y1]", "Gamma2[h2,y1]", "Gamma2[h1,y2]", "Gamma2[h2,y2]",
        "gamma[h1]", "gamma[h2]", "beta[h1]", "beta[h2]",
    )  # fmt: skip
    assert J.blocks == {
        "Gamma1": slice(0, 4), "Gamma2": slice(4, 8), "gamma": slice(8, 10), "beta": slice(10, 12)
    }  # fmt: skip
    assert str(J).startswith("Jacobian ∂vec(ŷ)/∂θᵀ, shape (8, 12); columns of Gamma1 0:4")


def test_labels_of_one_output_in_a_column(rng):
    par = mb.Parameters.random(1, 2, rng=rng, q=1, batch_norm=False)
    J = mb.jacobian(mb.Network(batch_norm=None), par, rng.standard_normal((3, 1)))
    assert J.column_labels[2:] == ("Gamma2[h1,y]", "Gamma2[h2,y]")
    assert J.row_labels == ("y[1]", "y[2]", "y[3]")


def test_read_only(rng):
    par = mb.Parameters.random(1, 2, rng=rng)
    with pytest.raises(ValueError, match="read-only"):
        mb.jacobian(mb.Network(), par, rng.standard_normal((3, 1))).matrix[0, 0] = 1.0


def test_another_output_does_not_feel_these_weights(rng):
    par = mb.Parameters.random(2, 3, rng=rng, q=2)
    J = mb.jacobian(mb.Network("tanh"), par, rng.standard_normal((5, 2)))
    block = J.matrix[:, J.blocks["Gamma2"]]
    assert (block[:5, 3:] == 0).all()
    assert (block[5:, :3] == 0).all()
    assert np.abs(block[:5, :3]).min() > 0
