"""Repeated columns and rows as diagonal factors: what is in one diag(…) is all columns or rows."""

import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Hadamard,
    Power,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import ColSum
from matbackprop.symbolic.writing import to_unicode

N, K, ONE = Dim.of("n"), Dim.of("k"), Dim.of(1)
M = Variable("M", (N, K))
g, h, c = Variable("g", (K, ONE)), Variable("h", (K, ONE)), Variable("c", (N, ONE))


def wide(row_or_column):
    return Broadcast(row_or_column, N, K)


G, H = wide(Transpose(g)), wide(Transpose(h))
ROW = wide(Power(ColSum(M), -1))


@pytest.mark.parametrize(
    ("factors", "text"),
    [
        ((M, G), "M diag(g)"),
        ((M, G, H), "M diag(g ⊙ h)"),
        ((M, wide(Transpose(g * h))), "M diag(g ⊙ h)"),
        ((M, wide(Transpose(g / h))), "M diag(g ⊘ h)"),
        ((M, ROW), "M diag(1ₙᵀM)⁻¹"),
        ((M, G, ROW), "M diag(gᵀ ⊘ 1ₙᵀM)"),
        ((M, wide(Transpose(g / h)), ROW), "M diag(gᵀ ⊘ hᵀ ⊘ 1ₙᵀM)"),
        ((wide(c), M, G), "diag(c) M diag(g)"),
        ((wide(c), G), "cgᵀ"),
        ((wide(c), G, H), "c(gᵀ ⊙ hᵀ)"),
    ],
)
def test_diagonals(factors, text):
    assert to_unicode(Hadamard(*factors)) == text
