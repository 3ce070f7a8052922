"""How NumPy writes each operation."""

from __future__ import annotations

from matbackprop.symbolic.emission.numpy_functions import FUNCTION_TEXT
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
    power_text,
)
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Number,
    Size,
    Transpose,
    Variable,
)
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

NUMPY: Rules = RuleTable("NumPy code")
"""numpy(node, write): its text and how tightly that holds together; `write` writes operands."""


@NUMPY.rule(Variable)
def _(node: Variable, write: Printer) -> Text:
    return write.arguments[node.name], ATOM


@NUMPY.rule(Number)
def _(node: Number, write: Printer) -> Text:
    return number_text(node)


@NUMPY.rule(Size)
def _(node: Size, write: Printer) -> Text:
    return write.size(node.dim)


@NUMPY.rule(Named)
def _(node: Named, write: Printer) -> Text:
    (arg,) = node.args
    return (write(arg), ATOM) if arg in write.names else write.spelled(arg)


@NUMPY.rule(Plus)
def _(node: Plus, write: Printer) -> Text:
    a, b = node.args
    return f"{write(a)} +{GLUE}{write(b, MATMUL)}", SUM


@NUMPY.rule(Minus)
def _(node: Minus, write: Printer) -> Text:
    a, b = node.args
    return f"{write(a)} -{GLUE}{write(b, MATMUL)}", SUM


@NUMPY.rule(Times)
def _(node: Times, write: Printer) -> Text:
    a, b = node.args
    return f"{write(a, TERM)} *{GLUE}{write(b, UNARY)}", TERM


@NUMPY.rule(Over)
def _(node: Over, write: Printer) -> Text:
    a, b = node.args
    return f"{write(a, TERM)} /{GLUE}{write(b, UNARY)}", TERM


@NUMPY.rule(Negative)
def _(node: Negative, write: Printer) -> Text:
    return f"-{write(node.args[0], POWER)}", UNARY


@NUMPY.rule(Raised)
def _(node: Raised, write: Printer) -> Text:
    base, power = node.args
    if isinstance(power, Number) and power.value * 2 == 1:
        return f"np.sqrt({write(base)})", ATOM
    if isinstance(base, Number):
        # Python's own numbers raise an error where they overflow.
        return f"np.power(float({write(base)}), {write(power)})", ATOM
    return power_text(write(base, ATOM), write(power, ATOM), "**")


@NUMPY.rule(Product)
def _(node: Product, write: Printer) -> Text:
    return _product(node.args, node.data, write)


def _product(args: tuple[Expr, ...], turned: tuple[bool, ...], write: Printer) -> Text:
    a = _matrix(args[0], turned[0], write, MATMUL if write.inline(args[0], Product) else UNARY)
    return f"{a} @{GLUE}{_matrix(args[1], turned[1], write, UNARY)}", MATMUL


def _matrix(arg: Expr, turned: bool, write: Printer, level: int) -> str:
    """Return a matrix, or its transpose, as an operand."""
    if not turned:
        return write(arg, level)
    text, own = _turned(arg, write)
    return text if own >= level else f"({text})"


def _turned(arg: Expr, write: Printer) -> Text:
    """Return a transpose: (A.T @ B).T is B.T @ A."""
    if write.inline(arg, Product) and any(arg.data):
        return _product(arg.args[::-1], tuple(not mark for mark in arg.data[::-1]), write)
    return f"{write(arg, ATOM)}.T", ATOM


@NUMPY.rule(Solve)
def _(node: Solve, write: Printer) -> Text:
    a, b = node.args
    return f"np.linalg.solve({write(a)}, {write(b)})", ATOM


@NUMPY.rule(Inner)
def _(node: Inner, write: Printer) -> Text:
    a, b = node.args
    return f"np.vdot({write(a)}, {write(b)})", ATOM


@NUMPY.rule(Transpose)
def _(node: Transpose, write: Printer) -> Text:
    return _turned(node.args[0], write)


@NUMPY.rule(Broadcast)
def _(node: Broadcast, write: Printer) -> Text:
    (arg,) = node.args
    shape = f"({write.shape(*node.shape)})"
    if isinstance(arg, Number) and arg.value in (0, 1):
        return f"np.{'ones' if arg.value else 'zeros'}({shape})", ATOM
    if arg.is_scalar:
        return f"np.full({shape}, {write(arg)}, dtype=float)", ATOM
    return f"np.broadcast_to({write(arg)}, {shape})", ATOM


