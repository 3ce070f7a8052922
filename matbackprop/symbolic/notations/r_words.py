"""Base R: what its signs and functions mean here.

``%*%`` is the matrix product, ``%x%`` the Kronecker product; ``*``, ``/``, ``^`` and functions
go entry by entry; ``t(X)`` transposes, ``solve(A)`` inverts.

A plain vector, such as `colMeans` gives, is read as a column. Where R would recycle it down the
columns of a matrix, as in ``exp(Z) / rowSums(exp(Z))``, it is repeated; on the left of ``%*%`` it
is a row where R would make it one.

The 1×1 rule: a 1×1 matrix stays a matrix, as in R, and `drop` makes it a number, by an `Item`
node. Where R would stop, so does the reader. If the whole expression is 1×1 it is read as a
number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim, same
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    Hadamard,
    MatMul,
    Number,
    Power,
    Size,
    Transpose,
    Variable,
    shapes,
    times,
)
from matbackprop.symbolic.expressions.functions import FUNCTIONS
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
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    Norm2,
    Ones,
    Rearrange,
    Reshape,
    RowSum,
    Softmax,
    Total,
    Trace,
    Vec,
    Zeros,
)
from matbackprop.symbolic.notations import arithmetic
from matbackprop.symbolic.notations.arithmetic import constant, dimension_of, quotient
from matbackprop.symbolic.notations.grammar import R as GRAMMAR
from matbackprop.symbolic.notations.r_vectors import recycled
from matbackprop.symbolic.notations.vocabulary import Vocabulary

SIGNS: Mapping[str, Callable[[Expr, Expr], Expr]] = {
    "+": arithmetic.plus,
    "-": arithmetic.minus,
    "*": times,
    "/": quotient,
}
OWN_NAMES = {"plogis": "sigmoid", "pnorm": "normal_cdf", "dnorm": "normal_pdf"}
"""R's names of functions of the table `FUNCTIONS`; the others have the same name, or none."""


def matrix_of(expr: Expr, /) -> Expr:
    """Return a number as a 1×1 matrix, as R's matrix functions take it."""
    return Broadcast(expr, ONE, ONE) if expr.is_scalar else expr


def dropped(expr: Expr, /) -> Expr:
    """Return the number that a 1×1 matrix holds; anything else as it is."""
    return Item(expr) if expr.shape == (ONE, ONE) else expr


R = Vocabulary(
    GRAMMAR,
    instead={
        **{"inv": "solve(A)", "ginv": "solve(A)", "tr": "sum(diag(A))", "trace": "sum(diag(A))"},
        **{"kron": "A %x% B", "ones": "matrix(1, n, p)", "eye": "diag(n)", "diagvec": "diag(A)"},
        **{"zeros": "matrix(0, n, p)", "norm2": 'norm(X, "F")', "norm1": "sum(abs(X))"},
        **{"vec": "c(X)", "reshape": "matrix(v, r, c)", "transpose": "t(X)", "cbind": "matrix(v)"},
        **{"var": "colSums(scale(X, scale = FALSE)^2) / (n - 1)", "apply": "rowSums(X)"},
        **{"rowsum": "rowSums(X)", "colsum": "colSums(X)", "I": "diag(n)", "ifelse": "pmax(x, 0)"},
        **{"K": "commutation(m, n)", "D": "duplication(n)", "crossproduct": "crossprod(X)"},
    },
    prepare=recycled,
    entry=lambda expr: expr,
    finish=lambda expr: expr if isinstance(expr, Variable) else dropped(expr),
)


def _elementwise(sign: str, build: Callable[[Expr, Expr], Expr]) -> Callable[[Expr, Expr], Expr]:
    """Return the operation, refusing what R refuses."""
    function = f', "{sign}"' if sign in SIGNS else ""

    def checked(a: Expr, b: Expr) -> Expr:
        conform = all(same(i, j) for i, j in zip(a.shape, b.shape, strict=False))
        if a.is_scalar or b.is_scalar or conform:
            return build(a, b)
        if (ONE, ONE) in (a.shape, b.shape):
            hint = " R calls a 1×1 matrix non-conformable; `drop(…)` makes a number of it."
        elif sign == "*" and same(a.columns, b.rows):
            hint = " The matrix product is `A %*% B`."
        elif _is_row_for(b, a) or _is_row_for(a, b):
            hint = f" To go by columns, `sweep(X, 2, v{function})`."
        elif ONE in (a.columns, b.columns) and same(a.rows, b.rows):
            hint = f" To go by rows, `sweep(X, 1, v{function})`, or `c(v)` for a plain vector."
        else:
            hint = " Transposing one of them would fit." if a.shape == b.shape[::-1] else ""
        raise ShapeError(f"`A {sign} B` needs equal shapes; got {shapes((a, b))}.{hint}")

    return checked


def _is_row_for(v: Expr, X: Expr) -> bool:
    """Whether v has an entry for each column of X."""
    return ONE in v.shape and same(v.rows * v.columns, X.columns)


for _sign, _build in {**SIGNS, "^": arithmetic.raised}.items():
    R.operator(_sign)(_elementwise(_sign, _build))
