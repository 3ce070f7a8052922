"""Batch norm for torch: the closed forms in autograd's hands, and drop-in modules.

Backward is the closed-form pullback, double backward the closed-form derivative of that: the
steps of neither are recorded. Higher derivatives are left to autograd. X̂ is not stored, but
computed anew from X.

Values are not looked at, for that would make a device wait: NaN go through to the result, as
they do in torch. Needs torch: `pip install 'matbackprop[torch]'`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from matbackprop.batchnorm.arrangements import batch_arrangement
from matbackprop.batchnorm.arrays import count
from matbackprop.batchnorm.centring import CentredMoments, centred_moments, given_moments
from matbackprop.batchnorm.door import admit
from matbackprop.batchnorm.options import BatchNorm
from matbackprop.batchnorm.running import Running, updated
from matbackprop.errors import DataError, DtypeError, MissingExtraError, OptionError, ShapeError

try:
    import torch
    from torch import Tensor

    from matbackprop.batchnorm.torch_functions import BatchNormFunction, PullbackFunction
except ImportError as error:
    raise MissingExtraError(
        "`matbackprop.batchnorm.torch` needs torch; it is not installed. "
        "Run `pip install 'matbackprop[torch]'`."
    ) from error

F = TypeVar("F", bound=Callable[..., Any])

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "BatchNormFunction",
    "PullbackFunction",
    "batch_norm",
]


# torch.compile would trace into memory that is shared with compiled code; it calls them instead.
_as_it_is: Callable[[F], F] = torch.compiler.disable


@_as_it_is
def batch_norm(
    X: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    /,
    *,
    mean: Tensor | None = None,
    variance: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return y = γ(x − μ)/√(σ² + eps) + β, channel by channel.

    Parameters
    ----------
    X
        Shape (N, C) or (N, C, …), of any real dtype; half precision is computed in single.
    gamma, beta
        Shape (C,); None for 1 and 0.
    mean, variance
        Shape (C,): constants to normalise by, through which no gradient passes. None: the mean
        and the (biased) variance of the batch.
    eps
        Added to the variance.

    Raises
    ------
    ShapeError
        If the shapes do not conform.
    DataError
        If X is empty; if the batch has one entry a channel, and no moments are given.
    DtypeError
        If X is no tensor of real floating-point numbers.
    OptionError
        If eps is not a finite number >= 0, or one of mean and variance is given without the other.

    References
    ----------
    Ioffe and Szegedy (2015), *Batch Normalization*.

    Examples
    --------
    >>> X = torch.tensor([[1.0], [2.0], [6.0]], dtype=torch.float64, requires_grad=True)
    >>> Y = batch_norm(X, eps=0.0)
    >>> (dX,) = torch.autograd.grad(Y[0, 0], X, create_graph=True)
    >>> abs(float(dX.sum().detach())) < 1e-15  # a shift of the batch changes nothing
    True
    >>> (dX[0, 0] ** 2).backward()  # a gradient of the gradient
    >>> X.grad.shape
    torch.Size([3, 1])
    """
    call = "batch_norm(X, gamma, beta, mean=, variance=, eps=)"
    BatchNorm(eps=eps)
    _check(X, call, gamma=gamma, beta=beta, mean=mean, variance=variance)
    if (mean is None) != (variance is None):
        raise OptionError(
            f"`{call}` needs both mean and variance, or neither, to use those of the batch; "
            f"got only {'variance' if mean is None else 'mean'}."
        )
    given = None if mean is None or variance is None else (mean, variance)
    return _normalized(X, gamma, beta, given, eps, call)[0]