@NUMPY.rule(Identity)
def _(node: Identity, write: Printer) -> Text:
    return f"np.eye({write.size(node.rows)[0]})", ATOM


@NUMPY.rule(Centering)
def _(node: Centering, write: Printer) -> Text:
    text, level = write.size(node.rows)
    divisor = text if level == ATOM else f"({text})"
    return f"np.eye({text}) -{GLUE}1 /{GLUE}{divisor}", SUM


@NUMPY.rule(Commutation)
def _(node: Commutation, write: Printer) -> Text:
    m, n = node.data
    order = f"{write.helper('commutation_order')}({write.shape(m, n)})"
    return f"np.eye({write.size(node.rows)[0]})[{order}]", ATOM


@NUMPY.rule(PermutedRows, PermutedColumns)
def _(node: Expr, write: Printer) -> Text:
    order = f"{write.helper('commutation_order')}({write.shape(*node.data)})"
    place = order if isinstance(node, PermutedRows) else f":,{GLUE}{order}"
    return f"{write(node.args[0], ATOM)}[{place}]", ATOM


@NUMPY.rule(Duplication)
def _(node: Duplication, write: Printer) -> Text:
    return f"{write.helper('duplication')}({write.size(node.data[0])[0]})", ATOM


@NUMPY.rule(Apply)
def _(node: Apply, write: Printer) -> Text:
    (arg,) = node.args
    template = FUNCTION_TEXT.get(node.name)
    call = template or f"{write.helper(node.name)}({{}})"
    return call.format(write(arg)), ATOM


@NUMPY.rule(Item)
def _(node: Item, write: Printer) -> Text:
    return f"{write(node.args[0], ATOM)}.item()", ATOM


@NUMPY.rule(Inverse, Det, Trace, Total, Mean, Norm2, Diag)
def _(node: Expr, write: Printer) -> Text:
    return f"{_CALLS[type(node)]}({write(node.args[0])})", ATOM


_CALLS: dict[type[Expr], str] = {
    Inverse: "np.linalg.inv",
    Det: "np.linalg.det",
    Trace: "np.trace",
    Total: "np.sum",
    Mean: "np.mean",
    Norm2: "np.linalg.norm",
    Diag: "np.diagflat",
}


@NUMPY.rule(RowSum, ColSum, RowMean, ColMean)
def _(node: Expr, write: Printer) -> Text:
    name = "sum" if isinstance(node, RowSum | ColSum) else "mean"
    axis = int(isinstance(node, RowSum | RowMean))
    return f"np.{name}({write(node.args[0])}, axis={axis}, keepdims=True)", ATOM


@NUMPY.rule(LogDet, Softmax, LogSumExp)
def _(node: Expr, write: Printer) -> Text:
    return f"{write.helper(type(node).__name__.lower())}({write(node.args[0])})", ATOM


@NUMPY.rule(DiagVec)
def _(node: DiagVec, write: Printer) -> Text:
    return f"np.diagonal({write(node.args[0])})[:,{GLUE}None]", ATOM


@NUMPY.rule(Kron)
def _(node: Kron, write: Printer) -> Text:
    a, b = node.args
    return f"np.kron({write(a)}, {write(b)})", ATOM


@NUMPY.rule(Vec)
def _(node: Vec, write: Printer) -> Text:
    return f'{write(node.args[0], ATOM)}.reshape((-1,{GLUE}1), order="F")', ATOM


@NUMPY.rule(Reshape)
def _(node: Reshape, write: Printer) -> Text:
    return f'{write(node.args[0], ATOM)}.reshape(({write.shape(*node.data)}), order="F")', ATOM


@NUMPY.rule(Rearrange)
def _(node: Rearrange, write: Printer) -> Text:
    m, n, p, q = node.data
    blocks = f"{write(node.args[0], ATOM)}.reshape({write.shape(m, p, n, q)})"
    return f"{blocks}.transpose(2, 0, 3, 1).reshape({write.shape(m * n, p * q)})", ATOM


@NUMPY.rule(Assemble)
def _(node: Assemble, write: Printer) -> Text:
    m, n, p, q = node.data
    blocks = f"{write(node.args[0], ATOM)}.reshape({write.shape(n, m, q, p)})"
    return f"{blocks}.transpose(1, 3, 0, 2).reshape({write.shape(m * p, n * q)})", ATOM
