"""Bad input: one clear error each, with the call that was made."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import matbackprop as mb
from matbackprop.errors import (
    DataError,
    DtypeError,
    MatBackpropError,
    OptionError,
    ShapeError,
)
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem

RNG = np.random.default_rng(0)
X0, Y0 = RNG.standard_normal((6, 3)), RNG.standard_normal(6)
NET = mb.Network("tanh", mb.BatchNorm(ddof=1, eps=0.0))
PAR = mb.Parameters.random(3, 2, rng=RNG)
WIDE = mb.Parameters.random(3, 2, rng=RNG, q=1)
PLAIN = mb.Parameters.random(3, 2, rng=RNG, batch_norm=False)
DEAD = mb.Parameters(PAR.Gamma1 * [1.0, 0.0], PAR.Gamma2, PAR.gamma, PAR.beta)


def spoiled(row, column, value):
    bad = X0.copy()
    bad[row, column] = value
    return bad


ROW = "counted from 0"
MAKING = {
    "vector X": (X0[:, 0], Y0, {}, ShapeError, r"needs X of shape \(N, p1\); got \(6,\)"),
    "no column": (X0[:, :0], Y0, {}, ShapeError, r"needs X of shape \(N, p1\); got \(6, 0\)"),
    "rows of y": (X0, Y0[:4], {}, ShapeError, r"a row for each of the 6 rows of X; got \(4,\)"),
    "y of three dimensions": (X0, Y0[:, None, None], {}, ShapeError, r"got \(6, 1, 1\)"),
    "no outcome": (X0, Y0[:, None][:, :0], {}, ShapeError, r"got \(6, 0\)"),
    "weights too short": (
        X0,
        Y0,
        {"weights": np.ones(5)},
        ShapeError,
        r"weights of shape \(6,\).*got \(5,\)",
    ),
    "weights in a column": (X0, Y0, {"weights": np.ones((6, 1))}, ShapeError, r"got \(6, 1\)"),
    "no row": (X0[:0], Y0[:0], {}, DataError, r"needs at least one row; X has shape \(0, 3\)"),
    "NaN": (
        spoiled(4, 1, np.nan),
        Y0,
        {},
        DataError,
        rf"X has NaN at row 4, column 1 \({ROW}\), 1 such in all. Drop or impute",
    ),
    "infinity": (
        spoiled(2, 0, -np.inf),
        Y0,
        {},
        DataError,
        "X has an infinite value at row 2, column 0",
    ),
    "NaN in y": (X0, np.r_[Y0[:5], np.nan], {}, DataError, "y has NaN at row 5 "),
    "NaN in a frame": (
        pd.DataFrame(spoiled(2, 1, np.nan), columns=list("abc")),
        Y0,
        {},
        DataError,
        r"X has NaN at row 2, column 1 \('b'\)",
    ),
    "NaN among weights": (
        X0,
        Y0,
        {"weights": [1, 1, np.nan, 1, 1, 1]},
        DataError,
        "weights has NaN at row 2",
    ),
    "a negative weight": (
        X0,
        Y0,
        {"weights": [1, 1, 1, 1, -2, 1]},
        DataError,
        "weights has a negative entry at row 4",
    ),
    "weights that cancel": (
        X0,
        Y0,
        {"weights": [1, -1, 0, 0, 0, 0]},
        DataError,
        "a negative entry at row 1",
    ),
    "weights of zero": (
        X0,
        Y0,
        {"weights": np.zeros(6)},
        DataError,
        "needs a row whose weight is not 0; all 6 weights are",
    ),
    "NaN where the weight is 0": (
        spoiled(4, 1, np.nan),
        Y0,
        {"weights": [1, 1, 1, 1, 0, 1]},
        DataError,
        "X has NaN at row 4, column 1",
    ),
    "complex": (
        X0 + 1j,
        Y0,
        {},
        DtypeError,
        "real numbers in X; got dtype complex128.*pass the real part",
    ),
    "objects": (X0.astype(object), Y0, {}, DtypeError, "real numbers in X; got dtype object"),
    "text": (X0, ["a"] * 6, {}, DtypeError, "real numbers in y; got dtype"),
    "text in a frame": (
        pd.DataFrame({"a": Y0, "b": list("uvwxyz"), "c": Y0}),
        Y0,
        {},
        DtypeError,
        "column 'b' has dtype",
    ),
    "dates": (X0, Y0.astype("M8[s]"), {}, DtypeError, "real numbers in y"),
    "None": (X0, None, {}, DtypeError, "real numbers in y; got dtype object"),
    "masked": (
        np.ma.masked_array(X0, mask=spoiled(1, 2, 0.0) == 0),
        Y0,
        {},
        DataError,
        "X has NaN at row 1, column 2",
    ),
    "rows in another order": (
        pd.DataFrame(X0),
        pd.Series(Y0).sort_values(),
        {},
        DataError,
        r"same row labels in the same order",
    ),
    "threads": (X0, Y0, {"threads": 0}, OptionError, "needs an integer threads >= 1; got 0"),
    "half a thread": (
        X0,
        Y0,
        {"threads": 1.5},
        OptionError,
        "needs an integer threads >= 1; got 1.5",
    ),
    "block_rows": (
        X0,
        Y0,
        {"block_rows": -1},
        OptionError,
        "needs an integer block_rows >= 1; got -1",
    ),
    "a block of True": (X0, Y0, {"block_rows": True}, OptionError, "needs an integer block_rows"),
    "progress": (
        X0,
        Y0,
        {"progress": 1},
        OptionError,
        "knows progress = True, False; got progress=1",
    ),
}


@pytest.mark.parametrize("norm", [NET, mb.Network(batch_norm=None)], ids=["batch norm", "plain"])
@pytest.mark.parametrize("case", MAKING)
def test_bad_data(case, norm):
    X, y, options, error, text = MAKING[case]
    with pytest.raises(error, match=rf"^`Problem.from_arrays\(net, X, y\)`.*{text}") as caught:
        Problem.from_arrays(norm, X, y, **options)
    assert isinstance(caught.value, MatBackpropError)


def test_net_has_to_be_a_network():
    with pytest.raises(DtypeError, match=r"needs net to be a `Network`; got str"):
        Problem.from_arrays("relu", X0, Y0)


def test_nan_in_a_whole_block_of_weight_zero_is_found_at_once():
    X, w = np.random.default_rng(0).standard_normal((100, 3)), np.ones(100)
    X[50, 1], w[40:60] = np.nan, 0
    for norm in (None, mb.BatchNorm()):
        for rows in (1, 7, 10, 100):
            with pytest.raises(DataError, match="X has NaN at row 50, column 1"):
                Problem.from_arrays(mb.Network(batch_norm=norm), X, w, weights=w, block_rows=rows)


PARAMETERS = {
    "columns of X": (
        NET,
        mb.Parameters.random(2, 2, rng=RNG),
        None,
        ShapeError,
        r"one row of Gamma1 for each column of X",
    ),
    "vector y with matrix Gamma2": (
        NET,
        WIDE,
        None,
        ShapeError,
        r"Gamma2 \(2, 1\). Pass `y\[:, None\]`",
    ),
    "no gamma": (NET, PLAIN, None, OptionError, "its parameters have no gamma and beta"),
    "not parameters": (
        NET,
        {"Gamma1": 1},
        None,
        DtypeError,
        "needs par to be a `Parameters`; got dict",
    ),
    "moments too long": (
        NET,
        PAR,
        mb.Moments([0.0] * 3, [1.0] * 3),
        ShapeError,
        "needs moments of 2 hidden nodes",
    ),
    "moments of another kind": (
        NET,
        PAR,
        (0.0, 1.0),
        DtypeError,
        "needs moments to be a `Moments`.*got tuple",
    ),
    "constant column": (
        NET,
        DEAD,
        None,
        DataError,
        "column 1 .counted from 0. of Z = X @ Gamma1 is constant at 0",
    ),
    "too many for ddof": (
        mb.Network("tanh", mb.BatchNorm(6, 0.0)),
        PAR,
        None,
        DataError,
        "more than 6 row.*got N = 6",
    ),
}


@pytest.mark.parametrize("case", PARAMETERS)
@pytest.mark.parametrize("method", ["gradient", "loss", "predict", "gauss_newton"])
def test_bad_parameters(case, method):
    net, par, moments, error, text = PARAMETERS[case]
    problem = Problem.from_arrays(net, X0, Y0)
    with pytest.raises(error, match=rf"^`problem.{method}\(par\)`.*{text}"):
        getattr(problem, method)(par, moments=moments)


def test_shapes_in_messages_are_those_of_the_data():
    """Not those of what stands in for them, which has no rows."""
    problem = Problem.from_arrays(NET, X0, Y0)
    with pytest.raises(ShapeError) as caught:
        problem.gradient(WIDE)
    assert "(0" not in str(caught.value)
    with pytest.raises(ShapeError) as caught:
        problem.gradient(mb.Parameters.random(2, 2, rng=np.random.default_rng(0)))
    assert "(0" not in str(caught.value)


def test_without_batch_norm_there_are_no_moments():
    problem = Problem.from_arrays(mb.Network(batch_norm=None), X0, Y0)
    assert problem.data is None
    with pytest.raises(OptionError, match="this network has none"):
        problem.gradient(PLAIN, moments=mb.Moments([0.0], [1.0]))
    with pytest.raises(OptionError, match="is for batch norm, and this network has none"):
        problem.moments(PLAIN)  # as `mb.moments` says


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")
@pytest.mark.parametrize("f", ["relu", "tanh"])
def test_overflow(f):
    problem = Problem.from_arrays(mb.Network(f), X0, Y0 * 1e160)
    with pytest.raises(DataError, match=r"gradient.* overflowed: the loss is not finite.* Rescale"):
        problem.gradient(PAR)
    with pytest.raises(DataError, match=r"loss.* overflowed: the loss is not finite.* Rescale"):
        problem.loss(PAR)


def test_one_row():
    for net, par in (
        (mb.Network("relu", None), PLAIN),
        (mb.Network("relu", mb.BatchNorm(0, 0.1)), PAR),
    ):
        g, h = (
            Problem.from_arrays(net, X0[:1], Y0[:1]).gradient(par),
            mb.gradient(net, par, X0[:1], Y0[:1]),
        )
        assert_allclose(g.to_vector(), h.to_vector(), rtol=1e-13, atol=1e-13)
    kept = mb.moments(NET, PAR, X0)
    one = Problem.from_arrays(NET, X0[:1], Y0[:1])
    assert_allclose(
        next(one.predict(PAR, moments=kept)), mb.predict(NET, PAR, X0[:1], moments=kept)
    )
    with pytest.raises(DataError, match=r"needs more than 1 row.*got N = 1"):
        one.gradient(PAR)


def test_progress_is_shown_on_standard_error(capsys):
    problem = Problem.from_arrays(mb.Network(), X0, Y0, progress=True)
    problem.gradient(PAR)
    shown = capsys.readouterr()
    assert shown.out == ""
    Problem.from_arrays(mb.Network(), X0, Y0).gradient(PAR)
    assert capsys.readouterr() == ("", "")


def test_the_comparison_itself_rejects_a_wrong_gradient(rng, draw, assert_agree):
    net = mb.Network("tanh")
    par, X, y = draw(rng)
    sizes = magnitudes(net, par, X, y)
    g = Problem.from_arrays(net, X, y).gradient(par)
    for name in ("Gamma1", "Gamma2", "gamma", "beta"):
        wrong = getattr(g, name).copy()
        wrong.flat[1] *= 1 + 1e-9
        with pytest.raises(AssertionError, match=f"{name} differs"):
            assert_agree(dataclasses.replace(g, **{name: wrong}), g, sizes)
