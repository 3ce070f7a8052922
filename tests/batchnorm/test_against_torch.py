"""The layers against torch's own, on NumPy arrays and on torch tensors.

The error of an array a is max|a − b| / max(1, max|b|): a gradient of γ is a sum of thousands of
terms, and the entry of one channel may be small because they cancel. In float64 b is torch's
result and the error at most 1e-12. In float32 b is torch's result in float64 from the same float32
numbers, and ours may be no further from it than torch's float32 result is, or 2e-6.
"""

from importlib.util import find_spec
from math import prod

import numpy as np
import pytest

from matbackprop.batchnorm import (
    BatchNormLayer,
    GroupNormLayer,
    InstanceNormLayer,
    LayerNormLayer,
)
from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.dispatch import passes_for

SMALL = [(7, 3), (4, 3, 5), (3, 2, 4, 5), (2, 3, 2, 3, 4)]
LARGE = [(1500, 64), (40, 16, 128), (8, 16, 24, 24), (4, 8, 8, 16, 17)]  # compiled, in NumPy
DTYPES = ["float32", "float64"]


@pytest.fixture(params=["numpy", "torch"])
def library(request, torch):
    """What turns a NumPy array into one of the library under test."""
    return np.asarray if request.param == "numpy" else torch.tensor


@pytest.fixture(params=DTYPES)
def dtype(request):
    return np.dtype(request.param)


@pytest.fixture
def draw(rng, dtype):
    return lambda *shape: (2 * rng.standard_normal(shape) + 1).astype(dtype)


def error(one, two):
    one, two = np.asarray(one, dtype=np.float64), np.asarray(two, dtype=np.float64)
    assert one.shape == two.shape
    return np.abs(one - two).max() / max(1, np.abs(two).max())


def check(ours, theirs, exact):
    """Compare named results; `exact` comes from torch in float64."""
    assert ours.keys() == theirs.keys() == exact.keys()
    for name, value in ours.items():
        double = np.asarray(value).dtype == np.float64
        bound = 1e-12 if double else max(2e-6, error(theirs[name], exact[name]))
        found = error(value, exact[name])
        assert found <= bound, f"{name}: error {found:.3g}, allowed {bound:.3g}"


def from_torch(torch, function, dtype, X, weights, dY):
    """Results of `function(X, *weights)`, and its gradients, in NumPy."""
    X, *weights = (torch.tensor(a.astype(dtype), requires_grad=True) for a in (X, *weights))
    Y = function(X, *weights)
    gradients = torch.autograd.grad(Y, (X, *weights), torch.tensor(dY.astype(dtype)))
    return named(Y.detach(), *gradients)


def named(Y, *gradients):
    names = ("Y", "dX", "dgamma", "dbeta")
    return {name: np.asarray(a) for name, a in zip(names, (Y, *gradients), strict=False)}


def from_layer(layer, library, X, weights, dY, **options):
    Y, cache, *_ = layer.forward(library(X), *map(library, weights), **options)
    gradients = layer.backward(library(dY), cache)
    assert {type(a) for a in gradients if a is not None} == {type(library(X))}
    assert {a.dtype for a in (Y, *gradients) if a is not None} == {library(X).dtype}
    return named(Y, *(a for a in gradients if a is not None))


@pytest.mark.parametrize("shape", [*SMALL, *LARGE], ids=str)
@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("momentum", [0.1, None], ids=["momentum", "cumulative"])
def test_batch_norm(torch, library, dtype, draw, shape, affine, mode, momentum):
    """Three batches: two in train mode, then one in the mode that is tested."""
    C, dY = shape[1], draw(*shape)
    batches = [draw(*shape) for _ in range(3)]
    weights = [draw(C), draw(C)] if affine else []

    layer = BatchNormLayer(C, momentum=momentum, affine=affine)
    running = None
    for X in batches[:2]:
        *_, running = layer.forward(library(X), *map(library, weights), running=running)
    options = {"mode": mode, "running": running}
    ours = from_layer(layer, library, batches[2], weights, dY, **options)
    *_, running = layer.forward(library(batches[2]), *map(library, weights), **options)
    ours |= {"mean": np.asarray(running.mean), "variance": np.asarray(running.variance)}
    assert running.batches == (3 if mode == "train" else 2)

    def by_torch(dtype):
        mean, variance = torch.zeros(C), torch.ones(C)
        mean, variance = (torch.tensor(a.numpy().astype(dtype)) for a in (mean, variance))

        def batch_norm(X, gamma=None, beta=None):
            nonlocal seen
            seen += 1
            share = momentum if momentum is not None else 1 / seen
            train = mode == "train" or seen < 3
            return torch.nn.functional.batch_norm(
                X, mean, variance, gamma, beta, training=train, momentum=share
            )

        seen = 0
        for X in batches:
            found = from_torch(torch, batch_norm, dtype, X, weights, dY)
        return found | {"mean": mean.numpy(), "variance": variance.numpy()}

    check(ours, by_torch(dtype), by_torch(np.float64))


@pytest.mark.parametrize("shape", LARGE, ids=str)
def test_the_large_shapes_are_compiled(unavailable, dtype, shape):
    if find_spec("numba") is None:
        unavailable("numba is not installed")
    X = np.zeros(shape, dtype)
    module = passes_for(X, batch_arrangement(shape).axes, X)
    assert module.__name__.endswith("compiled_passes")


