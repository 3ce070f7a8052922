"""What hvp and hessian refuse, and in which words."""

import numpy as np
import pytest

import matbackprop as mb
from matbackprop.errors import DataError, DtypeError, MatBackpropError, OptionError, ShapeError

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal(6)
NET = mb.Network("tanh", mb.BatchNorm(ddof=1, eps=0.0))
PAR = mb.Parameters.random(3, 2, rng=RNG)
PLAIN = mb.Parameters.random(3, 2, rng=RNG, batch_norm=False)
P = 12
V = np.ones(P)
DEAD = mb.Parameters(PAR.Gamma1 * [1.0, 0.0], PAR.Gamma2, PAR.gamma, PAR.beta)
COLUMN = mb.Parameters(PAR.Gamma1, PAR.Gamma2[:, None], PAR.gamma, PAR.beta)

SHARED = {
    "columns of X": ((NET, PAR, X[:, :2], Y), ShapeError,
        r"one row of Gamma1 for each column of X; got X \(6, 2\), Gamma1 \(3, 2\)"),
    "rows of y": ((NET, PAR, X, Y[:4]), ShapeError, r"each of the 6 rows of X.*got y \(4,\)"),
    "NaN in X": ((NET, PAR, np.where(X[4, 1] == X, np.nan, X), Y), DataError,
        "X has NaN at row 4, column 1"),
    "complex y": ((NET, PAR, X, Y + 1j), DtypeError, "real numbers in y; got dtype complex128"),
    "empty batch": ((NET, PAR, X[:0], Y[:0]), DataError, "needs at least one row"),
    "one row": ((NET, PAR, X[:1], Y[:1]), DataError, "needs more than 1 row.*got N = 1"),
    "constant column": ((NET, DEAD, X, Y), DataError,
        "column 1 .counted from 0. of Z = X @ Gamma1 is constant at 0. Use an eps > 0"),
    "no gamma": ((NET, PLAIN, X, Y), OptionError,
        "the network has batch norm, its parameters have no gamma and beta"),
    "not a network": (("relu", PAR, X, Y), DtypeError, "needs net to be a `Network`; got str"),
    "not parameters": ((NET, None, X, Y), DtypeError, "needs par to be a `Parameters`; got None"),
    "overflow": ((NET, PAR, X, Y * 1e160), DataError,
        "overflowed: the loss is not finite, though X, y and the parameters are. Rescale them"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("case", SHARED)
def test_bad_input(case):
    arguments, error, text = SHARED[case]
    with pytest.raises(error, match=rf"^`hvp\(net, par, X, y, direction\)`.*{text}") as caught:
        mb.hvp(*arguments, V)
    assert isinstance(caught.value, MatBackpropError)
    with pytest.raises(error, match=rf"^`hessian\(net, par, X, y\)`.*{text}"):
        mb.hessian(*arguments)


def test_bad_moments():
    with pytest.raises(ShapeError, match=r"needs moments of 2 hidden nodes; got mu \(3,\)"):
        mb.hvp(NET, PAR, X, Y, V, moments=mb.Moments([0.0] * 3, [1.0] * 3))
    with pytest.raises(OptionError, match="moments= are for batch norm, and this network has none"):
        mb.hessian(mb.Network(batch_norm=None), PLAIN, X, Y, moments=mb.Moments([0.0], [1.0]))


DIRECTIONS = {
    "short": (V[:-1], ShapeError,
        r"a direction with 12 entries, as `par.to_vector\(\)` has; got 11"),
    "long": (np.ones(P + 1), ShapeError, "a direction with 12 entries.*; got 13"),
    "matrix": (np.eye(P), ShapeError, r"direction with 1 dimension.*got 2 \(shape \(12, 12\)\)"),
    "NaN": (np.where(np.arange(P) == 7, np.nan, V), DataError, "direction has NaN at entry 7"),
    "infinity": (np.where(np.arange(P) == 3, np.inf, V), DataError,
        "direction has an infinite value at entry 3"),
    "complex": (V + 1j, DtypeError, "real numbers in direction; got dtype complex128"),
    "nothing": (None, DtypeError, "real numbers in direction; got dtype object"),
    "a gradient": (mb.gradient(NET, PAR, X, Y), DtypeError,
        r"needs direction to be a `Parameters` or a vector; got Gradient. Pass `g.to_vector\(\)`"),
    "other Gamma2": (COLUMN, ShapeError,
        r"in the shapes of the parameters, whose Gamma2 has shape \(2,\); got \(2, 1\)"),
    "other Gamma1": (mb.Parameters(PAR.Gamma1[:2], PAR.Gamma2, PAR.gamma, PAR.beta), ShapeError,
        r"whose Gamma1 has shape \(3, 2\); got \(2, 2\)"),
    "no gamma": (PLAIN, ShapeError,
        r"whose gamma has shape \(2,\); got None. Where a parameter stays, its direction is zeros"),
    "too large": (V * 1e308, DataError,
        "overflowed: Hv is not finite, though X, y, the parameters and the direction are"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize("case", DIRECTIONS)
def test_bad_direction(case):
    direction, error, text = DIRECTIONS[case]
    with pytest.raises(error, match=rf"^`hvp\(net, par, X, y, direction\)`.*{text}") as caught:
        mb.hvp(NET, PAR, X, Y, direction)
    assert isinstance(caught.value, MatBackpropError)


def test_needless_gamma_in_a_direction():
    with pytest.raises(ShapeError, match=r"whose gamma has shape None; got \(2,\)"):
        mb.hvp(mb.Network("tanh", None), PLAIN, X, Y, PAR)