class _ClosedForm(torch.nn.modules.batchnorm._BatchNorm):
    """The forward pass that the modules share. What they hold, torch's own constructor made."""

    dimensions: ClassVar[tuple[int, ...]]

    @_as_it_is
    def forward(self, input: Tensor) -> Tensor:
        """Return Y; in train mode, update the running statistics."""
        call = f"{type(self).__name__}(num_features={self.num_features})(X)"
        _check(input, call, channels=self.num_features)
        self._check_input_dim(input)
        mean, variance = self.running_mean, self.running_var
        given = None if self.training or mean is None or variance is None else (mean, variance)
        Y, moments = _normalized(input, self.weight, self.bias, given, self.eps, call)
        if self.training and self.track_running_stats:
            self._track(moments, input.numel() // self.num_features)
        return Y

    @torch.no_grad()
    def _track(self, moments: CentredMoments, m: int) -> None:
        batches, momentum = self.num_batches_tracked, self.momentum
        if batches is not None:
            batches.add_(1)
        if self.running_mean is None or self.running_var is None:
            return
        if momentum is None:  # the cumulative average; of nobody knows how many, it stays
            momentum = 0.0 if batches is None else 1 / int(batches)
        running = Running(self.running_mean, self.running_var)
        after = updated(running, moments, m, "torch", momentum)
        self.running_mean.copy_(after.mean)
        self.running_var.copy_(after.variance)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() not in self.dimensions:
            wanted = " or ".join(f"{n}" for n in self.dimensions)
            raise ShapeError(
                f"`{type(self).__name__}(num_features={self.num_features})(X)` needs X with "
                f"{wanted} dimensions, (N, C, …); got {input.dim()} (shape {tuple(input.shape)})."
            )


class BatchNorm1d(_ClosedForm, torch.nn.BatchNorm1d):
    """`torch.nn.BatchNorm1d`, over (N, C) or (N, C, L), computed by the closed forms.

    Arguments, state and modes are those of torch's module, and a state_dict fits both. In
    arithmetic it differs in that half precision is computed in single throughout; in errors, in
    that an empty batch is one, weights may be wider than the data, and a call that fails leaves
    the count of batches as it was. `torch.compile` steps around it, `torch.jit.script` and
    `torch.fx.symbolic_trace` cannot look into it.

    Raises
    ------
    ShapeError
        If X has other dimensions, or another number of channels.
    DataError
        If X is empty; if batch statistics are asked of one entry a channel.
    DtypeError
        If X is not of real floating-point numbers.

    Examples
    --------
    >>> layer = BatchNorm1d(2)
    >>> Y = layer(torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    >>> layer.running_mean, layer.running_var  # 0.9·0 + 0.1·(2, 2) and 0.9·1 + 0.1·(2, 8)
    (tensor([0.2000, 0.2000]), tensor([1.1000, 1.7000]))
    >>> torch.nn.BatchNorm1d(2).load_state_dict(layer.state_dict())
    <All keys matched successfully>
    """

    dimensions = (2, 3)


class BatchNorm2d(_ClosedForm, torch.nn.BatchNorm2d):
    """`torch.nn.BatchNorm2d`, over (N, C, H, W), computed by the closed forms; see `BatchNorm1d`.

    Examples
    --------
    >>> BatchNorm2d(3, affine=False)(torch.ones(2, 3, 4, 4)).abs().max()
    tensor(0.)
    """

    dimensions = (4,)


class BatchNorm3d(_ClosedForm, torch.nn.BatchNorm3d):
    """`torch.nn.BatchNorm3d`, over (N, C, D, H, W), by the closed forms; see `BatchNorm1d`.

    Examples
    --------
    >>> BatchNorm3d(3, affine=False)(torch.ones(2, 3, 4, 4, 4)).abs().max()
    tensor(0.)
    """

    dimensions = (5,)


def _normalized(
    X: Tensor,
    gamma: Tensor | None,
    beta: Tensor | None,
    given: tuple[Tensor, Tensor] | None,
    eps: float,
    call: str,
) -> tuple[Tensor, CentredMoments]:
    """Return Y, and the moments of the batch or those given."""
    wide = X.float() if X.dtype.itemsize < 4 else X
    if gamma is None and beta is not None:
        gamma = torch.ones_like(beta)
    if beta is None and gamma is not None:
        beta = torch.zeros_like(gamma)
    data, divisor = wide.detach(), None
    if given is None:
        axes = batch_arrangement(tuple(X.shape)).axes
        divisor = count(X.shape, axes)
        if divisor == 1:
            raise DataError(
                f"`{call}` needs two or more entries a channel to normalise by their own moments; "
                f"got X of shape {tuple(X.shape)}. Pass a larger batch, or normalise by running "
                "statistics: `eval()`."
            )
        moments = centred_moments(data, axes)
    else:
        moments = given_moments(data, *(stat.detach() for stat in given))
    stats = moments.pivot, moments.shift, torch.sqrt(moments.variance + eps)
    Y = BatchNormFunction.apply(wide, gamma, beta, *stats, divisor, eps)  # type: ignore[no-untyped-call]
    return Y.to(X.dtype), moments


def _check(X: Tensor, call: str, channels: int | None = None, **stats: Tensor | None) -> None:
    if not isinstance(X, torch.Tensor):
        raise DtypeError(
            f"`{call}` needs a torch tensor X; got {type(X).__name__}. Convert it with "
            "`torch.as_tensor`, or use `BatchNormLayer`, which takes arrays of any library."
        )
    if X.ndim < 2:
        raise ShapeError(f"`{call}` needs X of shape (N, C) or (N, C, …); got {tuple(X.shape)}.")
    admit(X, call=call, name="X", channels=channels)
    for name, stat in stats.items():
        if stat is not None and tuple(stat.shape) != (X.shape[1],):
            raise ShapeError(
                f"`{call}` needs {name} of shape ({X.shape[1]},), for X of shape "
                f"{tuple(X.shape)}; got {tuple(stat.shape)}."
            )
