"""Labels must fit the array."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from matbackprop.errors import ShapeError
from matbackprop.rbridge import Labelled


@pytest.mark.parametrize("dimnames", [(("a",), None), (None,), (("a", "b"), ("c", "d"))])
def test_labels_that_do_not_fit_are_refused(dimnames):
    with pytest.raises(ShapeError, match=r"values of shape \(2, 3\) and labels of lengths"):
        Labelled(np.ones((2, 3)), dimnames)


def test_it_is_frozen():
    record = Labelled(np.ones(1), (("a",),))
    with pytest.raises(FrozenInstanceError):
        record.values = np.zeros(1)  # type: ignore[misc]
