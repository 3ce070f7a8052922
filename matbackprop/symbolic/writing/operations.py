"""Layouts of functions, inverses, norms, sums and ⊗."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from matbackprop.symbolic.expressions.expression import Expr, Transpose
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    ColSum,
    Det,
    Diag,
    DiagVec,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Norm1,
    Norm2,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
)
from matbackprop.symbolic.writing.forms import (
    Call,
    Entrywise,
    Fence,
    Form,
    Product,
    Scripted,
    Symbol,
)
from matbackprop.symbolic.writing.names import dimension
from matbackprop.symbolic.writing.products import drawn_out, multiplied, number
from matbackprop.symbolic.writing.table import LAYOUT, Forms, ones


@LAYOUT.rule(Apply)
def _(node: Apply, forms: Forms) -> Form:
    (arg,) = node.args
    if node.name == "abs" and node.is_scalar:
        return Fence(False, forms[arg])
    return Call(FUNCTIONS[node.name].latex, forms[arg])


@LAYOUT.rule(Item)
def _(node: Item, forms: Forms) -> Form:
    form = forms[node.args[0]]
    return replace(form, scalar=bool(form.factors)) if isinstance(form, Product) else form


@LAYOUT.rule(Inverse)
def _(node: Inverse, forms: Forms) -> Form:
    (arg,) = node.args
    if isinstance(arg, Transpose):
        return Scripted(forms[arg.args[0]], number(-1), transposed=True)
    if isinstance(arg, MatrixPower):
        return Scripted(forms[arg.args[0]], number(-arg.power))
    return Scripted(forms[arg], number(-1))


@LAYOUT.rule(MatrixPower)
def _(node: MatrixPower, forms: Forms) -> Form:
    return Scripted(forms[node.args[0]], number(node.power))


@LAYOUT.rule(Det)
def _(node: Det, forms: Forms) -> Form:
    return Fence(False, forms[node.args[0]])


@LAYOUT.rule(LogDet)
def _(node: LogDet, forms: Forms) -> Form:
    return Fence(False, forms[node.args[0]], name=r"\log")


@LAYOUT.rule(Norm2)
def _(node: Norm2, forms: Forms) -> Form:
    (arg,) = node.args
    vector = arg.is_scalar or ONE in arg.shape
    return Fence(True, forms[arg], (number(2) if vector else Symbol("F"),))


@LAYOUT.rule(Norm1)
def _(node: Norm1, forms: Forms) -> Form:
    return Fence(True, forms[node.args[0]], (number(1),))


@LAYOUT.rule(Total, RowSum, ColSum)
def _(node: Total | RowSum | ColSum, forms: Forms) -> Form:
    (arg,) = node.args
    before = [] if isinstance(node, RowSum) or arg.rows == ONE else [ones(arg.rows, row=True)]
    after = [] if isinstance(node, ColSum) or arg.columns == ONE else [ones(arg.columns)]
    return multiplied((), [*before, forms[arg], *after], scalar=node.is_scalar)


def _called(name: str) -> Callable[[Expr, Forms], Form]:
    def rule(node: Expr, forms: Forms) -> Form:
        return Call(name, forms[node.args[0]], tuple(dimension(dim) for dim in node.data))

    return rule


for _kind, _name in {
    Trace: r"\operatorname{tr}",
    Diag: r"\operatorname{diag}",
    DiagVec: r"\operatorname{diag}",
    Vec: r"\operatorname{vec}",
    Reshape: r"\operatorname{mat}",
    Rearrange: r"\mathcal{R}",
    Assemble: r"\mathcal{R}^{-1}",
    Softmax: r"\operatorname{softmax}",
    LogSumExp: r"\operatorname{logsumexp}",
}.items():
    LAYOUT.rule(_kind)(_called(_name))


@LAYOUT.rule(Kron)
def _(node: Kron, forms: Forms) -> Form:
    scalars: list[Form] = []
    items: list[tuple[str, Form]] = []
    for arg in node.args:
        before, matrix = drawn_out(forms[arg])
        scalars += before
        nested = isinstance(matrix, Entrywise) and all(sign == "⊗" for sign, _ in matrix.items)
        items += matrix.items if nested and isinstance(matrix, Entrywise) else [("⊗", matrix)]
    return multiplied(scalars, [Entrywise(tuple(items))])
