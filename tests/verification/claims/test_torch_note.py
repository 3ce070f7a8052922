"""What the torch note says: each verdict, as read by hand, against what the experiments find."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.verification.claims import Draw, check_claims
from matbackprop.verification.claims.definition import batch_norm
from matbackprop.verification.claims.findings import Finding
from matbackprop.verification.claims.torch_note import TORCH_NOTE
from matbackprop.verification.claims.torch_note_batch import channel_batch, total
from matbackprop.verification.claims.torch_note_chain import full_formula
from matbackprop.verification.claims.torch_note_formulas import last_formula, own_entry_formula
from matbackprop.verification.claims.torch_note_last_formula import digits_lost

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
    "torch note/first term": FAILS,
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
    "torch note/new sigma": HOLDS,
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
    "torch note/another form": FAILS,
    "torch note/more stable": FAILS,
    "torch note/no delicate terms": IF,
    "torch note/grad_output": HOLDS,
    "torch note/custom backward": IF,
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


@pytest.mark.parametrize("key", EXPECTED)
def test_everything_gives_numbers(findings, key):
    """So that a slip in an experiment cannot pass for a finding."""
    assert np.isfinite(findings[key].error), findings[key]
    assert findings[key].obstacle == ""


@pytest.mark.parametrize("claim", TORCH_NOTE, ids=lambda claim: claim.key)
def test_verdict_on_many_other_draws(claim):
    draw = Draw(np.random.default_rng(20), r={})
    trials = [claim.experiment(draw) for _ in range(15)]
    assert Finding.of(claim, trials).verdict == EXPECTED[claim.key]


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_layer_is_that_of_torch(torch, rank):
    """Torch's own layer and its automatic gradients, as one more witness of the truth."""
    b = channel_batch(Draw(np.random.default_rng(rank), r={}), rank=rank)
    x, gamma, beta = (
        torch.tensor(a, requires_grad=True) for a in (b.x, b.gamma.ravel(), b.beta.ravel())
    )
    y = torch.nn.functional.batch_norm(x, None, None, gamma, beta, training=True, eps=b.eps)
    y.backward(torch.tensor(b.dy))
    assert_allclose(batch_norm(b.x, b.gamma, b.beta, b.eps), y.detach().numpy(), rtol=0, atol=1e-13)
    assert_allclose(b.true_dx(), x.grad.numpy(), rtol=0, atol=1e-13)
    assert_allclose(total(b.dy).ravel(), beta.grad.numpy(), rtol=0, atol=1e-13)


def test_torch_refuses_a_sum_without_axes(torch):
    """The shape of one number for all channels is refused, not broadcast as in the claim."""

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


def test_torch_hands_over_what_arrives_from_every_use_of_y(torch):
    handed_over = []

    class Layer(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, grad_output):
            handed_over.append(grad_output)
            return 2 * grad_output

    x = torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)
    y = Layer.apply(x)
    (torch.tanh(y).sum() * (y**2).sum()).backward()
    behind = y.detach().requires_grad_()
    (torch.tanh(behind).sum() * (behind**2).sum()).backward()
    assert_allclose(handed_over, behind.grad[None], rtol=0, atol=1e-14)


@pytest.mark.parametrize("hidden", [False, True])
def test_torch_needs_a_backward_of_ones_own_only_where_a_step_is_hidden(torch, hidden):
    b = channel_batch(Draw(np.random.default_rng(7), r={}), rank=2)
    x = torch.tensor(b.x, requires_grad=True)
    gamma, beta, dy = (torch.tensor(a) for a in (b.gamma, b.beta, b.dy))
    mu = x.mean(dim=0, keepdim=True)
    centred = x - (mu.detach() if hidden else mu)
    xhat = centred / torch.sqrt((centred**2).mean(dim=0, keepdim=True) + b.eps)
    (gamma * xhat + beta).backward(dy)
    found, truth = x.grad.numpy(), b.true_dx()
    assert np.allclose(found, truth, rtol=0, atol=1e-13) != hidden


def test_own_entry_formula_does_not_even_sum_to_zero():
    """A shift of the whole batch changes nothing, so the entries of ∂L/∂x sum to 0."""
    b = channel_batch(Draw(np.random.default_rng(4), r={}), rank=3)
    own, last = (f(b.x, b.dxhat, b.eps) for f in (own_entry_formula, last_formula))
    assert np.abs(total(last)).max() < 1e-13
    assert np.abs(total(own)).max() > 0.1


@pytest.mark.parametrize(("spreads", "least", "most"), [(0, 0.7, 1.5), (30, 20, 200)])
def test_the_mean_of_dxhat_decides_how_many_digits_the_last_formula_loses(
    rng, spreads, least, most
):
    x, dxhat = rng.standard_normal((2, 100, 16))
    last, own = (digits_lost(f, x, dxhat + spreads) for f in (last_formula, own_entry_formula))
    assert least < last / own < most


@pytest.mark.parametrize("power", [-360, 360])
def test_where_the_cube_of_sigma_is_out_of_range_only_the_full_formula_breaks(power):
    b = channel_batch(Draw(np.random.default_rng(5), r={}), rank=3, eps=0.0)
    scaled, truth = b._replace(x=2.0**power * b.x), b.true_dx() / 2.0**power
    with np.errstate(all="ignore"):
        full, last = full_formula(scaled), last_formula(scaled.x, b.dxhat, 0.0)
    assert_allclose(last, truth, rtol=1e-11)
    assert not np.allclose(full, truth, rtol=1e-3, atol=0)


def test_where_the_square_of_sigma_is_out_of_range_the_last_formula_breaks_too():
    b = channel_batch(Draw(np.random.default_rng(6), r={}), rank=3, eps=0.0)
    with np.errstate(all="ignore"):
        small, large = (last_formula(2.0**p * b.x, b.dxhat, 0.0) for p in (-600, 600))
    assert not np.isfinite(small).any()
    assert (large == 0).all()
