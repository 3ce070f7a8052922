import numpy as np
import pytest

import matbackprop as mb
from matbackprop.errors import DataError, ShapeError
from matbackprop.plots import plot_jacobian, plot_matrix


def test_matrix_shows_the_numbers_with_zero_in_the_middle():
    matrix = np.array([[1.0, 0.0], [-3.0, 2.0]])
    image = plot_matrix(matrix).images[0]
    assert (image.get_array() == matrix).all()
    assert image.get_clim() == (-3.0, 3.0)
    assert image.cmap(0.5)[:3] == pytest.approx((1, 1, 1), abs=0.01)


def test_matrix_of_zeros():
    assert plot_matrix(np.zeros((2, 2))).images[0].get_clim() == (-1.0, 1.0)


def test_blocks_stand_at_their_middles():
    ax = plot_matrix(np.ones((2, 5)), columns={"a": 2, "b": 3})
    assert ax.get_xticks().tolist() == [0.5, 3.0]
    assert [line.get_xdata()[0] for line in ax.lines] == [1.5]


def test_jacobian_has_a_block_for_every_node():
    q = mb.question()
    ax = plot_jacobian(mb.jacobian(q.network, q.parameters, q.X))
    labels = [text.get_text() for text in ax.get_xticklabels()]
    assert labels == ["Γ₁ h1", "Γ₁ h2", "Γ₁ h3", "Γ₁ h4", "Γ₂", "γ", "β"]


def test_jacobian_without_batch_norm(rng):
    par = mb.Parameters.random(2, 3, rng=rng, batch_norm=False)
    J = mb.jacobian(mb.Network(batch_norm=None), par, rng.standard_normal((4, 2)))
    labels = [text.get_text() for text in plot_jacobian(J).get_xticklabels()]
    assert labels == ["Γ₁ h1", "Γ₁ h2", "Γ₁ h3", "Γ₂"]


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: plot_matrix(np.ones(3)), ShapeError, "needs matrix with 2 dimension"),
        (lambda: plot_matrix([[np.nan]]), DataError, "matrix has NaN at row 0, column 0"),
        (lambda: plot_matrix(np.eye(3), rows={"a": 2}), ShapeError,
         r"needs rows whose sizes add up to 3; got \{'a': 2\}"),
    ],
)  # fmt: skip
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()
