"""Claims of the question: the Kronecker derivative rule, Hadamard products and vec."""

from functools import partial

import numpy as np

from matbackprop._typing import Array
from matbackprop.differences import complex_step
from matbackprop.linalg import commutation, hadamard, kron, vec
from matbackprop.verification.claims.claim import Claim, Trial, weigh
from matbackprop.verification.claims.draw import Draw, differential
from matbackprop.verification.claims.question_setting import (
    COMPACT_GAMMA,
    COMPACT_GAMMA1,
    compact_Gamma1,
    diagonal_of_XhatS,
    node_by_node,
    posed_setting,
    random_setting,
    repeated_rows,
    scale_factors,
    spread,
)

_claim = partial(Claim, source="question")


def _column(A: Array) -> Array:
    return vec(A).reshape(-1, 1)


def _rule(A: Array, B: Array, T: Array) -> Array:
    """Return (I_nq ⊗ T)(I_n ⊗ vec B ⊗ I_m), for A of shape (m, n), B with q columns."""
    (m, n), q = A.shape, B.shape[1]
    return kron(np.eye(n * q), T) @ kron(kron(np.eye(n), _column(B)), np.eye(m))


def _transposition(m: int, p: int) -> Array:
    """Return T with T vec(M) = vec(Mᵀ) for M of shape (m, p), from that very definition."""
    places = np.arange(m * p).reshape(m, p)
    return 1.0 * (vec(places.T)[:, None] == vec(places)[None, :])


def _kronecker_rule(draw: Draw) -> Trial:
    m, n, p, q = draw.sizes(4, low=2, high=6)
    A, B = draw.matrix(m, n), draw.matrix(p, q)
    truth = complex_step(lambda A: np.kron(A, B), A)
    return weigh(truth, lambda: _rule(A, B, commutation(m, p).toarray()))


def _rule_for_beta(draw: Draw) -> Trial:
    N, p = draw.sizes(2)
    beta, ones = draw.matrix(1, p), np.ones((N, 1))
    truth = complex_step(lambda beta: np.kron(beta, ones), beta)
    return weigh(truth, lambda: _rule(beta, ones, commutation(1, N).toarray()))


def _commutation_is_one(draw: Draw) -> Trial:
    N = draw.size()
    return weigh(_transposition(1, N), lambda: np.ones((1, 1)), corrected=lambda: np.eye(N))


def _trivial_for_vectors(draw: Draw) -> Trial:
    m, p = draw.sizes(2)
    return weigh(
        _transposition(m, p),
        lambda: np.eye(m * p),
        conditioned=(
            [*vec(_transposition(1, p)), *vec(_transposition(m, 1))],
            lambda: [*vec(np.eye(p)), *vec(np.eye(m))],
        ),
        corrected=lambda: commutation(m, p).toarray(),
    )


def _listing(A: Array, B: Array) -> Array:
    """Return what R makes of the listing: `%*%` and `%x%` rank alike, so it goes left to right."""
    (m, n), q = A.shape, B.shape[1]
    return kron(kron(np.eye(n * q) @ np.eye(n), B), np.eye(m))


def _rule_as_coded(draw: Draw) -> Trial:
    m, n, p, q = draw.sizes(4, low=2, high=6)
    A, B, row, column = (draw.matrix(*shape) for shape in ((m, n), (p, q), (1, n), (p, 1)))
    return weigh(
        complex_step(lambda A: np.kron(A, B), A),
        lambda: _listing(A, B),
        conditioned=(
            complex_step(lambda row: np.kron(row, column), row),
            lambda: _listing(row, column),
        ),
        corrected=lambda: _rule(A, B, commutation(m, p).toarray()),
    )


def _recorded_rule(draw: Draw) -> Trial:
    s = posed_setting(draw)
    truth = complex_step(lambda beta: np.kron(beta, s.ones), s.beta)
    return weigh(truth, lambda: draw.r["posted_figures"]["kronecker_rule"])


def _not_conformable(draw: Draw) -> Trial:
    s = random_setting(draw)
    J = complex_step(lambda beta: np.kron(beta, s.ones), s.beta)

    def raises() -> bool:
        try:
            s.S @ J
        except ValueError as error:
            return "mismatch in its core dimension" in str(error)
        return False

    return weigh(1, raises)


