"""Agreement: how far two numbers may be apart, and where nothing can be said."""

import numpy as np
import pytest

from matbackprop.checking.judging import judge, judge_directions

RTOL = 1e-6


def judged(g, t, error=0.0, noise=0.0, others=(1.0,)):
    """The verdict of the first entry, beside others that agree exactly."""
    g, t = np.array([g, *others]), np.array([t, *others])
    errors, noises = np.zeros_like(g), np.zeros_like(g)
    errors[0], noises[0] = error, noise
    check = judge("", g.shape, g, t, errors, noises, RTOL).check
    return bool(check.agrees[0]), bool(check.judged[0])


AGREE, WRONG, UNKNOWN = (True, True), (False, True), (True, False)


@pytest.mark.parametrize(
    ("g", "t", "options", "verdict"),
    [
        pytest.param(2.0, 2.0, {}, AGREE, id="equal"),
        pytest.param(2.0, 2.0 * (1 + 0.9e-6), {}, AGREE, id="within rtol"),
        pytest.param(2.0, 2.0 * (1 + 1.2e-6), {}, WRONG, id="beyond rtol"),
        pytest.param(2.0, -2.0, {}, WRONG, id="sign"),
        pytest.param(0.0, 0.0, {}, AGREE, id="both zero"),
        pytest.param(0.0, 1e-3, {}, WRONG, id="zero for something"),
        pytest.param(1e-3, 0.0, {}, WRONG, id="something for zero"),
        pytest.param(0.0, 1e-15, {}, AGREE, id="rounding beside 1"),
        pytest.param(0.0, 1e-10, {}, WRONG, id="small beside 1, measured exactly"),
        pytest.param(2.0, 2.009, {"error": 1e-3}, AGREE, id="within ten errors"),
        pytest.param(2.0, 2.011, {"error": 1e-3}, WRONG, id="beyond ten errors"),
        pytest.param(2.0, 2.019, {"noise": 1e-3}, AGREE, id="within twenty times the noise"),
        pytest.param(2.0, 2.021, {"noise": 1e-3}, WRONG, id="beyond twenty times the noise"),
        pytest.param(0.0, 0.5, {"error": 0.1}, UNKNOWN, id="error hides it"),
        pytest.param(5.0, 0.5, {"error": 0.1}, WRONG, id="so wrong that no error hides it"),
        pytest.param(0.01, 0.01, {"error": 0.1}, UNKNOWN, id="agreement that says nothing"),
        pytest.param(0.0, 0.0, {"error": 1e-9}, AGREE, id="a certain zero beside 1"),
        pytest.param(1.0, 1.0, {"error": np.inf}, UNKNOWN, id="nothing known"),
        pytest.param(1e9, 1.0, {"error": np.inf}, UNKNOWN, id="nothing known of the largest"),
    ],
)
def test_of_one_entry(g, t, options, verdict):
    assert judged(g, t, **options) == verdict


def test_the_allowance_is_what_was_allowed():
    error, noise = np.array([1e-3, 0.0]), np.array([0.0, 1e-3])
    both = judge("", (2,), np.ones(2), np.ones(2), error, noise, RTOL)
    np.testing.assert_allclose(both.allowance, [0.01 + 1e-14, 0.02 + 1e-14], rtol=1e-15)


def test_a_single_zero_with_an_error_is_not_judged():
    """Nothing beside it tells whether that error is small."""
    check = judge("", (1,), np.zeros(1), np.zeros(1), np.full(1, 1e-12), np.zeros(1), RTOL).check
    assert check.ok
    assert not check.judged[0]
    assert check.max_error == 0.0


def test_an_empty_parameter_is_right():
    empty = np.zeros((0, 3))
    assert judge("none", (0, 3), empty, empty, empty, empty, RTOL).check.ok


def test_single_precision_is_given_its_rtol():
    def one(rtol):
        zero = np.zeros(1)
        return judge("", (1,), np.ones(1), np.full(1, 1.0005), zero, zero, rtol).check.ok

    assert one(1e-3)
    assert not one(RTOL)


def along(g, slopes, *, errors=0.0, noise=0.0, directions=None):
    g = np.asarray(g, float)
    v = np.eye(g.size)[: len(slopes)] if directions is None else np.asarray(directions, float)
    return judge_directions(
        "", g.shape, g, v, np.asarray(slopes, float), np.full(len(slopes), errors),
        np.full(g.size, noise), RTOL,
    ).check  # fmt: skip


@pytest.mark.parametrize(
    ("slopes", "options", "agrees", "certain"),
    [
        pytest.param([1.0, 2.0], {}, [True, True], [True, True], id="right"),
        pytest.param([1.0, -2.0], {}, [True, False], [True, True], id="one wrong"),
        pytest.param([1.0, 2.009], {"errors": 1e-3}, [True, True], [True, True], id="errors"),
        pytest.param([1.0, 2.1], {"errors": 1e-3}, [True, False], [True, True], id="beyond them"),
        pytest.param([1.0, 2.0], {"errors": 1.0}, [True, True], [False, False], id="hidden"),
        pytest.param([1.0, 2.019], {"noise": 1e-3}, [True, True], [True, True], id="noise"),
    ],
)
def test_along_directions(slopes, options, agrees, certain):
    check = along([1.0, 2.0], slopes, **options)
    assert check.agrees.tolist() == agrees
    assert check.judged.tolist() == certain


def test_what_cancels_along_a_direction_is_judged_by_its_terms():
    v = [[1.0, 1.0]]
    assert along([1e6, -1e6], [0.5], directions=v).ok  # within rtol of the terms
    assert not along([1e6, -1e6], [5.0], directions=v).ok


def test_the_analytic_slope_is_the_product():
    check = along([1.0, 2.0, 3.0], [-4.0], directions=[[1.0, 2.0, -3.0]])
    assert check.analytic.tolist() == [-4.0]
    assert check.shape == (3,)
