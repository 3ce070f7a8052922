"""numba's sweep where numba works, and the generic one, with the same numbers, where not."""

import subprocess
import sys
import warnings

import pytest

import matbackprop as mb
from matbackprop.network import magnitudes
from matbackprop.streaming import Problem, compiling


@pytest.fixture(autouse=True)
def _asked_anew():
    compiling.compiled_sums.cache_clear()
    yield
    compiling.compiled_sums.cache_clear()


def test_it_is_the_sweep():
    from matbackprop.streaming.compiled_blocks import two_line_sums

    assert compiling.compiled_sums() is two_line_sums


def test_without_numba(monkeypatch, rng, draw, assert_agree):
    net = mb.Network("relu")
    par, X, y = draw(rng)
    swept = Problem.from_arrays(net, X, y).gradient(par)
    compiling.compiled_sums.cache_clear()
    monkeypatch.setattr(compiling, "find_spec", lambda name: None)
    assert compiling.compiled_sums() is None
    assert_agree(Problem.from_arrays(net, X, y).gradient(par), swept, magnitudes(net, par, X, y))


def test_a_numba_that_does_not_work(monkeypatch, rng, draw):
    """It says so once, and the numbers come all the same."""
    monkeypatch.setitem(sys.modules, "matbackprop.streaming.compiled_blocks", None)
    with pytest.warns(UserWarning, match="numba is installed but does not work here"):
        assert compiling.compiled_sums() is None
    par, X, y = draw(rng)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Problem.from_arrays(mb.Network("relu"), X, y).gradient(par).loss > 0


@pytest.mark.slow
def test_a_place_where_nothing_may_be_written(tmp_path):
    """numba cannot store what it compiled: it compiles all the same."""
    code = (
        "import numba.core.caching as c\n"
        "c.CacheImpl._locator_classes = []\n"
        "import matbackprop as mb\n"
        "from matbackprop.streaming import Problem\n"
        "p = Problem.from_arrays(mb.Network('relu', None), [[1.0], [2.0]], [5.0, 1.0])\n"
        "print(p.gradient(mb.Parameters([[1.0]], [1.0])).loss)\n"
        "from matbackprop.streaming.compiled_blocks import two_line_sums\n"
        "print(len(two_line_sums.signatures))\n"
    )
    out = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=120)
    assert out.split() == ["8.5", "1"]


def test_importing_the_room_does_not_load_numba():
    code = (
        "import sys, matbackprop.streaming; print('numba' in sys.modules, 'pyarrow' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).split() == ["False"] * 2
