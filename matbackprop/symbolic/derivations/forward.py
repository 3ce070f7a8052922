"""A Jacobian, derived on the board by differentials: dF in terms of dX, then vec of both sides."""

from __future__ import annotations

from matbackprop.symbolic import rules
from matbackprop.symbolic.derivations.backward import gradient, gradient_steps
from matbackprop.symbolic.derivations.board import Board, Step, free_name, same_letters, vec_of
from matbackprop.symbolic.derivations.frontier import differential, is_small, small_rules
from matbackprop.symbolic.derivations.shortcuts import shortcut
from matbackprop.symbolic.expressions.construct import make, zero
from matbackprop.symbolic.expressions.expression import (
    Expr,
    Hadamard,
    MatMul,
    Scale,
    Transpose,
    Variable,
    rebuilt,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Differential, Item, Vec
from matbackprop.symbolic.simplification import simplify
from matbackprop.symbolic.sweeps import dependents, vec_jacobian
from matbackprop.symbolic.writing.chains import flat
from matbackprop.symbolic.writing.definitions import with_definitions
from matbackprop.symbolic.writing.forms import Change, Equation, Scripted, Slope
from matbackprop.symbolic.writing.names import Symbols
from matbackprop.symbolic.writing.wording import Wording

_GRADIENT = "the gradient, to be differentiated"


def jacobian_steps(F: Expr, X: Variable, result: Expr, /) -> tuple[Step, ...]:
    """Return the steps from F to ∂vec(F)/∂vec(X)ᵀ = result.

    Raises
    ------
    StepError
        If a step is not what the one before says.
    MissingRuleError
        If a kind of node on the way has no differential.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.dimension import Dim
    >>> m, n = Dim.of("m"), Dim.of("n")
    >>> A, X, B = Variable("A", (m, n)), Variable("X", (n, m)), Variable("B", (m, n))
    >>> for step in jacobian_steps(A @ X @ B, X, vec_jacobian(A @ X @ B, X)):
    ...     print(step)
    F = AXB
    dF = A dX B
    vec(dF) = (Bᵀ ⊗ A) vec(dX)
    ∂vec(F)/∂vec(X)ᵀ = Bᵀ ⊗ A
    """
    return _jacobian_steps(F, X, result, "FYHf", "what is given")


def hessian_steps(L: Expr, X: Variable, result: Expr, /) -> tuple[Step, ...]:
    """Return the steps from L to its gradient G, and from there to ∂vec(G)/∂vec(X)ᵀ = result."""
    G = gradient(L, X)
    steps = gradient_steps(L, X, G)
    return steps + _jacobian_steps(G, X, result, "GgHD", _GRADIENT, steps[0].symbols)


def hvp_steps(L: Expr, X: Variable, result: Expr, /) -> tuple[Step, ...]:
    """Return the steps from L to its gradient G, and from there to dG where dX is a direction."""
    G = gradient(L, X)
    steps = gradient_steps(L, X, G)
    symbols = steps[0].symbols
    board = Board(with_definitions(flat(G)).body, X, free_name(G, "GgHD"), _GRADIENT, symbols)
    _differentiate(board)
    # The direction is the one variable of the result that L does not have.
    new = [V for name, V in result.variables().items() if name not in L.variables()]
    change = rebuilt(result, {V: Differential(X) for V in new})
    dX = Change(symbols[X.name])
    why: list[str] = [Wording("for ", Equation(dX, symbols[V.name])) for V in new]
    board.write(why or ["it does not change"], Change(board.name), result, change)
    return steps + tuple(board.steps)


def _jacobian_steps(
    F: Expr,
    X: Variable,
    result: Expr,
    letters: str,
    given: str,
    symbols: Symbols | None = None,
) -> tuple[Step, ...]:
    F = with_definitions(flat(F)).body
    board = Board(F, X, free_name(F, letters), given, symbols)
    x = board.symbols[X.name]
    hence = "hence J" if symbols is None else "hence H"
    form = _differentiate(board)
    # Of a linear form in dX the Jacobian is its matrix: dX itself is not in it.
    dX, stand_in = Differential(X), Variable(f"d {X.name}", X.shape)
    J = simplify(vec_jacobian(_replaced(form, dX, stand_in), stand_in))
    columns = F.columns == ONE and X.columns == ONE
    change = Change(board.name)
    why = Wording(Change(x), " last") if columns else _vec_rules(form)
    stacked = F if F.is_scalar or F.columns == ONE else Vec(F)
    by = vec_of(x, X)
    slope = Slope(vec_of(board.name, F), by if X.is_scalar else Scripted(by, transposed=True))
    found = _times_change(J, dX, F)
    board.write([why], change if columns else vec_of(change, F), found, found, source=stacked)
    if not same_letters(J, result):
        board.write([hence], slope, J, found, source=stacked)
    rule = "simplified" if board.steps[-1].left == slope else hence
    board.write([rule], slope, result, _times_change(result, dX, F), source=stacked)
    return tuple(board.steps)


def _differentiate(board: Board) -> Expr:
    """Write dF by the rules until only dX is left in it; return it."""
    F, X, change = board.source, board.X, Change(board.name)
    form: Expr = Differential(F)
    changing = dependents(F, [X])
    if F not in changing:
        form = zero(F.shape)
    for u in reversed([node for node in F.nodes() if node in changing and node is not X]):
        du = Differential(u)
        if du not in set(form.nodes()):
            continue
        form = _replaced(form, du, differential(u, changing))
        if is_small(u, changing):
            board.pending += small_rules(u)
        else:
            short = shortcut(u)
            board.write([short.rule if short else rules.rule_name(u)], change, form, form)
    if not same_letters(form, board.steps[-1].form):
        board.write(["nothing else changes"], change, form, form)
    return form


def _replaced(root: Expr, old: Expr, new: Expr) -> Expr:
    """Return the expression with one node replaced, and tidied where that changes it."""
    done: dict[Expr, Expr] = {old: new}
    for node in root.nodes():
        if node not in done:
            args = tuple(done[arg] for arg in node.args)
            done[node] = node if args == node.args else make(type(node), args, node.data)
    return done[root]


def _times_change(J: Expr, dX: Expr, F: Expr) -> Expr:
    """Return J vec(dX), a number where F is one."""
    if dX.is_scalar:
        form: Expr = Scale(dX, J)
    else:
        form = MatMul(J, dX if dX.columns == ONE else Vec(dX))
    return Item(form) if F.is_scalar else form


def _vec_rules(form: Expr) -> str:
    kinds = {type(node) for node in form.nodes()}
    known = {
        MatMul: "vec(A dX B) = (Bᵀ ⊗ A) vec dX",
        Hadamard: "vec(U ⊙ V) = diag(vec U) vec V",
        Transpose: "vec(Uᵀ) = K vec U",
    }
    used = [rule for kind, rule in known.items() if kind in kinds]
    return "; ".join(["vec of both sides", *used])