@pytest.mark.parametrize("shape", [*SMALL, *LARGE], ids=str)
@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_modules_of_torch(torch, library, dtype, draw, shape, affine, mode):
    """The module too, which does its own counting, and not the function alone."""
    C = shape[1]
    kind = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}[len(shape)]
    batches, weights = [draw(*shape) for _ in range(2)], [draw(C), draw(C)] if affine else []
    dY = draw(*shape)

    layer = BatchNormLayer(C, momentum=None, affine=affine)
    *_, running = layer.forward(library(batches[0]), *map(library, weights))
    options = {"mode": mode, "running": running}
    ours = from_layer(layer, library, batches[1], weights, dY, **options)

    def by_torch(dtype):
        module = getattr(torch.nn, kind)(C, momentum=None, affine=affine)
        module = module.to(torch.from_numpy(np.empty(0, dtype)).dtype)
        module(torch.tensor(batches[0].astype(dtype)))

        def function(X, *weights):
            state = dict(zip(("weight", "bias"), weights, strict=False))
            return torch.func.functional_call(module, state, (X,))

        module.train(mode == "train")
        return from_torch(torch, function, dtype, batches[1], weights, dY)

    check(ours, by_torch(dtype), by_torch(np.float64))


@pytest.mark.parametrize("momentum", [0.9, 0.7, None, "customary"])
@pytest.mark.parametrize("shape", [SMALL[0], SMALL[2], LARGE[0], LARGE[2]], ids=str)
def test_running_statistics_of_the_course(torch, library, dtype, draw, shape, momentum):
    """Against the rule written out: momentum keeps the old, variances are biased, zero at first."""
    layer = BatchNormLayer(shape[1], momentum=momentum, convention="course", affine=False)
    axes = tuple(axis for axis in range(len(shape)) if axis != 1)
    running, means, variances = None, [], []
    mean = variance = np.zeros(shape[1])
    keep = 0.9 if momentum == "customary" else momentum
    for _ in range(4):
        X = draw(*shape)
        *_, running = layer.forward(library(X), running=running)
        means.append(X.mean(axis=axes, dtype=np.float64))
        variances.append(np.asarray(X, np.float64).var(axis=axes))
        if keep is None:
            mean, variance = np.mean(means, axis=0), np.mean(variances, axis=0)
        else:
            mean = keep * mean + (1 - keep) * means[-1]
            variance = keep * variance + (1 - keep) * variances[-1]
    bound = 1e-12 if dtype == np.float64 else 2e-6
    assert error(running.mean, mean) <= bound
    assert error(running.variance, variance) <= bound
    assert running.mean.dtype == library(np.zeros(1, dtype)).dtype
    assert running.batches == 4


# Layer, instance and group norm

RELATIVES = {
    f"{name}{shape}": (name, shape, option)
    for name, shape, option in [
        *[("layer", shape, shape[-1:]) for shape in SMALL],
        *[("layer", shape, shape[-2:]) for shape in SMALL[1:]],
        ("layer", (2, 3, 2, 3, 4), (2, 3, 4)),
        ("layer", (400, 256), (256,)),
        *[("instance", shape, None) for shape in SMALL[1:] + LARGE[1:3]],
        *[("group", shape, 2) for shape in [(7, 4), (4, 6, 5), (3, 2, 4, 5), (2, 4, 2, 3, 4)]],
        ("group", (4, 6, 5), 6),
        ("group", (4, 6, 5), 1),
        ("group", (8, 16, 24, 24), 4),
    ]
}
RELATIVES = {f"{k}-{RELATIVES[k][2]}": v for k, v in RELATIVES.items()}


@pytest.mark.parametrize(("name", "shape", "option"), RELATIVES.values(), ids=RELATIVES)
@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
def test_relatives(torch, library, dtype, draw, name, shape, option, affine):
    functional, C = torch.nn.functional, shape[1]
    match name:
        case "layer":
            layer = LayerNormLayer(option, affine=affine)
            weight = option

            def function(X, *weights):
                return functional.layer_norm(X, option, *weights)
        case "instance":
            layer = InstanceNormLayer(C, affine=affine)
            weight = (C,)

            def function(X, gamma=None, beta=None):
                return functional.instance_norm(X, weight=gamma, bias=beta)
        case "group":
            layer = GroupNormLayer(option, C, affine=affine)
            weight = (C,)

            def function(X, *weights):
                return functional.group_norm(X, option, *weights)

    X, dY = draw(*shape), draw(*shape)
    weights = [draw(prod(weight)).reshape(weight) for _ in range(2)] if affine else []
    ours = from_layer(layer, library, X, weights, dY)
    theirs = from_torch(torch, function, dtype, X, weights, dY)
    check(ours, theirs, from_torch(torch, function, np.float64, X, weights, dY))


def test_the_comparison_rejects_a_wrong_digit(rng):
    exact = {"Y": rng.standard_normal(9)}
    off = exact["Y"] + np.where(np.arange(9) == 4, 1e-11, 0)
    with pytest.raises(AssertionError, match=r"Y: error .*e-12, allowed 1e-12"):
        check({"Y": off}, exact, exact)
    single = {"Y": exact["Y"].astype(np.float32)}
    check(single, single, exact)
    with pytest.raises(AssertionError, match=r"allowed 2e-06"):
        check({"Y": single["Y"] + np.float32(3e-5)}, single, exact)
