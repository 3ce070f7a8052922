"""A gradient, derived on the board from L inwards.

What stands there is always dL, as a sum of tr(Gᵀdu) over the parts u of L not yet taken apart.
The part nearest to L is replaced by its differential; moves under the trace bring the changes of
its operands to the end; so on, until only dX is left. A named part is a stage: its gradient is
written down, and goes by its name from then on.
"""

from __future__ import annotations

from matbackprop.symbolic import rules
from matbackprop.symbolic.derivations.board import Board, Step, free_name, same_letters, tidied
from matbackprop.symbolic.derivations.frontier import Frontier, is_small, small_rules
from matbackprop.symbolic.derivations.pairing import paired
from matbackprop.symbolic.derivations.shortcuts import shortcut
from matbackprop.symbolic.expressions.construct import (
    duplication,
    inverse,
    matmul,
    transpose,
)
from matbackprop.symbolic.expressions.expression import Expr, MatMul, Variable
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Differential, Item, Named, Trace, Vec
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.sweeps import gradients
from matbackprop.symbolic.tangents import projected
from matbackprop.symbolic.writing.chains import flat
from matbackprop.symbolic.writing.definitions import with_definitions
from matbackprop.symbolic.writing.forms import (
    Call,
    Change,
    Equation,
    Form,
    Product,
    Scripted,
    Slope,
    Symbol,
)
from matbackprop.symbolic.writing.unicode import to_unicode
from matbackprop.symbolic.writing.wording import Wording

_CYCLIC = rules.MOVE_NAMES[MatMul]

_LONG = 45
"""Characters of what stands before a differential from which it gets a name."""


def gradient(L: Expr, X: Variable, /) -> Expr:
    """Return the simplified gradient in the tangent space of X."""
    return simplify(projected(gradients(simplify(scalar(L)), [X])[X], X))


def gradient_steps(L: Expr, X: Variable, result: Expr, /) -> tuple[Step, ...]:
    """Return the steps from L to ∂L/∂X = result.

    Raises
    ------
    StepError
        If a step is not what the one before says.
    MissingRuleError
        If a kind of node on the way has no differential or no pullback.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> n = Dim.of("n")
    >>> A, x = Variable("A", (n, n)), Variable("x", (n, ONE))
    >>> L = Item(x.T @ A @ x)
    >>> for step in gradient_steps(L, x, gradient(L, x)):
    ...     print(step)
    L = xᵀAx
    dL = (dx)ᵀAx + xᵀA dx
    dL = (Ax + Aᵀx)ᵀ dx
    ∂L/∂x = Ax + Aᵀx
    ∂L/∂x = (A + Aᵀ)x
    """
    # Large parts that occur twice become stages too, under names of their own.
    L = with_definitions(flat(scalar(L))).body
    name = free_name(L, "LRf")
    board = Board(L, X, name)
    frontier = Frontier(L, X)
    while (u := frontier.head()) is not None:
        if isinstance(u, Named) and u is not L:
            _write_stage(board, frontier, u)
        elif is_small(u, frontier.changing):
            board.pending += small_rules(u)
            frontier.carry(u)
        else:
            _take_apart(board, frontier, u)
    last, G = frontier.form(), frontier.gradient()
    board.write([], Change(name), last, last)
    x = board.symbols[X.name]
    slope = Slope(name, x)
    rule: str = _hence(X, x, name)
    if not same_letters(G, result):
        board.write([rule], slope, G, last)
        put_in = any(isinstance(node, Named) for node in {*G.nodes()}.difference(L.nodes()))
        rule = "what the names stand for put in" if put_in else tidied(X, x)
    board.write([rule], slope, result, paired(result, Differential(X)))
    return tuple(board.steps)


def vech_gradient_steps(L: Expr, S: Variable, result: Expr, /) -> tuple[Step, ...]:
    """Return the steps from L to ∂L/∂vech(S) = Dᵀvec(∂L/∂S) = result, for symmetric S."""
    steps = gradient_steps(L, S, gradient(L, S))
    board = Board(L, S, steps[0].left)
    D = duplication(S.rows)
    # vech(dS) = (DᵀD)⁻¹Dᵀ vec(dS) for symmetric dS
    vech = MatMul(inverse(matmul(transpose(D), D)), transpose(D), Vec(Differential(S)))
    slope = Slope(steps[0].left, Call(r"\operatorname{vech}", board.symbols[S.name]))
    dS, vec, vech_ = Change(board.symbols[S.name]), r"\operatorname{vec}", r"\operatorname{vech}"
    before = Product(factors=(Scripted(Symbol("D"), transposed=True), Call(vec, Symbol("G"))))
    rule = Wording(
        Equation(Call(vec, dS), Product(factors=(Symbol("D"), Call(vech_, dS)))),
        ", so that ",
        Scripted(before, transposed=True),
        " stands before ",
        Call(vech_, dS),
    )
    board.write([rule], slope, result, Item(MatMul(transpose(result), vech)), source=scalar(L))
    return steps + tuple(board.steps[1:])


def _hence(X: Variable, x: Form, L: Form) -> Wording:
    column = X.is_scalar or X.columns == ONE
    G = Symbol("g" if column else "G")
    first = G if X.is_scalar else Scripted(G, transposed=True)
    product: Form = Product(factors=(first, Change(x)))
    right = product if column else Call(r"\operatorname{tr}", product)
    return Wording(Equation(Change(L), right), ", hence ", G)


def scalar(L: Expr, /) -> Expr:
    """Return a 1×1 matrix as its entry; a scalar as it is."""
    return L if L.is_scalar else Item(L)


def _write_stage(board: Board, frontier: Frontier, u: Named) -> None:
    """Write ∂L/∂u, and let it go by its name from here on."""
    name, stage = board.name, board.symbols[u.name]
    form = frontier.form()
    board.write([], Change(name), form, form)
    G = frontier.G[u]
    why = Wording("what stands before ", Change(stage))
    board.write([why], Slope(name, stage), G, form, stage=stage)
    if G.args:
        frontier.G[u] = Named(f"G_{u.name}", G)
    frontier.carry(u)


def _take_apart(board: Board, frontier: Frontier, u: Expr) -> None:
    """Differentiate u, then move the changes of its operands to the end."""
    change = Change(board.name)
    short = shortcut(u)
    why = [short.rule if short else rules.rule_name(u)]
    if not u.is_scalar:
        form = frontier.form(differentiated=u)
        board.write(why, change, form, form)
        why = [rules.move_name(u)]
    moves = why + frontier.carry(u)
    form = frontier.form()
    if u.shape == (ONE, ONE) and moves[1:]:
        moves = ["a number is its own transpose"]
    elif not any(isinstance(node, Trace) for node in form.nodes()):
        moves = ["terms collected" if move == _CYCLIC else move for move in moves]
    board.write(moves, change, form, form)
    _name_the_long(board, frontier)


def _name_the_long(board: Board, frontier: Frontier) -> None:
    """Let what stands before a differential go by a name where it is long."""
    for part, G in frontier.G.items():
        short = part is frontier.X or isinstance(part, Named)
        if not short and G.args and len(to_unicode(G)) > _LONG:
            name = board.new_name("SPQEU")
            form = frontier.form()
            board.write(["a name for what is long"], board.symbols[name], G, form)
            frontier.G[part] = Named(name, G)
