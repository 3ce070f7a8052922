"""Check points lie where their domain and flags say; tangents keep the flags to first order."""

import numpy as np
import pytest

from matbackprop.errors import OptionError
from matbackprop.symbolic.certification.domains import (
    DOMAINS,
    draw,
    symmetric_part,
    tangent,
    tangent_part,
)
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable

SQUARE, TALL, COLUMN, SCALAR = (4, 4), (5, 3), (6, 1), ()
EYE = np.eye(4)


def variable(*flags, domain="normal"):
    return Variable("X", (Dim.of("n"), Dim.of("n")), flags, domain)


def is_spd(X):
    return np.allclose(X, X.T) and np.linalg.eigvalsh(X).min() >= 1 - 1e-9


def one_a_row(X):
    return set(np.unique(X)) <= {0, 1} and (X.sum(axis=1) == 1).all()


# What every draw of a square matrix satisfies, and what only many together show.
HOLDS = {
    "normal": lambda X: X.shape == SQUARE,
    "positive": lambda X: ((X >= 0.5) & (X <= 1.5)).all(),
    "unit": lambda X: ((X >= 0.05) & (X <= 0.95)).all(),
    "well": lambda X: np.linalg.cond(X) < 50,
    "spd": is_spd,
    "pm1": lambda X: (np.abs(X) == 1).all(),
    "binary": lambda X: ((X == 0) | (X == 1)).all(),
    "onehot": one_a_row,
    "symmetric": lambda X: (X == X.T).all(),
    "diagonal": lambda X: (np.diag(np.diag(X)) == X).all() and X.any(),
    "orthogonal": lambda X: np.allclose(X.T @ X, EYE),
}
MEAN_AND_SPREAD = {
    "normal": (0.0, 0.8),
    "positive": (1.0, 1 / np.sqrt(12)),
    "unit": (0.5, 0.9 / np.sqrt(12)),
    "pm1": (0.0, 1.0),
    "binary": (0.5, 0.5),
}


def test_every_domain_is_tested():
    assert HOLDS.keys() == DOMAINS.keys()


@pytest.mark.parametrize("domain", DOMAINS)
def test_draws_lie_in_the_domain_and_differ(domain, rng):
    draws = [draw(variable(domain=domain), SQUARE, rng) for _ in range(20)]
    assert all(HOLDS[domain](X) and X.dtype == np.float64 for X in draws)
    assert len({X.tobytes() for X in draws}) > 10


@pytest.mark.parametrize("domain", MEAN_AND_SPREAD)
def test_entries_are_distributed_as_stated(domain, rng):
    X = draw(variable(domain=domain), (200, 200), rng)
    mean, spread = MEAN_AND_SPREAD[domain]
    assert abs(X.mean() - mean) < 0.02
    assert abs(X.std() - spread) < 0.02


def test_well_is_twice_the_identity_and_noise(rng):
    X = draw(variable(domain="well"), (200, 200), rng)
    assert abs(np.diag(X).mean() - 2) < 0.1
    assert abs((X - 2 * np.eye(200)).std() - 0.3) < 0.01


@pytest.mark.parametrize("shape", [SCALAR, COLUMN, TALL, (1, 3)])
@pytest.mark.parametrize(
    "domain", ["normal", "positive", "unit", "well", "pm1", "binary", "onehot"]
)
def test_domains_of_any_shape(domain, shape, rng):
    X = draw(variable(domain=domain), shape, rng)
    assert np.shape(X) == shape
    assert np.isfinite(X).all()


def test_a_onehot_column_has_one_one(rng):
    for _ in range(20):
        X = draw(variable(domain="onehot"), COLUMN, rng)
        assert X.sum() == 1
        assert X.max() == 1


def test_a_scalar_drawn_as_spd_is_positive(rng):
    assert min(draw(variable(domain="spd"), SCALAR, rng) for _ in range(50)) >= 1


@pytest.mark.parametrize("domain", ["normal", "positive", "unit", "well", "pm1", "binary"])
def test_symmetric_variables_keep_their_domain(domain, rng):
    X = draw(variable("symmetric", domain=domain), SQUARE, rng)
    assert (X == X.T).all()
    assert HOLDS[domain](X)
    assert np.any(np.diag(np.diag(X)) != X)


