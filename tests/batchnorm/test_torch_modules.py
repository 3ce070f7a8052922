"""Modules that stand in for torch's own: state, modes, training, errors."""

import copy
import inspect
import pickle
from itertools import product

import numpy as np
import pytest

from matbackprop.errors import DataError, DtypeError, OptionError, ShapeError

SHAPES = {2: (5, 3), 3: (4, 3, 2), 4: (2, 3, 2, 2), 5: (2, 2, 1, 2, 2)}


def modules(torch, mb, rank):
    name = {2: "BatchNorm1d", 3: "BatchNorm1d", 4: "BatchNorm2d", 5: "BatchNorm3d"}[rank]
    return getattr(mb, name), getattr(torch.nn, name)


@pytest.mark.parametrize("rank", SHAPES)
class TestStandsIn:
    def test_constructor_and_kind(self, torch, mb, rank):
        ours, theirs = modules(torch, mb, rank)
        assert inspect.signature(ours) == inspect.signature(theirs)
        assert issubclass(ours, theirs)
        assert repr(ours(3, eps=0.1)) == repr(theirs(3, eps=0.1))

    @pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
    @pytest.mark.parametrize("track", [True, False], ids=["tracking", "not"])
    def test_state_fits_both_ways(self, torch, mb, draw, rank, affine, track):
        ours, theirs = modules(torch, mb, rank)
        options = {"affine": affine, "track_running_stats": track, "dtype": torch.float64}
        X = draw(*SHAPES[rank])
        for give, take in [(ours, theirs), (theirs, ours)]:
            C = X.shape[1]
            giver, taker = give(C, **options), take(C, **options)
            giver(X)
            state = giver.state_dict()
            assert set(state) == set(taker.state_dict())
            taker.load_state_dict(state, strict=True)
            for key, value in taker.state_dict().items():
                assert value.dtype == state[key].dtype
                assert bool((value == state[key]).all())

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
    def test_copies_and_pickles(self, torch, mb, draw, rank, copied):
        ours, _ = modules(torch, mb, rank)
        X = draw(*SHAPES[rank])
        layer = ours(X.shape[1], dtype=torch.float64)
        layer(X)
        again = copied(layer)
        assert torch.equal(again(X), layer(X))
        assert torch.equal(again.running_mean, layer.running_mean)
        assert again.running_mean is not layer.running_mean


OPTIONS = {
    "default": {},
    "cumulative": {"momentum": None},
    "all new": {"momentum": 1.0},
    "frozen": {"momentum": 0.0},
    "large eps": {"eps": 0.5},
    "plain": {"affine": False},
    "not tracking": {"track_running_stats": False},
    "nothing": {"affine": False, "track_running_stats": False},
}
CHANGES = {
    "no change": {},
    "stop tracking": {"track_running_stats": False},
    "no buffers": {"running_mean": None, "running_var": None},
    "no count": {"num_batches_tracked": None},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("rank", SHAPES)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_modes_are_those_of_torch(torch, mb, draw, options, rank, change):
    """Two batches in train mode, a change, one more; two in eval mode; then train again."""
    shape = SHAPES[rank]
    ours, theirs = (m(shape[1], **options, dtype=torch.float64) for m in modules(torch, mb, rank))
    if ours.affine:
        with torch.no_grad():
            for weight in (theirs.weight, theirs.bias):
                weight.copy_(draw(shape[1]))
    ours.load_state_dict(theirs.state_dict())
    for place, mode in enumerate([True, True, True, False, False, True]):
        if place == 2:
            for layer, (name, value) in product((ours, theirs), change.items()):
                setattr(layer, name, value)
        ours.train(mode), theirs.train(mode)
        X, dY = draw(*shape), draw(*shape, grad=False)
        found = []
        for layer in (ours, theirs):
            Y = layer(X)
            found.append((Y, *torch.autograd.grad(Y, (X, *layer.parameters()), dY)))
        for one, two in zip(*found, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)
        assert ours.state_dict().keys() == theirs.state_dict().keys()
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[key], value, rtol=1e-14, atol=1e-14)


def test_a_module_without_bias(torch, mb, draw):
    ours, theirs = mb.BatchNorm1d(3, bias=False), torch.nn.BatchNorm1d(3, bias=False)
    X = draw(5, 3, dtype=torch.float32)
    torch.testing.assert_close(ours(X), theirs(X))


def test_training_takes_the_same_path(torch, mb, rng):
    """Twenty steps of gradient descent, with torch's modules and with ours in their places."""

    def network(norm1, norm2):
        torch.manual_seed(20180220)
        nn = torch.nn
        return nn.Sequential(
            *(nn.Conv2d(2, 4, 3), norm2(4), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(36, 6), norm1(6), nn.Tanh(), nn.Linear(6, 1)),
        ).double()

    batches = [
        (torch.tensor(rng.standard_normal((8, 2, 5, 5))), torch.tensor(rng.standard_normal((8, 1))))
        for _ in range(20)
    ]
    theirs = network(torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)
    ours = network(mb.BatchNorm1d, mb.BatchNorm2d)
    start = [p.detach().clone() for p in ours.parameters()]
    for net in (theirs, ours):
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        for X, y in batches:
            optimizer.zero_grad()
            ((net(X) - y) ** 2).mean().backward()
            optimizer.step()
    for key, value in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, rtol=0, atol=1e-10)
    moved = [
        float((p.detach() - q).abs().max()) for p, q in zip(ours.parameters(), start, strict=True)
    ]
    assert max(moved) > 0.1
    X, _ = batches[0]
    torch.testing.assert_close(ours.eval()(X), theirs.eval()(X), rtol=0, atol=1e-10)


