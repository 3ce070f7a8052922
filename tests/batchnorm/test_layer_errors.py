"""Batch norm as a layer: every bad option, array and state has its message."""

import re

import numpy as np
import pandas as pd
import pytest

from matbackprop.batchnorm import BatchNormLayer, InstanceNormLayer, LayerNormLayer, Running
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError

OPTIONS = {
    "features": ({"features": 0}, "needs an integer features >= 1; got 0"),
    "features, a flag": ({"features": True}, "needs an integer features >= 1; got True"),
    "eps": ({"eps": -1.0}, "needs a finite eps >= 0; got -1.0"),
    "eps, NaN": ({"eps": float("nan")}, "needs a finite eps >= 0; got nan"),
    "momentum too large": ({"momentum": 1.1}, r"momentum in \[0, 1\], None .* got 1.1"),
    "momentum NaN": ({"momentum": float("nan")}, 'or "customary"; got nan'),
    "momentum, a name": ({"momentum": "fast"}, "or \"customary\"; got 'fast'"),
    "momentum, a flag": ({"momentum": True}, 'or "customary"; got True'),
    "convention": ({"convention": "keras"}, 'convention = "torch", "course"; got \'keras\''),
    "affine": ({"affine": 1}, "knows affine = True, False; got .*affine=1"),
    "track": ({"track": "no"}, "knows track = True, False; got .*track='no'"),
}


@pytest.mark.parametrize(("options", "text"), OPTIONS.values(), ids=OPTIONS)
def test_bad_options(options, text):
    with pytest.raises(OptionError, match=text):
        BatchNormLayer(**{"features": 3} | options)


def bad(value, *index, shape=(4, 3)):
    X = np.arange(float(np.prod(shape))).reshape(shape) ** 2
    X[index] = value
    return X


GOOD, ONE = bad(0.0, 0, 0), np.ones(3)
FINITE = Running(np.zeros(3), ONE)
FORWARD = {
    "one axis": ({"X": ONE}, ShapeError, r"needs X of shape \(N, 3\) or \(N, 3, …\).*got \(3,\)"),
    "too many channels": ({"X": np.ones((4, 5))}, ShapeError, r"X of shape .* got \(4, 5\)"),
    "gamma": ({"gamma": np.ones(4)}, ShapeError, r"gamma of shape \(3,\), for data .* got \(4,\)"),
    "beta": ({"beta": np.ones((3, 1))}, ShapeError, r"needs beta of shape \(3,\).* got \(3, 1\)"),
    "NaN": ({"X": bad(np.nan, 2, 1)}, DataError, "X has NaN at row 2, column 1"),
    "infinite": ({"X": bad(-np.inf, 3, 0)}, DataError, "X has an infinite value at row 3, colu"),
    "NaN in an image": (
        {"X": bad(np.nan, 1, 0, 2, shape=(4, 3, 5))},
        DataError,
        r"X has NaN at index \(1, 0, 2\)",
    ),
    "gamma not finite": ({"gamma": bad(np.nan, 2, shape=(3,))}, DataError, "gamma has NaN at ent"),
    "too large": ({"X": GOOD * 1e300}, DataError, "overflowed: X is finite, but .* larger units"),
    "empty": ({"X": np.ones((0, 3))}, DataError, r"at least one entry; X has shape \(0, 3\)"),
    "empty images": ({"X": np.ones((2, 3, 0))}, DataError, r"one entry; X has shape \(2, 3, 0\)"),
    "one row": (
        {"X": np.ones((1, 3))},
        DataError,
        r"two or more entries .* X of shape \(1, 3\) has one.*Pass a larger batch, or .* running",
    ),
    "mode": ({"mode": "predict"}, OptionError, '"train", "test", "eval"; got \'predict\''),
    "no mode": ({"mode": None}, OptionError, '"train", "test", "eval"; got None'),
    "complex": ({"X": GOOD * 1j}, DtypeError, "real numbers in X; got dtype complex128.* real p"),
    "objects": ({"X": GOOD.astype(object)}, DtypeError, "real numbers in X; got dtype object"),
    "text": ({"X": GOOD.astype(str)}, DtypeError, "real numbers in X; got dtype <U.*Encode text"),
    "ragged": ({"X": [[1, 2, 3], [4]]}, DtypeError, "ragged lists: make rows equally long"),
    "complex gamma": ({"gamma": ONE * 1j}, DtypeError, "real numbers in gamma; got dtype complex"),
    "gamma alone": ({"beta": None}, OptionError, "affine=True needs both gamma and beta. Or make"),
    "running, mean": (
        {"running": Running(np.zeros(4), ONE)},
        ShapeError,
        r"needs running.mean of shape \(3,\).* got \(4,\)",
    ),
    "running, variance": (
        {"running": Running(ONE, np.ones(4))},
        ShapeError,
        r"needs running.variance of shape \(3,\).* got \(4,\)",
    ),
    "running, negative": (
        {"running": Running(ONE, np.array([1.0, 2.0, -3.0]))},
        DataError,
        "needs variances >= 0;.* channel 2 .* -3",
    ),
    "running not finite": (
        {"running": Running(bad(np.nan, 0, shape=(3,)), ONE)},
        DataError,
        "running.mean has NaN at entry 0",
    ),
    "running, no record": ({"running": (ONE, ONE)}, DtypeError, "be a `Running`; got tuple"),
}


