"""How R writes each operation.

R does not repeat a row or column beside a matrix: a vector as long as a column is recycled down
the columns, which serves for columns, and a row is repeated to that length first.
"""

from __future__ import annotations

from matbackprop.symbolic.emission.entrywise import COLUMN, FULL, ROW, extent
from matbackprop.symbolic.emission.operations import (
    ColMean,
    Inner,
    Mean,
    Minus,
    Negative,
    Over,
    PermutedColumns,
    PermutedRows,
    Plus,
    Product,
    Raised,
    RowMean,
    Solve,
    Times,
)
from matbackprop.symbolic.emission.printer import (
    ATOM,
    GLUE,
    MATMUL,
    POWER,
    SUM,
    TERM,
    UNARY,
    Printer,
    Rules,
    Text,
    number_text,
)
from matbackprop.symbolic.emission.r_functions import FUNCTION_TEXT
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Number,
    Size,
    Transpose,
    Variable,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    Named,
    Norm2,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
)
from matbackprop.symbolic.expressions.tables import RuleTable

R: Rules = RuleTable("R code")
"""r(node, write): its text and how tightly that holds together; `write` writes operands."""


@R.rule(Variable)
def _(node: Variable, write: Printer) -> Text:
    return write.arguments[node.name], ATOM


@R.rule(Number)
def _(node: Number, write: Printer) -> Text:
    return number_text(node)


@R.rule(Size)
def _(node: Size, write: Printer) -> Text:
    return write.size(node.dim)


@R.rule(Named)
def _(node: Named, write: Printer) -> Text:
    (arg,) = node.args
    return (write(arg), ATOM) if arg in write.names else write.spelled(arg)


@R.rule(Plus, Minus, Times, Over)
def _(node: Expr, write: Printer) -> Text:
    a, b = node.args
    sign = _SIGNS[type(node)]
    loose = sign in "+-"
    first, second = (extent(arg, node.shape) for arg in node.args)
    if {first, second} == {ROW, COLUMN}:
        outer = f'outer({_vector(a, write)}, {_vector(b, write)}, "{sign}")'
        return outer if first == COLUMN else f"t({outer})", ATOM
    unknown = ROW in (first, second) and not write.sizes.knows(node.rows)
    left = _beside(a, first, node, write, SUM if loose else TERM, turned=unknown)
    right = _beside(b, second, node, write, MATMUL if loose else UNARY, turned=unknown)
    text = f"{left} {sign}{GLUE}{right}"
    return (f"t({text})", ATOM) if unknown else (text, SUM if loose else TERM)


_SIGNS: dict[type[Expr], str] = {Plus: "+", Minus: "-", Times: "*", Over: "/"}
_SUM_NAMES: dict[type[Expr], str] = {
    RowSum: "rowSums",
    ColSum: "colSums",
    RowMean: "rowMeans",
    ColMean: "colMeans",
}


def _beside(arg: Expr, part: int, node: Expr, write: Printer, level: int, *, turned: bool) -> str:
    """Return an operand so that R repeats it to the shape of the operation, or its transpose."""
    if part == COLUMN or (part == ROW and turned):
        return _vector(arg, write)
    if part == ROW:
        return f"rep({_bare(arg, write)}, each ={GLUE}{write.size(node.rows)[0]})"
    return f"t({write(arg)})" if turned and part == FULL else write(arg, level)


def _vector(arg: Expr, write: Printer) -> str:
    """Return a row or column as a plain vector."""
    inner = _inner(arg, write)
    return _bare(inner, write) if _is_sum(inner, write) else f"c({write(inner)})"


def _bare(arg: Expr, write: Printer) -> str:
    """Return a row or column, perhaps without its dimensions."""
    inner = _inner(arg, write)
    if _is_sum(inner, write):
        return f"{_SUM_NAMES[type(inner)]}({write(inner.args[0])})"
    return write(inner)


