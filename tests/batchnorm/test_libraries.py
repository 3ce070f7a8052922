"""The same layers on every array library: its own arrays and dtypes, and the values of NumPy."""

import importlib
from contextlib import ExitStack

import numpy as np
import pytest
from array_api_compat import array_namespace, device
from numpy.testing import assert_allclose

from matbackprop.batchnorm import (
    BatchNormLayer,
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
    Running,
    layer_spectrum,
    pull_back_dot,
    push_forward,
)
from matbackprop.batchnorm.staged import staged_pull_back
from matbackprop.errors import DataError

LIBRARIES = ["numpy", "array_api_strict", "torch", "jax.numpy", "dask.array"]
LAYERS = {
    "batch": (BatchNormLayer(4), (6, 4), "train"),
    "batch, rank 4": (BatchNormLayer(4), (3, 4, 2, 5), "train"),
    "batch, course": (BatchNormLayer(4, convention="course"), (6, 4, 2), "train"),
    "batch, cumulative": (BatchNormLayer(4, momentum=None), (6, 4), "train"),
    "batch, no weights": (BatchNormLayer(4, affine=False), (6, 4), "train"),
    "batch, no tracking": (BatchNormLayer(4, track=False), (6, 4), "test"),
    "batch, test mode": (BatchNormLayer(4), (6, 4), "test"),
    "batch, test mode, rank 4": (BatchNormLayer(4), (3, 4, 2, 5), "test"),
    "layer": (LayerNormLayer(4), (6, 4), None),
    "instance": (InstanceNormLayer(4), (2, 4, 5), None),
    "group": (GroupNormLayer(2, 4), (2, 4, 3), None),
}
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}


def data(shape, dtype):
    """X, S, Ẋ, Ṡ; γ, β, γ̇ and two running statistics: all NumPy."""
    rng = np.random.default_rng(5)
    whole, weights = rng.standard_normal((4, *shape)), rng.random((5, 4)) + 0.5
    return [a.astype(dtype) for a in (*whole, *weights)]


def everything(layer, mode, X, S, Xdot, Sdot, gamma, beta, gammadot, mean, variance):
    """Each thing that a layer computes, by name."""
    weights = (gamma, beta) if layer.affine else ()
    state = {}
    if mode:
        state = {"mode": mode, "running": Running(mean, variance, 3) if layer.track else None}
    forward = layer.forward(X, *weights, **state)
    cache, directions = forward.cache, {"gamma": gammadot} if layer.affine else {}
    found = {"Y": forward.Y, "pushed": push_forward(Xdot, cache, **directions)}
    for name, gradients in {
        "backward": layer.backward(S, cache),
        "staged": staged_pull_back(S, cache),
        "dot": pull_back_dot(S, cache, X=Xdot, dY_dot=Sdot, **directions),
    }.items():
        found |= {f"{name} {part}": value for part, value in gradients._asdict().items()}
    if mode and layer.track:
        found |= {"mean": forward.running.mean, "variance": forward.running.variance}
    found = {name: value for name, value in found.items() if value is not None}
    if cache.gamma is None or cache.arrangement.uniform:
        spectrum = layer_spectrum(cache)
        parts = ("along_one", "along_xhat", "elsewhere")
        found |= {f"spectrum {part}": getattr(spectrum, part) for part in parts}
    return found


def check(found, want, dtype):
    """Values are those of NumPy in float64, as near as the dtype can be."""
    assert found.keys() == want.keys()
    for name, value in found.items():
        scale = max(1.0, np.abs(want[name]).max())
        within = TOLERANCE[dtype]
        assert_allclose(np.asarray(value), want[name], rtol=within, atol=within * scale)


@pytest.fixture
def load(unavailable):
    def load(name):
        try:
            return importlib.import_module(name)
        except ImportError:
            return unavailable(name)

    return load


@pytest.fixture(params=LIBRARIES)
def library(request, load):
    return load(request.param)


