"""The closed forms in autograd's hands: derivatives of every order and kind."""

import subprocess
import sys

import pytest

SHAPES = {2: (5, 3), 3: (4, 3, 2), 4: (2, 3, 2, 2), 5: (2, 2, 1, 2, 2)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=str)
@pytest.mark.parametrize("affine", [True, False], ids=["affine", "plain"])
@pytest.mark.parametrize("mode", ["train", "eval"])
class TestDerivatives:
    def function(self, mb, draw, shape, affine, mode):
        C, moments = shape[1], {}
        if mode == "eval":
            moments = {"mean": draw(C, grad=False), "variance": draw(C, grad=False, least=0.5)}
        weights = (draw(C), draw(C)) if affine else ()
        return lambda *args: mb.batch_norm(*args, **moments), (draw(*shape), *weights)

    def test_gradcheck(self, torch, mb, draw, shape, affine, mode):
        assert torch.autograd.gradcheck(*self.function(mb, draw, shape, affine, mode))

    def test_gradgradcheck(self, torch, mb, draw, shape, affine, mode):
        assert torch.autograd.gradgradcheck(*self.function(mb, draw, shape, affine, mode))


@pytest.mark.parametrize("wanted", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 1, 1)], ids=str)
def test_only_the_gradients_asked_for(torch, mb, draw, wanted):
    args = [draw(5, 3), draw(3), draw(3)]
    for tensor, needed in zip(args, wanted, strict=True):
        tensor.requires_grad_(bool(needed))
    assert torch.autograd.gradcheck(mb.batch_norm, args)
    if wanted != (0, 0, 1):  # linear in β: its gradient is a constant
        assert torch.autograd.gradgradcheck(mb.batch_norm, args)
    node = mb.batch_norm(*args).grad_fn
    given = node.apply(torch.ones(5, 3, dtype=torch.float64))
    assert [g is not None for g in given[:3]] == [bool(needed) for needed in wanted]


@pytest.mark.parametrize("missing", ["gamma", "beta"])
def test_one_weight_alone(torch, mb, draw, missing):
    X, weight = draw(5, 3), draw(3)
    args = (None, weight) if missing == "gamma" else (weight, None)
    theirs = torch.nn.functional.batch_norm(X, None, None, *args, training=True)
    torch.testing.assert_close(mb.batch_norm(X, *args), theirs, rtol=1e-13, atol=1e-13)
    named = {"gamma": lambda X, w: mb.batch_norm(X, None, w), "beta": mb.batch_norm}[missing]
    assert torch.autograd.gradcheck(named, (X, weight))


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_third_and_fourth_derivatives(torch, mb, draw, mode):
    """Against the formula itself under autograd; torch's own batch norm errs from the third on."""
    X, gamma = draw(5, 2), draw(2)
    weights = [draw(5, 2, grad=False) for _ in range(4)]
    mean, variance = draw(2, grad=False), draw(2, grad=False, least=0.5)
    kept = {} if mode == "train" else {"mean": mean, "variance": variance}

    def formula(X, gamma):
        mu, var = (mean, variance) if kept else (X.mean(0), X.var(0, correction=0))
        return gamma * (X - mu) / torch.sqrt(var + 1e-5)

    def derivatives(function):
        of, found = (function(X, gamma), torch.zeros(2)), []
        for weight in weights:
            scalar = torch.sin(of[0] * weight).sum() + (of[1] ** 2).sum()
            of = torch.autograd.grad(scalar, (X, gamma), create_graph=True)
            found.extend(part.detach() for part in of)
        return found

    ours = derivatives(lambda X, gamma: mb.batch_norm(X, gamma, None, **kept))
    for one, two in zip(ours, derivatives(formula), strict=True):
        assert float((one - two).abs().max() / two.abs().max()) < 1e-9


