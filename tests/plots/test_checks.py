"""A check as a picture: every number stands where it should, and the legend counts."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from matbackprop.checking import check_gradient, check_jacobian
from matbackprop.plots import plot_check

AT = {"W": np.array([[1.0, -2.0, 3.0], [4.0, -1.0, 0.5]]), "b": np.array([1.0, 2.0])}


def loss(p):
    return (p["W"] ** 2).sum() + (p["b"] ** 3).sum()


def right(p):
    return {"W": 2 * p["W"], "b": 3 * p["b"] ** 2}


def one_sign(p):
    g = right(p)
    g["W"][0, 1] *= -1
    return g


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn(ax, label):
    (dots,) = (c for c in ax.collections if c.get_label() == label)
    return sorted(map(tuple, dots.get_offsets().tolist()))


def dots_of(ax):
    return sorted(tuple(p) for c in ax.collections for p in c.get_offsets().tolist())


def test_a_right_gradient_lies_on_the_diagonal():
    ax = plot_check(check_gradient(loss, right, AT))
    assert legend(ax) == ["W, 6 right", "b, 2 right"]
    assert drawn(ax, "b, 2 right") == [pytest.approx((3.0, 3.0)), pytest.approx((12.0, 12.0))]
    assert len(dots_of(ax)) == 8
    assert ax.get_title() == "Check of a gradient: RIGHT"
    assert ax.get_xlim() == ax.get_ylim()
    assert (ax.lines[0].get_xy1(), ax.lines[0].get_xy2()) == ((0, 0), (1, 1))


def test_a_wrong_entry_is_large_and_counted():
    ax = plot_check(check_gradient(loss, one_sign, AT))
    assert legend(ax) == ["W, 1 of 6 wrong", "b, 2 right"]
    assert drawn(ax, "W, 1 of 6 wrong") == [pytest.approx((-4.0, 4.0))]
    sizes = {c.get_label(): c.get_sizes()[0] for c in ax.collections}
    assert sizes["W, 1 of 6 wrong"] > 2 * sizes["b, 2 right"]
    assert len(dots_of(ax)) == 8
    assert ax.get_title().startswith("Check of a gradient: WRONG\n")
    assert ax.get_title().endswith(" in W")


def test_what_is_not_judged_is_hollow():
    at = np.array([0.0, 1.0, -2.0])
    ax = plot_check(check_gradient(lambda x: np.abs(x).sum(), np.sign, at))
    assert legend(ax) == ["the gradient, 2 right, 1 not judged", "not judged"]
    (hollow,) = (c for c in ax.collections if c.get_label() == "not judged")
    assert hollow.get_facecolors().size == 0
    assert hollow.get_offsets().tolist() == [pytest.approx([0.0, 0.0])]


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        pytest.param([1.0, 900.0], "linear", id="under three orders"),
        pytest.param([1.0, 1100.0], "symlog", id="over three orders"),
        pytest.param([-1.0, 1100.0], "symlog", id="both signs"),
        pytest.param([0.0, 1.0], "linear", id="zero is no small number"),
        pytest.param([1e-14, 1.0], "linear", id="nor is rounding"),
        pytest.param([0.0, 0.0], "linear", id="all zero"),
    ],
)
def test_the_scale_follows_the_sizes(scale, expected):
    weights = np.array(scale)
    ax = plot_check(check_gradient(lambda x: weights @ x, lambda x: weights, np.ones(2)))
    assert ax.get_xscale() == ax.get_yscale() == expected
    low, high = ax.get_xlim()
    assert low < min(scale)
    assert high > max(scale)
    ax.figure.canvas.draw()


def test_random_directions_are_called_so(rng):
    at = {"W": rng.standard_normal((60, 30)), "b": np.array([1.0, 2.0])}
    ax = plot_check(check_gradient(loss, lambda p: {"W": 2 * p["W"], "b": p["b"]}, at))
    assert ax.get_xlabel() == "numerical derivative along a direction"
    assert legend(ax)[:2] == ["W, 1 direction right", "b, 1 of 1 direction wrong"]
    assert legend(ax)[2].startswith("all parameters, ")


def test_many_parameters_share_a_colour_but_the_wrong_ones_do_not(rng):
    at = {f"p{k}": rng.standard_normal(3) for k in range(20)}
    ax = plot_check(
        check_gradient(
            lambda p: sum((v**3).sum() for v in p.values()),
            lambda p: {k: 3 * v**2 * (1 + (k in ("p7", "p19"))) for k, v in p.items()},
            at,
        )
    )
    labels = legend(ax)
    assert len(labels) == 7
    assert "p7, 3 of 3 wrong" in labels
    assert "p19, 3 of 3 wrong" in labels
    assert labels[-1] == "14 others, 42 right"
    assert len(dots_of(ax)) == 60


def test_a_jacobian_on_given_axes():
    figure, (left, own) = plt.subplots(1, 2)
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert plot_check(check_jacobian(lambda x: A @ x, A.T, np.ones(2)), ax=own) is own
    assert figure.axes == [left, own]
    assert not left.collections
    assert own.get_title() == "Check of a Jacobian: WRONG\ntransposed"
    assert own.get_ylabel() == "what the Jacobian says"
    assert sorted(map(tuple, np.round(dots_of(own), 9).tolist())) == [
        (1.0, 1.0), (2.0, 3.0), (3.0, 2.0), (4.0, 4.0),
    ]  # fmt: skip
