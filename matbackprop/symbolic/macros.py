"""Layers written out over the nodes there are, so that every rule applies to them."""

from __future__ import annotations

from fractions import Fraction

from matbackprop.errors import OptionError, ShapeError
from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import (
    Broadcast,
    Expr,
    ExprLike,
    Hadamard,
    MatMul,
    Power,
    Size,
    Transpose,
    as_expression,
    shapes,
)
from matbackprop.symbolic.expressions.graph import ONE
from matbackprop.symbolic.expressions.nodes import Centering, ColSum

EPS = Fraction(1, 100_000)


def batch_norm(
    X: Expr,
    gamma: Expr | None = None,
    beta: Expr | None = None,
    eps: ExprLike = EPS,
    ddof: int = 0,
) -> Expr:
    """Return the batch normalisation of the columns of X.

    X̂ = (I − 11ᵀ/n) X diag(σ)⁻¹ with σ² = 1ᵀ(C ⊙ C)/(n − ddof) + eps for C = (I − 11ᵀ/n) X,
    and then X̂ diag(γ) + 1βᵀ.

    Parameters
    ----------
    X
        n×p, an observation a row.
    gamma, beta
        The scale and the shift, columns (p, 1); left out, they are 1 and 0.
    eps
        What is added to the variance, a scalar.
    ddof
        The variance divides by n − ddof.

    Raises
    ------
    ShapeError
        If X is no matrix, gamma or beta not a column of length p, or eps no scalar.
    OptionError
        If ddof is not 0 or 1.

    Examples
    --------
    >>> from matbackprop.symbolic.expressions.expression import Variable
    >>> X = Variable("X", (Dim.of("n"), Dim.of("p")))
    >>> batch_norm(X).shape
    (Dim('n'), Dim('p'))
    """
    if ddof not in (0, 1):
        raise OptionError(f"`batchnorm(X, gamma, beta, eps, ddof)` needs ddof 0 or 1; got {ddof}.")
    if X.is_scalar:
        raise ShapeError("`batchnorm(X, gamma, beta)` takes a matrix X; got a scalar.")
    n, p = X.rows, X.columns
    eps = as_expression(eps)
    if not eps.is_scalar:
        raise ShapeError(
            f"`batchnorm(X, gamma, beta, eps)` needs a scalar eps; got {shapes((eps,))}."
        )
    C = MatMul(Centering(n), X)
    variance = ColSum(Hadamard(C, C)) / Size(n - ddof) + eps
    Y: Expr = Hadamard(C, Broadcast(Power(variance, Fraction(-1, 2)), n, p))
    if gamma is not None:
        Y = Hadamard(Y, Broadcast(_row("gamma", gamma, p), n, p))
    if beta is not None:
        Y = Y + Broadcast(_row("beta", beta, p), n, p)
    return Y


def _row(name: str, v: Expr, p: Dim) -> Expr:
    if v.shape != (p, ONE):
        raise ShapeError(
            f"`batchnorm(X, gamma, beta)` needs {name} as a column of length {p}, the columns "
            f"of X; got {shapes((v,))}."
        )
    return Transpose(v)