def _of_no_help(draw: Draw) -> Trial:
    s = random_setting(draw)
    J = complex_step(lambda beta: np.kron(beta, s.ones), s.beta)
    truth = s.gradient("beta")
    return weigh(truth, lambda: np.zeros_like(truth), corrected=lambda: _column(s.S).T @ J)


def _by_vec(draw: Draw) -> Trial:
    s = random_setting(draw)
    J = complex_step(lambda Gamma1: node_by_node(s.X @ Gamma1, s.gamma, s.beta), s.par.Gamma1)
    return weigh(_column(s.gradient("Gamma1")).T, lambda: _column(s.S).T @ J)


def _vec_required(draw: Draw) -> Trial:
    s = random_setting(draw)
    truth = np.vstack([s.gradient("Gamma1"), s.gradient("gamma")])
    return weigh(
        truth,
        lambda: np.zeros_like(truth),
        corrected=lambda: np.vstack([compact_Gamma1(s), diagonal_of_XhatS(s)]),
    )


def _hadamard_rule(draw: Draw) -> Trial:
    m, n = draw.sizes(2)
    A, dA, B, dB = (draw.matrix(m, n) for _ in range(4))
    truth = differential(lambda t: (A + t * dA) * (B + t * dB), np.zeros(()), np.ones(()))
    return weigh(truth, lambda: hadamard(dA, B) + hadamard(A, dB))


def _first_instinct(draw: Draw) -> Trial:
    s = random_setting(draw)
    w, p2 = scale_factors(s), s.Z.shape[1]
    truth = complex_step(lambda Gamma1: w * (s.X @ Gamma1), s.par.Gamma1)
    return weigh(
        truth,
        lambda: hadamard(w, s.X),
        corrected=lambda: np.diag(vec(w)) @ kron(np.eye(p2), s.X),
    )


def _vec_times_identity(draw: Draw) -> Trial:
    s = random_setting(draw)

    def Z(Gamma1: Array) -> Array:
        return s.X @ Gamma1

    def w(Gamma1: Array) -> Array:
        return repeated_rows(s.gamma / spread(Z(Gamma1)), s.ones)

    at = s.par.Gamma1
    truth = complex_step(lambda Gamma1: w(Gamma1) * Z(Gamma1), at)
    dw, dZ, identity = complex_step(w, at), complex_step(Z, at), np.eye(s.Z.size)

    def with_diagonals() -> Array:
        return np.diag(vec(Z(at))) @ dw + np.diag(vec(w(at))) @ dZ

    return weigh(
        truth,
        lambda: _column(Z(at)) @ identity @ dw + _column(w(at)) @ identity @ dZ,
        conditioned=(truth, with_diagonals),
        corrected=with_diagonals,
    )


