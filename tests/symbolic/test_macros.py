import numpy as np
import pytest

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.macros import batch_norm

n, p, ONE = Dim.of("n"), Dim.of("p"), Dim.of(1)
X, g, b = Variable("X", (n, p)), Variable("g", (p, ONE)), Variable("b", (p, ONE))


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("eps", [0, 0.5])
def test_batch_norm(rng, ddof, eps):
    values = {"X": rng.normal(size=(6, 3)), "g": rng.normal(size=(3, 1)), "b": np.ones((3, 1))}
    C = values["X"] - values["X"].mean(0)
    Xhat = C / np.sqrt(values["X"].var(0, ddof=ddof) + eps)
    bare = batch_norm(X, eps=eps, ddof=ddof)
    np.testing.assert_allclose(bare.evaluate(values), Xhat, rtol=1e-12)
    layer = batch_norm(X, g, b, eps, ddof)
    np.testing.assert_allclose(layer.evaluate(values), Xhat * values["g"].T + 1, rtol=1e-12)
    scaled = batch_norm(X, gamma=g, eps=eps, ddof=ddof)
    np.testing.assert_allclose(scaled.evaluate(values), Xhat * values["g"].T, rtol=1e-12)


def test_the_default_eps(rng):
    assert batch_norm(X) is batch_norm(X, eps=1e-5)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ((Variable("s", ()),), ShapeError, "takes a matrix X; got a scalar"),
        ((X, Variable("y", (n, ONE))), ShapeError, "gamma as a column of length p, .* got n×1"),
        ((X, g, Variable("r", (ONE, p))), ShapeError, "beta as a column of length p, .* got 1×p"),
        ((X, g, b, X), ShapeError, "needs a scalar eps; got n×p"),
        ((X, g, b, 0.1, 2), OptionError, "needs ddof 0 or 1; got 2"),
    ],
)
def test_errors(args, error, message):
    with pytest.raises(error, match=message):
        batch_norm(*args)
