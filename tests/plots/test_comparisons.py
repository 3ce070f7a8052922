import numpy as np
import pytest

from matbackprop.errors import ShapeError
from matbackprop.plots import plot_against


def test_pairs_are_read_column_by_column():
    one = np.array([[1.0, 2.0], [3.0, 4.0]])
    ax = plot_against(one, -one, names=("a", "b"))
    reference, candidate = ax.collections[1:]
    assert reference.get_offsets()[:, 0].tolist() == [1, 3, 2, 4]
    assert candidate.get_offsets()[:, 0].tolist() == [-1, -3, -2, -4]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: plot_against([1.0], [1.0, 2.0], names=("a", "b")),
         r"needs arrays of one shape; got \(1,\) and \(2,\)"),
        (lambda: plot_against([1.0], [1.0], names=("a", "b"), labels=["x", "y"]),
         "needs a label for each of the 1 entries; got 2"),
    ],
)  # fmt: skip
def test_bad_input(call, text):
    with pytest.raises(ShapeError, match=text):
        call()