R.operator("-", arity=1)(arithmetic.negative)
R.operator("%x%")(lambda a, b: Kron(matrix_of(a), matrix_of(b)))


@R.operator("%*%")
def _(a: Expr, b: Expr) -> Expr:
    if a.is_scalar or b.is_scalar:
        raise ShapeError(
            f"`A %*% B` multiplies matrices; got {shapes((a, b))}. By a number it is `s * A`."
        )
    if not same(a.columns, b.rows):
        fits = a.columns == b.columns or a.rows == b.rows
        hint = " Transposing one of them, `t(A)`, would fit." if fits else ""
        raise ShapeError(
            f"`A %*% B` needs as many columns of A as rows of B; got {shapes((a, b))}.{hint}"
        )
    return MatMul(a, b)


@R.operator("%o%")
def outer(x: Expr, y: Expr) -> Expr:
    """Return xyᵀ of two columns."""
    if x.is_scalar or y.is_scalar or x.columns != ONE or y.columns != ONE:
        raise ShapeError(f"`x %o% y` takes two columns; got {shapes((x, y))}.")
    return MatMul(x, Transpose(y))


@R.operator(">")
def _(a: Expr, b: Expr) -> Expr:
    return Apply("step", a if constant(b) == 0 else SIGNS["-"](a, b))


@R.operator("<")
def _(a: Expr, b: Expr) -> Expr:
    return Apply("step", arithmetic.negative(a) if constant(b) == 0 else SIGNS["-"](b, a))


@R.operator("$modulus", arity=1)
def _(a: Expr) -> Expr:
    if not isinstance(a, LogDet):
        raise OptionError("`$modulus` stands behind `determinant(A)`, and nowhere else.")
    return a


@R.word("sum(x)")
def total(x: Expr) -> Expr:
    """Return the sum of all entries; of a diagonal, the trace."""
    if isinstance(x, DiagVec):
        return Trace(x.args[0])
    return x if x.is_scalar else Total(x)


for _name in FUNCTIONS:
    R.word(f"{_name}(x)")(lambda x, name=_name: Apply(name, x))
for _name, _own in OWN_NAMES.items():
    R.word(f"{_name}(x)")(lambda x, name=_own: Apply(name, x))

R.word("sqrt(x)")(arithmetic.root)
R.word("log1p(x)")(lambda x: Apply("log", arithmetic.plus(Number(1), x)))
R.word("expm1(x)")(lambda x: arithmetic.minus(Apply("exp", x), Number(1)))
R.word("t(x)")(lambda x: Transpose(matrix_of(x)))
R.word("det(x)")(Det)
R.word("determinant(x)", "logdet(x)")(LogDet)
R.word("rowSums(x)")(RowSum)
R.word("colSums(x)")(lambda x: Transpose(ColSum(x)))
R.word("rowMeans(x)")(lambda x: quotient(RowSum(x), Size(x.columns)))
R.word("colMeans(x)")(lambda x: quotient(Transpose(ColSum(x)), Size(x.rows)))
R.word("mean(x)")(lambda x: quotient(total(x), Size(x.rows * x.columns)))
R.word("nrow(x)", "NROW(x)")(lambda x: Size(x.rows))
R.word("ncol(x)", "NCOL(x)")(lambda x: Size(x.columns))
R.word("length(x)")(lambda x: Size(x.rows * x.columns))
R.word("kronecker(X, Y)")(lambda X, Y: Kron(matrix_of(X), matrix_of(Y)))
R.word("outer(X, Y)")(outer)
R.word("commutation(m: size, n: size)")(Commutation)
R.word("duplication(n: size)")(Duplication)
R.word("rearrange(G, m: size, n: size, p: size, q: size)")(Rearrange)
R.word("assemble(M, m: size, n: size, p: size, q: size)")(Assemble)
R.word("softmax(Z)")(Softmax)
R.word("logsumexp(Z)")(LogSumExp)
R.word("batchnorm(X, gamma?, beta?, eps?, ddof?)")(arithmetic.batch_norm_of)
R.word("as.matrix(x)")(matrix_of)


@R.word("norm(x, type: string)")
def _(x: Expr, type: str) -> Expr:
    if type not in ("F", "f"):
        raise OptionError(f'`norm(x, "F")` is the one norm there is; got "{type}".')
    return Norm2(matrix_of(x))


@R.word("c(x)", "as.vector(x)", "as.numeric(x)")
def vector(x: Expr) -> Expr:
    """Return the entries as a plain vector; of one entry, the number."""
    if x.is_scalar or x.shape == (ONE, ONE):
        return dropped(x)
    return x if x.columns == ONE else Vec(x)


@R.word("drop(x)")
def _(x: Expr) -> Expr:
    if x.shape == (ONE, ONE):
        return Item(x)
    return Transpose(x) if x.rows == ONE else x


@R.word("solve(a, b?)")
def _(a: Expr, b: Expr | None) -> Expr:
    inverse = Inverse(matrix_of(a))
    return inverse if b is None else MatMul(inverse, matrix_of(b))