KRONECKER = (
    _claim(
        key="question/Kronecker rule",
        place="Update 1, derivative of A ⊗ B",
        says="∂vec(A ⊗ B)/∂vec(A)ᵀ = (I_nq ⊗ T_mp)(I_n ⊗ vec B ⊗ I_m), for A of shape m × n and "
        "B of shape p × q, with T_mp vec(M) = vec(Mᵀ) for M of shape m × p",
        how="complex step through A ⊗ B; four different dimensions",
        experiment=_kronecker_rule,
    ),
    _claim(
        key="question/Kronecker rule for beta",
        place="Update 1, sentence before the rule",
        says="the rule gives the derivative of β ⊗ 1_N, with the row β as A and 1_N as B",
        how="complex step through β ⊗ 1_N",
        experiment=_rule_for_beta,
    ),
    _claim(
        key="question/T is 1",
        place="Update 1, sentence after the rule",
        says="for A = β, a row, and B = 1_N the commutation matrix T_mp is the number 1",
        how="T_1N from its definition, T vec(M) = vec(Mᵀ) for M of shape 1 × N",
        experiment=_commutation_is_one,
        corrected="T_1N = I_N",
    ),
    _claim(
        key="question/T is trivial for vectors",
        place="Update 1, sentence after the rule, the reason given",
        says="T_mp drops out because A and B are both vectors",
        how="T_mp from its definition, for columns A of m and B of p entries; under the condition "
        "T_1p and T_m1",
        experiment=_trivial_for_vectors,
        only_if="m = 1 or p = 1, as for the row β; two columns are vectors too",
        corrected="T_mp is the permutation with T_mp vec(M) = vec(Mᵀ)",
    ),
    _claim(
        key="question/Kronecker rule as coded",
        place="Update 1, listing of the Kronecker rule",
        says="the line of R code, which has B for vec B, no T and no parentheses, is the rule; "
        "R works it from left to right, as ((I_nq I_n) ⊗ B) ⊗ I_m",
        how="complex step through A ⊗ B; in general I_nq I_n does not even conform",
        experiment=_rule_as_coded,
        only_if="A is a row and B a column, as there",
        corrected="(I_nq ⊗ T_mp)(I_n ⊗ vec B ⊗ I_m)",
    ),
    _claim(
        key="question/printed Kronecker matrix is the derivative",
        place="Update 1, printed 40 × 4 matrix",
        says="what the listing prints is ∂vec(β ⊗ 1_N)/∂βᵀ = I ⊗ 1_N",
        how="R's recorded matrix against a complex step through β ⊗ 1_N",
        experiment=_recorded_rule,
    ),
    _claim(
        key="question/not conformable",
        place="Update 1, sentence after the 40 × 4 matrix",
        says="the Jacobian I ⊗ 1_N does not conform with the N × p2 matrix S: there is no "
        "S (I ⊗ 1_N)",
        how="1 if NumPy refuses the product, I ⊗ 1_N from a complex step through β ⊗ 1_N",
        experiment=_not_conformable,
    ),
    _claim(
        key="question/of no help",
        place="Update 1, sentences before and after the 40 × 4 matrix",
        says="so the Jacobian I ⊗ 1_N is of no help for ∂R/∂β",
        how="complex step through R; no help is put as: nothing of ∂R/∂β, 0, can be had by it",
        experiment=_of_no_help,
        corrected="(∂R/∂β)ᵀ = vec(S)ᵀ (I ⊗ 1_N) = 1ᵀS",
    ),
    _claim(
        key="question/way by vec",
        place="Update 2, first sentence",
        says="the way by vec is right: vec(∂R/∂Γ₁)ᵀ = vec(S)ᵀ ∂vec(b(XΓ₁))/∂vec(Γ₁)ᵀ",
        how="complex steps, through R and through b",
        experiment=_by_vec,
    ),
    _claim(
        key="question/vec is required",
        place="Update 2, first sentence",
        says="∂R/∂Γ₁ and ∂R/∂γ cannot be had without vec",
        how="complex step through R; put as: without vec nothing of them, 0, can be had",
        experiment=_vec_required,
        corrected=f"Xᵀ ∂R/∂Z = {COMPACT_GAMMA1} and {COMPACT_GAMMA}, without vec",
    ),
    _claim(
        key="question/first instinct",
        place="Update 2, the answer that the question itself rejects",
        says="∂(w ⊙ XΓ₁)/∂Γ₁ = w ⊙ X, though w is N × p2 and X is N × p1",
        how="complex step through w ⊙ XΓ₁, w constant; the question sees that this cannot be",
        experiment=_first_instinct,
        corrected="∂vec(w ⊙ XΓ₁)/∂vec(Γ₁)ᵀ = diag(vec w)(I ⊗ X)",
    ),
    _claim(
        key="question/Hadamard rule",
        place="Update 2, differential of A ⊙ B",
        says="d(A ⊙ B) = dA ⊙ B + A ⊙ dB",
        how="complex step along (dA, dB)",
        experiment=_hadamard_rule,
    ),
    _claim(
        key="question/vec times identity",
        place="Update 2, derivative of vec(w ⊙ XΓ₁)",
        says="∂vec(w ⊙ Z)/∂vec(Γ₁)ᵀ = vec(Z) I ∂vec(w)/∂vec(Γ₁)ᵀ + vec(w) I ∂vec(Z)/∂vec(Γ₁)ᵀ, "
        "Z = XΓ₁",
        how="complex step through w ⊙ XΓ₁, with w a function of Γ₁; a column has no product with "
        "the I that conforms with the Jacobians",
        experiment=_vec_times_identity,
        only_if="vec(w) I is read as diag(vec w), the way the question's loop codes it",
        corrected="diag(vec Z) ∂vec(w)/∂vec(Γ₁)ᵀ + diag(vec w) ∂vec(Z)/∂vec(Γ₁)ᵀ",
    ),
)
