"""What is normalised together, by its effect on entries numbered from 0."""

import numpy as np
import pytest

from matbackprop.batchnorm.arrangements import (
    batch_arrangement,
    group_arrangement,
    instance_arrangement,
    layer_arrangement,
)

SHAPE = (2, 4, 3)


def sets_of(arrangement):
    """The sets of entries that are normalised together."""
    entries = np.arange(np.prod(arrangement.view)).reshape(arrangement.view)
    kept = [axis for axis in range(entries.ndim) if axis not in arrangement.axes]
    rows = entries.transpose(*kept, *arrangement.axes)
    rows = rows.reshape(int(np.prod([entries.shape[axis] for axis in kept])), -1)
    return {frozenset(row.tolist()) for row in rows}


@pytest.mark.parametrize(
    ("arrangement", "together", "uniform"),
    [
        (batch_arrangement(SHAPE), lambda n, c, k: c, True),
        (layer_arrangement(SHAPE, (3,)), lambda n, c, k: (n, c), False),
        (layer_arrangement(SHAPE, (4, 3)), lambda n, c, k: n, False),
        (instance_arrangement(SHAPE), lambda n, c, k: (n, c), True),
        (group_arrangement(SHAPE, 2), lambda n, c, k: (n, c // 2), False),
        (group_arrangement(SHAPE, 4), lambda n, c, k: (n, c), True),
    ],
    ids=["batch", "layer", "layer of two axes", "instance", "group", "group of one channel"],
)
def test_sets(arrangement, together, uniform):
    wanted = {}
    for place, index in enumerate(np.ndindex(SHAPE)):
        wanted.setdefault(together(*index), set()).add(place)
    assert sets_of(arrangement) == {frozenset(places) for places in wanted.values()}
    assert arrangement.uniform is uniform


def test_gradients_sum_over_what_the_weights_do_not_depend_on():
    assert batch_arrangement(SHAPE).free == (0, 2)
    assert layer_arrangement(SHAPE, (4, 3)).free == (0,)
    assert group_arrangement(SHAPE, 2).free == (0, 3)
