"""Which parts of an R text are plain vectors, that R recycles down the columns of a matrix."""

from __future__ import annotations

from matbackprop.symbolic.expressions.dimension import same
from matbackprop.symbolic.expressions.expression import Broadcast, Expr, Transpose
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.notations.tree import Tree
from matbackprop.symbolic.notations.vocabulary import Values

VECTORS = frozenset(
    {"c", "as.vector", "as.numeric", "drop", "diag", "rep"}
    | {"rowSums", "colSums", "rowMeans", "colMeans"}
)
BY_ENTRY = frozenset(
    {*FUNCTIONS, "sqrt", "log1p", "expm1", "plogis", "pnorm", "dnorm", "pmax", "pmin"}
)
SIGNS = frozenset("+-*/^<>")


def recycled(values: Values, tree: Tree, args: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """Return the operands of a sign, a plain vector repeated over the columns of a matrix.

    On the left of a matrix product it is a row, where that fits and a column does not.
    """
    if len(args) != 2:
        return args
    a, b = args
    if tree.text == "%*%" and not same(a.columns, b.rows) and same(a.rows, b.rows):
        return (Transpose(a) if is_vector(values, tree.args[0]) else a), b
    if tree.text not in SIGNS:
        return args
    if _runs_down(values, tree.args[1], b, a):
        return a, Broadcast(b, *a.shape)
    if _runs_down(values, tree.args[0], a, b):
        return Broadcast(a, *b.shape), b
    return args


def _runs_down(values: Values, tree: Tree, v: Expr, M: Expr) -> bool:
    matrix = bool(M.shape) and M.columns != ONE
    return matrix and v.columns == ONE and same(v.rows, M.rows) and is_vector(values, tree)


def is_vector(values: Values, tree: Tree, /) -> bool:
    """Whether R would hold this as a vector without dimensions, of more than one entry."""
    if values.value(tree).columns != ONE or values.value(tree).is_scalar:
        return False
    definition = values.definition(tree.text) if tree.kind == "name" else None
    if definition is not None:
        return is_vector(values, definition)
    if tree.kind == "call" and tree.text in VECTORS:
        return True
    by_entry = tree.kind == "call" and tree.text in BY_ENTRY
    if not by_entry and not (tree.kind == "operator" and tree.text in SIGNS):
        return False
    return all(values.value(arg).is_scalar or is_vector(values, arg) for arg in tree.args)