def test_functional_transforms_of_torch(torch, mb, draw):
    X = draw(5, 3, grad=False)
    slope = torch.func.grad(lambda X: (mb.batch_norm(X) ** 3).sum())(X)
    theirs = torch.func.grad(
        lambda X: (torch.nn.functional.batch_norm(X, None, None, training=True) ** 3).sum()
    )(X)
    torch.testing.assert_close(slope, theirs, rtol=1e-12, atol=1e-12)


class TestWhatIsSaved:
    @pytest.mark.parametrize("which", [0, 1], ids=["X", "gamma"])
    def test_a_change_in_place_is_noticed(self, torch, mb, draw, which):
        args = [draw(5, 3), draw(3), draw(3)]
        Y = mb.batch_norm(*args)
        with torch.no_grad():
            args[which].mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            Y.sum().backward()

    def test_and_between_the_first_and_the_second_derivative(self, torch, mb, draw):
        X, dY = draw(5, 3), draw(5, 3)
        (dX,) = torch.autograd.grad(mb.batch_norm(X), X, dY, create_graph=True)
        with torch.no_grad():
            dY.mul_(2)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            (dX**2).sum().backward()

    def test_it_is_X_and_nothing_else_of_that_size(self, torch, mb, draw):
        X, saved = draw(50, 3), []
        with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
            mb.batch_norm(X, draw(3), draw(3))
        large = [t for t in saved if t.numel() > 3]
        assert [t.data_ptr() for t in large] == [X.data_ptr()]


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("weights", ["same", "float32"])
def test_dtypes_are_kept(torch, mb, draw, dtype, weights):
    dtype = getattr(torch, dtype)
    X = draw(64, 3, grad=False).to(dtype).requires_grad_()
    layer = mb.BatchNorm1d(3, dtype=dtype if weights == "same" else torch.float32)
    Y = layer(X)
    (Y * torch.arange(3).to(dtype)).sum().backward()
    assert (Y.dtype, X.grad.dtype) == (dtype, dtype)
    assert layer.weight.grad.dtype == layer.running_mean.dtype == layer.weight.dtype
    exact = mb.batch_norm(X.detach().double())
    # |Y| < 4. Half precision is computed in single and rounded once; the others, thrice.
    roundings = 1.01 if dtype.itemsize == 2 else 3
    assert float((Y.detach() - exact).abs().max()) <= roundings * torch.finfo(dtype).eps


def test_without_torch_the_error_names_the_extra():
    code = """
import sys
sys.modules["torch"] = None
from matbackprop.errors import MissingExtraError
try:
    import matbackprop.batchnorm.torch
except MissingExtraError as error:
    print(error)
"""
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert "pip install 'matbackprop[torch]'" in said


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")  # torch's own, of its own use
class TestTransforms:
    """What torch.func can do with torch's own batch norm, it can do with this one."""

    @pytest.fixture
    def both(self, torch, train):
        from matbackprop.batchnorm.torch import batch_norm

        draw = torch.Generator().manual_seed(1)
        mean, gamma, beta = (torch.randn(3, generator=draw, dtype=torch.float64) for _ in range(3))
        variance = mean**2 + 0.5
        moments = {} if train else {"mean": mean, "variance": variance}

        def ours(X, gamma=gamma):
            return batch_norm(X, gamma, beta, **moments)

        def theirs(X, gamma=gamma):
            mu = X.mean(0) if train else mean
            v = ((X - mu) ** 2).mean(0) if train else variance
            return (X - mu) / torch.sqrt(v + 1e-5) * gamma + beta

        return ours, theirs, torch.randn(5, 3, generator=draw, dtype=torch.float64), gamma

    def test_forward_mode(self, torch, both):
        ours, theirs, X, gamma = both
        directions = torch.cos(X), torch.sin(gamma)
        one, two = (torch.func.jvp(f, (X, gamma), directions)[1] for f in (ours, theirs))
        torch.testing.assert_close(one, two, rtol=1e-12, atol=1e-12)

    def test_forward_over_reverse(self, torch, both):
        ours, theirs, X, gamma = both
        one, two = (
            torch.func.hessian(lambda X, gamma, f=f: (f(X, gamma) ** 3).sum(), argnums=(0, 1))(
                X, gamma
            )
            for f in (ours, theirs)
        )
        torch.testing.assert_close(one, two, rtol=1e-11, atol=1e-11)

    def test_many_batches_at_once(self, torch, both):
        ours, _, X, _ = both
        batches = torch.stack([X, 2 * X + 1, X.flip(0)])
        want = torch.stack([ours(batch) for batch in batches])
        torch.testing.assert_close(torch.func.vmap(ours)(batches), want, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("shape", [(8, 3), (64, 64, 8, 32)], ids=["small", "large"])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compile_steps_around_it(torch, shape, mode):
    from matbackprop.batchnorm import torch as ours

    module = getattr(ours, "BatchNorm1d" if len(shape) == 2 else "BatchNorm2d")(shape[1])
    getattr(module, mode)()
    X = torch.randn(shape, requires_grad=True)
    Y = torch.compile(torch.nn.Sequential(module, torch.nn.ReLU()), backend="eager")(X)
    Y.sum().backward()
    assert X.grad.shape == X.shape
    torch.testing.assert_close(Y.detach() > 0, module(X).detach() > 0)


@pytest.mark.parametrize("size", [3, 40], ids=["small", "large"])
def test_what_follows_may_write_in_place(torch, size):
    from matbackprop.batchnorm.torch import BatchNorm2d

    net = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), BatchNorm2d(4), torch.nn.ReLU(inplace=True))
    X = torch.randn(12, 2, size + 2, size + 2, requires_grad=True)
    for mode in ("train", "eval"):
        getattr(net, mode)()(X).sum().backward()
    assert X.grad.isfinite().all()


