import numpy as np
import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Transpose, Variable
from matbackprop.symbolic.expressions.nodes import ColSum, Ones
from matbackprop.symbolic.writing import to_unicode
from matbackprop.symbolic.writing.columns import upright

n, p, ONE = Dim.of("n"), Dim.of("p"), Dim.of(1)
X, v, w = Variable("X", (n, p)), Variable("v", (p, ONE)), Variable("w", (p, ONE))
r, s = Variable("r", (ONE, p)), Variable("s", ())
VALUES = {
    "X": np.arange(1.0, 7.0).reshape(2, 3),
    "v": [[1.0], [2.0], [3.0]],
    "w": [[2.0], [1.0], [5.0]],
    "r": [[3.0, 1.0, 2.0]],
    "s": 2.0,
}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (v.T, "v"),
        (ColSum(X), "Xᵀ1ₙ"),
        (ColSum(X.T.T), "Xᵀ1ₙ"),
        (s * ColSum(X), "sXᵀ1ₙ"),
        (v.T * ColSum(X) / w.T, "v ⊙ Xᵀ1ₙ ⊘ w"),
        (v.T + ColSum(X) ** 3, "v + (Xᵀ1ₙ)^⊙3"),
        (Broadcast(s, 1, p) + v.T, "s1ₚ + v"),
        (Ones(1, p) * s + v.T, "s1ₚ + v"),
        (r + ColSum(X), "rᵀ + Xᵀ1ₙ"),
        (r * r, "(r ⊙ r)ᵀ"),
        (r @ X.T @ X, "(rXᵀX)ᵀ"),
    ],
)
def test_a_transposed_row(row, text):
    column = Transpose(row)
    assert to_unicode(column) == text
    assert upright(column).shape == column.shape
    np.testing.assert_allclose(
        upright(column).evaluate(VALUES), column.evaluate(VALUES), rtol=1e-12
    )


def test_all_else_stays():
    for expr in (X.T @ X, v.T, ColSum(X), Transpose(r), s * v):
        assert upright(expr) is expr
