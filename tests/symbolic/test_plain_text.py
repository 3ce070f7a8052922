"""Expressions in messages: as one would write them in Python, and never long."""

import pytest

from matbackprop.symbolic.dimension import Dim
from matbackprop.symbolic.expression import Broadcast, Number, Size, Variable
from matbackprop.symbolic.nodes import Apply, Differential, Identity, Inverse, LogDet, Named
from matbackprop.symbolic.plain_text import LONGEST, plain


def var(name, *shape):
    return Variable(name, tuple(Dim.of(s) for s in shape))


A, x, s = var("A", "n", "n"), var("x", "n", 1), var("s")


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Apply("log", s), "log(s)"),
        (x.T @ A, "x.T @ A"),
        ((A + A).T, "(A + A).T"),
        (s * (s + s), "s * (s + s)"),
        (s**2, "s**2"),
        (s**-1, "s**(-1)"),
        (s**0.5, "s**(1/2)"),
        ((s * s) ** 2, "(s * s)**2"),
        (2 * A, "2 * A"),
        (-A, "(-1) * A"),
        (Inverse(A), "inv(A)"),
        (LogDet(A), "LogDet(A)"),
        (Named("S", A @ A), "S"),
        (Differential(A) @ x, "d(A) @ x"),
        (Identity("k*p"), "Identity(k*p)"),
        (Broadcast(s, "n", 2), "Broadcast(s, n, 2)"),
        (Size("n") * Number(3), "n * 3"),
    ],
)
def test_texts(expr, text):
    assert plain(expr) == text


def test_a_graph_that_is_large_as_a_tree_has_a_short_text():
    grown = A
    for _ in range(100):
        grown = grown @ grown
    assert len(plain(grown)) <= LONGEST
    assert plain(grown).endswith(" …")
