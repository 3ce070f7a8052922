"""The course note: each verdict as read off the note by hand, found by experiment."""

import re

import numpy as np
import pytest

from matbackprop.verification.claims import Draw, check_claims, course_note_formulas
from matbackprop.verification.claims.course_note import COURSE_NOTE
from matbackprop.verification.claims.course_note_code import CODE
from matbackprop.verification.claims.course_note_listings import listing_claims
from matbackprop.verification.claims.course_note_replica import (
    forward,
    numpy_backward,
    numpy_cache,
    torch_backward,
    torch_cache,
)
from matbackprop.verification.claims.course_note_trials import Listing
from matbackprop.verification.claims.differential_forms_class import CLASS

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
    "code, no statistics": "holds",
    "code, unknown mode": "holds",
    "code, stability": "holds",
    "code, gradients of gamma and beta": "holds",
    "code, gradients of variance and mean": "holds",
    "code, gradient of X in train mode": "holds",
    "code, gradient of X in test mode": "fails",
}

# What gives no numbers, and why: by these words a slip in an experiment cannot pass for a finding.
OBSTACLES = {
    "code, gradient of X in test mode": r"^does not run: TypeError: cannot unpack .* NoneType",
}


@pytest.fixture(scope="module")
def found():
    report = check_claims(source="course note", draws=5, seed=0)
    return {row.key.removeprefix("course note/"): row for row in report.findings}


SHARED = [key.removeprefix("code, ") for key in EXPECTED if key.startswith("code, ")]


@pytest.fixture
def batch(rng):
    return Draw(rng, r={}).batch()


def test_every_claim_is_expected_and_no_other(found):
    assert set(found) == set(EXPECTED)
    assert len(COURSE_NOTE) == len(EXPECTED)


@pytest.mark.parametrize("key", EXPECTED)
def test_verdict(found, key):
    assert found[key].verdict == EXPECTED[key], found[key]


@pytest.mark.parametrize("key", EXPECTED)
def test_what_gives_no_numbers_says_why(found, key):
    row = found[key]
    assert np.isinf(row.error) == (key in OBSTACLES), row
    assert re.search(OBSTACLES.get(key, "^$"), row.obstacle), row.obstacle


def test_a_sum_over_the_wrong_axis_has_not_the_dimension_of_gamma(monkeypatch, rng):
    claim = next(c for c in COURSE_NOTE if c.key == "course note/dimensions")
    assert claim.experiment(Draw(rng, r={})).printed == 0
    monkeypatch.setattr(course_note_formulas, "_summed_for_gamma", lambda b: b.dY.sum(axis=1))
    assert claim.experiment(Draw(rng, r={})).printed > 0.1


def test_both_listings_make_the_shared_claims_under_their_own_names():
    others = {c.key.removeprefix("differential forms/class, ") for c in CLASS}
    assert set(SHARED) <= others
    for claim in (*CODE, *CLASS):
        assert claim.key.startswith(f"{claim.source}/")


def test_a_shared_claim_without_a_place_is_refused():
    listing = Listing(numpy_cache, numpy_backward)
    with pytest.raises(KeyError, match="output in train mode"):
        listing_claims("course note", "code", listing, hands_on="nothing", places={})


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

    listing = Listing(numpy_cache, wrong)
    shared = listing_claims(
        "course note", "code", listing, hands_on="", places=dict.fromkeys(SHARED, "anywhere")
    )
    named = {claim.key.removeprefix("course note/code, "): claim.experiment for claim in shared}
    experiment = {
        "dX": named["gradient of X in train mode"],
        "dgamma": named["gradients of gamma and beta"],
        "dbeta": named["gradients of gamma and beta"],
        "dvar": listing.train_moments,
        "dmean": listing.train_moments,
    }[name]
    assert experiment(Draw(rng, r={})).printed > 1e-5
