"""The door: options, random numbers, the vector θ of a network, and what a test asserts."""

import inspect

import numpy as np
import pytest

import matbackprop as mb
from matbackprop.checking import (
    Diagnosis,
    assert_gradient,
    check_gradient,
    check_hessian,
    check_jacobian,
)
from matbackprop.errors import DataError, OptionError, ShapeError

AT = np.array([1.0, 2.0, -3.0])


def loss(x):
    return (x**3).sum()


def right(x):
    return 3 * x**2


def half(x):
    return 1.5 * x**2


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        pytest.param({"method": "complex"}, OptionError,
                     r'method = "auto", "entries", "directions"; got \'complex\'', id="method"),
        pytest.param({"method": None}, OptionError, "knows method", id="no method"),
        pytest.param({"step": 0.0}, OptionError, r"needs a positive, finite step; got 0\.0",
                     id="step 0"),
        pytest.param({"step": -1e-3}, OptionError, "positive, finite step", id="step below 0"),
        pytest.param({"step": np.nan}, OptionError, "positive, finite step; got nan", id="NaN"),
        pytest.param({"step": np.inf}, OptionError, "positive, finite step", id="step infinite"),
        pytest.param({"rng": 5}, OptionError,
                     r"rng as a numpy\.random\.Generator; got 5\. Pass `np\.random\.default_rng",
                     id="rng a seed"),
        pytest.param({"rng": np.random.RandomState(1)}, OptionError, "numpy.random.Generator",
                     id="rng of old"),
        pytest.param({"known": [3]}, OptionError, "needs known as a dict .* got list", id="known"),
        pytest.param({"known": {"N": np.nan}}, DataError, r"known\['N'\] has NaN", id="known NaN"),
        pytest.param({"metod": "entries"}, TypeError, "unexpected keyword argument", id="misspelt"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", [check_gradient, assert_gradient], ids=lambda f: f.__name__)
def test_options_are_checked(call, options, error, text):
    with pytest.raises(error, match=text):
        call(loss, half, AT, **options)


def test_a_step_that_is_no_number():
    with pytest.raises(OptionError, match="step"):
        check_gradient(loss, right, AT, step="small")


def test_known_quantities_are_checked_where_the_gradient_is_right():
    with pytest.raises(DataError, match=r"known\['N'\] has NaN"):
        check_gradient(loss, right, AT, {"N": np.nan})


@pytest.mark.parametrize(
    ("method", "size", "taken"),
    [
        ("auto", 3, "complex step"),
        ("entries", 3, "complex step"),
        ("directions", 3, "random directions"),
        ("auto", 1001, "random directions"),
        ("entries", 1001, "complex step"),
    ],
)
def test_the_method_is_that_which_was_asked_for(method, size, taken):
    at = np.linspace(-1, 1, size)
    check = check_gradient(loss, right, at, method=method)
    assert (check.ok, check.method) == (True, taken)
    assert not check_gradient(loss, half, at, method=method).ok


def points_seen(**options):
    seen = []

    def watched(x):
        seen.append(x.tolist())
        return right(x)

    check_gradient(loss, watched, AT, **options)
    return seen


def test_without_an_rng_the_second_point_is_the_same_each_time():
    assert points_seen() == points_seen()
    assert points_seen()[0] == AT.tolist()


def test_an_rng_is_used():
    one, two, again = (points_seen(rng=np.random.default_rng(seed)) for seed in (1, 2, 1))
    assert one != two
    assert one == again


def test_the_step_is_used():
    def widest(step):
        seen = []

        def watched(x):
            seen.append(float(np.abs(x - AT).max()))
            return float(loss(x))

        check_gradient(watched, AT * np.nan_to_num(right(AT) / AT), AT, step=step)
        return max(seen)

    assert widest(1e-4) < widest(1e-2) < widest(1.0)


def test_the_answer_is_a_diagnosis():
    check = check_gradient(loss, half, AT)
    assert isinstance(check, Diagnosis)
    assert (check.ok, check.title, check.loss) == (False, "gradient", loss(AT))
    assert check.findings[0].kind == "constant factor"


def test_neither_the_point_nor_the_gradient_is_changed():
    at, claimed = AT.copy(), right(AT)
    before = claimed.copy()
    check_gradient(loss, claimed, at)
    assert at.tolist() == AT.tolist()
    assert claimed.tolist() == before.tolist()


@pytest.mark.parametrize(
    ("f", "claim", "at"),
    [
        pytest.param(loss, right, AT, id="function"),
        pytest.param(loss, right(AT), AT, id="array"),
        pytest.param(lambda p: p["a"] * p["b"], lambda p: {"a": p["b"], "b": p["a"]},
                     {"a": 2.0, "b": 3.0}, id="dict of numbers"),
        pytest.param(lambda x: x**3, lambda x: 3 * x**2, 2.0, id="number"),
    ],
)  # fmt: skip
def test_assert_gradient_is_silent_where_all_is_right(f, claim, at):
    assert assert_gradient(f, claim, at) is None


def test_assert_gradient_fails_with_the_whole_report():
    with pytest.raises(AssertionError) as caught:
        assert_gradient(loss, half, AT, known={"N": 3})
    report = str(check_gradient(loss, half, AT, {"N": 3}))
    assert str(caught.value) == f"\n{report}"
    assert "The gradient is ½ times what it should be" in report


@pytest.mark.parametrize(
    ("f", "claim", "at"),
    [
        pytest.param(lambda x: float(np.abs(x).sum()), np.sign, np.zeros(2), id="kinks only"),
        pytest.param(lambda x: (x**2).sum(), lambda x: 2 * x, np.zeros(2), id="point of rest"),
        pytest.param(lambda x: 3.0, lambda x: 0 * x, AT, id="constant loss"),
    ],
)
def test_assert_gradient_fails_where_nothing_can_be_judged(f, claim, at):
    with pytest.raises(AssertionError, match="NOT JUDGED"):
        assert_gradient(f, claim, at)


@pytest.mark.parametrize(
    ("f", "claim"),
    [
        pytest.param(lambda x: (x**2).sum(), lambda x: 2 * x, id="square"),
        pytest.param(lambda x: float((x**3).sum()), lambda x: 3 * x**2, id="cube"),
        pytest.param(lambda x: 3.0, lambda x: 0 * x, id="constant"),
    ],
)
def test_a_point_of_rest_is_said_to_be_one(f, claim):
    check = check_gradient(f, claim, np.zeros(2))
    assert [finding.kind for finding in check.findings] == ["stationary"]


def test_assert_gradient_fails_for_a_random_loss():
    rng = np.random.default_rng(1)
    with pytest.raises(AssertionError, match="CANNOT BE JUDGED"):
        assert_gradient(lambda x: (x**2).sum() + rng.random(), lambda x: 2 * x, AT)


def test_assert_gradient_hides_itself_in_tracebacks():
    assert "__tracebackhide__" in inspect.unwrap(assert_gradient).__code__.co_varnames


@pytest.fixture
def case(rng):
    X, y = rng.standard_normal((9, 3)), rng.standard_normal(9)
    return mb.Network("tanh"), mb.Parameters.random(3, 2, rng=rng), X, y


def stacked(record):
    names = ("Gamma1", "Gamma2", "gamma", "beta")
    return np.concatenate([np.ravel(getattr(record, name), order="F") for name in names])


def unstacked(theta):
    return mb.Parameters(
        theta[:6].reshape(3, 2, order="F"), theta[6:8], theta[8:10], theta[10:12]
    )  # fmt: skip


def test_the_vector_theta_of_a_network_is_cut_into_its_parts(case):
    net, par, X, y = case
    check = check_gradient(
        lambda theta: mb.gradient(net, unstacked(theta), X, y).loss,
        lambda theta: stacked(mb.gradient(net, unstacked(theta), X, y)),
        stacked(par),
        network=(net, X, y),
    )
    assert check.ok
    shapes = {block.name: block.shape for block in check.blocks}
    assert shapes == {"Gamma1": (3, 2), "Gamma2": (2,), "gamma": (2,), "beta": (2,)}


def test_a_gradient_of_theta_of_another_length(case):
    net, par, X, y = case
    with pytest.raises(ShapeError, match=r"in the shape of the vector θ, \(12,\); got \(11,\)"):
        check_gradient(
            lambda theta: mb.gradient(net, unstacked(theta), X, y).loss,
            lambda theta: stacked(mb.gradient(net, unstacked(theta), X, y))[1:],
            stacked(par),
            network=(net, X, y),
        )


def test_jacobians_and_hessians_have_their_titles():
    assert check_jacobian(lambda x: x**2, np.diag(2 * AT), AT).title == "Jacobian"
    hessian = check_hessian(loss, np.diag(6 * AT), AT)
    assert (hessian.title, hessian.ok) == ("Hessian", True)
    assert np.isnan(hessian.loss)
