"""The nodes beyond arithmetic: special matrices, functions, inverses, sums, vec and ⊗."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Self

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim, DimLike, same
from matbackprop.symbolic.expressions.expression import Expr, shape_text, shapes
from matbackprop.symbolic.expressions.functions import FUNCTIONS
from matbackprop.symbolic.expressions.graph import ONE, Shape


class Named(Expr):
    """An expression with a name of its own, which derivations and output keep: Xhat = …."""

    __slots__ = ()

    def __new__(cls, name: str, arg: Expr) -> Self:
        return cls.make((arg,), (name,))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return args[0].shape

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.data[0])


class Differential(Expr):
    """du, the change of u, as a derivation writes it."""

    __slots__ = ()

    def __new__(cls, arg: Expr) -> Self:
        return cls.make((arg,))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return args[0].shape


class _Special(Expr):
    """A matrix given by its sizes alone; (m, n), or (n,) for a square one."""

    __slots__ = ()

    def __new__(cls, *sizes: DimLike) -> Self:
        return cls.make((), tuple(Dim.of(size) for size in sizes))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (data[0], data[-1])


class Zeros(_Special):
    """The m×n matrix of zeros."""

    __slots__ = ()


class Ones(_Special):
    """The m×n matrix of ones; Ones(n, 1) is the vector 1."""

    __slots__ = ()


class Identity(_Special):
    """Iₙ."""

    __slots__ = ()


class Centering(_Special):
    """Iₙ − 11ᵀ/n: symmetric, idempotent; it takes the mean off each column, and 1 to 0."""

    __slots__ = ()


class Commutation(_Special):
    """K(m, n), mn×mn: K vec(A) = vec(Aᵀ) for A of m×n."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (data[0] * data[1], data[0] * data[1])


class Duplication(_Special):
    """D(n), n²×n(n+1)/2: D vech(S) = vec(S) for symmetric S of n×n."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        (n,) = data
        return (n * n, n * (n + 1) * Fraction(1, 2))


class _Unary(Expr):
    """A function of one operand."""

    __slots__ = ()

    def __new__(cls, arg: Expr) -> Self:
        return cls.make((arg,))


class Apply(Expr):
    """f(x), entry by entry, for a function of the table `FUNCTIONS`."""

    __slots__ = ()

    def __new__(cls, name: str, arg: Expr) -> Self:
        return cls.make((arg,), (name,))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        if data[0] not in FUNCTIONS:
            raise OptionError(
                f"There is no elementwise function {data[0]!r}; there are {', '.join(FUNCTIONS)}."
            )
        return args[0].shape

    @property
    def name(self) -> str:
        """Which function."""
        return str(self.data[0])


class Item(_Unary):
    """The entry of a 1×1 matrix, as a scalar: what x'Ax means."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        if args[0].shape != (ONE, ONE):
            raise ShapeError(f"`item(M)` takes a 1×1 matrix; got {shapes(args)}.")
        return ()


class _Square(_Unary):
    """A function of a square matrix, with a square or scalar value."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return square("inv(A)", args[0]).shape


class Inverse(_Square):
    """A⁻¹."""

    __slots__ = ()


class MatrixPower(Expr):
    """A^k, the matrix product of A with itself, for a whole k ≥ 2."""

    __slots__ = ()

    def __new__(cls, arg: Expr, power: int) -> Self:
        return cls.make((arg,), (power,))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        if data[0] < 2:
            raise OptionError(f"`A ^ k` of a matrix needs a whole k >= 2; got {data[0]}.")
        return square("A ^ k", args[0]).shape

    @property
    def power(self) -> int:
        """The k."""
        return int(self.data[0])


class _OfSquare(_Unary):
    """A scalar function of a square matrix."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        square("tr(A), det(A), logdet(A)", args[0])
        return ()


class Det(_OfSquare):
    """|A|."""

    __slots__ = ()


class LogDet(_OfSquare):
    """log |A|, for |A| > 0."""

    __slots__ = ()


class Trace(_OfSquare):
    """tr A."""

    __slots__ = ()


class _OfMatrix(_Unary):
    """A scalar function of any matrix."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return ()


class Total(_OfMatrix):
    """The sum of all entries, 1ᵀM1."""

    __slots__ = ()


class Norm2(_OfMatrix):
    """‖M‖, the root of the sum of squares (Frobenius; of a vector, Euclid)."""

    __slots__ = ()


class Norm1(_OfMatrix):
    """The sum of absolute values."""

    __slots__ = ()


class RowSum(_Unary):
    """M1, the column of row sums."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (args[0].rows, ONE)


