import pytest

from matbackprop.bench import bench_offsets
from matbackprop.errors import OptionError


def test_an_offset_costs_the_one_pass_nothing_and_torch_every_digit():
    frame = bench_offsets([0.0, 1e3, 1e6], rows=1024)
    error = frame.set_index(["dtype", "engine", "offset"])["error"]
    ours = error.xs("matbackprop, one pass", level="engine")
    assert ours["float64"].max() < 2e-14
    assert ours["float32"].max() < 1e-6
    assert error["float32", "torch", 1e3] > 0.1
    assert error["float64", "torch", 1e6] > 1e-6


@pytest.mark.parametrize("offset", [1e7, 0.1, float("nan"), float("inf")])
def test_offsets_lie_on_the_grid(offset):
    with pytest.raises(OptionError, match=r"multiples of 1/8 up to 1e6 in size; got"):
        bench_offsets([offset])


def test_rows_is_a_count():
    with pytest.raises(OptionError, match="needs an integer rows >= 2; got 1"):
        bench_offsets(rows=1)
