import numpy as np
import pytest

from matbackprop.errors import DataError, ShapeError
from matbackprop.plots import plot_projection


@pytest.mark.parametrize("eps", [0.0, 2.0])
def test_the_projection_shows_what_is_left_of_a_gradient(eps):
    x, dy = np.array([0.0, 1.0, 5.0]), np.array([1.0, 1.0, -1.0])
    xhat, before, after = (
        np.array([arrow.U[0], arrow.V[0]]) for arrow in plot_projection(x, dy, eps=eps).collections
    )
    variance = x.var()
    assert np.linalg.norm(xhat) == pytest.approx(np.sqrt(3 * variance / (variance + eps)))
    # ones-free part of dy, of length √(Σdy² − (Σdy)²/3)
    assert np.linalg.norm(before) == pytest.approx(np.sqrt(3 - 1 / 3))
    lost = before - after
    assert lost[0] * xhat[1] == pytest.approx(lost[1] * xhat[0])  # along x̂
    assert after @ xhat == pytest.approx(before @ xhat * eps / (variance + eps), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: plot_projection([1.0, 2.0], [1.0, 2.0, 3.0]), ShapeError,
         r"columns of 3 entries, .* got x \(2,\), dy \(3,\)"),
        (lambda: plot_projection([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), DataError,
         r"plot_projection.* x is constant at 1\. Use an eps"),
    ],
)  # fmt: skip
def test_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()
