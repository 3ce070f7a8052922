"""The whole Hessian: against hvp, nested differences, torch and R; and the record it comes in."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.differences import central_difference
from matbackprop.errors import DataError, OptionError
from matbackprop.network import ACTIVATIONS, hessian_matrix
from matbackprop.rbridge import connect, reference_folder

NORMS = {
    "plain": None,
    "ddof0": mb.BatchNorm(0, 0.0),
    "ddof1": mb.BatchNorm(1, 0.0),
    "eps": mb.BatchNorm(1, 0.2),
    "fixed": mb.BatchNorm(0, 1e-5),
}


def problem(rng, activation="tanh", norm="ddof1", loss="mse", q=3, N=9, p1=3, p2=2):
    """Return network, parameters, X, y and, for "fixed", moments of other data."""
    net = mb.Network(activation, NORMS[norm], loss)
    par = mb.Parameters.random(p1, p2, rng=rng, q=q, batch_norm=norm != "plain")
    X, y = rng.standard_normal((N, p1)), rng.standard_normal(N if q is None else (N, q))
    kept = mb.moments(net, par, rng.standard_normal((20, p1))) if norm == "fixed" else None
    return (net, par, X, y), {"moments": kept}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", [name for name, a in ACTIVATIONS.items() if a.analytic])
def test_against_differences_of_the_gradient(rng, activation, norm):
    point, options = problem(rng, activation, norm)
    net, like, X, y = point

    def slope(theta):
        par = mb.Parameters.from_vector(theta, like=like)
        return mb.gradient(net, par, X, y, formulation="staged", **options).to_vector()

    numeric = central_difference(slope, like.to_vector())
    H = mb.hessian(*point, **options)
    assert H.matrix.shape == numeric.value.shape
    assert np.abs(H.matrix - numeric.value).max() <= 1e-9 * np.abs(H.matrix).max()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_symmetric_to_rounding(rng, activation, norm):
    point, options = problem(rng, activation, norm, N=60, p1=6, p2=5)
    assert mb.hessian(*point, **options).asymmetry < 1e-14


@pytest.mark.parametrize("offset", [1e3, 1e6])
def test_symmetric_to_rounding_whatever_the_offset(rng, offset):
    net, par, X, y = problem(rng, "gelu", "eps")[0]
    assert mb.hessian(net, par, X + offset, y).asymmetry < 1e-14


@pytest.mark.parametrize("norm", NORMS)
def test_its_products_are_those_of_hvp(rng, norm):
    point, options = problem(rng, norm=norm)
    H = mb.hessian(*point, **options)
    v = rng.standard_normal(len(H.labels))
    assert_allclose(H @ v, mb.hvp(*point, v, **options), atol=1e-13 * np.abs(H).max())
    for column, unit in zip(H.matrix.T, np.eye(len(v)), strict=True):  # and not made symmetric
        assert_array_equal(column, mb.hvp(*point, unit, **options))


def test_asymmetry_is_measured():
    matrix = np.array([[4.0, 1.0], [3.0, -8.0]])
    assert hessian_matrix.Hessian(matrix, ("a", "b"), {}).asymmetry == 0.25
    assert hessian_matrix.Hessian(0 * matrix, ("a", "b"), {}).asymmetry == 0.0


def test_numpy_takes_it(rng):
    H = mb.hessian(*problem(rng)[0])
    assert np.asarray(H) is H.matrix
    assert_array_equal(np.linalg.eigvalsh(H), np.linalg.eigvalsh(H.matrix))
    assert np.asarray(H, dtype=np.float32).dtype == np.float32
    own = np.array(H)
    own[0, 0] = 7.0  # a copy, and no longer read-only
    assert H.matrix[0, 0] != 7.0
    with pytest.raises(ValueError, match="copy"):
        np.asarray(H, dtype=np.float32, copy=False)


def test_the_record_is_frozen(rng):
    H = mb.hessian(*problem(rng)[0])
    assert isinstance(H, mb.Hessian)
    with pytest.raises(ValueError, match="read-only"):
        H.matrix[0, 0] = 1.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        H.matrix = None


def test_labels(rng):
    net, par, X, y = problem(rng, q=2, p1=2)[0]
    X, y = pd.DataFrame(X, columns=["age", "dose"]), pd.DataFrame(y, columns=["pain", "joy"])
    H = mb.hessian(net, par, X, y)
    assert H.labels == (
        "Gamma1[age,h1]", "Gamma1[dose,h1]", "Gamma1[age,h2]", "Gamma1[dose,h2]",
        "Gamma2[h1,pain]", "Gamma2[h2,pain]", "Gamma2[h1,joy]", "Gamma2[h2,joy]",
        "gamma[h1]", "gamma[h2]", "beta[h1]", "beta[h2]",
    )  # fmt: skip
    assert H.labels[:8] == mb.jacobian(net, par, X).column_labels[:4] + H.labels[4:8]
    assert H.blocks == mb.jacobian(net, par, X).blocks
    assert str(H).startswith("Hessian ∂²R/∂θ∂θᵀ, shape (12, 12), symmetric to ")
    assert str(H).endswith("rows and columns of Gamma1 0:4, Gamma2 4:8, gamma 8:10, beta 10:12")


def test_float32_stays(rng):
    net, par, X, y = problem(rng)[0]
    blocks = (np.float32(b) for b in (par.Gamma1, par.Gamma2, par.gamma, par.beta))
    narrow = mb.Parameters(*blocks)
    H = mb.hessian(net, narrow, np.float32(X), np.float32(y)).matrix
    assert H.dtype == np.float32
    assert mb.hessian(net, narrow, X, np.float32(y)).matrix.dtype == np.float64
    exact = mb.hessian(net, par, X, y).matrix
    assert np.abs(H - exact).max() <= 2e-6 * np.abs(exact).max()


def test_too_many_parameters(rng):
    par = mb.Parameters.random(500, 40, rng=rng)
    text = (
        r"`hessian\(net, par, X, y\)` of 20120 parameters would take 3.2 GB. "
        r"Use `hvp\(net, par, X, y, direction\)`, which takes no more than the gradient"
    )
    with pytest.raises(OptionError, match=text):
        mb.hessian(mb.Network(), par, rng.standard_normal((4, 500)), rng.standard_normal(4))


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_overflow():
    """R = (1 − xΓ₁Γ₂)² is 1 at Γ₁ = 0, and bends by 2x²Γ₂²."""
    net, par = mb.Network("identity", None), mb.Parameters([[0.0]], [1.0])
    text = "overflowed: the Hessian is not finite, though X, y and the parameters are. Rescale"
    with pytest.raises(DataError, match=rf"^`hessian\(net, par, X, y\)` {text}"):
        mb.hessian(net, par, [[1e200]], [1.0])


def test_the_limit_is_in_bytes(rng, monkeypatch):
    net, par, X, y = problem(rng, "tanh", "plain")[0]  # P = 12
    monkeypatch.setattr(hessian_matrix, "_LARGEST", 8 * 12**2)
    assert mb.hessian(net, par, X, y).matrix.nbytes == 8 * 12**2
    monkeypatch.setattr(hessian_matrix, "_LARGEST", 8 * 12**2 - 1)
    with pytest.raises(OptionError, match="of 12 parameters would take"):
        mb.hessian(net, par, X, y)
    narrow = mb.Parameters(np.float32(par.Gamma1), np.float32(par.Gamma2))
    assert mb.hessian(net, narrow, np.float32(X), np.float32(y)).matrix.nbytes == 4 * 12**2


NUMERIC_HESSIAN = """
source("{reference}/all.R", chdir = TRUE, local = TRUE)
has_num_deriv <- function() requireNamespace("numDeriv", quietly = TRUE)
# Second derivatives of the loss of network_loops() by all parameters, by Richardson extrapolation.
numeric_hessian <- function(arguments) {{
  names <- intersect(c("Gamma1", "Gamma2", "gamma", "beta"), names(arguments))
  loss <- function(theta) {{
    arguments[names] <- relist(theta, arguments[names])
    do.call(network_loops, arguments)$loss
  }}
  # Absolute steps: numDeriv's own, proportional to the variable, are too short where it is near 0.
  numDeriv::hessian(
    loss, unlist(arguments[names]),
    method.args = list(d = 0, eps = 1e-2, zero.tol = Inf)
  )
}}
"""


@pytest.mark.r
@pytest.mark.parametrize(
    ("activation", "norm", "loss", "q"),
    [("tanh", "ddof1", "sse", None), ("gelu", "fixed", "mse", 2), ("softplus", "plain", "sse", 1)],
)
def test_against_num_deriv(rng, tmp_path, live_engine, unavailable, activation, norm, loss, q):
    reference = str(reference_folder()).replace("\\", "/")
    (tmp_path / "all.R").write_text(NUMERIC_HESSIAN.format(reference=reference), encoding="utf-8")
    r = connect(live_engine, reference=tmp_path)
    if not r.call("has_num_deriv")[0]:
        unavailable("R's numDeriv is not installed")
    (net, par, X, y), options = problem(rng, activation, norm, loss, q=q, N=6, p1=2)
    arguments = {"X": X, "y": y, "Gamma1": par.Gamma1, "Gamma2": par.Gamma2}
    arguments |= {"activation": activation, "loss": loss}
    if norm == "plain":
        arguments["batch_norm"] = False
    else:
        arguments |= {"gamma": par.gamma, "beta": par.beta}
        arguments |= {"ddof": NORMS[norm].ddof, "eps": NORMS[norm].eps}
    if norm == "fixed":
        arguments |= {"mu": options["moments"].mu, "sigma": options["moments"].sigma}
    numeric = r.call("numeric_hessian", arguments=arguments)
    H = mb.hessian(net, par, X, y, **options)
    assert np.abs(H.matrix - numeric).max() <= 1e-8 * np.abs(numeric).max()
