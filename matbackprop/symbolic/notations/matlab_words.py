"""The MATLAB-like notation of matrixcalculus.org: what its signs and functions mean.

``*`` is the matrix product, or a product by a scalar; ``.*``, ``./``, ``.^`` go entry by entry;
``'`` transposes; ``^`` is the power of a scalar or a square matrix; ``/`` divides by a scalar; a
scalar added to a matrix is added to every entry.

The 1×1 rule: a scalar and a 1×1 matrix are one thing. Every part of shape 1×1 is read as a
scalar, by an `Item` node; only a variable that alone is the whole expression keeps its shape.
"""

from __future__ import annotations

from collections.abc import Callable

from matbackprop.errors import ShapeError
from matbackprop.symbolic.expressions.dimension import Dim, same
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    MatMul,
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
    Norm1,
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
from matbackprop.symbolic.notations.grammar import MATLAB as GRAMMAR
from matbackprop.symbolic.notations.tree import Tree
from matbackprop.symbolic.notations.vocabulary import Values, Vocabulary


def entry(expr: Expr, /) -> Expr:
    """Return the scalar that a 1×1 matrix is; anything else as it is."""
    return Item(expr) if expr.shape == (ONE, ONE) else expr


def _finish(expr: Expr) -> Expr:
    return expr if isinstance(expr, Variable) else entry(expr)