def forward(**arguments):
    given = {"X": GOOD, "gamma": ONE, "beta": ONE, "running": FINITE} | arguments
    X, gamma, beta = (given.pop(name) for name in ("X", "gamma", "beta"))
    return BatchNormLayer(3).forward(X, gamma, beta, **given)


class TestErrors:
    @pytest.mark.parametrize(("arguments", "error", "text"), FORWARD.values(), ids=FORWARD)
    def test_forward(self, arguments, error, text):
        with pytest.raises(error, match=text) as caught:
            forward(**arguments)
        call = "`BatchNormLayer.forward(X, gamma, beta, mode=, running=)`"
        assert str(caught.value).startswith(call)

    @pytest.mark.parametrize(
        ("X", "text"),
        [
            (bad(np.nan, 2, 1), "X has NaN at row 2, column 1"),
            (bad(np.inf, 2, 1), "X has an infinite value at row 2, column 1"),
            (np.array([[np.inf, 0, 0], [-np.inf, 0, 0]]), "X has an infinite value at row 0"),
        ],
    )
    def test_in_test_mode_the_data_are_looked_at_too(self, X, text):
        with pytest.raises(DataError, match=text):
            forward(X=X, mode="test")

    def test_test_mode_without_statistics(self):
        with pytest.raises(OptionError, match=r'mode="test" needs running .* track=False'):
            forward(mode="test", running=None)

    def test_statistics_that_nobody_tracks(self):
        with pytest.raises(OptionError, match="track=False keeps no running statistics; leave"):
            BatchNormLayer(3, track=False).forward(GOOD, ONE, ONE, running=FINITE)

    def test_weights_that_nobody_uses(self):
        with pytest.raises(OptionError, match="affine=False needs neither gamma nor beta"):
            BatchNormLayer(3, affine=False).forward(GOOD, ONE, ONE)

    @pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e8])
    def test_a_constant_channel_without_eps_is_named(self, value):
        X = GOOD.copy()
        X[:, 1] = value
        text = rf"eps=0 .* set 1 .* all {re.escape(f'{value:g}')}\. Use an eps > 0"
        with pytest.raises(DataError, match=text):
            BatchNormLayer(3, eps=0.0).forward(X, ONE, ONE)

    def test_a_channel_constant_to_rounding_is_constant(self):
        X = GOOD.copy()
        X[:, 1] = 0.1 * 3 + np.array([0, 1, 0, 1]) * 2.0**-54
        assert np.ptp(X[:, 1]) > 0
        with pytest.raises(DataError, match=r"eps=0 .* set 1 .* all 0\.3\. Use an eps > 0"):
            BatchNormLayer(3, eps=0.0).forward(X, ONE, ONE)

    def test_a_running_variance_of_zero_without_eps_is_named(self):
        running = Running(ONE, np.array([1.0, 0.0, 1.0]))
        with pytest.raises(DataError, match=r"eps=0 .* channel 1 .*Use an eps > 0"):
            BatchNormLayer(3, eps=0.0).forward(GOOD, ONE, ONE, mode="test", running=running)

    @pytest.mark.parametrize("mode", ["train", "test"])
    @pytest.mark.parametrize(
        ("dY", "error", "text"),
        [
            (
                np.ones((5, 3)),
                ShapeError,
                r"output, \(4, 3\); got \(5, 3\).*another forward",
            ),
            (np.ones((4, 3, 1)), ShapeError, r"of the output, \(4, 3\); got \(4, 3, 1\)"),
            (bad(np.nan, 2, 1), DataError, "dY has NaN at row 2, column 1"),
            (bad(np.inf, 2, 1), DataError, "dY has an infinite value at row 2, column 1"),
            (GOOD * 1j, DtypeError, "real numbers in dY; got dtype complex128"),
            (np.ones((0, 3)), DataError, r"at least one entry; dY has shape \(0, 3\)"),
        ],
    )
    @pytest.mark.parametrize("affine", [True, False])
    def test_backward(self, mode, affine, dY, error, text):
        layer = BatchNormLayer(3, affine=affine)
        weights = (ONE, ONE) if affine else ()
        cache = layer.forward(GOOD, *weights, mode=mode, running=FINITE).cache
        with pytest.raises(error, match=text) as caught:
            layer.backward(dY, cache)
        assert str(caught.value).startswith("`BatchNormLayer.backward(dY, cache)`")

    def test_no_cache(self):
        with pytest.raises(DtypeError, match="needs the cache that `forward` returned; got Forw"):
            BatchNormLayer(3).backward(GOOD, forward())

    def test_mixed_libraries(self, unavailable):
        try:
            import torch
        except ImportError:
            unavailable("torch")
        ones = torch.ones(3)
        text = "needs arrays of one library, .*; got X of numpy, {} of torch on cpu. Convert them"
        for arguments, name in [
            ({"gamma": ones}, "gamma"),
            ({"beta": ones}, "beta"),
            ({"running": Running(ones, ones)}, "running.mean"),
        ]:
            with pytest.raises(DtypeError, match=text.format(name)):
                forward(**arguments)
        with pytest.raises(
            DtypeError, match=r"of one library, .* got the data of numpy, dY of torch"
        ):
            BatchNormLayer(3).backward(torch.ones((4, 3)), forward().cache)
        with pytest.raises(DtypeError, match=r"floating-point numbers in X; got torch.int64"):
            forward(X=torch.ones((4, 3), dtype=torch.int64))


