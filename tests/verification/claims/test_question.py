"""What the question says: each verdict, as read by hand, against what the experiments find."""

import dataclasses
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.rbridge import connect
from matbackprop.verification.claims import Draw, check_claims
from matbackprop.verification.claims.findings import Finding
from matbackprop.verification.claims.question import QUESTION
from matbackprop.verification.claims.question_figures import _digits
from matbackprop.verification.claims.question_setting import (
    compact_Gamma1,
    diagonal_of_XhatS,
    ones_times_S,
    posed_setting,
    random_setting,
)
from matbackprop.verification.posted_text import POSTED
from matbackprop.verification.records import answers_of

HOLDS, IF, FAILS = "holds", "holds only if", "fails"

EXPECTED = {
    "question/batch norm of a node": HOLDS,
    "question/matrix form": IF,
    "question/no fudge factor": IF,
    "question/network without batch norm": HOLDS,
    "question/network with batch norm": HOLDS,
    "question/network without noise": IF,
    "question/beta enters additively": HOLDS,
    "question/gamma and Gamma1 do not enter additively": HOLDS,
    "question/code of the activation": HOLDS,
    "question/code of the activation's derivative": FAILS,
    "question/code of batch norm": HOLDS,
    "question/code of batch norm of a node": HOLDS,
    "question/code of gamma and beta": HOLDS,
    "question/code of the network": HOLDS,
    "question/noise for residuals": HOLDS,
    "question/what the loop feeds to node i": FAILS,
    "question/loop for beta is the matrix way": IF,
    "question/code of w": FAILS,
    "question/matrix lines as coded": FAILS,
    "question/printed beta_matrix": HOLDS,
    "question/printed beta_loop": HOLDS,
    "question/printed kronecker_rule": HOLDS,
    "question/printed Gamma1_loop": HOLDS,
    "question/printed Gamma1_matrix": HOLDS,
    "question/printed gamma_matrix": HOLDS,
    "question/printed gamma_loop": HOLDS,
    "question/printed lines": HOLDS,
    "question/beta_matrix is the gradient": FAILS,
    "question/beta_loop is the gradient": FAILS,
    "question/Gamma1_loop is the gradient": FAILS,
    "question/Gamma1_matrix is the gradient": FAILS,
    "question/gamma_matrix is the gradient": FAILS,
    "question/gamma_loop is the gradient": FAILS,
    "question/matrix and loop match for beta": HOLDS,
    "question/matrix and loop match for Gamma1": HOLDS,
    "question/diagonal and loop match for gamma": HOLDS,
    "question/Kronecker rule": HOLDS,
    "question/Kronecker rule for beta": HOLDS,
    "question/T is 1": FAILS,
    "question/T is trivial for vectors": IF,
    "question/Kronecker rule as coded": IF,
    "question/printed Kronecker matrix is the derivative": HOLDS,
    "question/not conformable": HOLDS,
    "question/of no help": FAILS,
    "question/way by vec": HOLDS,
    "question/vec is required": FAILS,
    "question/first instinct": FAILS,
    "question/Hadamard rule": HOLDS,
    "question/vec times identity": IF,
    "question/plain gradient for Gamma1": FAILS,
    "question/plain gradient for Gamma2": FAILS,
    "question/plain gradient for Gamma1, labels exchanged": IF,
    "question/plain gradient for Gamma2, labels exchanged": IF,
    "question/gradient for beta": FAILS,
    "question/stub": IF,
    "question/forgotten mean": FAILS,
    "question/chain rule for Gamma1": FAILS,
    "question/entry by entry, w_i with X_i": FAILS,
    "question/entry by entry, I w_i X_i": FAILS,
    "question/entry by entry, I w_i before the stub": FAILS,
    "question/loop equals matrix for Gamma1": HOLDS,
    "question/gradient for Gamma1": IF,
    "question/normalised pre-activation": HOLDS,
    "question/chain rule for gamma": FAILS,
    "question/loop for gamma": FAILS,
    "question/gradient for gamma tilde": FAILS,
    "question/diagonal for gamma": IF,
    "question/same structure": FAILS,
    "question/answered": FAILS,
}

_UNEQUAL = r"does not run: ShapeError: `hadamard\(a, b\)` needs equal shapes; got "
_MISMATCH = (
    r"does not run: ValueError: matmul: Input operand 1 has a mismatch in its core dimension"
)
_COLUMN_FIRST = _MISMATCH + r".*\(size \d+ is different from 1\)"

