"""Compiled passes and generic ones: the same numbers; and which is used when."""

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose

from matbackprop.batchnorm import BatchNormLayer, dispatch, passes
from matbackprop.batchnorm.dispatch import passes_for
from matbackprop.batchnorm.memory import viewed
from matbackprop.errors import DataError

SHAPES = [(4099, 17), (70_000, 1), (11, 70_001), (257, 19, 17), (33, 13, 16, 17), (9, 7, 8, 9, 20)]


@pytest.fixture(scope="module")
def compiled(unavailable):
    try:
        return importlib.import_module("matbackprop.batchnorm.compiled_passes")
    except ImportError:
        unavailable("numba, of the extra `fast`")


def axes_of(shape):
    return (0, *range(2, len(shape)))


def per_channel(shape, *stats):
    return [np.reshape(s, (1, -1, *[1] * (len(shape) - 2))) for s in stats]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestEachPass:
    @pytest.fixture
    def arrays(self, rng, shape, dtype):
        X = (rng.standard_normal(shape) * 2 + 30).astype(dtype)
        return X, rng.standard_normal(shape).astype(dtype), *(rng.standard_normal((4, shape[1])))

    @pytest.fixture
    def within(self, dtype):
        # Sums are float64 in both; entries are rounded to the dtype, a few times.
        return (
            {"rtol": 1e-5, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-12}
        )

    def test_totals(self, compiled, arrays, shape):
        X, axes = arrays[0], axes_of(shape)
        want = X.sum(axis=axes, dtype=np.float64)
        for module in (compiled, passes):
            assert_allclose(module.totals(X, axes), want, rtol=1e-12)

    def test_centred_sums(self, compiled, arrays, shape):
        X, axes = arrays[0], axes_of(shape)
        pivot = X.mean(axis=axes, dtype=np.float64).astype(X.dtype)
        D = (X - per_channel(shape, pivot)[0]).astype(np.float64)
        for module in (compiled, passes):
            total, squares = module.centred_sums(X, pivot, axes)
            assert total.dtype == squares.dtype == np.float64
            assert_allclose(total, D.sum(axis=axes), rtol=1e-9, atol=1e-9)
            assert_allclose(squares, (D**2).sum(axis=axes), rtol=1e-12)

    def test_cross_sums(self, compiled, arrays, shape):
        X, S, axes = *arrays[:2], axes_of(shape)
        pivot = X.mean(axis=axes, dtype=np.float64).astype(X.dtype)
        D = (X - per_channel(shape, pivot)[0]).astype(np.float64)
        for module in (compiled, passes):
            total, cross = module.cross_sums(S, X, pivot, axes)
            assert total.dtype == cross.dtype == np.float64
            assert_allclose(total, S.sum(axis=axes, dtype=np.float64), rtol=1e-9, atol=1e-9)
            assert_allclose(cross, (S * D).sum(axis=axes), rtol=1e-9, atol=1e-9)

    def test_scale_shift(self, compiled, arrays, within, shape, dtype):
        X, _, pivot, scale, offset, _ = arrays
        c, a, b = per_channel(shape, pivot.astype(dtype), scale, offset)
        want = (X - c).astype(np.float64) * a + b
        for module in (compiled, passes):
            Y = module.scale_shift(X, pivot.astype(dtype), scale, offset, axes_of(shape))
            assert (Y.dtype, Y.shape) == (dtype, shape)
            assert_allclose(Y, want, **within)

    def test_combine(self, compiled, arrays, within, shape, dtype):
        X, S, pivot, scale, slope, offset = arrays
        c, a, b, d = per_channel(shape, pivot.astype(dtype), scale, slope, offset)
        want = (S - d - (X - c).astype(np.float64) * b) * a
        for module in (compiled, passes):
            dX = module.combine(S, X, pivot.astype(dtype), scale, slope, offset, axes_of(shape))
            assert (dX.dtype, dX.shape) == (dtype, shape)
            assert_allclose(dX, want, **within)

    def test_a_whole_step(self, compiled, monkeypatch, arrays, shape, dtype):
        X, S, gamma, beta = arrays[:4]
        layer = BatchNormLayer(shape[1])
        gamma, beta = gamma.astype(dtype), beta.astype(dtype)
        assert passes_for(X, axes_of(shape), S) is compiled
        fast = layer.forward(X, gamma, beta)
        fast_gradients = layer.backward(S, fast.cache)
        monkeypatch.setattr(dispatch, "WORTH_COMPILED", X.size + 1)
        assert passes_for(X, axes_of(shape), S) is passes
        slow = layer.forward(X, gamma, beta)
        slow_gradients = layer.backward(S, slow.cache)
        pairs = [
            (fast.Y, slow.Y),
            (fast.running.mean, slow.running.mean),
            (fast.running.variance, slow.running.variance),
            *zip(fast_gradients, slow_gradients, strict=True),
        ]
        within = 3e-6 if dtype == np.float32 else 1e-12
        for ours, theirs in pairs:
            assert ours.dtype == theirs.dtype == dtype
            assert_allclose(ours, theirs, rtol=within, atol=within * np.abs(theirs).max())


