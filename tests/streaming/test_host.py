"""Arrays of any library come back as NumPy's."""

import array_api_strict
import numpy as np
import pytest

from matbackprop.streaming.host import on_host


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_library(torch, dtype):
    a = np.arange(6, dtype=dtype).reshape(2, 3)
    for b in (a, torch.from_numpy(a), array_api_strict.asarray(a)):
        back = on_host(b)
        assert type(back) is np.ndarray
        assert back.dtype == dtype
        np.testing.assert_array_equal(back, a)


def test_scalars():
    assert on_host(np.float64(2.0)).shape == ()
    assert on_host(3.0) == 3.0


def test_a_memory_map_becomes_an_array(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(3))
    assert type(on_host(np.load(tmp_path / "a.npy", mmap_mode="r"))) is np.ndarray


def test_a_tensor_through_which_a_derivative_is_recorded(torch):
    assert on_host(torch.ones(2, requires_grad=True)).tolist() == [1.0, 1.0]


def test_another_device_of_the_strict_library():
    far = array_api_strict.asarray([1.0, 2.0], device=array_api_strict.Device("device1"))
    assert on_host(far).tolist() == [1.0, 2.0]