FLAGGED = {
    ("symmetric",): lambda X: (X == X.T).all() and X[0, 1] != 0,
    ("spd",): is_spd,
    ("spd", "symmetric"): is_spd,
    ("diagonal",): lambda X: (np.diag(np.diag(X)) == X).all() and np.diag(X).all(),
    ("diagonal", "symmetric"): lambda X: (np.diag(np.diag(X)) == X).all(),
    ("diagonal", "spd"): lambda X: (np.diag(np.diag(X)) == X).all() and (np.diag(X) > 0).all(),
    ("orthogonal",): lambda X: np.allclose(X.T @ X, EYE) and not np.allclose(X, X.T),
    ("orthogonal", "symmetric"): lambda X: np.allclose(X @ X, EYE) and np.allclose(X, X.T),
    ("diagonal", "orthogonal"): lambda X: (np.diag([1, -1, 1, -1]) == X).all(),
    ("orthogonal", "spd"): lambda X: (X == EYE).all(),
}


@pytest.mark.parametrize("domain", ["normal", "positive", "well"])
@pytest.mark.parametrize("flags", FLAGGED, ids="+".join)
def test_flags_are_kept_whatever_the_domain(flags, domain, rng):
    assert all(FLAGGED[flags](draw(variable(*flags, domain=domain), SQUARE, rng)) for _ in range(5))


def change(flag, X, Z):
    """Return what first-order movement along Z does to the equation that the flag stands for."""
    return {
        "symmetric": lambda: Z - Z.T,
        "spd": lambda: Z - Z.T,
        "diagonal": lambda: Z - np.diag(np.diag(Z)),
        "orthogonal": lambda: Z.T @ X + X.T @ Z,
    }[flag]()


@pytest.mark.parametrize("flags", FLAGGED, ids="+".join)
def test_tangents_keep_the_flags_to_first_order(flags, rng):
    X = draw(variable(*flags), SQUARE, rng)
    Z = tangent(variable(*flags), X, rng)
    for flag in flags:
        np.testing.assert_allclose(change(flag, X, Z), 0, atol=1e-13)


TANGENT_DIMENSION = {
    (): 16,
    ("symmetric",): 10,
    ("spd",): 10,
    ("diagonal",): 4,
    ("diagonal", "symmetric"): 4,
    ("orthogonal",): 6,
    ("orthogonal", "symmetric"): 4,  # two eigenvalues 1 and two −1: the Grassmannian of planes
    ("diagonal", "orthogonal"): 0,
}


@pytest.mark.parametrize("flags", TANGENT_DIMENSION, ids=lambda flags: "+".join(flags) or "none")
def test_the_tangent_part_is_an_orthogonal_projection_of_the_right_rank(flags, rng):
    X = draw(variable(*flags), SQUARE, rng)
    parts = [tangent_part(variable(*flags), X, e.reshape(4, 4)).ravel() for e in np.eye(16)]
    P = np.stack(parts, axis=1)
    np.testing.assert_allclose(P @ P, P, atol=1e-13)
    np.testing.assert_allclose(P, P.T, atol=1e-13)
    assert round(np.trace(P)) == TANGENT_DIMENSION[flags]


def test_without_flags_a_tangent_is_any_matrix(rng):
    X = draw(variable(), TALL, rng)
    Z = rng.standard_normal(TALL)
    assert (tangent_part(variable(), X, Z) == Z).all()
    assert tangent(Variable("s", ()), np.ones(()), rng).shape == ()


def test_the_symmetric_part():
    assert (symmetric_part(np.array([[0.0, 2.0], [4.0, 6.0]])) == [[0, 3], [3, 6]]).all()


@pytest.mark.parametrize("wish", ["symmetric", "diagonal", "orthogonal", "spd"])
def test_what_only_square_matrices_can_be(wish, rng):
    for made in (variable(wish), variable(domain=wish)):
        with pytest.raises(OptionError, match=f"X cannot be {wish}: .* it is 5×3 here"):
            draw(made, TALL, rng)
    if wish != "spd":
        with pytest.raises(OptionError, match="it is a scalar here"):
            draw(variable(wish), SCALAR, rng)


def test_unknown_names_are_refused(rng):
    with pytest.raises(OptionError, match=r'of X` knows domain = "normal", .*; got .gauss.'):
        draw(variable(domain="gauss"), SQUARE, rng)
    with pytest.raises(OptionError, match=r'of X` knows flag = "symmetric", .*; got .unitary.'):
        draw(variable("unitary"), SQUARE, rng)