@pytest.mark.parametrize("shape", [(4099, 17), (257, 19, 17)], ids=str)
class TestNotFinite:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_it_reaches_the_sums_of_its_own_channel(self, compiled, rng, shape, value):
        X = rng.standard_normal(shape)
        X[5, 3] = value
        others = np.arange(shape[1]) != 3
        zero = np.zeros(shape[1])
        for sums in (
            [compiled.totals(X, axes_of(shape))],
            compiled.centred_sums(X, zero, axes_of(shape)),
            compiled.cross_sums(X, np.ones(shape), zero, axes_of(shape)),
            compiled.cross_sums(np.ones(shape), X, zero, axes_of(shape))[1:],
        ):
            for total in sums:
                assert not np.isfinite(total[3])
                assert np.isfinite(total[others]).all()

    def test_it_reaches_the_entries(self, compiled, rng, shape):
        X = rng.standard_normal(shape)
        X[5, 3] = np.nan
        zero, one = np.zeros(shape[1]), np.ones(shape[1])
        for Y in (
            compiled.scale_shift(X, zero, one, zero, axes_of(shape)),
            compiled.combine(X, np.ones(shape), zero, one, one, zero, axes_of(shape)),
            compiled.combine(np.ones(shape), X, zero, one, one, zero, axes_of(shape)),
        ):
            assert (np.isnan(Y) == np.isnan(X)).all()

    def test_the_layer_names_the_place(self, rng, shape):
        X, layer = rng.standard_normal(shape), BatchNormLayer(shape[1], affine=False)
        cache = layer.forward(X).cache
        X = X.copy()
        X[5, 3] = np.nan
        with pytest.raises(DataError, match=r"X has NaN at (row 5, column 3|index \(5, 3, 0\))"):
            layer.forward(X)
        with pytest.raises(DataError, match=r"dY has NaN at (row 5, column 3|index \(5, 3, 0\))"):
            layer.backward(X, cache)


