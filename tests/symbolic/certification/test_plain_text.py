"""Expressions in messages: as the user writes them, and never long."""

import pytest

from matbackprop.symbolic.certification.plain_text import LONGEST, plain
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    MatMul,
    Number,
    Size,
    Sum,
    Variable,
)
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Differential,
    Identity,
    Inverse,
    Item,
    LogDet,
    Named,
)
from matbackprop.symbolic.expressions.tables import TEXT


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
def test_without_a_notation(expr, text, monkeypatch):
    monkeypatch.delitem(TEXT, "matlab")
    assert plain(expr) == text


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (Item(x.T @ x), "x'*x"),
        (Inverse(A) * (A + A.T), "inv(A).*(A+A')"),
        (Item(Named("e", A @ x).T @ x), "e'*x"),
        (Differential(A) @ x, "dA*x"),
    ],
)
def test_as_the_user_writes(expr, text):
    assert plain(expr) == text


def test_what_is_long_is_cut():
    long = Sum(*(MatMul(A, Variable(f"weights{i}", A.shape)) for i in range(40)))
    assert plain(long).startswith("A*weights0 + A*weights1 + ")
    assert plain(long).endswith(" …")
    assert len(plain(long)) == LONGEST


def test_a_kind_that_no_notation_knows():
    class Unheard(Expr):
        shape_of = staticmethod(lambda args, data: args[0].shape)

    assert plain(Unheard.make((x.T,))) == "Unheard(x.T)"


def test_a_graph_that_is_large_as_a_tree_has_a_short_text():
    grown = A
    for _ in range(100):
        grown = grown @ grown
    assert len(plain(grown)) <= LONGEST
    assert plain(grown).endswith(" …")
