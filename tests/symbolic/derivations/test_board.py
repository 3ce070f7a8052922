import pytest

from matbackprop.symbolic.derivations.board import (
    Board,
    Step,
    StepError,
    free_name,
    same_letters,
    tidied,
)
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Variable
from matbackprop.symbolic.expressions.nodes import Differential, Item, Named
from matbackprop.symbolic.writing.forms import Change, Symbol
from matbackprop.symbolic.writing.unicode import to_unicode

N = Dim.of("n")
A, x = Variable("A", (N, N)), Variable("x", (N, Dim.of(1)))
L = Item(x.T @ x)
dx = Differential(x)
RIGHT, WRONG = Item(2 * x.T @ dx), Item(3 * x.T @ dx)


@pytest.fixture
def board():
    return Board(L, x, Symbol("L"))


def test_a_right_line_stands(board):
    board.write(["the product rule"], Change(Symbol("L")), RIGHT, RIGHT)
    given, step = board.steps
    assert (str(given), given.rule, given.error) == ("L = xᵀx", "what is given", 0.0)
    assert (str(step), step.rule) == ("dL = 2xᵀ dx", "the product rule")
    assert step.error < 1e-12


def test_a_wrong_line_raises(board):
    with pytest.raises(
        StepError, match=r"The step `dL = 3xᵀ dx` \(a slip\) is wrong: as a linear"
    ) as e:
        board.write(["a slip"], Change(Symbol("L")), WRONG, WRONG)
    assert "in dx it is off by 5.0e-01 (allowed 1e-09) from dL" in str(e.value)
    assert len(board.steps) == 1


def test_what_reads_the_same_is_not_written(board):
    for rules in (["one"], ["two"]):
        board.write(rules, Change(Symbol("L")), RIGHT, RIGHT)
    assert [step.rule for step in board.steps] == ["what is given", "one"]


def test_small_rules_wait_for_the_next_line(board):
    board.pending += ["the sum rule", "the sum rule"]
    board.write(["the product rule"], Change(Symbol("L")), RIGHT, RIGHT)
    assert board.steps[-1].rule == "the sum rule; the product rule"
    assert board.pending == []


def test_names_are_used_wherever_they_apply():
    y = Named("y", A @ x)
    board = Board(Item(y.T @ y), x, Symbol("L"))
    form = Item(2 * (A @ x).T @ A @ dx)
    board.write([""], Change(Symbol("L")), form, form)
    assert str(board.steps[-1]) == "dL = 2yᵀA dx"


def test_new_names(board):
    assert [board.new_name("xAS") for _ in range(2)] == ["A1", "A2"]


def test_free_name():
    assert free_name(L, "LR") == Symbol("L")
    assert free_name(Item(Variable("L", (Dim.of(1), Dim.of(1)))), "LR") == Symbol("R")
    assert to_unicode(free_name(Named("Rhat", L), "LR")) == "R̂"


def test_same_letters():
    assert same_letters(A + A @ A, A @ A + A)
    assert not same_letters(A, A @ A)


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ((), "simplified"),
        (("symmetric", "spd"), "simplified; the symmetric part, since S is symmetric"),
        (("orthogonal",), "simplified; the part in the tangent space, since S is orthogonal"),
    ],
)
def test_tidied(flags, text):
    assert tidied(Variable("S", (N, N), flags), Symbol("S")) == text


def test_a_step_is_a_record():
    assert str(Step("r", Symbol("L"), L)) == "L = xᵀx"