class TestWhichIsUsed:
    LARGE = np.zeros((4096, 16))

    def test_large_arrays_are_compiled(self, compiled):
        images = np.zeros((16, 16, 256), np.float32)
        assert passes_for(self.LARGE, (0,)) is compiled
        assert passes_for(self.LARGE, (0,), self.LARGE) is compiled
        assert passes_for(images, (0, 2)) is compiled

    @pytest.mark.parametrize(
        ("X", "axes", "others"),
        [
            (LARGE[:-1], (0,), ()),
            (LARGE, (1,), ()),
            (LARGE.reshape(16, 16, 256), (2,), ()),
            (LARGE.astype(np.float16), (0,), ()),
            (LARGE.astype(np.longdouble), (0,), ()),
            (LARGE.astype(np.complex128), (0,), ()),
            (LARGE.astype(np.int64), (0,), ()),
            (np.asfortranarray(LARGE), (0,), ()),
            (np.zeros((8192, 16))[::2], (0,), ()),
            (LARGE, (0,), (np.asfortranarray(LARGE),)),
            (LARGE, (0,), (LARGE.astype(np.float32),)),
        ],
        ids=[
            *("small", "rows", "instances", "float16", "long double", "complex", "integers"),
            *("Fortran order", "strided", "other in Fortran order", "other of another dtype"),
        ],
    )
    def test_all_others_are_not(self, X, axes, others):
        assert passes_for(X, axes, *others) is passes

    def test_without_numba(self, monkeypatch):
        monkeypatch.setattr(dispatch, "find_spec", lambda name: None)
        assert passes_for(self.LARGE, (0,)) is passes

    def test_a_forked_process_goes_without(self, compiled, monkeypatch):
        assert passes_for(self.LARGE, (0,)) is compiled
        monkeypatch.setattr(compiled, "HOME", compiled.HOME + 1)
        assert passes_for(self.LARGE, (0,)) is passes

    def test_threads_take_turns(self, compiled, rng):
        X = rng.standard_normal((4096, 16))
        with ThreadPoolExecutor(4) as pool:
            sums = list(pool.map(lambda _: compiled.totals(X, (0,)), range(64)))
        assert_allclose(sums, np.tile(X.sum(axis=0), (64, 1)), rtol=1e-11, atol=1e-11)

    def test_a_numba_that_does_not_work_is_said_once_and_left_alone(self, monkeypatch):
        monkeypatch.setattr(dispatch, "_not_working", [])
        monkeypatch.setitem(sys.modules, "matbackprop.batchnorm.compiled_passes", None)
        monkeypatch.delattr("matbackprop.batchnorm.compiled_passes", raising=False)
        with pytest.warns(UserWarning, match="numba is installed but does not work here"):
            assert passes_for(self.LARGE, (0,)) is passes
        assert passes_for(self.LARGE, (0,)) is passes

    def test_tensors_are_read_where_they_lie(self, compiled, torch):
        X = torch.zeros((4096, 16))
        assert passes_for(X, (0,)) is compiled
        assert viewed(X).ctypes.data == X.data_ptr()
        Y = compiled.scale_shift(X, *[torch.ones(16)] * 3, (0,))
        assert isinstance(Y, torch.Tensor)
        assert (Y == 0).all()  # (0 − 1)·1 + 1
        assert (X == 0).all()

    def test_but_not_while_a_derivative_is_recorded(self, torch):
        X = torch.zeros((4096, 16), requires_grad=True)
        assert passes_for(X, (0,)) is passes
        assert passes_for(X * 2, (0,)) is passes
        assert passes_for(X.detach(), (0,), X) is passes

    def test_nor_those_of_another_kind_or_place(self, torch):
        assert passes_for(torch.zeros((4096, 16), dtype=torch.bfloat16), (0,)) is passes
        assert passes_for(torch.zeros((16, 4096)).T, (0,)) is passes
        assert passes_for(torch.zeros((4096, 16), device="meta"), (0,)) is passes

    def test_lazy_arrays_are_not_computed_for_it(self, unavailable):
        try:
            import dask.array as da
        except ImportError:
            unavailable("dask")
        assert passes_for(da.zeros((4096, 16)), (0,)) is passes

    @pytest.mark.parametrize("turn", [np.asfortranarray, lambda a: a[::-1]], ids=["F", "reversed"])
    def test_the_order_of_dY_does_not_matter(self, rng, turn):
        X, S = rng.standard_normal((2, 5000, 16))
        layer = BatchNormLayer(16, affine=False)
        cache = layer.forward(X).cache
        want = layer.backward(np.ascontiguousarray(turn(S)), cache).X
        assert_allclose(layer.backward(turn(S), cache).X, want, rtol=1e-11, atol=1e-12)
