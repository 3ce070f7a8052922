"""Where the course crashes or goes on in silence, its functions here say what is wrong."""

from types import MappingProxyType

import numpy as np
import pytest

from matbackprop.batchnorm.course import (
    batchnorm_backward,
    batchnorm_backward_alt,
    batchnorm_forward,
    layernorm_backward,
    layernorm_forward,
    spatial_batchnorm_forward,
    spatial_groupnorm_backward,
    spatial_groupnorm_forward,
)
from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError


def randn(*shape):
    return np.random.default_rng(231).standard_normal(shape)


RUNNING = {"running_mean": np.zeros(3), "running_var": np.ones(3)}
BAD_PARAM = {
    "no mode": ({}, OptionError, r'needs bn_param\["mode"\], "train" or "test"; it is missing'),
    "unknown mode": (
        {"mode": "eval"},
        OptionError,
        r'knows bn_param\["mode"\] = "train", "test"; got \'eval\'',
    ),
    "unknown key": (
        {"mode": "train", "momentun": 0.5},
        OptionError,
        r'knows keys of bn_param = "mode", "eps", .*got \'momentun\'',
    ),
    "no dictionary": (None, DtypeError, "bn_param to be a dictionary of options; got NoneType"),
    "a dictionary that cannot be updated": (
        MappingProxyType({"mode": "train"}),
        DtypeError,
        "bn_param to be a dictionary of options; got mappingproxy",
    ),
    "test before training": (
        {"mode": "test"},
        OptionError,
        "needs running statistics; bn_param lacks running_mean and running_var. Pass a batch in "
        'mode "train" first',
    ),
    "half of the statistics": (
        {"mode": "test", "running_mean": np.zeros(3)},
        OptionError,
        "bn_param lacks running_var",
    ),
    "statistics of another layer": (
        {"mode": "train", "running_mean": np.zeros(4)},
        ShapeError,
        r'needs bn_param\["running_mean"\] of shape \(3,\).*got \(4,\)',
    ),
    "negative variance": (
        {"mode": "test", "running_mean": np.zeros(3), "running_var": np.array([1.0, -2.0, 1.0])},
        DataError,
        "needs variances >= 0;.* channel 1 .* -2",
    ),
    "statistics not finite": (
        RUNNING | {"mode": "train", "running_var": np.array([1.0, np.nan, 1.0])},
        DataError,
        r'bn_param\["running_var"\] has NaN at entry 1',
    ),
    "momentum out of range": (
        {"mode": "train", "momentum": 1.5},
        OptionError,
        r'"momentum"\] in \[0, 1\]; got 1.5',
    ),
    "cumulative average": (
        {"mode": "train", "momentum": None},
        OptionError,
        r'needs bn_param\["momentum"\] in \[0, 1\]; got None',
    ),
    "eps": ({"mode": "train", "eps": -1.0}, OptionError, "needs a finite eps >= 0; got -1"),
}
BAD_DATA = {
    "one row": (np.ones((1, 3)), DataError, "needs two or more entries to normalise together"),
    "no row": (np.ones((0, 3)), DataError, r"needs at least one entry; x has shape \(0, 3\)"),
    "four axes": (np.ones((2, 3, 1, 1)), ShapeError, r"needs x of shape \(N, D\); got \(2, 3, 1"),
    "wide": (np.ones((2, 4)), ShapeError, r"needs .* of shape \(4,\)"),
    "NaN": (np.array([[1, 2, 3], [4, np.nan, 6]]), DataError, "x has NaN at row 1, column 1"),
    "complex": (np.ones((2, 3)) * 1j, DtypeError, "needs real numbers in x; got dtype complex128"),
}


