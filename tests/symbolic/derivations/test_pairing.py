import numpy as np
import pytest

from matbackprop.symbolic.derivations.pairing import paired, turned
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Number, Transpose, Variable
from matbackprop.symbolic.expressions.nodes import Diag, Differential, Identity, Inverse, Ones
from matbackprop.symbolic.writing import to_unicode


def matrix(name, *sizes, flags=()):
    return Variable(name, tuple(map(Dim.of, sizes)), flags)


A, B = matrix("A", "n", "n"), matrix("B", "n", "n")
X, G = matrix("X", "n", "p"), matrix("G", "n", "p")
x, g = matrix("x", "n", 1), matrix("g", "n", 1)
r, h = matrix("r", 1, "n"), matrix("h", 1, "n")
e, f = matrix("e", 1, 1), matrix("f", 1, 1)
s, t = matrix("s"), matrix("t")
S = matrix("S", "n", "n", flags=("symmetric",))


@pytest.mark.parametrize(
    ("G", "D", "text"),
    [
        (G, X, "tr(GᵀX)"),
        (2 * G, X, "2 tr(GᵀX)"),
        (s * G, -X, "−s tr(GᵀX)"),
        (g, x, "gᵀx"),
        (h, r, "hrᵀ"),
        (t, s, "ts"),
        (Number(1), s, "s"),
        (f, e, "fe"),
        (Broadcast(s, 1, 1), e, "se"),
        (Ones(1, 1), e, "e"),
        (Identity("n"), A, "tr(A)"),
        (Ones("n", "p"), X, "1ₙᵀX1ₚ"),
        (Broadcast(s, "n", "p"), X, "s1ₙᵀX1ₚ"),
        (A @ B, S, "tr(BᵀAᵀS)"),
        (-(A - B), S, "tr((B − A)ᵀS)"),
        (A + A.T, B, "tr((A + Aᵀ)B)"),
        (A @ x, Differential(x), "xᵀAᵀ dx"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_is_the_trace_with_the_change_last(G, D, text):
    form = paired(G, D)
    assert to_unicode(form) == text
    if isinstance(D, Differential):
        return
    rng = np.random.default_rng(0)
    names = {**form.variables(), **G.variables(), **D.variables()}
    sizes = {"n": 4, "p": 3}
    values = {
        name: rng.standard_normal([d.evaluate(sizes) for d in v.shape]) for name, v in names.items()
    }
    given = {**values, **sizes}
    expected = np.sum(np.asarray(G.evaluate(given)) * np.asarray(D.evaluate(given)))
    np.testing.assert_allclose(form.evaluate(given), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "text"),
    [
        (A @ X, "XᵀAᵀ"),
        (2 * A, "2Aᵀ"),
        (A.T, "A"),
        (S, "S"),
        (Inverse(S), "S⁻¹"),
        (Inverse(A), "A⁻ᵀ"),
        (Diag(x), "diag(x)"),
        (X - G, "(X − G)ᵀ"),
        (X * G, "(X ⊙ G)ᵀ"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_turned(matrix, text):
    assert to_unicode(turned(matrix)) == text
    assert turned(matrix).shape == Transpose(matrix).shape