def test_large_layers_whose_weights_alone_are_differentiated(torch):
    from matbackprop.batchnorm import BatchNormLayer

    X, dY = torch.randn(2, 1000, 256, dtype=torch.float64)
    gamma, beta = (torch.randn(256, dtype=torch.float64, requires_grad=True) for _ in range(2))
    layer = BatchNormLayer(256)
    Y, cache, _ = layer.forward(X, gamma, beta)
    found = torch.autograd.grad((Y * dY).sum(), (gamma, beta))
    torch.testing.assert_close(found, tuple(layer.backward(dY, cache)[1:]), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rows", [10, 1000], ids=["small", "large"])
def test_a_tangent_is_not_lost(torch, rows):
    from torch.autograd import forward_ad

    from matbackprop.batchnorm import BatchNormLayer, push_forward

    X, Xdot = torch.randn(2, rows, 256, dtype=torch.float64)
    layer = BatchNormLayer(256, affine=False)
    with forward_ad.dual_level():
        Y = layer.forward(forward_ad.make_dual(X, Xdot)).Y
        tangent = forward_ad.unpack_dual(Y).tangent
    want = push_forward(Xdot, layer.forward(X).cache)
    torch.testing.assert_close(tangent, want, rtol=1e-9, atol=1e-9)


def test_many_gradients_at_once(torch):
    from matbackprop.batchnorm.torch import batch_norm

    X = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    G = torch.randn(4, 5, 3, dtype=torch.float64)
    Y = batch_norm(X)
    (together,) = torch.autograd.grad(Y, X, G, is_grads_batched=True, retain_graph=True)
    apart = torch.stack([torch.autograd.grad(Y, X, g, retain_graph=True)[0] for g in G])
    torch.testing.assert_close(together, apart, rtol=1e-12, atol=1e-13)


def test_a_function_without_beta_has_gamma_still(torch):
    from matbackprop.batchnorm.torch import BatchNormFunction

    X = torch.randn(9, 2, dtype=torch.float64)
    stats = X.mean(0), torch.zeros(2, dtype=torch.float64), X.std(0, correction=0)
    Y = BatchNormFunction.apply(X, torch.full((2,), 3.0, dtype=torch.float64), None, *stats, 9, 0.0)
    torch.testing.assert_close(Y.std(0, correction=0), torch.full((2,), 3.0, dtype=torch.float64))