class ColSum(_Unary):
    """1ᵀM, the row of column sums."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (ONE, args[0].columns)


class Diag(_Unary):
    """The diagonal matrix of a column."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        if not args[0].shape or args[0].columns != ONE:
            raise ShapeError(f"`diag(v)` takes a column; got {shapes(args)}.")
        return (args[0].rows, args[0].rows)


class DiagVec(_Unary):
    """The diagonal of a square matrix, as a column."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (square("diagvec(A)", args[0]).rows, ONE)


class Kron(Expr):
    """A ⊗ B."""

    __slots__ = ()

    def __new__(cls, left: Expr, right: Expr) -> Self:
        return cls.make((left, right))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        a, b = args
        if not a.shape or not b.shape:
            raise ShapeError(f"`kron(A, B)` takes two matrices; got {shapes(args)}.")
        return (a.rows * b.rows, a.columns * b.columns)


class Vec(_Unary):
    """The columns of M, stacked."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (args[0].rows * args[0].columns, ONE)


class Reshape(Expr):
    """The entries of M, taken column by column, as an m×n matrix."""

    __slots__ = ()

    def __new__(cls, arg: Expr, rows: DimLike, columns: DimLike) -> Self:
        return cls.make((arg,), (Dim.of(rows), Dim.of(columns)))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        m, n = data
        if not args[0].shape or not same(args[0].rows * args[0].columns, m * n):
            raise ShapeError(
                f"`reshape(M, m, n)` keeps the number of entries; got {shapes(args)} "
                f"for {shape_text(data)}."
            )
        return (m, n)


class Rearrange(Expr):
    """Van Loan's rearrangement: of A ⊗ B, with A m×n and B p×q, the mn×pq matrix vec(A)vec(B)ᵀ.

    Column b of it, as an m×n matrix, holds entry b (of vec) of each p×q block. `data` is
    (m, n, p, q). It moves entries, so ⟨R(G), vec(A)vec(B)ᵀ⟩ = ⟨G, A ⊗ B⟩.
    """

    __slots__ = ()

    def __new__(cls, arg: Expr, m: DimLike, n: DimLike, p: DimLike, q: DimLike) -> Self:
        return cls.make((arg,), (Dim.of(m), Dim.of(n), Dim.of(p), Dim.of(q)))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        m, n, p, q = data
        if not (same(args[0].rows, m * p) and same(args[0].columns, n * q)):
            raise ShapeError(f"`rearrange(G, m, n, p, q)` takes mp×nq; got {shapes(args)}.")
        return (m * n, p * q)


class Assemble(Expr):
    """The inverse of `Rearrange`: the mp×nq matrix whose rearrangement is M (mn×pq)."""

    __slots__ = ()

    def __new__(cls, arg: Expr, m: DimLike, n: DimLike, p: DimLike, q: DimLike) -> Self:
        return cls.make((arg,), (Dim.of(m), Dim.of(n), Dim.of(p), Dim.of(q)))

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        m, n, p, q = data
        if not (same(args[0].rows, m * n) and same(args[0].columns, p * q)):
            raise ShapeError(f"`assemble(M, m, n, p, q)` takes mn×pq; got {shapes(args)}.")
        return (m * p, n * q)


class _ByRows(_Unary):
    """A function of each row."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        if not args[0].shape or args[0].columns == ONE:
            raise ShapeError(
                f"`softmax(Z)` and `logsumexp(Z)` go along each row; got {shapes(args)}, "
                "with one entry a row. Transpose a column first."
            )
        return args[0].shape


class Softmax(_ByRows):
    """exp(Z) with each row divided by its sum."""

    __slots__ = ()


class LogSumExp(_ByRows):
    """The column of log Σⱼ exp(Zᵢⱼ)."""

    __slots__ = ()

    @staticmethod
    def shape_of(args: tuple[Expr, ...], data: tuple[Any, ...]) -> Shape:
        return (_ByRows.shape_of(args, data)[:1] or (ONE,))[0], ONE


def square(call: str, arg: Expr, /) -> Expr:
    """Return the operand if it is a square matrix, or raise ShapeError."""
    if not arg.shape or not same(arg.rows, arg.columns):
        raise ShapeError(f"`{call}` needs a square matrix; got {shapes((arg,))}.")
    return arg
