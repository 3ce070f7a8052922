import numpy as np
import pytest
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError


def test_theta_stacks_columns():
    par = mb.Parameters(
        Gamma1=[[1, 2], [3, 4]], Gamma2=[[5, 6], [7, 8]], gamma=[9, 10], beta=[11, 12]
    )
    assert par.to_vector().tolist() == [1, 3, 2, 4, 5, 7, 6, 8, 9, 10, 11, 12]


@pytest.mark.parametrize("q", [None, 1, 3])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_vector_round_trip(rng, q, batch_norm):
    par = mb.Parameters.random(3, 2, rng=rng, q=q, batch_norm=batch_norm)
    back = mb.Parameters.from_vector(par.to_vector(), like=par)
    for name in ("Gamma1", "Gamma2", "gamma", "beta"):
        assert_array_equal(getattr(back, name), getattr(par, name))
        assert np.shape(getattr(back, name)) == np.shape(getattr(par, name))


def test_parameters_are_copied_and_read_only():
    Gamma1 = np.ones((2, 2))
    par = mb.Parameters(Gamma1, [1.0, 2.0])
    Gamma1[0, 0] = 9.0
    assert par.Gamma1[0, 0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        par.Gamma1[0, 0] = 1.0
    with pytest.raises(AttributeError):
        par.Gamma1 = Gamma1


def test_random_is_reproducible():
    one, two = (mb.Parameters.random(3, 2, rng=np.random.default_rng(5)) for _ in range(2))
    assert_array_equal(one.to_vector(), two.to_vector())


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"Gamma1": [1.0], "Gamma2": [1.0]}, ShapeError, r"Gamma1 with 2 dimension.*\(1,\)"),
        ({"Gamma1": np.ones((2, 3)), "Gamma2": np.ones(2)}, ShapeError,
         r"one row of Gamma2 for each of the 3 columns of Gamma1.*Gamma2 \(2,\)"),
        ({"Gamma1": np.ones((0, 3)), "Gamma2": np.ones(3)}, ShapeError, "at least one input"),
        ({"Gamma1": np.ones((2, 3)), "Gamma2": np.ones(3), "gamma": np.ones(3)}, ShapeError,
         "got gamma without beta. The neutral values are gamma = 1, beta = 0"),
        ({"Gamma1": np.ones((2, 3)), "Gamma2": np.ones(3), "gamma": np.ones(3),
          "beta": np.ones(2)}, ShapeError, r"one entry of beta for each of the 3 columns"),
        ({"Gamma1": [[1.0, np.nan]], "Gamma2": [1.0, 1.0]}, DataError,
         r"Gamma1 has NaN at row 0, column 1 \(counted from 0\)"),
        ({"Gamma1": [[1j]], "Gamma2": [1.0]}, DtypeError,
         "real numbers in Gamma1; got dtype complex128"),
        ({"Gamma1": [["a"]], "Gamma2": [1.0]}, DtypeError, "got dtype <U1. Encode text"),
        ({"Gamma1": [[1.0], [1.0, 2.0]], "Gamma2": [1.0]}, DtypeError, "ragged lists"),
    ],
)  # fmt: skip
def test_bad_parameters(arguments, error, text):
    with pytest.raises(error, match=text):
        mb.Parameters(**arguments)


def test_bad_vector(rng):
    par = mb.Parameters.random(3, 2, rng=rng)
    with pytest.raises(ShapeError, match=r"from_vector\(v, like=par\)` needs 12 entries.*got 3"):
        mb.Parameters.from_vector(np.ones(3), like=par)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, 2), "needs an integer p1 >= 1; got 0"),
        ((3, 2.5), "needs an integer p2 >= 1; got 2.5"),
    ],
)
def test_bad_sizes(rng, arguments, text):
    with pytest.raises(OptionError, match=text):
        mb.Parameters.random(*arguments, rng=rng)


def test_random_has_the_distributions_it_says(rng):
    par = mb.Parameters.random(400, 300, rng=rng)
    assert par.Gamma1.std() == pytest.approx(1 / 20, rel=0.02)
    assert par.Gamma2.std() == pytest.approx(1 / np.sqrt(300), rel=0.2)
    assert 0.5 <= par.gamma.min() < 0.55
    assert 1.45 < par.gamma.max() <= 1.5
    assert par.beta.std() == pytest.approx(0.5, rel=0.2)


def test_like_is_parameters():
    with pytest.raises(DtypeError, match="needs like to be a `Parameters`; got 'x'"):
        mb.Parameters.from_vector([1.0], like="x")


def test_randomness_is_a_generator():
    with pytest.raises(OptionError, match=r"needs a `numpy.random.Generator`; got 1.*default_rng"):
        mb.Parameters.random(3, 2, rng=1)
