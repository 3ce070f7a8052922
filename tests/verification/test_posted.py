"""Every figure printed in the question, to its last digit, from a replica of its mistakes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import matbackprop as mb
from matbackprop.verification.posted_text import POSTED
from matbackprop.verification.replica import posted_figures


@pytest.fixture(scope="module")
def replica():
    return posted_figures(mb.question())


def test_there_are_seven(replica):
    assert set(POSTED) == set(replica)
    assert len(POSTED) == 7


@pytest.mark.parametrize("name", POSTED)
def test_every_digit(replica, name):
    figure = POSTED[name]
    assert_array_equal(figure.rounded(replica[name]), figure.numbers)


@pytest.mark.parametrize("name", [name for name in POSTED if name != "kronecker_rule"])
def test_one_unit_in_the_last_digit_is_seen(replica, name):
    figure = POSTED[name]
    off = replica[name].copy()
    off.flat[-1] += 10.0 ** -figure.decimals.flat[-1]
    assert (figure.rounded(off) != figure.numbers).sum() == 1


def test_what_was_read_from_the_printed_text():
    matrix = POSTED["Gamma1_matrix"]
    assert matrix.numbers.shape == (7, 4)
    assert matrix.numbers[2].tolist() == [124.157678, -247.50384, -726.56422, 104.250961]
    assert matrix.decimals[2].tolist() == [6, 5, 5, 6]
    assert POSTED["beta_loop"].numbers.shape == (4,)
    assert POSTED["kronecker_rule"].rows == (0, 1, 12, 13, 27, 28, 38, 39)


class TestWhyEachPostedNumberIsWhatItIs:
    """The true gradients follow from the posted ones once each named mistake is undone."""

    def test_the_derivative_of_the_activation_was_ignored(self, replica):
        q = mb.question()
        ignoring = mb.Network("identity", q.network.batch_norm, "sse")
        # With a = identity, a′ is 1 everywhere; the residuals must stay those of the relu net.
        y = mb.predict(ignoring, q.parameters, q.X) + q.noise
        g = mb.gradient(ignoring, q.parameters, q.X, y)
        assert_allclose(replica["beta_matrix"][0], g.beta, rtol=1e-12)
        gamma = q.parameters.gamma
        assert_allclose(np.diag(replica["gamma_matrix"]), gamma * g.gamma, rtol=1e-12)

    def test_gamma1_was_scaled_by_sigma_and_held_the_moments_constant(self, replica):
        q = mb.question()
        ignoring = mb.Network("identity", q.network.batch_norm, "sse")
        y = mb.predict(ignoring, q.parameters, q.X) + q.noise
        kept = mb.moments(ignoring, q.parameters, q.X)
        g = mb.gradient(ignoring, q.parameters, q.X, y, moments=kept)
        assert_allclose(replica["Gamma1_matrix"], g.Gamma1 * kept.sigma**2, rtol=1e-11)

    def test_the_kronecker_derivative_was_right(self, replica):
        S = np.random.default_rng(0).standard_normal((10, 4))
        row = S.ravel(order="F") @ replica["kronecker_rule"]
        assert_allclose(row, np.ones(10) @ S, rtol=1e-13)

    def test_two_wrong_codes_agree(self, replica):
        assert_allclose(replica["beta_loop"], replica["beta_matrix"][0], rtol=1e-13)
