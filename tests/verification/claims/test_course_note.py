"""The course note: each verdict as read off the note by hand, found by experiment."""

import numpy as np
import pytest

from matbackprop.verification.claims import Draw, check_claims
from matbackprop.verification.claims.course_note import COURSE_NOTE
from matbackprop.verification.claims.course_note_replica import (
    forward,
    numpy_backward,
    numpy_cache,
    torch_backward,
    torch_cache,
)
from matbackprop.verification.claims.course_note_trials import Listing

EXPECTED = {
    "dimensions": "holds",
    "mean": "holds",
    "variance": "holds",
    "normalisation": "holds",
    "scale and shift": "holds",
    "gradient of beta": "holds",
    "gradient of gamma": "holds",
    "gradient of xhat": "holds",
    "gradient of the variance": "holds",
    "gradient of the mean": "holds",
    "gradient of x": "holds",
    "code, output in train mode": "holds",
    "code, running statistics": "holds",
    "code, running statistics from nothing": "holds only if",
    "code, output in test mode": "holds",
    "code, statistics in test mode": "holds",
    "code, no statistics": "holds only if",
    "code, unknown mode": "holds",
    "code, stability": "holds",
    "code, gradients of gamma and beta": "holds",
    "code, gradients of variance and mean": "holds",
    "code, gradient of X in train mode": "holds",
    "code, gradient of X in test mode": "fails",
}


@pytest.fixture(scope="module")
def found():
    report = check_claims(source="course note", draws=5, seed=0)
    return {row.key.removeprefix("course note/"): row for row in report.findings}


@pytest.fixture
def batch(rng):
    return Draw(rng, r={}).batch()


def test_every_claim_is_expected_and_no_other(found):
    assert set(found) == set(EXPECTED)
    assert len(COURSE_NOTE) == len(EXPECTED)


@pytest.mark.parametrize("key", EXPECTED)
def test_verdict(found, key):
    assert found[key].verdict == EXPECTED[key], found[key]


def test_backward_has_nothing_to_unpack_in_test_mode(found):
    assert (
        "cannot unpack non-iterable NoneType" in found["code, gradient of X in test mode"].obstacle
    )


def test_without_statistics_test_mode_divides_by_the_root_of_eps(batch):
    Y, _ = forward(batch.X, batch.gamma, batch.beta, {"mode": "test"})
    np.testing.assert_allclose(Y, batch.gamma * batch.X / np.sqrt(1e-5) + batch.beta)


def test_the_two_listings_go_back_alike_in_train_mode(batch):
    _, kept = forward(batch.X, batch.gamma, batch.beta, {"mode": "train", "eps": batch.eps})
    one = numpy_backward(batch.dY, numpy_cache(kept, "train"))
    two = torch_backward(batch.dY, torch_cache(kept, "train"))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("factor", [0.999, -1.0])
@pytest.mark.parametrize("name", ["dX", "dgamma", "dbeta", "dvar", "dmean"])
def test_a_wrong_factor_in_a_backward_pass_is_seen(rng, name, factor):
    def wrong(dY, cache):
        right = numpy_backward(dY, cache)
        return right._replace(**{name: factor * getattr(right, name)})

    listing, draw = Listing(numpy_cache, wrong), Draw(rng, r={})
    trial = {
        "dX": listing.train_X,
        "dgamma": listing.train_gamma_beta,
        "dbeta": listing.train_gamma_beta,
        "dvar": listing.train_moments,
        "dmean": listing.train_moments,
    }[name](draw)
    assert trial.printed > 1e-5
