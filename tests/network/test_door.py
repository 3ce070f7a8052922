"""Bad input: one clear error each, the same from every formulation."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

import matbackprop as mb
from matbackprop.errors import (
    DataError,
    DtypeError,
    MatBackpropError,
    OptionError,
    ShapeError,
)

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal(6)
NET = mb.Network("tanh", mb.BatchNorm(ddof=1, eps=0.0))
PAR = mb.Parameters.random(3, 2, rng=RNG)
PLAIN = mb.Parameters.random(3, 2, rng=RNG, batch_norm=False)
WIDE = mb.Parameters.random(3, 2, rng=RNG, q=1)
# Z's first column is 1e6·a − 1e6·a up to rounding: tiny numbers that differ from row to row.
SAME_ROWS = np.column_stack([1e6 * X[:, 0], 1e6 * X[:, 0] * (1 + 2e-16 * np.arange(6)), X[:, 2]])
CANCELLING = mb.Parameters([[1.0, 1.0], [-1.0, 1.0], [0.0, 1.0]], PAR.Gamma2, PAR.gamma, PAR.beta)
DEAD = mb.Parameters(PAR.Gamma1 * [1.0, 0.0], PAR.Gamma2, PAR.gamma, PAR.beta)


def spoiled(row, column, value):
    bad = X.copy()
    bad[row, column] = value
    return bad


def frame(**columns):
    return pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "c": X[:, 2]} | columns)


CASES = {
    "columns of X": ((NET, PAR, X[:, :2], Y), ShapeError,
        r"one row of Gamma1 for each column of X; got X \(6, 2\), Gamma1 \(3, 2\)"),
    "vector X": ((NET, PAR, X[:, 0], Y), ShapeError, r"needs X with 2 dimension.*shape \(6,\)"),
    "rows of y": ((NET, PAR, X, Y[:4]), ShapeError,
        r"a row for each of the 6 rows of X.*got y \(4,\)"),
    "column y with vector Gamma2": ((NET, PAR, X, Y[:, None]), ShapeError,
        r"got y \(6, 1\), Gamma2 \(2,\). Pass `y\[:, 0\]`, or `Gamma2\[:, None\]`"),
    "vector y with matrix Gamma2": ((NET, WIDE, X, Y), ShapeError,
        r"got y \(6,\), Gamma2 \(2, 1\). Pass `y\[:, None\]`, or `Gamma2\[:, 0\]`"),
    "columns of y": ((NET, WIDE, X, np.ones((6, 2))), ShapeError,
        r"a column for each of the 1 output.*got y \(6, 2\)"),
    "NaN in X": ((NET, PAR, spoiled(4, 1, np.nan), Y), DataError,
        r"X has NaN at row 4, column 1 \(counted from 0\), 1 such in all. Drop or impute"),
    "infinity in X": ((NET, PAR, spoiled(2, 0, -np.inf), Y), DataError,
        "X has an infinite value at row 2, column 0"),
    "NaN in y": ((NET, PAR, X, np.r_[Y[:5], np.nan]), DataError, "y has NaN at entry 5"),
    "NaN in a frame": ((NET, PAR, frame(b=[1, 2, None, 4, None, 6]), Y), DataError,
        r"X has NaN at row 2, column 1 \('b'\) \(counted from 0\), 2 such in all"),
    "missing in a nullable frame": (
        (NET, PAR, frame(c=pd.array([1, 2, 3, None, 5, 6], dtype="Int64")), Y), DataError,
        r"X has NaN at row 3, column 2 \('c'\)"),
    "masked entry": ((NET, PAR, np.ma.masked_array(X, mask=spoiled(1, 2, 0) == 0), Y), DataError,
        "X has NaN at row 1, column 2"),
    "text in a frame": ((NET, PAR, frame(b=list("uvwxyz")), Y), DtypeError,
        "real numbers in X; column 'b' has dtype .* Leave it out, or encode"),
    "complex X": ((NET, PAR, X + 1j, Y), DtypeError,
        "real numbers in X; got dtype complex128. .*pass the real part"),
    "object X": ((NET, PAR, X.astype(object), Y), DtypeError,
        r"got dtype object. Convert it with `np.asarray\(..., dtype=float\)`"),
    "empty batch": ((NET, PAR, X[:0], Y[:0]), DataError,
        r"needs at least one row; X has shape \(0, 3\)"),
    "one row": ((NET, PAR, X[:1], Y[:1]), DataError,
        r"` with `BatchNorm\(ddof=1\)` needs more than 1 row.*got N = 1"),
    "constant column": ((NET, DEAD, X, Y), DataError,
        "column 1 .counted from 0. of Z = X @ Gamma1 is constant at 0. Use an eps > 0"),
    "column constant to rounding": ((NET, CANCELLING, SAME_ROWS, Y), DataError,
        "column 0 .counted from 0. of Z = X @ Gamma1 is constant"),
    "no gamma": ((NET, PLAIN, X, Y), OptionError,
        "the network has batch norm, its parameters have no gamma and beta"),
    "needless gamma": ((mb.Network(batch_norm=None), PAR, X, Y), OptionError,
        "the parameters have gamma and beta, the network has no batch norm"),
    "no y": ((NET, PAR, X, None), DtypeError, "real numbers in y; got dtype object"),
    "complex masked": ((NET, PAR, np.ma.masked_array(X + 1j, mask=False), Y), DtypeError,
        "real numbers in X; got dtype complex128"),
    "rows in another order": ((NET, PAR, pd.DataFrame(X), pd.Series(Y).sort_values()), DataError,
        r"needs X and y with the same row labels in the same order.*`y.loc\[X.index\]`"),
    "too small to square": ((NET, PAR, X * 1e-160, Y), DataError,
        r"column \d .* varies by only .*too little to square. Measure X in smaller units"),
    "too large to square": ((NET, PAR, X * 1e155, Y), DataError,
        r"column \d .* varies by .*too much to square. Measure X in larger units"),
    "overflow": ((NET, PAR, X, Y * 1e160), DataError,
        "overflowed: the loss is not finite, though X, y and the parameters are. Rescale"),
    "not a network": (("relu", PAR, X, Y), DtypeError, "needs net to be a `Network`; got str"),
    "not parameters": ((NET, {"Gamma1": 1}, X, Y), DtypeError,
        "needs par to be a `Parameters`; got dict"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("formulation", mb.FORMULATIONS)
@pytest.mark.parametrize("case", CASES)
def test_bad_input(formulation, case):
    arguments, error, text = CASES[case]
    with pytest.raises(error, match=text) as caught:
        mb.gradient(*arguments, formulation=formulation)
    assert isinstance(caught.value, MatBackpropError)
    with pytest.raises(error, match=text):
        mb.FORMULATIONS[formulation](*arguments)


MOMENTS = {
    "too long": (NET, PAR, mb.Moments([0.0] * 3, [1.0] * 3), ShapeError,
        r"needs moments of 2 hidden nodes; got mu \(3,\)"),
    "of other length": (NET, PAR, mb.Moments([0.0], [1.0]), ShapeError,
        r"needs moments of 2 hidden nodes; got mu \(1,\)"),
    "without batch norm": (mb.Network(batch_norm=None), PLAIN, mb.Moments([0.0], [1.0]),
        OptionError, "moments= are for batch norm, and this network has none"),
    "of another kind": (NET, PAR, (0.0, 1.0), DtypeError,
        "needs moments to be a `Moments`.*got tuple"),
}  # fmt: skip


@pytest.mark.parametrize("case", MOMENTS)
def test_bad_moments(case):
    net, par, moments, error, text = MOMENTS[case]
    with pytest.raises(error, match=text):
        mb.gradient(net, par, X, Y, moments=moments)
    with pytest.raises(error, match=text):
        mb.predict(net, par, X, moments=moments)


def test_inputs_is_a_switch():
    with pytest.raises(OptionError, match="knows inputs = True, False; got 'no'"):
        mb.gradient(NET, PAR, X, Y, inputs="no")


@pytest.mark.parametrize("call", [mb.predict, mb.moments, mb.jacobian])
def test_messages_name_the_call(call):
    with pytest.raises(DataError, match=rf"^`{call.__name__}\(net, par, X\)` with `BatchNorm"):
        call(NET, DEAD, X)


def test_a_column_that_hardly_varies_is_not_constant():
    X1 = 1 + 1e-9 * X[:, :1]
    par = mb.Parameters([[1.0]], [1.0], gamma=[1.0], beta=[0.0])
    assert mb.predict(NET, par, X1).std() > 0.5


def test_a_constant_column_is_fine_with_the_least_eps():
    soft = mb.Network("tanh", mb.BatchNorm(ddof=1, eps=1e-12))
    assert np.isfinite(mb.predict(soft, DEAD, X)).all()


def test_mse_of_one_row():
    g = mb.gradient(mb.Network("identity", None), mb.Parameters([[1.0]], [1.0]), [[2.0]], [5.0])
    assert g.loss == 9.0


def test_a_list_has_an_index_too_but_no_labels():
    assert mb.gradient(NET, PAR, pd.DataFrame(X, index=list("abcdef")), list(Y)).loss > 0


def test_unknown_formulation():
    text = r"""knows formulation = "nodewise", .*"compact", "one_pass"; got 'fast'"""
    with pytest.raises(OptionError, match=text):
        mb.gradient(NET, PAR, X, Y, formulation="fast")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"activation": "swish"}, 'knows activation = "relu", .*"gelu"; got \'swish\''),
        ({"loss": "mae"}, 'knows loss = "mse", "sse"; got \'mae\''),
        ({"batch_norm": True}, r"needs batch_norm to be `BatchNorm\(ddof=…, eps=…\)`, or None"),
    ],
)
def test_unknown_options(options, text):
    with pytest.raises(OptionError, match=text):
        mb.Network(**options)


def test_integers_are_promoted():
    whole = np.arange(18).reshape(6, 3) ** 2 % 7
    g = mb.gradient(NET, PAR, whole, np.arange(6))
    assert_array_equal(g.Gamma1, mb.gradient(NET, PAR, whole + 0.0, np.arange(6.0)).Gamma1)
    assert g.Gamma1.dtype == np.float64


def test_lists_and_float32_frames_are_taken():
    single = pd.DataFrame(X, dtype=np.float32)
    assert_array_equal(
        mb.predict(NET, PAR, single), mb.predict(NET, PAR, X.astype(np.float32).astype(float))
    )
    assert_array_equal(mb.predict(NET, PAR, X.tolist()), mb.predict(NET, PAR, X))


def test_without_batch_norm_one_row_is_enough():
    g = mb.gradient(mb.Network("tanh", None), PLAIN, X[:1], Y[:1])
    assert np.isfinite(g.loss)