# Why what gives no numbers of the right shape, whatever is drawn, gives none.
OBSTACLES = {
    "question/matrix form": _UNEQUAL + r"a \((\d), \1\), b \(\d, \1\).*",
    "question/T is 1": r"has shape \(1, 1\), the truth \((\d), \1\)",
    "question/Kronecker rule as coded": _MISMATCH + ".*",
    "question/first instinct": _UNEQUAL + r"a \((\d), \d\), b \(\1, \d\).*",
    "question/vec times identity": _COLUMN_FIRST,
    "question/plain gradient for Gamma1": r"has shape \((\d), 1\), the truth \(\d, \1\)",
    "question/plain gradient for Gamma2": r"has shape \(\d, (\d)\), the truth \(\1, 1\)",
    "question/chain rule for Gamma1": _MISMATCH + ".*",
    "question/entry by entry, I w_i X_i": _COLUMN_FIRST,
    "question/entry by entry, I w_i before the stub": _COLUMN_FIRST,
    "question/chain rule for gamma": _MISMATCH + ".*",
    "question/gradient for gamma tilde": r"has shape \((\d), \1\), the truth \(\d, \1\)",
}


@pytest.fixture(scope="module")
def findings():
    report = check_claims(source="question", draws=5, seed=20180220)
    return {row.key: row for row in report.findings}


@pytest.fixture(scope="module")
def answers():
    return answers_of(connect("recorded"))


@pytest.fixture
def draw(rng, answers):
    return Draw(rng, answers)


def test_every_claim_has_an_expected_verdict(findings):
    assert set(findings) == set(EXPECTED)
    assert len(QUESTION) == len(EXPECTED)


@pytest.mark.parametrize("key", EXPECTED)
def test_verdict(findings, key):
    assert findings[key].verdict == EXPECTED[key]


@pytest.mark.parametrize("key", EXPECTED)
def test_obstacle(findings, key):
    """Why a formula gives no numbers at all; the others give some."""
    row = findings[key]
    assert re.fullmatch(OBSTACLES.get(key, ""), row.obstacle), row.obstacle
    assert np.isinf(row.error) == (key in OBSTACLES)


def test_every_printed_result_is_claimed_to_its_digits(findings):
    assert {f"question/printed {name}" for name in POSTED} <= set(findings)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        # |posted − true| at the largest difference, over the largest true entry; numDeriv's values
        ("question/beta_loop is the gradient", (1.26758024 + 4.0426069) / 4.0426069),
        ("question/gamma_loop is the gradient", (11.7678486 - 4.9466216) / 4.9466216),
        ("question/code of the activation's derivative", 1.0),
    ],
)
def test_the_size_of_an_error(findings, key, error):
    assert findings[key].error == pytest.approx(error, rel=1e-6)


def test_a_missing_1_over_N_is_an_error_of_N_minus_1(draw):
    claim = next(claim for claim in QUESTION if claim.key == "question/stub")
    error = claim.experiment(draw).printed
    assert error == pytest.approx(round(error))
    assert 3 <= round(error) <= 7  # 4 to 8 rows


def test_the_truth_at_the_questions_data_is_r_s(draw, answers):
    s, right = posed_setting(draw), answers["question_loops"]
    for name, scale in {"Gamma1": 10, "Gamma2": 10, "gamma": 1, "beta": 1}.items():
        by_step = s.gradient(name).reshape(right[name].shape)
        assert_allclose(by_step, right[name], rtol=0, atol=scale * 1e-12)


def test_numderiv_finds_the_corrected_values(draw):
    s = posed_setting(draw)
    beta = [0.9952330, 1.1510608, -4.0426069, -0.3169117]
    gamma = [1.2770634, 1.9957144, -4.9466216, -0.6095949]
    first = [-0.32579718, 0.002395019, 6.9149220, 0.21395849]
    assert_allclose(ones_times_S(s)[0], beta, rtol=1e-6)
    assert_allclose(diagonal_of_XhatS(s)[0], gamma, rtol=1e-6)
    assert_allclose(compact_Gamma1(s)[0], first, rtol=1e-5)


def test_constant_moments_are_constant(draw):
    s = random_setting(draw)
    fixed, moving = (s.gradient("Gamma1", fixed_moments=kept) for kept in (True, False))
    assert np.abs(fixed - moving).max() > 1e-3
    # b ignores the scale of a column of Γ₁, unless the moments are held constant.
    along = np.abs((s.par.Gamma1 * fixed).sum(axis=0)), np.abs((s.par.Gamma1 * moving).sum(axis=0))
    assert along[0].max() > 1e-3
    assert along[1].max() < 1e-12


def test_a_wrong_digit_is_never_passed(draw, monkeypatch):
    figure = POSTED["beta_loop"]
    wrong = figure.numbers.copy()
    wrong[-1] += 1e-8
    changed = dataclasses.replace(figure, numbers=wrong)
    monkeypatch.setattr(
        "matbackprop.verification.claims.question_figures.POSTED", {"beta_loop": changed}
    )
    claim = next(claim for claim in QUESTION if claim.key == "question/printed beta_loop")
    assert Finding.of(claim, [_digits("beta_loop")(draw)]).verdict == "UNDECIDED"