@R.word("crossprod(x, y?)")
def _(x: Expr, y: Expr | None) -> Expr:
    return MatMul(Transpose(matrix_of(x)), matrix_of(x if y is None else y))


@R.word("tcrossprod(x, y?)")
def _(x: Expr, y: Expr | None) -> Expr:
    return MatMul(matrix_of(x), Transpose(matrix_of(x if y is None else y)))


@R.word("diag(x, nrow?: size)")
def _(x: Expr, nrow: Dim | None) -> Expr:
    if not x.is_scalar:
        square = x.columns != ONE or x.rows == ONE
        if nrow is not None and (square or not same(nrow, x.rows)):
            raise ShapeError(f"`diag(v, n)` needs a column of length n; got {shapes((x,))}.")
        return DiagVec(x) if square else Diag(x)
    n = dimension_of(x) if nrow is None else nrow
    if n is None:
        raise ShapeError(
            "`diag(s)` of a number s that is no size: `diag(s, n)` is s times the n×n identity."
        )
    return arithmetic.scaled_identity(Number(1) if nrow is None else x, n)


@R.word("rep(x, times: size)")
def _(x: Expr, times: Dim) -> Expr:
    return matrix(x, times, ONE, None)


@R.word("matrix(data, nrow?: size, ncol?: size, byrow?: flag)")
def matrix(data: Expr, nrow: Dim | None, ncol: Dim | None, byrow: bool | None) -> Expr:
    """Return a matrix filled with a number, a repeated vector, or entries in another shape."""
    length = data.rows * data.columns
    # R finds the one that is missing; here, where the other is 1 or the length.
    if nrow is None:
        nrow = length if ncol in (None, ONE) else ONE
    if ncol is None:
        ncol = ONE if same(nrow, length) else length
    if data.is_scalar:
        value = constant(data)
        if value in (0, 1):
            return Ones(nrow, ncol) if value else Zeros(nrow, ncol)
        return Broadcast(data, nrow, ncol)
    if not same(nrow * ncol, length):
        if not byrow and data.columns == ONE and same(data.rows, nrow):
            return Broadcast(data, nrow, ncol)
        if byrow and ONE in data.shape and same(length, ncol):
            return Broadcast(data if data.rows == ONE else Transpose(data), nrow, ncol)
        raise ShapeError(
            f"`matrix(x, m, n)` needs m·n entries, or a vector to repeat; "
            f"got {shapes((data,))} for {nrow}×{ncol}."
        )
    if (nrow, ncol) == data.shape and (not byrow or ONE in data.shape):
        return data
    return Transpose(Reshape(data, ncol, nrow)) if byrow else Reshape(data, nrow, ncol)


@R.word("pmax(x, y)")
def _(x: Expr, y: Expr) -> Expr:
    if constant(y) == 0:
        return Apply("relu", x)
    return arithmetic.plus(y, Apply("relu", arithmetic.minus(x, y)))


@R.word("pmin(x, y)")
def _(x: Expr, y: Expr) -> Expr:
    return arithmetic.minus(x, Apply("relu", arithmetic.minus(x, y)))


@R.word("sweep(x, MARGIN: size, STATS, FUN?: string)")
def _(x: Expr, MARGIN: Dim, STATS: Expr, FUN: str | None) -> Expr:
    by_rows = MARGIN == 1
    build = SIGNS.get(FUN or "-")
    if MARGIN not in (1, 2) or build is None or x.is_scalar:
        raise OptionError(
            '`sweep(X, MARGIN, v, "-")` goes over a matrix by rows, 1, or columns, 2, with one of '
            f'"-", "+", "*", "/"; got {MARGIN} and "{FUN or "-"}".'
        )
    return build(x, _along(STATS, x, by_rows))


def _along(v: Expr, X: Expr, by_rows: bool) -> Expr:
    """Return a vector repeated to the shape of X, one entry a row or a column."""
    if v.is_scalar:
        return Broadcast(v, *X.shape)
    length = X.rows if by_rows else X.columns
    if ONE not in v.shape or not same(v.rows * v.columns, length):
        raise ShapeError(
            f"There is one entry a {'row' if by_rows else 'column'} of a matrix {shapes((X,))}; "
            f"got {shapes((v,))}."
        )
    is_column = v.columns == ONE
    return Broadcast(v if is_column == by_rows else Transpose(v), *X.shape)


@R.word("scale(x, center?: any, scale?: any)")
def _(x: Expr, center: Expr | bool | None, scale: Expr | bool | None) -> Expr:
    if x.is_scalar:
        raise ShapeError("`scale(X)` takes a matrix; got a scalar.")
    if isinstance(center, Expr):
        x = arithmetic.minus(x, _along(center, x, by_rows=False))
    elif center is not False:
        x = MatMul(Centering(x.rows), x)
    if isinstance(scale, Expr):
        return quotient(x, _along(scale, x, by_rows=False))
    if scale is False:
        return x
    variance = quotient(ColSum(Hadamard(x, x)), Size(x.rows - 1))
    return Hadamard(x, Broadcast(Power(variance, -arithmetic.HALF), *x.shape))
