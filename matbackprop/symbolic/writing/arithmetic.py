"""Layouts of sums, products, powers, transposes and repeated rows."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Scale,
    Sum,
    Transpose,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Centering, Diag, Identity, Inverse, Ones
from matbackprop.symbolic.writing.forms import Entrywise, Form, Product, Scripted, Terms
from matbackprop.symbolic.writing.products import (
    diagonal,
    drawn_out,
    entrywise,
    multiplied,
    negated,
    number,
    raised,
    subtotal,
    unsigned,
)
from matbackprop.symbolic.writing.table import LAYOUT, Forms, ones, outer_ones


@LAYOUT.rule(Sum)
def _(node: Sum, forms: Forms) -> Form:
    terms: list[tuple[bool, Form]] = []
    for arg in node.args:
        form = forms[arg]
        minuend = _subtracted(arg)
        shorthand = _same_everywhere(arg)
        if shorthand is not None and not any(isinstance(_core(a), _SPARSE) for a in node.args):
            form = shorthand  # 1 − H, as one writes "scalar plus matrix"
        if minuend is not None:
            terms.append((True, forms[minuend]))
        elif isinstance(form, Terms):
            terms += form.items
        elif isinstance(form, Product) and form.negative:
            terms.append((True, unsigned(form)))
        else:
            terms.append((False, form))
    if len(terms) == 1:
        return negated(terms[0][1]) if terms[0][0] else terms[0][1]
    return subtotal(terms)


@LAYOUT.rule(Scale)
def _(node: Scale, forms: Forms) -> Form:
    scalar, matrix = node.args
    return multiplied([forms[scalar]], [forms[matrix]])


@LAYOUT.rule(MatMul)
def _(node: MatMul, forms: Forms) -> Form:
    return multiplied((), [forms[arg] for arg in node.args])


@LAYOUT.rule(Hadamard)
def _(node: Hadamard, forms: Forms) -> Form:
    if node.is_scalar:
        *scalars, last = (forms[arg] for arg in forms.in_order(node.args))
        if node not in forms.holding:
            return multiplied([*scalars, last])
        return multiplied(scalars, [last], scalar=True)
    scalars, (left, middle, right) = _entries(node, forms)
    if middle:
        # diag(v) M, not (v1ᵀ) ⊙ M
        factors = [diagonal(left)] if left else []
        factors += [entrywise(middle)]
        factors += [diagonal(_standing(right))] if right else []
    else:
        factors = [entrywise(left) if left else ones(node.rows)]
        factors += [entrywise(right) if right else ones(node.columns, row=True)]
    return multiplied(scalars, factors)


@LAYOUT.rule(Power)
def _(node: Power, forms: Forms) -> Form:
    base, exponent = node.args
    # √ of a square matrix could be read as the matrix root.
    marked = not node.is_scalar and ONE not in node.shape
    if not isinstance(exponent, Number):
        return Scripted(forms[base], forms[exponent], entrywise=not node.is_scalar)
    root = exponent.value.denominator == 2 and abs(exponent.value.numerator) == 1 and not marked
    form = raised(forms[base], abs(exponent.value), entrywise=not (node.is_scalar or root))
    if exponent.value >= 0:
        return form
    return multiplied(below=[form]) if node.is_scalar else Entrywise((("⊘", form),))


@LAYOUT.rule(Transpose)
def _(node: Transpose, forms: Forms) -> Form:
    (arg,) = node.args
    if node.is_scalar:
        return forms[arg]
    if isinstance(arg, Ones):
        return multiplied((), outer_ones(*node.shape))
    if isinstance(arg, Inverse):
        return Scripted(forms[arg.args[0]], number(-1), transposed=True)
    scalars, matrix = drawn_out(forms[arg])
    return multiplied(scalars, [Scripted(matrix, transposed=True)])


@LAYOUT.rule(Broadcast)
def _(node: Broadcast, forms: Forms) -> Form:
    (arg,) = node.args
    before = [] if node.rows == ONE or arg.rows != ONE else [ones(node.rows)]
    after = [] if node.columns == ONE or arg.columns != ONE else [ones(node.columns, row=True)]
    if arg.is_scalar:
        return multiplied([forms[arg]], [*before, *after])
    return multiplied((), [*before, forms[arg], *after])


# What is zero off its diagonal: beside it a bare 1 would be read as the identity.
_SPARSE = (Identity, Centering, Diag)

_Items: TypeAlias = list[tuple[str, Form]]


def _entries(node: Expr, forms: Forms) -> tuple[list[Form], tuple[_Items, _Items, _Items]]:
    """Sort the factors of an entrywise product: scalars; columns, matrices, rows repeated."""
    scalars: list[Form] = []
    columns: _Items = []
    matrices: _Items = []
    rows: _Items = []
    for arg in forms.in_order(node.args):
        inner = arg if ONE in node.shape else _repeated(arg)
        repeated = inner is not arg
        found, form = drawn_out(forms[inner])
        if inner.is_scalar:
            scalars.append(forms[inner])
            continue
        scalars += found
        if not repeated:
            matrices += _items(form)
        elif inner.columns == ONE:
            columns += _items(form)
        else:
            rows += _row_items(form)
    return scalars, (columns, matrices, rows)


def _repeated(expr: Expr) -> Expr:
    """Return the scalar, row or column that a matrix repeats; any other matrix itself."""
    match expr:
        case Broadcast(args=(arg,)):
            return arg
        case MatMul(args=(Ones(columns=columns), r)) if columns == ONE:
            return r
        case MatMul(args=(c, Ones(rows=rows))) if rows == ONE:
            return c
    return expr


def _items(form: Form) -> _Items:
    if isinstance(form, Entrywise) and all(sign != "⊗" for sign, _ in form.items):
        return list(form.items)
    return [("⊙", form)]


def _row_items(form: Form) -> _Items:
    """Return the factors of a row; those of (c ⊘ d)ᵀ are cᵀ and dᵀ."""
    column = _upright(form)
    if column is form or not isinstance(column, Entrywise):
        return _items(form)
    return [(sign, Scripted(part, transposed=True)) for sign, part in _items(column)]


def _standing(items: _Items) -> _Items:
    """Return the columns that rows are the transposes of, if all are: diag(r) is diag(rᵀ)."""
    upright = [(sign, _upright(form)) for sign, form in items]
    turned = all(new is not old for (_, new), (_, old) in zip(upright, items, strict=True))
    return upright if turned else items


def _upright(form: Form) -> Form:
    bare = isinstance(form, Scripted) and form.transposed and form.exponent is None
    return form.base if bare and isinstance(form, Scripted) else form


def _subtracted(expr: Expr) -> Expr | None:
    """Return B + C of A − (B + C), which keeps its parentheses."""
    negative = isinstance(expr, Scale | Hadamard) and expr.args[0] is Number(-1)
    if negative and len(expr.args) == 2 and isinstance(expr.args[1], Sum):
        return expr.args[1]
    return None


def _core(expr: Expr) -> Expr:
    while isinstance(expr, Scale):
        expr = expr.args[1]
    return expr


def _same_everywhere(expr: Expr) -> Form | None:
    """Return the number that stands in every entry of a matrix, if it is a plain one."""
    value = Fraction(1)
    while isinstance(expr, Scale) and isinstance(expr.args[0], Number):
        value *= expr.args[0].value
        expr = expr.args[1]
    if isinstance(expr, Broadcast) and isinstance(expr.args[0], Number):
        return number(value * expr.args[0].value)
    return number(value) if isinstance(expr, Ones) and ONE not in expr.shape else None
