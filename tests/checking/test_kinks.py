"""At a corner there is no derivative: that is reported, and nobody blamed."""

import numpy as np
import pytest

from matbackprop.checking import assert_gradient, check_gradient
from matbackprop.checking.functions import Outputs, Watched
from matbackprop.checking.kinks import bends_smoothly, find_kinks
from matbackprop.checking.packing import Packing


def absolute(x):
    return float(np.abs(x).sum())


def relu(x):
    return float(np.maximum(x, 0.0).sum())


def found(loss, at):
    packing = Packing(np.asarray(at, float), call="check")
    f = Outputs(Watched(loss, packing, name="loss"), scalar=True)
    f.at_the_point(packing.theta)
    return [
        (kink.position, round(kink.left, 4), round(kink.right, 4))
        for kink in find_kinks(f, packing.theta, range(packing.size))
    ]


@pytest.mark.parametrize(
    ("loss", "at", "expected"),
    [
        pytest.param(absolute, [0.0, 1.0, 0.0], [(0, -1, 1), (2, -1, 1)], id="abs"),
        pytest.param(relu, [1.0, 0.0, -1.0], [(1, 0, 1)], id="relu"),
        pytest.param(lambda x: float(np.max(x)), [2.0, 2.0, 1.0], [(0, 0, 1), (1, 0, 1)],
                     id="largest of two equal"),
        pytest.param(lambda x: absolute(1e6 * x), [0.0], [(0, -1e6, 1e6)], id="large"),
        pytest.param(lambda x: absolute(1e-6 * x), [0.0], [(0, 0, 0)], id="small"),
        pytest.param(lambda x: float((x**2).sum()), [0.0, 3.0], [], id="smooth"),
        pytest.param(lambda x: float(np.exp(50 * x).sum()), [0.0], [], id="steep"),
        pytest.param(lambda x: float((np.abs(x) * x).sum()), [0.0], [], id="kink of the slope"),
        pytest.param(lambda x: 1e12 + float(x.sum()), [0.0], [], id="rounding"),
        pytest.param(absolute, [1e-3], [], id="beside the kink"),
        pytest.param(lambda x: float(np.sqrt(x).sum()), [0.0, 1.0], [], id="ends there"),
    ],
)  # fmt: skip
def test_slopes_to_both_sides(loss, at, expected):
    assert found(loss, at) == expected


CORNERS = np.sinh(np.linspace(-15, 15, 400)) / np.sinh(15)
"""At all scales, ever closer to 0."""


@pytest.mark.parametrize(
    ("loss", "at", "smooth"),
    [
        pytest.param(lambda x: float((x**2).sum()), 1.0, True, id="square"),
        pytest.param(lambda x: float(np.exp(9 * x).sum()), 0.3, True, id="steep"),
        pytest.param(lambda x: float(7 * x.sum()), 1.0, True, id="line"),
        pytest.param(absolute, 0.0, False, id="abs at 0"),
        pytest.param(absolute, 1.0, True, id="abs at 1"),
        pytest.param(
            lambda x: float(np.abs(x - CORNERS).sum()), 0.0, False, id="corners at all scales"
        ),
    ],
)
def test_the_slopes_of_a_smooth_function_meet(loss, at, smooth):
    packing = Packing(np.array([at]), call="check")
    f = Outputs(Watched(loss, packing, name="loss"), scalar=True)
    f.at_the_point(packing.theta)
    assert bends_smoothly(f, packing.theta, 0, 1e-4) is smooth


@pytest.mark.parametrize(
    ("loss", "gradient", "at", "said"),
    [
        pytest.param(absolute, np.sign, [0.0, 1.0, -2.0],
                     "at[0]: slope -1 to the left, 1 to the right; the gradient says 0, which lies "
                     "between", id="abs"),
        pytest.param(absolute, lambda x: np.where(x == 0, 1.0, np.sign(x)), [0.0, 1.0],
                     "the gradient says 1, which lies between", id="right slope of abs"),
        pytest.param(relu, lambda x: (x > 0) * 1.0, [0.0, 1.0, -2.0],
                     "at[0]: slope 0 to the left, 1 to the right; the gradient says 0, which lies",
                     id="relu"),
        pytest.param(relu, lambda x: (x >= 0) * 1.0, [1.0, 0.0],
                     "at[1]: slope 0 to the left, 1 to the right; the gradient says 1, which lies",
                     id="relu from the right"),
    ],
)  # fmt: skip
def test_a_kink_is_reported_and_not_blamed(loss, gradient, at, said):
    at = np.array(at)
    check = check_gradient(loss, gradient, at)
    assert check.ok
    (finding,) = check.findings
    assert finding.kind == "kink"
    assert f"1 of {at.size} entries" in finding.sentence
    assert said in finding.evidence
    (block,) = check.blocks
    assert block.judged.tolist() == (at != 0).tolist()
    assert_gradient(loss, gradient, at)  # the other entries are right


def test_a_wrong_gradient_beside_a_kink_is_still_blamed():
    check = check_gradient(relu, lambda x: 2.0 * (x > 0), np.array([0.0, 1.0, -2.0]))
    assert not check.ok
    assert [finding.kind for finding in check.findings] == ["constant factor", "kink"]


def test_a_gradient_outside_of_both_slopes_is_not_said_to_lie_between():
    def gradient(x):
        return np.where(x == 0, 5.0, np.sign(x))

    check = check_gradient(absolute, gradient, np.array([0.0, 1.0]))
    assert "the gradient says 5" in check.findings[0].evidence
    assert "between" not in check.findings[0].evidence


def test_a_gradient_outside_of_both_slopes_is_wrong():
    def gradient(x):
        return np.where(x == 0, 5.0, np.sign(x))

    check = check_gradient(absolute, gradient, np.array([0.0, 1.0]))
    assert not check.ok
    assert "which is no slope of it" in check.findings[0].evidence


@pytest.mark.parametrize("distance", [1e-3, 1e-5, 1e-7], ids=str)
def test_beside_a_kink_the_steps_are_smaller(distance):
    at = np.array([distance, 1.0, -2.0])
    right = check_gradient(absolute, np.sign, at)
    assert right.ok
    assert right.blocks[0].judged.all()
    assert not check_gradient(absolute, lambda x: -np.sign(x), at).ok


def test_in_a_dict_the_entry_is_named_as_its_user_does():
    at = {"W": np.array([[1.0, 0.0]]), "b": np.array([2.0])}
    check = check_gradient(
        lambda p: absolute(p["W"]) + absolute(p["b"]),
        lambda p: {name: np.sign(part) for name, part in p.items()},
        at,
    )
    assert check.findings[0].block == "W"
    assert check.findings[0].evidence.startswith("W[0, 1]: slope -1 to the left")


def test_a_kink_in_every_entry_is_not_judged():
    check = check_gradient(absolute, np.sign, np.zeros(2))
    assert str(check).startswith("Check of a gradient: NOT JUDGED")
    with pytest.raises(AssertionError, match="NOT JUDGED"):
        assert_gradient(absolute, np.sign, np.zeros(2))
