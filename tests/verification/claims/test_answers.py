"""What the two answers say: each verdict, as read by hand, against what the experiments find."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.differences import complex_step
from matbackprop.network import BatchNorm, Network, Parameters, gradient
from matbackprop.verification.claims import Draw, check_claims
from matbackprop.verification.claims.answers import ANSWERS
from matbackprop.verification.claims.answers_network import net
from matbackprop.verification.claims.answers_staged import _steps_backward, _truth
from matbackprop.verification.claims.findings import Finding

HOLDS, IF, FAILS = "holds", "holds only if", "fails"

EXPECTED = {
    "answers/matrix form": HOLDS,
    "answers/inverse root": HOLDS,
    "answers/loss factor": IF,
    "answers/row by kronecker": IF,
    "answers/row by vec": HOLDS,
    "answers/activation jacobian": HOLDS,
    "answers/beta jacobian": HOLDS,
    "answers/beta chain": IF,
    "answers/beta by vec": HOLDS,
    "answers/beta short": IF,
    "answers/beta as posted": IF,
    "answers/vec of a product": HOLDS,
    "answers/stub": HOLDS,
    "answers/selection": HOLDS,
    "answers/selection shape": FAILS,
    "answers/gamma jacobian": HOLDS,
    "answers/gamma chain": IF,
    "answers/gamma by vec": HOLDS,
    "answers/gamma diagonal": HOLDS,
    "answers/gamma not as posted": HOLDS,
    "answers/linear in gamma": HOLDS,
    "answers/explosion": HOLDS,
    "answers/product rule": HOLDS,
    "answers/staged centring": HOLDS,
    "answers/staged variance": HOLDS,
    "answers/staged inverse root": HOLDS,
    "answers/staged output": HOLDS,
    "answers/staged shift": HOLDS,
    "answers/staged scale": HOLDS,
    "answers/staged product": HOLDS,
    "answers/staged inverse": HOLDS,
    "answers/staged root": HOLDS,
    "answers/staged mean of squares": HOLDS,
    "answers/staged square": HOLDS,
    "answers/staged difference": HOLDS,
    "answers/staged mean": HOLDS,
    "answers/staged sum": HOLDS,
    "answers/course mean": HOLDS,
    "answers/course comment on shapes": IF,
    "answers/course centred": FAILS,
    "answers/course variance": FAILS,
    "answers/course divide by the root": HOLDS,
    "answers/course normalised": FAILS,
    "answers/course output": FAILS,
    "answers/course train mode": FAILS,
    "answers/course running averages": HOLDS,
    "answers/course running variance": FAILS,
    "answers/course cache": FAILS,
    "answers/course test mode": FAILS,
    "answers/course backward": FAILS,
}

OBSTACLES = {
    "answers/course comment on shapes": r"has shape \(\d,\), the truth \(1, \d\)",
    "answers/row by kronecker": "does not run: ValueError",
    "answers/beta chain": "does not run: ValueError",
    "answers/gamma chain": "does not run: ValueError",
    "answers/beta short": r"has shape \(1, \d\), the truth \(\d, 1\)",
    "answers/course centred": "NameError: name 'means' is not defined",
    "answers/course output": "NameError: name 'normlised' is not defined",
    "answers/course train mode": "NameError: name 'means' is not defined",
    "answers/course cache": "TypeError: cannot unpack non-iterable NoneType object",
    "answers/course test mode": r"has shape \(\), the truth",
    "answers/course backward": r"has shape \(3,\), the truth",
}


@pytest.fixture(scope="module")
def findings():
    report = check_claims(source="answers", draws=5, seed=0)
    return {row.key: row for row in report.findings}


def test_every_claim_is_expected(findings):
    assert list(findings) == list(EXPECTED)


@pytest.mark.parametrize(("key", "verdict"), EXPECTED.items(), ids=EXPECTED)
def test_verdict(findings, key, verdict):
    row = findings[key]
    assert row.verdict == verdict, row


@pytest.mark.parametrize("claim", ANSWERS, ids=lambda claim: claim.key)
def test_verdict_on_many_other_draws(claim):
    draw = Draw(np.random.default_rng(20), r={})
    trials = [claim.experiment(draw) for _ in range(30)]
    assert Finding.of(claim, trials).verdict == EXPECTED[claim.key]


@pytest.mark.parametrize("key", EXPECTED)
def test_obstacle(findings, key):
    """Why a formula gives no numbers at all; the others give some."""
    row = findings[key]
    assert re.search(OBSTACLES.get(key, "^$"), row.obstacle), row.obstacle
    assert np.isinf(row.error) == (key in OBSTACLES)


@pytest.mark.parametrize("seed", range(5))
def test_truth_is_the_gradient_of_the_network(seed):
    """The node-by-node gradient, as one more witness of the truth."""
    n = net(Draw(np.random.default_rng(seed), r={}))
    model = Network(activation=n.a, batch_norm=BatchNorm(ddof=n.ddof, eps=0.0), loss="sse")
    par = Parameters(n.Gamma1, n.Gamma2, gamma=n.gamma[:, 0], beta=n.beta[:, 0])
    g = gradient(model, par, n.X, n.y, formulation="nodewise")
    assert_allclose(n.true_dgamma()[:, 0], g.gamma, rtol=1e-10, atol=1e-11)
    assert_allclose(n.true_dbeta()[:, 0], g.beta, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_exact_gradient_leaves_the_weights_of_a_constant_input(seed):
    """Beside the claim on the explosion: with moments that move, descent stays where it is."""
    n = net(Draw(np.random.default_rng(seed), r={}))
    X, Gamma1 = np.hstack([n.one, n.X]), np.vstack([n.Gamma1[:1], n.Gamma1])
    exact = complex_step(lambda G: n.R(n.b(X @ G)), Gamma1)
    assert np.abs(exact[0]).max() < 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize(
    ("node", "instead"),
    [("X above", "X"), ("centred below", "centred above"), ("mu", "beta")],
)
def test_branches_of_the_graph_are_told_apart(node, instead):
    """A derivative along one branch alone is not that along another, or along both."""
    b = Draw(np.random.default_rng(1), r={}).batch()
    d = _steps_backward(b)
    assert_allclose(d[node], _truth(b, node), rtol=0, atol=1e-12)
    assert np.abs(d[instead] - _truth(b, node)).max() > 0.01