def _inner(arg: Expr, write: Printer) -> Expr:
    """Return what has the same entries in the same order as a row or column."""
    while write.inline(arg, Vec) or (write.inline(arg, Transpose) and ONE in arg.shape):
        (arg,) = arg.args
    return arg


def _is_sum(arg: Expr, write: Printer) -> bool:
    return type(arg) in _SUM_NAMES and arg not in write.names


@R.rule(Negative)
def _(node: Negative, write: Printer) -> Text:
    return f"-{write(node.args[0], POWER)}", UNARY


@R.rule(Raised)
def _(node: Raised, write: Printer) -> Text:
    base, power = node.args
    if isinstance(power, Number) and power.value * 2 == 1:
        return f"sqrt({write(base)})", ATOM
    return f"{write(base, ATOM)}^{write(power, ATOM)}", POWER


@R.rule(Product)
def _(node: Product, write: Printer) -> Text:
    return _product(node.args, node.data, write)


def _product(args: tuple[Expr, ...], turned: tuple[bool, ...], write: Printer) -> Text:
    a, b = args
    match turned:
        case (True, False):
            return f"crossprod({write(a)}{'' if a is b else f', {write(b)}'})", ATOM
        case (False, True):
            return f"tcrossprod({write(a)}{'' if a is b else f', {write(b)}'})", ATOM
        case (True, True):
            return f"t({write(b, UNARY)} %*%{GLUE}{write(a, UNARY)})", ATOM
    chained = isinstance(a, Product) and not any(a.data)
    return f"{write(a, MATMUL if chained else UNARY)} %*%{GLUE}{write(b, UNARY)}", MATMUL


@R.rule(Solve)
def _(node: Solve, write: Printer) -> Text:
    a, b = node.args
    return f"solve({write(a)}, {write(b)})", ATOM


@R.rule(Inner)
def _(node: Inner, write: Printer) -> Text:
    a, b = node.args
    if a is b:
        return f"sum({write(a, ATOM)}^2)", ATOM
    return f"sum({write(a, TERM)} *{GLUE}{write(b, UNARY)})", ATOM


@R.rule(Transpose)
def _(node: Transpose, write: Printer) -> Text:
    (arg,) = node.args
    if write.inline(arg, Product) and any(arg.data):
        return _product(arg.args[::-1], tuple(not mark for mark in arg.data[::-1]), write)
    if _is_sum(arg, write):
        return f"{'t' if arg.columns == ONE else 'as.matrix'}({_bare(arg, write)})", ATOM
    return f"t({write(arg)})", ATOM


@R.rule(Broadcast)
def _(node: Broadcast, write: Printer) -> Text:
    (arg,) = node.args
    by_row = f", byrow ={GLUE}TRUE" if extent(arg, node.shape) == ROW else ""
    return f"matrix({write(arg)}, {write.shape(*node.shape)}{by_row})", ATOM


@R.rule(Identity)
def _(node: Identity, write: Printer) -> Text:
    return f"diag({write.size(node.rows)[0]})", ATOM


@R.rule(Centering)
def _(node: Centering, write: Printer) -> Text:
    text, level = write.size(node.rows)
    divisor = text if level == ATOM else f"({text})"
    return f"diag({text}) -{GLUE}1 /{GLUE}{divisor}", SUM


@R.rule(Commutation)
def _(node: Commutation, write: Printer) -> Text:
    size = write.size(node.rows)[0]
    return f"diag({size})[{_order(node, write)}, , drop ={GLUE}FALSE]", ATOM


@R.rule(PermutedRows)
def _(node: PermutedRows, write: Printer) -> Text:
    return f"{write(node.args[0], ATOM)}[{_order(node, write)}, , drop ={GLUE}FALSE]", ATOM


@R.rule(PermutedColumns)
def _(node: PermutedColumns, write: Printer) -> Text:
    return f"{write(node.args[0], ATOM)}[, {_order(node, write)}, drop ={GLUE}FALSE]", ATOM


def _order(node: Expr, write: Printer) -> str:
    return f"{write.helper('commutation_order')}({write.shape(*node.data)})"


