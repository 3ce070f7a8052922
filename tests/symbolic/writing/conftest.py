"""One small expression of every kind, and how it is written."""

from fractions import Fraction

import pytest

from matbackprop.symbolic.expressions.dimension import Dim
from matbackprop.symbolic.expressions.expression import Broadcast, Number, Size, Variable
from matbackprop.symbolic.expressions.nodes import (
    Apply,
    Assemble,
    Centering,
    ColSum,
    Commutation,
    Det,
    Diag,
    DiagVec,
    Differential,
    Duplication,
    Identity,
    Inverse,
    Item,
    Kron,
    LogDet,
    LogSumExp,
    MatrixPower,
    Named,
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


def matrix(name, *sizes):
    return Variable(name, tuple(map(Dim.of, sizes)))


A, B, C = (matrix(name, "n", "n") for name in "ABC")
X, Xhat = matrix("X", "n", "p"), matrix("Xhat", "n", "p")
x, y, b = matrix("x", "n", 1), matrix("y", "n", 1), matrix("b", "p", 1)
r, sigma = matrix("r", 1, "p"), matrix("sigma", "p", 1)
s, lam = matrix("s"), matrix("lam")
n = Size("n")
xAx, xx = Item(x.T @ A @ x), Item(x.T @ x)

SPELLINGS = [
    # leaves
    (matrix("Gamma1", "p", "k"), "Γ₁", r"\Gamma_1"),
    (Number(-3), "−3", "-3"),
    (Number(Fraction(2, 3)), "2/3", r"\frac{2}{3}"),
    (Number(0.05), "0.05", "0.05"),
    (Number(1e-7), "10⁻⁷", "10^{-7}"),
    (Number(2.5e-7), "25·10⁻⁸", r"25 \cdot 10^{-8}"),
    (Size("k*p"), "kp", "k p"),
    (Size("n*(n+1)/2"), "n²/2 + n/2", r"\frac{n^2}{2} + \frac{n}{2}"),
    (Zeros("n", "p"), "0_(n,p)", r"\mathbf{0}_{n,p}"),
    (Ones("n", 1), "1ₙ", r"\mathbf{1}_n"),
    (Ones(1, "n"), "1ₙᵀ", r"\mathbf{1}_n^\top"),
    (Ones("n", "q"), "1ₙ1_qᵀ", r"\mathbf{1}_n \mathbf{1}_q^\top"),
    (Identity("n"), "Iₙ", "I_n"),
    (
        Centering("n") @ X,
        "(Iₙ − 1ₙ1ₙᵀ/n)X",
        r"\left(I_n - \frac{1}{n} \mathbf{1}_n \mathbf{1}_n^\top\right) X",
    ),
    (Commutation("m", "n"), "K_(m,n)", "K_{m,n}"),
    (Duplication("n"), "Dₙ", "D_n"),
    (Named("G_Xhat", X), "G_X̂", r"G_{\hat{X}}"),
    (Differential(X), "dX", r"\mathrm{d} X"),
    (Differential(X.T), "(dX)ᵀ", r"(\mathrm{d} X)^\top"),
    (Differential(Inverse(A)), "d(A⁻¹)", r"\mathrm{d} (A^{-1})"),
    (Differential(Trace(A)), "d tr(A)", r"\mathrm{d}\, \operatorname{tr}(A)"),
    (Differential(matrix("fit", "n", 1)), "d fit", r"\mathrm{d}\, \mathrm{fit}"),
    (A @ Differential(X) @ r.T, "A dX rᵀ", r"A \, \mathrm{d} X \, r^\top"),
    # sums, and their signs
    (X @ b - y, "Xb − y", "X b - y"),
    (-y + X @ b, "Xb − y", "X b - y"),
    (A - (B - C), "A − (B − C)", "A - (B - C)"),
    ((A - B) - C, "A − B − C", "A - B - C"),
    (-(A + B), "−(A + B)", "-(A + B)"),
    (-(A - B), "B − A", "B - A"),
    (-A @ B, "−AB", "-A B"),
    (1 - Apply("tanh", X), "1 − tanh(X)", r"1 - \tanh(X)"),
    (Identity("n") - Ones("n", "n"), "Iₙ − 1ₙ1ₙᵀ", r"I_n - \mathbf{1}_n \mathbf{1}_n^\top"),
    # products and quotients
    (2 * X.T @ (X @ b - y) / n, "2Xᵀ(Xb − y)/n", r"\frac{2}{n} X^\top (X b - y)"),
    ((2 * A) @ (B / 4), "AB/2", r"\frac{1}{2} A B"),
    (lam * Item(b.T @ b), "λbᵀb", r"\lambda b^\top b"),
    (xAx / xx, "xᵀAx/(xᵀx)", r"\frac{x^\top A x}{x^\top x}"),
    (xAx * xx, "(xᵀAx)(xᵀx)", r"(x^\top A x) (x^\top x)"),
    (xAx * x, "(xᵀAx)x", r"(x^\top A x) x"),
    (Fraction(1, 2) * xx, "xᵀx/2", r"\frac{1}{2} x^\top x"),
    ((s + 1) * X, "(s + 1)X", "(s + 1) X"),
    (1 / (s * lam), "1/(sλ)", r"\frac{1}{s \lambda}"),
    (2 * Number(2) ** s, "2·2^s", r"2 \cdot 2^s"),
    (2 * Ones("n", 1), "2·1ₙ", r"2 \mathbf{1}_n"),
    (-(A @ (B - C)), "A(C − B)", "A (C - B)"),
    # entry by entry
    (X * Xhat, "X ⊙ X̂", r"X \odot \hat{X}"),
    (X / Xhat, "X ⊘ X̂", r"X \oslash \hat{X}"),
    (1 / X, "1 ⊘ X", r"1 \oslash X"),
    (A * (B @ C), "A ⊙ BC", r"A \odot B C"),
    (A @ (B * C), "A(B ⊙ C)", r"A (B \odot C)"),
    (2 * (A * B), "2(A ⊙ B)", r"2 (A \odot B)"),
    (X * Broadcast(1 / sigma.T, "n", "p"), "X diag(σ)⁻¹", r"X \operatorname{diag}(\sigma)^{-1}"),
    (
        X * Broadcast(r * sigma.T, "n", "p"),
        "X diag(r ⊙ σᵀ)",
        r"X \operatorname{diag}(r \odot \sigma^\top)",
    ),
    (Broadcast(x, "n", "p") * X, "diag(x) X", r"\operatorname{diag}(x) \, X"),
    (Broadcast(x, "n", "p") * Broadcast(r, "n", "p"), "xr", "x r"),
    (X * (Ones("n", 1) @ r), "X diag(r)", r"X \operatorname{diag}(r)"),
    (X * (x @ Ones(1, "p")), "diag(x) X", r"\operatorname{diag}(x) \, X"),
    # powers and roots
    (s**2, "s²", "s^2"),
    (s**-2, "1/s²", r"\frac{1}{s^2}"),
    (s ** (lam - 1), "s^(λ − 1)", r"s^{\lambda - 1}"),
    (xAx**3, "(xᵀAx)³", r"(x^\top A x)^3"),
    (s ** Fraction(1, 2), "√s", r"\sqrt{s}"),
    (s ** Fraction(-3, 2), "1/s^(3/2)", r"\frac{1}{s^{3/2}}"),
    (x ** Fraction(1, 2), "√x", r"\sqrt{x}"),
    (X**2, "X^⊙2", r"X^{\odot 2}"),
    (X ** Fraction(1, 2), "X^⊙(1/2)", r"X^{\odot 1/2}"),
    (X**-2, "1 ⊘ X^⊙2", r"1 \oslash X^{\odot 2}"),
    # transposes and inverses
    ((A @ B).T, "(AB)ᵀ", r"(A B)^\top"),
    ((2 * A).T, "2Aᵀ", r"2 A^\top"),
    # columns: transposed rows part by part, where that is no longer
    (ColSum(X).T, "Xᵀ1ₙ", r"X^\top \mathbf{1}_n"),
    (ColSum(X.T).T, "X1ₚ", r"X \mathbf{1}_p"),
    ((2 * ColSum(X)).T, "2Xᵀ1ₙ", r"2 X^\top \mathbf{1}_n"),
    (
        (sigma.T * ColSum(X) ** 2).T,
        "σ ⊙ (Xᵀ1ₙ)^⊙2",
        r"\sigma \odot (X^\top \mathbf{1}_n)^{\odot 2}",
    ),
    ((b.T + Broadcast(s, 1, "p")).T, "b + s1ₚ", r"b + s \mathbf{1}_p"),
    ((b.T + Ones(1, "p")).T, "b + 1ₚ", r"b + \mathbf{1}_p"),
    ((r * ColSum(X)).T, "rᵀ ⊙ Xᵀ1ₙ", r"r^\top \odot X^\top \mathbf{1}_n"),
    ((r * (x.T @ X)).T, "(r ⊙ xᵀX)ᵀ", r"(r \odot x^\top X)^\top"),
    (Inverse(A).T, "A⁻ᵀ", r"A^{-\top}"),
    (Inverse(A.T), "A⁻ᵀ", r"A^{-\top}"),
    (Inverse(A + B), "(A + B)⁻¹", "(A + B)^{-1}"),
    (MatrixPower(A, 3), "A³", "A^3"),
    (MatrixPower(A, 2).T, "(A²)ᵀ", r"(A^2)^\top"),
    (Inverse(MatrixPower(A, 2)), "A⁻²", "A^{-2}"),
    # repeated, summed
    (Broadcast(s, "n", "p"), "s1ₙ1ₚᵀ", r"s \mathbf{1}_n \mathbf{1}_p^\top"),
    (X - Broadcast(r, "n", "p"), "X − 1ₙr", r"X - \mathbf{1}_n r"),
    (Broadcast(x, "n", "q"), "x1_qᵀ", r"x \mathbf{1}_q^\top"),
    (RowSum(X), "X1ₚ", r"X \mathbf{1}_p"),
    (ColSum(A + B), "1ₙᵀ(A + B)", r"\mathbf{1}_n^\top (A + B)"),
    (Total(X * Xhat), "1ₙᵀ(X ⊙ X̂)1ₚ", r"\mathbf{1}_n^\top (X \odot \hat{X}) \mathbf{1}_p"),
    # functions
    (Apply("sigmoid", X @ b), "σ(Xb)", r"\sigma(X b)"),
    (Apply("leaky_step", X), "lrelu′(X)", r"\operatorname{lrelu}'(X)"),
    (Apply("lgamma", s), "logΓ(s)", r"\log\Gamma(s)"),
    (Apply("abs", s), "|s|", r"\lvert s \rvert"),
    (Apply("abs", X), "abs(X)", r"\operatorname{abs}(X)"),
    (Det(A) * Inverse(A).T, "|A| A⁻ᵀ", r"\lvert A \rvert \, A^{-\top}"),
    (LogDet(A), "log |A|", r"\log\lvert A \rvert"),
    (Trace(X.T @ A @ X), "tr(XᵀAX)", r"\operatorname{tr}(X^\top A X)"),
    (Norm2(X @ b - y) ** 2, "‖Xb − y‖₂²", r"\lVert X b - y \rVert_2^2"),
    (Norm2(X), "‖X‖_F", r"\lVert X \rVert_F"),
    (Norm1(b), "‖b‖₁", r"\lVert b \rVert_1"),
    (Diag(x) @ A, "diag(x) A", r"\operatorname{diag}(x) \, A"),
    (DiagVec(A), "diag(A)", r"\operatorname{diag}(A)"),
    (Softmax(X), "softmax(X)", r"\operatorname{softmax}(X)"),
    (LogSumExp(X), "logsumexp(X)", r"\operatorname{logsumexp}(X)"),
    # vec and ⊗
    (Kron(A, B) @ Vec(A), "(A ⊗ B) vec(A)", r"(A \otimes B) \operatorname{vec}(A)"),
    (Kron(A + B, 2 * C), "2((A + B) ⊗ C)", r"2 ((A + B) \otimes C)"),
    (Kron(A, Kron(B, C)), "A ⊗ B ⊗ C", r"A \otimes B \otimes C"),
    (Reshape(X, "p", "n"), "mat_(p,n)(X)", r"\operatorname{mat}_{p,n}(X)"),
    (
        Rearrange(Kron(A, B), "n", "n", "n", "n"),
        "ℛ_(n,n,n,n)(A ⊗ B)",
        r"\mathcal{R}_{n,n,n,n}(A \otimes B)",
    ),
    (
        Assemble(Vec(A) @ Vec(B).T, "n", "n", "n", "n"),
        "ℛ⁻¹_(n,n,n,n)(vec(A) vec(B)ᵀ)",
        r"\mathcal{R}^{-1}_{n,n,n,n}(\operatorname{vec}(A) \, \operatorname{vec}(B)^\top)",
    ),
]
"""Expression, Unicode, LaTeX."""


@pytest.fixture(params=SPELLINGS, ids=[text for _, text, _ in SPELLINGS])
def spelling(request):
    """Return one of the expressions, its Unicode and its LaTeX."""
    return request.param


@pytest.fixture
def spellings():
    """Return all of them."""
    return SPELLINGS