class TestErrors:
    @pytest.mark.parametrize(("bn_param", "error", "text"), BAD_PARAM.values(), ids=BAD_PARAM)
    def test_bad_bn_param(self, bn_param, error, text):
        kept = None if bn_param is None else dict(bn_param)
        with pytest.raises(error, match=text) as caught:
            batchnorm_forward(randn(4, 3), np.ones(3), np.zeros(3), bn_param)
        assert str(caught.value).startswith("`batchnorm_forward(x, gamma, beta, bn_param)`")
        assert bn_param is None or dict(bn_param).keys() == kept.keys()
        assert bn_param is None or all(bn_param[key] is kept[key] for key in kept)

    @pytest.mark.parametrize(("x", "error", "text"), BAD_DATA.values(), ids=BAD_DATA)
    @pytest.mark.parametrize("running", [{}, RUNNING], ids=["first batch", "later batch"])
    def test_bad_data_leave_bn_param_as_it_was(self, x, error, text, running):
        bn_param = {"mode": "train"} | running
        kept = dict(bn_param)
        with pytest.raises(error, match=text) as caught:
            batchnorm_forward(x, np.ones(3), np.zeros(3), bn_param)
        assert str(caught.value).startswith("`batchnorm_forward(x, gamma, beta, bn_param)`")
        assert bn_param.keys() == kept.keys()
        assert all(bn_param[key] is kept[key] for key in kept)

    def test_a_constant_column_without_eps(self):
        x = np.column_stack([np.arange(4.0), np.full(4, 7.0)])
        bn_param = {"mode": "train", "eps": 0.0}
        with pytest.raises(DataError, match=r"of set 1 .* are all 7\. Use an eps > 0"):
            batchnorm_forward(x, np.ones(2), np.zeros(2), bn_param)
        assert bn_param.keys() == {"mode", "eps"}

    @pytest.mark.parametrize(
        ("call", "text"),
        [
            (lambda x, g: layernorm_forward(x, g, g, {}), r"layernorm_forward.*shape \(N, D\)"),
            (
                lambda x, g: spatial_batchnorm_forward(x[0], g, g, {"mode": "train"}),
                r"spatial_batchnorm_forward.*shape \(N, C, H, W\); got \(3, 2, 2\)",
            ),
            (
                lambda x, g: spatial_groupnorm_forward(x, g, g[None], 1, {}),
                r"gamma and beta of one shape; got gamma \(3,\), beta \(1, 3\)",
            ),
            (
                lambda x, g: spatial_groupnorm_forward(x, g[:2], g[:2], 1, {}),
                r"spatial_groupnorm_forward.*needs gamma of shape \(3,\)",
            ),
        ],
    )
    def test_shapes(self, call, text):
        with pytest.raises(ShapeError, match=text):
            call(randn(4, 3, 2, 2), np.ones(3))

    def test_groups(self):
        text = r"^`spatial_groupnorm_forward\(.*needs groups that divide the features; got 2"
        with pytest.raises(OptionError, match=text):
            spatial_groupnorm_forward(randn(2, 3, 2, 2), np.ones(3), np.ones(3), 2, {})

    @pytest.mark.parametrize(
        ("backward", "forward"),
        [
            (batchnorm_backward, lambda x, *w: batchnorm_forward(x, *w, {"mode": "train"})),
            (batchnorm_backward_alt, lambda x, *w: batchnorm_forward(x, *w, {"mode": "train"})),
            (layernorm_backward, lambda x, *w: layernorm_forward(x, *w, {})),
        ],
    )
    def test_backward(self, backward, forward):
        _, cache = forward(randn(4, 3), np.ones(3), np.ones(3))
        name = rf"^`{backward.__name__}\(dout, cache\)`"
        with pytest.raises(
            ShapeError, match=rf"{name}.*shape of the output, \(4, 3\); got \(5, 3\)"
        ):
            backward(randn(5, 3), cache)
        with pytest.raises(DtypeError, match=rf"{name} needs the cache .*; got tuple"):
            backward(randn(4, 3), (1, 2))
        with pytest.raises(DtypeError, match=rf"{name} needs real numbers in dout"):
            backward(randn(4, 3) * 1j, cache)
        dout = randn(4, 3)
        dout[2, 1] = np.inf
        with pytest.raises(DataError, match=rf"{name}.*dout has an infinite value at row 2, colu"):
            backward(dout, cache)


def test_the_cache_of_another_function():
    x, one = randn(4, 3), np.ones(3)
    batch, layer = (
        batchnorm_forward(x, one, one, {"mode": "train"})[1],
        layernorm_forward(x, one, one, {})[1],
    )
    for backward, cache in [
        (batchnorm_backward, layer),
        (batchnorm_backward_alt, layer),
        (layernorm_backward, batch),
        (spatial_groupnorm_backward, batch),
    ]:
        with pytest.raises(
            DtypeError, match="needs the cache of its own forward pass; got that of"
        ):
            backward(x, cache)


def test_weights_are_needed():
    with pytest.raises(OptionError, match="needs both gamma and beta"):
        batchnorm_forward(randn(4, 3), None, np.ones(3), {"mode": "train"})


def test_a_star_import_brings_the_nine_functions_and_no_more():
    space = {}
    exec("from matbackprop.batchnorm.course import *", space)
    assert len({name for name in space if not name.startswith("__")}) == 9