@R.rule(Duplication)
def _(node: Duplication, write: Printer) -> Text:
    return f"{write.helper('duplication')}({write.size(node.data[0])[0]})", ATOM


@R.rule(Apply)
def _(node: Apply, write: Printer) -> Text:
    (arg,) = node.args
    if node.name == "step":
        return f"1 *{GLUE}({write(arg)} > 0)", TERM  # a product keeps the dimensions
    template = FUNCTION_TEXT.get(node.name)
    call = template or f"{write.helper(node.name)}({{}})"
    return call.format(write(arg)), ATOM


@R.rule(Item)
def _(node: Item, write: Printer) -> Text:
    return f"drop({write(node.args[0])})", ATOM


@R.rule(Inverse, Det, Total, Mean)
def _(node: Expr, write: Printer) -> Text:
    return f"{_CALLS[type(node)]}({write(node.args[0])})", ATOM


_CALLS: dict[type[Expr], str] = {Inverse: "solve", Det: "det", Total: "sum", Mean: "mean"}


@R.rule(Trace)
def _(node: Trace, write: Printer) -> Text:
    return f"sum(diag({write(node.args[0])}))", ATOM


@R.rule(Norm2)
def _(node: Norm2, write: Printer) -> Text:
    return f"sqrt(sum({write(node.args[0], ATOM)}^2))", ATOM


@R.rule(RowSum, RowMean)
def _(node: Expr, write: Printer) -> Text:
    return f"as.matrix({_SUM_NAMES[type(node)]}({write(node.args[0])}))", ATOM


@R.rule(ColSum, ColMean)
def _(node: Expr, write: Printer) -> Text:
    return f"t({_SUM_NAMES[type(node)]}({write(node.args[0])}))", ATOM


@R.rule(LogDet, Softmax, LogSumExp)
def _(node: Expr, write: Printer) -> Text:
    return f"{write.helper(type(node).__name__.lower())}({write(node.args[0])})", ATOM


@R.rule(Diag)
def _(node: Diag, write: Printer) -> Text:
    # diag(v) of a vector of length one would be an identity matrix of that size.
    (v,) = node.args
    return f"diag({_vector(v, write)}, nrow ={GLUE}{write.size(node.rows)[0]})", ATOM


@R.rule(DiagVec)
def _(node: DiagVec, write: Printer) -> Text:
    return f"as.matrix(diag({write(node.args[0])}))", ATOM


@R.rule(Kron)
def _(node: Kron, write: Printer) -> Text:
    a, b = node.args
    return f"kronecker({write(a)}, {write(b)})", ATOM


@R.rule(Vec)
def _(node: Vec, write: Printer) -> Text:
    return f"matrix({write(node.args[0])}, ncol ={GLUE}1)", ATOM


@R.rule(Reshape)
def _(node: Reshape, write: Printer) -> Text:
    return f"matrix({write(node.args[0])}, {write.shape(*node.data)})", ATOM


@R.rule(Rearrange)
def _(node: Rearrange, write: Printer) -> Text:
    m, n, p, q = node.data
    blocks = f"array({write(node.args[0])}, c({write.shape(p, m, q, n)}))"
    return f"matrix(aperm({blocks}, c(2, 4, 1, 3)), {write.shape(m * n, p * q)})", ATOM


@R.rule(Assemble)
def _(node: Assemble, write: Printer) -> Text:
    m, n, p, q = node.data
    blocks = f"array({write(node.args[0])}, c({write.shape(m, n, p, q)}))"
    return f"matrix(aperm({blocks}, c(3, 1, 4, 2)), {write.shape(m * p, n * q)})", ATOM


def multiplies_sizes(node: Expr, /) -> bool:
    """Whether R would multiply sizes as integers, of 32 bits, which n * n soon exceeds."""
    if isinstance(node, Size):
        return any(len(monomial) > 1 for monomial, _ in node.dim.terms)
    return isinstance(node, Times) and all(isinstance(arg, Size | Plus) for arg in node.args)