def test_running_statistics_never_become_infinite():
    X = (1e30 * GOOD).astype(np.float32)
    with pytest.raises(DataError, match=r"overflowed.*Measure it in larger units"):
        BatchNormLayer(3, affine=False).forward(X)


def test_what_is_too_small_to_square_is_not_called_equal():
    with pytest.raises(DataError, match=r"set 0 .* vary by only .*, too little to square\. Use"):
        BatchNormLayer(3, eps=0.0, affine=False).forward(1e-200 * GOOD)


def test_a_column_of_a_data_frame_is_named():
    frame = pd.DataFrame(GOOD, columns=["age", "height", "weight"])
    frame.loc[1, "height"] = np.nan
    with pytest.raises(DataError, match=r"X has NaN at row 1, column 1 \('height'\)"):
        BatchNormLayer(3, affine=False).forward(frame)


def test_the_cache_of_another_layer():
    batch, layer = BatchNormLayer(3, affine=False), LayerNormLayer(3, affine=False)
    for one, other in [(batch, layer), (layer, batch), (BatchNormLayer(3), batch)]:
        with pytest.raises(
            DtypeError, match="needs the cache of its own forward pass; got that of"
        ):
            one.backward(GOOD, other.forward(GOOD).cache)


def test_all_that_is_not_finite_is_counted():
    X = GOOD.copy()
    X[2:, 1] = np.inf
    with pytest.raises(DataError, match=rf"at row 2, column 1 .*, {len(X) - 2} such in all"):
        BatchNormLayer(3, affine=False).forward(X)


@pytest.mark.parametrize("batches", [-1, "a", 1.0])
def test_batches_are_counted(batches):
    with pytest.raises(OptionError, match="needs an integer batches >= 0; got"):
        Running(ONE, ONE, batches)


@pytest.mark.parametrize("other", [BatchNormLayer(3), LayerNormLayer(3), InstanceNormLayer(3)])
def test_the_cache_of_a_single_row_is_another_layers(other):
    cache = LayerNormLayer(4, affine=False).forward(np.arange(4.0)).cache
    with pytest.raises(DtypeError, match="needs the cache of its own forward pass; got that of"):
        other.backward(np.ones(4), cache)