def _prepare(values: Values, tree: Tree, args: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return tuple(map(entry, args))


MATLAB = Vocabulary(
    GRAMMAR,
    instead={
        **{"t": "X'", "transpose": "X'", "solve": "inv(A)*b", "trace": "tr(A)", "ln": "log(x)"},
        **{"norm": "norm2(x)", "sqr": "x.^2", "square": "x.^2", "I": "eye(n)", "zeros": "zeros(n)"},
        **{"crossprod": "X'*X", "tcrossprod": "X*X'", "plogis": "sigmoid(x)", "ReLU": "relu(x)"},
        **{"pnorm": "normal_cdf(x)", "dnorm": "normal_pdf(x)", "colMeans": "X'*ones(n)/n"},
        **{"kronecker": "kron(A, B)", "outer": "x*y'", "det2": "det(A)", "log1p": "log(1+x)"},
    },
    prepare=_prepare,
    entry=entry,
    finish=_finish,
)


def _by_entry(sign: str, build: Callable[[Expr, Expr], Expr]) -> Callable[[Expr, Expr], Expr]:
    """Return the operation, with an error in the signs of this notation."""

    def checked(a: Expr, b: Expr) -> Expr:
        if a.is_scalar or b.is_scalar or (same(a.rows, b.rows) and same(a.columns, b.columns)):
            return build(a, b)
        if ONE in (a.columns, b.columns) and same(a.rows, b.rows):
            hint = " Repeat a column as `c*ones(p)'`."
        elif ONE in (a.rows, b.rows) and same(a.columns, b.columns):
            hint = " Repeat a row as `ones(n)*r`."
        else:
            hint = " Transposing one of them would fit." if a.shape == b.shape[::-1] else ""
        raise ShapeError(f"`A {sign} B` needs equal shapes; got {shapes((a, b))}.{hint}")

    return checked


for _sign, _build in (("+", arithmetic.plus), ("-", arithmetic.minus)):
    MATLAB.operator(_sign)(_by_entry(_sign, _build))
MATLAB.operator("-", arity=1)(arithmetic.negative)
for _sign, _build in ((".*", times), ("./", arithmetic.quotient), (".^", arithmetic.raised)):
    MATLAB.operator(_sign)(_by_entry(_sign, _build))
MATLAB.operator("'", ".'", arity=1)(lambda a: a if a.is_scalar else Transpose(a))


@MATLAB.operator("*")
def _(a: Expr, b: Expr) -> Expr:
    if a.is_scalar or b.is_scalar:
        return times(a, b)
    if not same(a.columns, b.rows):
        # Said in the signs of this notation, unlike the error of the node.
        hint = " Entry by entry it is `A .* B`." if a.shape == b.shape else ""
        if a.columns == b.columns or a.rows == b.rows:
            hint += " Transposing one of them would fit."
        raise ShapeError(
            f"`A * B` needs as many columns of A as rows of B; got {shapes((a, b))}.{hint}"
        )
    return MatMul(a, b)


@MATLAB.operator("/")
def _(a: Expr, b: Expr) -> Expr:
    if not b.is_scalar:
        raise ShapeError(
            f"`A / s` divides by a scalar; got {shapes((a, b))}. "
            "Entry by entry it is `A ./ B`; a linear system is `inv(B)*a`."
        )
    return arithmetic.quotient(a, b)


@MATLAB.operator("^")
def _(a: Expr, b: Expr) -> Expr:
    if a.is_scalar and b.is_scalar:
        return arithmetic.raised(a, b)
    return arithmetic.matrix_power(a, b)


for _name in FUNCTIONS:
    MATLAB.word(f"{_name}(x)")(lambda x, name=_name: Apply(name, x))

MATLAB.word("sqrt(x)")(arithmetic.root)
MATLAB.word("tr(A)")(lambda A: A if A.is_scalar else Trace(A))
MATLAB.word("det(A)")(lambda A: A if A.is_scalar else Det(A))
MATLAB.word("logdet(A)")(lambda A: Apply("log", A) if A.is_scalar else LogDet(A))
MATLAB.word("inv(A)")(lambda A: Power(A, -1) if A.is_scalar else Inverse(A))
MATLAB.word("sum(M)")(lambda M: M if M.is_scalar else Total(M))
MATLAB.word("norm2(M)")(lambda M: Apply("abs", M) if M.is_scalar else Norm2(M))
MATLAB.word("norm1(M)")(lambda M: Apply("abs", M) if M.is_scalar else Norm1(M))
MATLAB.word("rowsum(M)")(lambda M: M if M.is_scalar else RowSum(M))
MATLAB.word("colsum(M)")(lambda M: M if M.is_scalar else ColSum(M))
MATLAB.word("diagvec(A)")(lambda A: A if A.is_scalar else DiagVec(A))
MATLAB.word("vec(M)")(lambda M: M if M.is_scalar else Vec(M))
MATLAB.word("diag(v)")(lambda v: v if v.is_scalar else Diag(v))
MATLAB.word("eye(n: size)")(Identity)
MATLAB.word("K(m: size, n: size)")(Commutation)
MATLAB.word("D(n: size)")(Duplication)
MATLAB.word("rearrange(G, m: size, n: size, p: size, q: size)")(Rearrange)
MATLAB.word("assemble(M, m: size, n: size, p: size, q: size)")(Assemble)
MATLAB.word("softmax(Z)")(Softmax)
MATLAB.word("logsumexp(Z)")(LogSumExp)


@MATLAB.word("ones(m: size, n?: size)")
def _(m: Dim, n: Dim | None) -> Expr:
    return Ones(m, ONE if n is None else n)


@MATLAB.word("zeros(m: size, n?: size)")
def _(m: Dim, n: Dim | None) -> Expr:
    return Zeros(m, ONE if n is None else n)


@MATLAB.word("mean(M)")
def _(M: Expr) -> Expr:
    return M if M.is_scalar else arithmetic.quotient(Total(M), Size(M.rows * M.columns))


@MATLAB.word("kron(A, B)")
def _(A: Expr, B: Expr) -> Expr:
    return times(A, B) if A.is_scalar or B.is_scalar else Kron(A, B)


@MATLAB.word("reshape(v, rows: size, columns: size)")
def _(v: Expr, rows: Dim, columns: Dim) -> Expr:
    return Reshape(Broadcast(v, 1, 1) if v.is_scalar else v, rows, columns)


MATLAB.word("batchnorm(X, gamma?, beta?, eps?, ddof?)")(arithmetic.batch_norm_of)