@pytest.fixture(params=["float32", "float64"])
def dtype(request, library):
    with ExitStack() as stack:
        if library.__name__ == "jax.numpy" and request.param == "float64":
            stack.enter_context(importlib.import_module("jax").enable_x64(True))
        yield request.param


@pytest.mark.parametrize(("layer", "shape", "mode"), LAYERS.values(), ids=LAYERS)
def test_on_every_library(library, dtype, layer, shape, mode):
    given = [library.asarray(a) for a in data(shape, dtype)]
    found = everything(layer, mode, *given)
    for name, value in found.items():
        assert type(value) is type(given[0]), name
        assert device(value) == device(given[0]), name
        if not name.startswith("spectrum"):  # these are statistics, and wide
            assert value.dtype == given[0].dtype, name
    check(found, everything(layer, mode, *(a.astype(float) for a in data(shape, dtype))), dtype)


@pytest.mark.parametrize(("layer", "shape", "mode"), LAYERS.values(), ids=LAYERS)
class TestOfOneLibrary:
    def test_a_device_without_float64(self, load, layer, shape, mode):
        """Statistics are then kept in float32, and arrays stay on their device."""
        strict = load("array_api_strict")
        narrow = strict.Device("no_float64")
        numbers = data(shape, "float32")
        found = everything(layer, mode, *(strict.asarray(a, device=narrow) for a in numbers))
        assert {value.device for value in found.values()} == {narrow}
        assert {value.dtype for value in found.values()} == {strict.float32}
        host = strict.Device("CPU_DEVICE")
        found = {name: strict.asarray(value, device=host) for name, value in found.items()}
        check(found, everything(layer, mode, *(a.astype(float) for a in numbers)), "float32")

    def test_torch_never_becomes_numpy(self, load, monkeypatch, layer, shape, mode):
        torch = load("torch")

        def refuse(*args, **kwargs):
            raise AssertionError("a tensor was converted to NumPy")

        given = [torch.asarray(a) for a in data(shape, "float64")]
        with monkeypatch.context() as patch:
            for name in ("__array__", "numpy", "tolist"):
                patch.setattr(torch.Tensor, name, refuse)
            with pytest.raises(AssertionError, match="converted"):
                np.asarray(given[0])
            found = everything(layer, mode, *given)
        check(found, everything(layer, mode, *data(shape, "float64")), "float64")

    @pytest.mark.parametrize("wide", [False, True], ids=["float32", "x64"])
    def test_under_jit(self, load, layer, shape, mode, wide):
        """Nothing may look at a value: there is none yet."""
        jax = load("jax")
        dtype = "float64" if wide else "float32"
        with jax.enable_x64(wide):
            given = [jax.numpy.asarray(a) for a in data(shape, dtype)]
            found = jax.jit(lambda *arrays: everything(layer, mode, *arrays))(*given)
            for name, value in found.items():
                assert value.dtype == dtype, name
        check(found, everything(layer, mode, *(a.astype(float) for a in data(shape, dtype))), dtype)

    @pytest.mark.parametrize("chunks", [2, -1], ids=["many chunks", "one chunk"])
    def test_dask_in_chunks(self, load, layer, shape, mode, chunks):
        dask = load("dask.array")
        given = [dask.from_array(a, chunks=chunks) for a in data(shape, "float64")]
        found = everything(layer, mode, *given)
        check(found, everything(layer, mode, *data(shape, "float64")), "float64")


