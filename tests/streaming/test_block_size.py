"""Blocks fit the cache, or the device, and are never empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matbackprop.streaming import block_size
from matbackprop.streaming.block_size import rows_of_sweep, rows_of_temporaries, rows_on_device

widths = st.integers(1, 200_000)
itemsizes = st.sampled_from([4, 8])


@given(p1=widths, p2=widths, itemsize=itemsizes)
def test_there_are_always_some(p1, p2, itemsize):
    rows = rows_of_sweep(p1, p2, itemsize)
    assert 8 <= rows <= block_size.MOST
    assert rows % 8 == 0
    assert rows_of_temporaries(p1, itemsize) >= 32
    assert rows_of_temporaries(p1, itemsize) % 8 == 0
    assert rows_on_device(p1, p2, itemsize) >= 1


@given(p1=st.integers(1, 300), p2=st.integers(1, 300), itemsize=itemsizes)
def test_they_fit(p1, p2, itemsize):
    cache, rows = block_size._second_cache(), rows_of_sweep(p1, p2, itemsize)
    assert rows == 8 or rows * itemsize * (p1 + p2) <= cache
    small = rows * p1 * p2 <= block_size.SMALL_PRODUCT
    assert small or block_size.SMALL_PRODUCT // (p1 * p2) < block_size.FEWEST
    rows = rows_of_temporaries(p1, itemsize)
    assert rows == 32 or rows * p1 * itemsize <= block_size.HEAP_BYTES
    assert rows_on_device(p1, p2, itemsize) * itemsize * (p1 + 4 * p2) <= 2**28


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """Let the size of the cache be what a file says."""

    def says(text):
        block_size._second_cache.cache_clear()
        if text is not None:
            (tmp_path / "size").write_text(text, encoding="ascii")
        monkeypatch.setattr(block_size, "Path", lambda _: tmp_path)
        return block_size._second_cache()

    yield says
    block_size._second_cache.cache_clear()


@pytest.mark.parametrize(
    ("text", "size"),
    [("512K\n", 2**19), ("2048K\n", 2**21), (None, 2**20), ("", 2**20), ("unknown", 2**20)],
)
def test_the_size_of_the_cache(cache, text, size):
    assert cache(text) == size


def test_a_small_cache_makes_small_blocks(cache):
    cache("8K\n")
    assert rows_of_sweep(50, 100, 8) == 8
    cache("2048K\n")
    assert rows_of_sweep(50, 100, 8) == 200
