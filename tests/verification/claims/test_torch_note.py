"""What the torch note says: each verdict, as read by hand, against what the experiments find."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.verification.claims import Draw, check_claims
from matbackprop.verification.claims.findings import Finding
from matbackprop.verification.claims.torch_note import TORCH_NOTE
from matbackprop.verification.claims.torch_note_batch import channel_batch, layer, total
from matbackprop.verification.claims.torch_note_own_entry import _full_form, _own_gradient

HOLDS, IF, FAILS = "holds", "holds only if", "fails"

EXPECTED = {
    "torch note/mean": HOLDS,
    "torch note/variance": HOLDS,
    "torch note/normalised": HOLDS,
    "torch note/affine": HOLDS,
    "torch note/m is the batch size": IF,
    "torch note/m counts elements": HOLDS,
    "torch note/dbeta": HOLDS,
    "torch note/dgamma": HOLDS,
    "torch note/affine partials": HOLDS,
    "torch note/sum for beta": IF,
    "torch note/sum for gamma": IF,
    "torch note/reach": HOLDS,
    "torch note/chain rule": HOLDS,
    "torch note/dxhat": HOLDS,
    "torch note/mean of x": HOLDS,
    "torch note/xhat of mean": HOLDS,
    "torch note/second term": FAILS,
    "torch note/variance of x": HOLDS,
    "torch note/xhat of variance": HOLDS,
    "torch note/terms put in": FAILS,
    "torch note/dvariance": HOLDS,
    "torch note/dmean": HOLDS,
    "torch note/dx": HOLDS,
    "torch note/affine off": HOLDS,
    "torch note/epsilon": HOLDS,
    "torch note/new sigma": IF,
    "torch note/square of new sigma": IF,
    "torch note/own entry only": FAILS,
    "torch note/own derivative": HOLDS,
    "torch note/variance of x, line 1": HOLDS,
    "torch note/variance of x, line 2": HOLDS,
    "torch note/root of x": HOLDS,
    "torch note/own derivative, simplified": IF,
    "torch note/diagonal gradient": FAILS,
    "torch note/gamma twice": FAILS,
    "torch note/sigma in the last formula": IF,
    "torch note/more stable": FAILS,
    "torch note/no delicate terms": HOLDS,
    "torch note/automatic": HOLDS,
}


@pytest.fixture(scope="module")
def findings():
    report = check_claims(source="torch note", draws=5, seed=0)
    return {row.key: row for row in report.findings}


def test_every_claim_is_expected(findings):
    assert list(findings) == list(EXPECTED)


@pytest.mark.parametrize(("key", "verdict"), EXPECTED.items(), ids=EXPECTED)
def test_verdict(findings, key, verdict):
    row = findings[key]
    assert row.verdict == verdict, row


@pytest.mark.parametrize("claim", TORCH_NOTE, ids=lambda claim: claim.key)
def test_verdict_on_many_other_draws(claim):
    draw = Draw(np.random.default_rng(20), r={})
    trials = [claim.experiment(draw) for _ in range(15)]
    assert Finding.of(claim, trials).verdict == EXPECTED[claim.key]


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_layer_is_that_of_torch(rank):
    """Torch's own layer and its automatic gradients, as one more witness of the truth."""
    torch = pytest.importorskip("torch")
    b = channel_batch(Draw(np.random.default_rng(rank), r={}), rank=rank)
    x, gamma, beta = (
        torch.tensor(a, requires_grad=True) for a in (b.x, b.gamma.ravel(), b.beta.ravel())
    )
    y = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=b.eps)
    y.backward(torch.tensor(b.dy))
    assert_allclose(layer(b.x, b.gamma, b.beta, b.eps), y.detach().numpy(), rtol=0, atol=1e-13)
    assert_allclose(b.true_dx(), x.grad.numpy(), rtol=0, atol=1e-13)
    assert_allclose(total(b.dy).ravel(), beta.grad.numpy(), rtol=0, atol=1e-13)


def test_torch_refuses_a_sum_without_axes():
    """The shape of one number for all channels is refused, not broadcast as in the claim."""
    torch = pytest.importorskip("torch")

    class Shift(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, beta):
            return x + beta

        @staticmethod
        def backward(ctx, dy):
            return dy, dy.sum()

    beta = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    with pytest.raises(RuntimeError, match="invalid gradient at index 1"):
        Shift.apply(torch.zeros(4, 3, dtype=torch.float64), beta).sum().backward()


def test_own_entry_gradient_does_not_even_sum_to_zero():
    """A shift of the whole batch changes nothing, so the entries of ∂L/∂x sum to 0."""
    b = channel_batch(Draw(np.random.default_rng(4), r={}), rank=3)
    own, full = (f(b.x, b.dxhat, b.eps) for f in (_own_gradient, _full_form))
    assert np.abs(total(full)).max() < 1e-13
    assert np.abs(total(own)).max() > 0.1