class TestDaskComputesNothingEarly:
    """Graphs are built under a scheduler that raises, on arrays larger than memory."""

    @pytest.fixture
    def big(self, load):
        dask, config = load("dask.array"), load("dask").config

        def refuse(*args, **kwargs):
            raise AssertionError("computed early")

        with config.set(scheduler=refuse):
            with pytest.raises(AssertionError, match="computed early"):
                dask.ones(3).compute()
            yield dask.ones

    @pytest.mark.parametrize(
        ("layer", "shape", "chunks", "mode"),
        [
            (BatchNormLayer(4096), (10**8, 4096), (10**7, 4096), "train"),
            (BatchNormLayer(4096), (10**8, 4096), (10**8, 512), "train"),
            (BatchNormLayer(4096), (10**8, 4096), (10**7, 1024), "train"),
            (BatchNormLayer(4096, eps=0.0), (10**8, 4096), (10**7, 1024), "train"),
            (BatchNormLayer(4096, affine=False), (10**8, 4096), (10**7, 1024), "train"),
            (BatchNormLayer(4096, momentum=None), (10**8, 4096), (10**7, 1024), "train"),
            (BatchNormLayer(4096), (10**8, 4096), (10**7, 4096), "test"),
            (BatchNormLayer(4096), (10**8, 4096), (10**7, 1024), "test"),
            (BatchNormLayer(4096, eps=0.0), (10**8, 4096), (10**7, 1024), "test"),
            (BatchNormLayer(64), (10**6, 64, 64, 64), (10**5, 32, 64, 64), "train"),
            (BatchNormLayer(64), (10**6, 64, 64, 64), (10**5, 32, 64, 64), "test"),
            (LayerNormLayer(4096), (10**8, 4096), (10**7, 1024), None),
            (InstanceNormLayer(64), (10**6, 64, 64, 64), (10**5, 32, 64, 64), None),
            (GroupNormLayer(8, 64), (10**6, 64, 64, 64), (10**5, 64, 64, 64), None),
        ],
    )
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_a_whole_step(self, big, layer, shape, chunks, mode, dtype):
        X = big(shape, chunks=chunks, dtype=dtype)
        weights = [big(shape[1], chunks=chunks[1], dtype=dtype) for _ in range(5)]
        found = everything(layer, mode, X, X, X, X, *weights)
        assert X.nbytes > 1e12
        for name, value in found.items():
            assert type(value) is type(X), name
        assert found["Y"].shape == found["backward X"].shape == shape
        assert found["Y"].dtype == found["backward X"].dtype == dtype


class TestNotFinite:
    """A library that computes at once is told; a lazy one gets NaN where they belong."""

    def bad(self):
        X = np.arange(12.0).reshape(4, 3) ** 2
        X[2, 1] = np.nan
        return X

    @pytest.mark.parametrize("name", ["array_api_strict", "torch"])
    @pytest.mark.parametrize("mode", ["train", "test"])
    def test_eager(self, load, name, mode):
        xp = load(name)
        layer = BatchNormLayer(3, affine=False)
        state = {"mode": mode, "running": Running(xp.zeros(3), xp.ones(3))}
        X = xp.asarray(self.bad())
        with pytest.raises(DataError, match="X has NaN at row 2, column 1"):
            layer.forward(X, **state)
        cache = layer.forward(xp.asarray(np.nan_to_num(self.bad())), **state).cache
        with pytest.raises(DataError, match="dY has NaN at row 2, column 1"):
            layer.backward(X, cache)

    @pytest.mark.parametrize("name", ["jax.numpy", "dask.array"])
    def test_lazy(self, load, name):
        xp = load(name)
        layer = BatchNormLayer(3, affine=False)
        Y, cache, _ = layer.forward(xp.asarray(np.nan_to_num(self.bad())))
        dX = layer.backward(xp.asarray(self.bad()), cache).X
        Y_of_bad = layer.forward(xp.asarray(self.bad())).Y
        for array in (dX, Y_of_bad):
            assert np.isnan(np.asarray(array)).any(axis=0).tolist() == [False, True, False]
        assert np.isfinite(np.asarray(Y)).all()


def test_initial_statistics_are_of_the_library(library, dtype):
    X = library.asarray(np.ones((4, 3), dtype))
    running = BatchNormLayer(3).initial(X)
    for stat in (running.mean, running.variance):
        assert array_namespace(stat) is array_namespace(X)
        assert stat.dtype == X.dtype
