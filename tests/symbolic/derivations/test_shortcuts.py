import pytest

from matbackprop.symbolic import parse
from matbackprop.symbolic.derivations.shortcuts import shortcut

SHAPES = {"X": "n,p", "z": "n", "t": ()}


@pytest.mark.parametrize(
    ("text", "part", "slope"),
    [
        ("norm2(X)^2", "X", "2*X"),
        ("norm2(X*X')^2", "X*X'", "2*X*X'"),
        ("log(1+exp(z))", "z", "sigmoid(z)"),
        ("log(exp(z)+1)", "z", "sigmoid(z)"),
        ("log(ones(n,1)+exp(z))", "z", "sigmoid(z)"),
        ("log(1+exp(t))", "t", "sigmoid(t)"),
    ],
)
def test_patterns(text, part, slope):
    found = shortcut(parse(text, shapes=SHAPES))
    assert (str(found.part), str(found.slope)) == (part, slope)


@pytest.mark.parametrize(
    "text", ["norm2(X)^3", "norm2(X)", "log(2+exp(z))", "log(1+z)", "exp(1+exp(z))", "X", "t^2"]
)
def test_others(text):
    assert shortcut(parse(text, shapes=SHAPES)) is None