def test_buffers_change_in_train_mode_only_and_in_place(torch, mb, draw):
    layer, X = mb.BatchNorm1d(3, dtype=torch.float64), draw(5, 3)
    before = layer.running_mean
    layer(X)
    assert layer.running_mean is before
    kept = copy.deepcopy(layer.state_dict())
    layer.eval()(X)
    assert all(torch.equal(kept[key], value) for key, value in layer.state_dict().items())
    with torch.no_grad():
        layer.train()(X)
    assert int(layer.num_batches_tracked) == 2
    assert not layer.running_mean.requires_grad


def test_without_grad_there_is_no_graph(torch, mb, draw):
    X = draw(5, 3)
    layer = mb.BatchNorm1d(3, dtype=torch.float64)
    for context in (torch.no_grad, torch.inference_mode):
        with context():
            assert not layer(X).requires_grad
    plain = mb.BatchNorm1d(3, affine=False)
    assert not plain(torch.ones(5, 3)).requires_grad


def test_a_module_moves(torch, mb, draw):
    layer = mb.BatchNorm1d(3).to(torch.float64)
    assert layer(draw(5, 3)).dtype == layer.running_var.dtype == torch.float64
    on_paper = mb.BatchNorm1d(3, device="meta")(torch.empty(5, 3, device="meta"))
    assert (on_paper.device.type, on_paper.shape) == ("meta", (5, 3))


def test_nan_goes_through_as_in_torch(torch, mb):
    X = torch.tensor([[1.0, 1.0], [2.0, float("nan")], [3.0, 3.0]])
    ours, theirs = mb.BatchNorm1d(2), torch.nn.BatchNorm1d(2)
    torch.testing.assert_close(ours(X), theirs(X), equal_nan=True)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean, equal_nan=True)


MODULE_ERRORS = {
    "dimensions of 1d": ("BatchNorm1d", (2, 3, 4, 4), ShapeError, "2 or 3 dimensions.*got 4"),
    "dimensions of 2d": ("BatchNorm2d", (2, 3, 4), ShapeError, r"4 dimensions.*\(2, 3, 4\)"),
    "dimensions of 3d": ("BatchNorm3d", (2, 3, 4, 4), ShapeError, "5 dimensions"),
    "channels": ("BatchNorm1d", (5, 4), ShapeError, r"num_features=3.*\(N, 3\).*got \(5, 4\)"),
    "one entry": ("BatchNorm1d", (1, 3), DataError, r"two or more entries.*\(1, 3\).*`eval\(\)`"),
    "one pixel": ("BatchNorm2d", (1, 3, 1, 1), DataError, "two or more entries a channel"),
    "empty": ("BatchNorm1d", (0, 3), DataError, r"at least one entry.*\(0, 3\)"),
}


@pytest.mark.parametrize(
    ("name", "shape", "kind", "message"), MODULE_ERRORS.values(), ids=MODULE_ERRORS
)
def test_errors_of_modules(torch, mb, name, shape, kind, message):
    layer = getattr(mb, name)(3)
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises(kind, match=message) as caught:
        layer(torch.ones(shape))
    assert isinstance(caught.value, ValueError)  # as torch's own
    assert name in str(caught.value)
    assert all(torch.equal(before[key], value) for key, value in layer.state_dict().items())


def test_one_entry_is_an_error_only_where_batch_statistics_are_used(torch, mb):
    X = torch.ones(1, 3)
    assert mb.BatchNorm1d(3).eval()(X).shape == (1, 3)
    with pytest.raises(DataError, match="two or more entries a channel"):
        mb.BatchNorm1d(3, track_running_stats=False).eval()(X)


def test_errors_of_the_function(torch, mb):
    X, one = torch.ones(4, 3), torch.ones(3)
    with pytest.raises(DtypeError, match=r"needs a torch tensor X; got ndarray.*BatchNormLayer"):
        mb.batch_norm(np.ones((4, 3)))
    with pytest.raises(DtypeError, match=r"real floating-point numbers in X; got torch.int64"):
        mb.batch_norm(torch.ones((4, 3), dtype=torch.int64))
    with pytest.raises(DtypeError, match=r"got torch.complex64"):
        mb.batch_norm(torch.ones((4, 3), dtype=torch.complex64))
    with pytest.raises(ShapeError, match=r"\(N, C\) or \(N, C, …\); got \(3,\)"):
        mb.batch_norm(one)
    for name in ("gamma", "beta"):
        place = {"gamma": (torch.ones(4), one), "beta": (one, torch.ones(4))}[name]
        with pytest.raises(ShapeError, match=rf"{name} of shape \(3,\).*\(4, 3\); got \(4,\)"):
            mb.batch_norm(X, *place)
    with pytest.raises(ShapeError, match=r"variance of shape \(3,\).*got \(1, 3\)"):
        mb.batch_norm(X, mean=one, variance=one[None])
    with pytest.raises(OptionError, match=r"both mean and variance.*got only mean"):
        mb.batch_norm(X, mean=one)
    with pytest.raises(OptionError, match=r"both mean and variance.*got only variance"):
        mb.batch_norm(X, variance=one)
    with pytest.raises(OptionError, match="needs a finite eps >= 0; got -1"):
        mb.batch_norm(X, eps=-1)
