import numpy as np
import pytest

from matbackprop.bench.contender import (
    BLOCKS,
    NETWORK,
    Contender,
    Engine,
    draw,
    equal_threads,
    largest_error,
)
from matbackprop.errors import MissingExtraError, OptionError
from matbackprop.network import gradient


def test_the_task_is_of_one_dtype_and_always_the_same():
    for dtype in ("float32", "float64"):
        one, two = (draw(7, 3, 2, dtype=dtype, threads=1) for _ in range(2))
        assert one.X.shape == (7, 3)
        assert {block.dtype for block in (one.X, one.y, one.par.to_vector())} == {np.dtype(dtype)}
        np.testing.assert_array_equal(one.X, two.X)
        np.testing.assert_array_equal(one.par.to_vector(), two.par.to_vector())
    assert draw(7, 3, 2).threads >= 1


def test_a_wrong_gradient_is_seen():
    task = draw(30, 3, 2)
    exact = gradient(NETWORK, task.par, task.X, task.y)
    right = [np.asarray(getattr(exact, name)) for name in BLOCKS]
    assert largest_error(right, exact) == 0
    for at, block in enumerate(right):
        wrong = list(right)
        wrong[at] = block + 1e-3 * np.abs(block).max()
        assert largest_error(wrong, exact) == pytest.approx(1e-3)
    assert largest_error([np.nan, *right[1:]], exact) != 0


def test_a_part_of_the_work_has_no_error():
    task = draw(30, 3, 2)
    assert np.isnan(largest_error(None, gradient(NETWORK, task.par, task.X, task.y)))


def test_an_engine_by_a_clock_of_its_own():
    assert Contender(list, seconds=lambda: 7.0).turn() == 7.0
    assert 0 < Contender(list).turn() < 1


def test_why_an_engine_takes_no_part():
    def make(task):
        raise AssertionError("it was asked")

    with pytest.raises(MissingExtraError, match="not installed: pip install no_such_library"):
        Engine(make, needs=("no_such_library",)).prepare(draw(5, 2, 2))
    costly = Engine(make, work=lambda N, p1, p2: N * p1 * p2, enough=5 * 3 * 2 - 1)
    with pytest.raises(OptionError, match="too slow for this shape"):
        costly.prepare(draw(5, 3, 2))


def test_threads_are_as_they_were_afterwards(torch):
    before = torch.get_num_threads()
    with equal_threads(before + 1, ["torch"]):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
