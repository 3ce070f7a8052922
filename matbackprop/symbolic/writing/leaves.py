"""Layouts of what has no operands but its sizes, and of names."""

from __future__ import annotations

from matbackprop.symbolic.expressions.expression import Expr, Number, Size, Transpose, Variable
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Centering,
    Commutation,
    Differential,
    Duplication,
    Identity,
    Named,
    Ones,
    Zeros,
)
from matbackprop.symbolic.writing.forms import Change, Form, Scripted, Symbol, Terms
from matbackprop.symbolic.writing.names import dimension
from matbackprop.symbolic.writing.products import multiplied, number
from matbackprop.symbolic.writing.table import LAYOUT, Forms, ones, outer_ones


@LAYOUT.rule(Variable, Named)
def _(node: Variable | Named, forms: Forms) -> Form:
    return forms.symbols[node.name]


@LAYOUT.rule(Number)
def _(node: Number, forms: Forms) -> Form:
    return number(node.value)


@LAYOUT.rule(Size)
def _(node: Size, forms: Forms) -> Form:
    return dimension(node.dim)


@LAYOUT.rule(Differential)
def _(node: Differential, forms: Forms) -> Form:
    (arg,) = node.args
    if isinstance(arg, Transpose):
        return Scripted(Change(forms[arg.args[0]]), transposed=True)
    return Change(forms[arg])


@LAYOUT.rule(Zeros)
def _(node: Zeros, forms: Forms) -> Form:
    return Symbol("0", below=_sizes(node), face="bold")


@LAYOUT.rule(Ones)
def _(node: Ones, forms: Forms) -> Form:
    return multiplied((), outer_ones(*node.shape)) if node.shape != (ONE, ONE) else number(1)


@LAYOUT.rule(Identity)
def _(node: Identity, forms: Forms) -> Form:
    return Symbol("I", below=(dimension(node.rows),))


@LAYOUT.rule(Centering)
def _(node: Centering, forms: Forms) -> Form:
    # Spelt out: a letter such as H would have to be explained, and may be taken.
    n = dimension(node.rows)
    mean = multiplied((), [ones(node.rows), ones(node.rows, row=True)], below=[n])
    return Terms(((False, Symbol("I", below=(n,))), (True, mean)))


@LAYOUT.rule(Commutation)
def _(node: Commutation, forms: Forms) -> Form:
    return Symbol("K", below=tuple(dimension(dim) for dim in node.data))


@LAYOUT.rule(Duplication)
def _(node: Duplication, forms: Forms) -> Form:
    return Symbol("D", below=(dimension(node.data[0]),))


def _sizes(node: Expr) -> tuple[Form, ...]:
    return tuple(dimension(dim) for dim in node.shape if dim != ONE)
